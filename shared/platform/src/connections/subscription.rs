//! A connection's webhook subscription: made, checked, replaced and cleaned up.
//!
//! Calendly switches subscriptions off without a word, can't switch them on again, never shows a
//! subscription's signing key, and refuses a second one with the same URL. So each new one gets a
//! URL of its own (a generation), is made before the old one is deleted, and every step can be
//! taken anew.

use super::budget::{LEASE, WAIT};
use super::look::{Look, Permission, look};
use super::store::{Connection, ConnectionStore, LeaseFor};
use super::subscribe::{EVENTS, Hook, Reach, make};
use crate::Error;
use crate::metrics::{self, Metric};
use calendly::api::{Access, ApiError, Client, Subscription, SubscriptionState};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

const WEBHOOK_PATH: &str = "/v1/webhooks/calendly/";

/// Why a subscription could not be brought in order.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// Calendly did not do it.
    #[error(transparent)]
    Calendly(#[from] ApiError),
    /// The store did not do it.
    #[error(transparent)]
    Store(#[from] Error),
    /// Somebody else is at it.
    #[error("another process is at the subscription of this connection; try again")]
    Busy,
}

impl WatchError {
    /// Whether a later try may succeed without anybody doing something.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Calendly(error) => error.is_transient(),
            Self::Store(error) => error.is_transient(),
            Self::Busy => true,
        }
    }
}

/// What the watchdog found and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Watched {
    /// All was well.
    Healthy,
    /// There was none that works, or it told of less than the account may have: a new one was made.
    /// Webhooks may have been missed.
    Replaced,
}

fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

/// Brings the subscription of `connection` in order. `signing_key` is sent along for a personal
/// access token; an OAuth app has a key of its own.
///
/// One process at a time changes anything: two would make two, and one that is still at it while the
/// connection is taken away would leave one behind.
pub async fn watch<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    signing_key: Option<&str>,
) -> Result<Watched, WatchError> {
    let watched = watch_now(client, store, connection, signing_key).await;
    match &watched {
        Ok((_, subscription)) => {
            let retried = subscription.as_ref().and_then(|one| one.retry_started_at);
            store.subscription_works(connection, retried).await?;
        }
        // Whether there is one is not known while nothing can be asked.
        Err(error) if error.is_transient() => {}
        Err(error) => store.unsubscribed(connection, &error.to_string()).await?,
    }
    watched.map(|(watched, _)| watched)
}

/// The same; answers the subscription, too, that works now.
async fn watch_now<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    signing_key: Option<&str>,
) -> Result<(Watched, Option<Subscription>), WatchError> {
    // What `connection` remembers may be old by now: then nothing seems in order, and it is read again.
    let seen = Seen::of(client, connection, signing_key).await?;
    if seen.in_order(connection) {
        return Ok((Watched::Healthy, seen.healthy));
    }
    let id = &connection.id;
    let lease = store.wait_for(id, LeaseFor::Watch, LEASE, WAIT).await?;
    let lease = lease.ok_or(WatchError::Busy)?;
    let watched = mend(client, store, connection, signing_key).await;
    // Not given back it ends by itself.
    if let Err(error) = store.release(id, &lease).await {
        tracing::warn!(connection = id.as_str(), %error, "lease not given back");
    }
    watched
}

/// For the holder of the lease.
async fn mend<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    signing_key: Option<&str>,
) -> Result<(Watched, Option<Subscription>), WatchError> {
    let id = &connection.id;
    // Looked at again: somebody else may have been here since.
    let connection = &store.get(id).await?.ok_or(WatchError::Busy)?;
    let seen = Seen::of(client, connection, signing_key).await?;
    seen.tell(connection);
    let trying = seen.is_more_to_try(connection);
    if trying {
        // Before it is done: not more often, whatever becomes of it.
        store.trying(id).await?;
    }
    let made = match &seen.healthy {
        None => Some(make_new(client, store, connection, signing_key, None).await?),
        Some(narrow) if trying && seen.wider => {
            let reach = Some(Reach::of(narrow));
            let wider = make_new(client, store, connection, signing_key, reach).await;
            // That one goes on to be used.
            wider
                .inspect_err(|error| {
                    tracing::info!(connection = id.as_str(), %error, "no wider subscription made");
                })
                .ok()
        }
        Some(_) => None,
    };
    let watched = made
        .as_ref()
        .map_or(Watched::Healthy, |_| Watched::Replaced);
    let before = connection.subscriptions.clone();
    let mut former = before.former.clone();
    if made.is_some() {
        former.extend(before.owned.map(|owned| owned.uri));
    }
    let works = made.or(seen.healthy);
    let keep = works.as_ref().map(|one| one.uri.clone());
    let others = seen.ours.into_iter().map(|one| one.uri);
    let hidden = seen.hidden.into_iter();
    let mut left = Vec::new();
    for (uri, is_hidden) in others
        .map(|uri| (uri, false))
        .chain(hidden.map(|uri| (uri, true)))
    {
        if keep.as_ref() == Some(&uri) {
            continue;
        }
        if is_hidden && !trying {
            left.push(uri);
            continue;
        }
        // What is left over does no harm but double messages, and the next run sees it again.
        if let Err(error) = client.unsubscribe(Subscription::id_of(&uri)).await {
            tracing::warn!(connection = id.as_str(), subscription = uri, %error, "an old subscription stays");
            left.push(uri);
        }
    }
    // In the order in which they became former ones.
    left.sort_by_key(|uri| {
        former
            .iter()
            .position(|known| known == uri)
            .unwrap_or(usize::MAX)
    });
    if left != former {
        store.former(id, &left).await?;
    }
    Ok((watched, works))
}

/// Makes a subscription that tells of more than `above`, and remembers it as the connection's own.
async fn make_new<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    signing_key: Option<&str>,
    above: Option<Reach>,
) -> Result<Subscription, WatchError> {
    let prefix = prefix(connection);
    let hook = Hook {
        prefix: &prefix,
        signing_key,
    };
    let made = make(client, store, connection, &hook, above).await?;
    let key = signing_key.map(digest);
    store.subscribed(connection, &made, key.as_deref()).await?;
    tracing::warn!(
        connection = connection.id.as_str(),
        outcome = if above.is_some() {
            "widened"
        } else {
            "replaced"
        },
        "subscription"
    );
    metrics::count(Metric::SubscriptionsReplaced);
    Ok(made)
}

/// What there is of a connection's subscriptions.
struct Seen {
    /// All that send here, whatever their state.
    ours: Vec<Subscription>,
    /// Known ones that Calendly doesn't show, though they may be there.
    hidden: Vec<String>,
    /// The one that the connection owns, if it works.
    healthy: Option<Subscription>,
    /// The account may have one that tells of more.
    wider: bool,
    /// Calendly has switched the owned one off.
    disabled: bool,
}

impl Seen {
    async fn of<A: Access>(
        client: &Client<A>,
        connection: &Connection,
        signing_key: Option<&str>,
    ) -> Result<Self, WatchError> {
        let prefix = prefix(connection);
        let key = signing_key.map(digest);
        let owned = connection.subscriptions.owned.as_ref();
        let mut look = look(client, connection, &prefix).await?;
        look.ask(client, connection).await?;
        let Look {
            ours,
            unseen: hidden,
            organization,
            ..
        } = look;
        // A key that was changed since counts for new subscriptions only: Calendly signs on with the
        // one that it was given.
        let knows_key = owned.is_some_and(|own| own.key == key);
        let is_owned = |one: &&Subscription| owned.is_some_and(|own| own.uri == one.uri);
        let own = ours.iter().find(is_owned);
        let disabled = own.is_some_and(|own| own.state == SubscriptionState::Disabled);
        let healthy = own.filter(|own| {
            knows_key
                && own.callback_url.starts_with(&prefix)
                && own.state == SubscriptionState::Active
                && tells_all(own)
        });
        let healthy = healthy.cloned();
        let most = Reach::most(connection);
        let narrow = healthy.as_ref().is_some_and(|own| Reach::of(own) < most);
        Ok(Self {
            // Only owners and administrators see an organization's, and may make one.
            wider: narrow && organization == Permission::Given,
            healthy,
            disabled,
            ours,
            hidden,
        })
    }

    /// Whether something is to be tried now that webhooks don't depend on.
    fn is_more_to_try(&self, connection: &Connection) -> bool {
        let any = self.wider || !self.hidden.is_empty();
        any && connection.subscriptions.is_due(ambient::now())
    }

    /// Whether there is one that works, no other, and nothing to be tried.
    fn in_order(&self, connection: &Connection) -> bool {
        let former = connection.subscriptions.former.len();
        let in_order = self.healthy.is_some()
            && self.ours.len() == 1
            && self.hidden.len() == former
            && !self.is_more_to_try(connection);
        if in_order {
            self.tell(connection);
        }
        in_order
    }

    /// Tells operators what they may have to look into.
    fn tell(&self, connection: &Connection) {
        if self.disabled {
            tracing::warn!(
                connection = connection.id.as_str(),
                outcome = "disabled",
                "Calendly has switched the subscription off; a new one takes its place"
            );
            metrics::count(Metric::SubscriptionsDisabled);
        }
    }
}

/// Whether it tells of all that is needed. One whose events Calendly doesn't say was made with them.
fn tells_all(subscription: &Subscription) -> bool {
    let tells = |event: &&str| subscription.events.iter().any(|told| told == event);
    subscription.events.is_empty() || EVENTS.iter().all(tells)
}

/// Deletes every subscription of this connection, as far as they can be: an error says that some may
/// be left. For the holder of the connection's [`LeaseFor::Watch`], who has read it since.
pub async fn unsubscribe_all<A: Access>(
    client: &Client<A>,
    connection: &Connection,
) -> Result<(), WatchError> {
    let look = look(client, connection, &prefix(connection)).await?;
    // Also those that are only remembered: one that isn't there is as good as deleted.
    let ours = look.ours.into_iter().map(|one| one.uri);
    let mut failed: Option<ApiError> = None;
    for uri in ours.chain(look.unseen) {
        let Err(error) = client.unsubscribe(Subscription::id_of(&uri)).await else {
            continue;
        };
        tracing::warn!(
            connection = connection.id.as_str(),
            subscription = uri,
            %error,
            "a subscription is left"
        );
        // One that a later try may delete is a reason for it.
        failed = failed.filter(ApiError::is_transient).or(Some(error));
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// How the URLs of this connection's subscriptions begin.
fn prefix(connection: &Connection) -> String {
    let base = connection.base_url.trim_end_matches('/');
    format!("{base}{WEBHOOK_PATH}{}-", connection.id.as_str())
}
