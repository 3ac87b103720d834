//! What Calendly shows of a connection's subscriptions, and what it may hide.

use super::store::Connection;
use super::subscription::WatchError;
use calendly::api::{Access, ApiError, Client, Listed, Subscription};

/// Whether an account may see its organization's subscriptions: only owners and administrators may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permission {
    /// It may.
    Given,
    /// It may not.
    Refused,
    /// The list could not be read.
    Unknown,
}

/// A look at a connection's subscriptions.
pub(super) struct Look {
    /// Those that send here and that this connection made, whatever their state.
    pub(super) ours: Vec<Subscription>,
    /// URIs of those that it remembers and that were not shown, though they may be there.
    pub(super) unseen: Vec<String>,
    /// Whether it was shown its organization's.
    pub(super) organization: Permission,
}

/// Looks at the lists.
pub(super) async fn look<A: Access>(
    client: &Client<A>,
    connection: &Connection,
    prefix: &str,
) -> Result<Look, WatchError> {
    let (listed, organization) = visible(client, connection).await;
    if listed.unreadable > 0 {
        tracing::warn!(
            connection = connection.id.as_str(),
            unreadable = listed.unreadable,
            "Calendly lists subscriptions that can't be read"
        );
    }
    let known: Vec<&str> = connection.subscriptions.uris().collect();
    let mut ours = listed.items;
    // Also those that are known, should this service have moved to another address.
    ours.retain(|one| one.callback_url.starts_with(prefix) || known.contains(&one.uri.as_str()));
    let complete = listed.stopped.is_none() && organization == Permission::Given;
    let is_seen = |uri: &str| ours.iter().any(|one| one.uri == uri);
    let unseen = known.iter().filter(|uri| !complete && !is_seen(uri));
    let unseen = unseen.map(|uri| (*uri).to_owned()).collect();
    match listed.stopped {
        // With none known only a later list can tell; if there never is one, one is made.
        Some(error) if known.is_empty() && error.is_transient() => Err(error.into()),
        _ => Ok(Look {
            ours,
            unseen,
            organization,
        }),
    }
}

impl Look {
    /// Asks for those that were not shown, one by one. The owned one must be known; former ones are
    /// asked for only when they are to be deleted.
    pub(super) async fn ask<A: Access>(
        &mut self,
        client: &Client<A>,
        connection: &Connection,
    ) -> Result<(), WatchError> {
        let remembered = &connection.subscriptions;
        let is_due = remembered.is_due(ambient::now());
        for uri in std::mem::take(&mut self.unseen) {
            let is_owned = remembered.owned.as_ref().is_some_and(|own| own.uri == uri);
            if !is_owned && !is_due {
                self.unseen.push(uri);
                continue;
            }
            match client.subscription(Subscription::id_of(&uri)).await {
                Ok(subscription) => self.ours.push(subscription),
                Err(ApiError::NotFound { .. }) => {}
                // It may be the organization's, of which this account is told nothing any more.
                Err(ApiError::Forbidden { .. } | ApiError::MissingScope { .. })
                    if self.organization == Permission::Refused =>
                {
                    self.unseen.push(uri);
                }
                Err(_) if !is_owned => self.unseen.push(uri),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// All webhook subscriptions that the account of `connection` may see, its organization's and its
/// own, wherever they send; as far as the lists can be read.
pub async fn subscriptions<A: Access>(
    client: &Client<A>,
    connection: &Connection,
) -> Listed<Subscription> {
    visible(client, connection).await.0
}

async fn visible<A: Access>(
    client: &Client<A>,
    connection: &Connection,
) -> (Listed<Subscription>, Permission) {
    let organization = &connection.organization_uri;
    let mut found = client.subscriptions(organization, None).await;
    let permission = match found.stopped {
        None => Permission::Given,
        Some(ApiError::Forbidden { .. }) => {
            found.stopped = None;
            Permission::Refused
        }
        Some(_) => Permission::Unknown,
    };
    let own = client.subscriptions(organization, Some(&connection.user_uri));
    let own = own.await;
    found.items.extend(own.items);
    found.unreadable += own.unreadable;
    found.stopped = own.stopped.or(found.stopped);
    found.items.sort_by(|a, b| a.uri.cmp(&b.uri));
    found.items.dedup_by(|a, b| a.uri == b.uri);
    (found, permission)
}
