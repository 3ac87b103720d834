//! A connection's webhook subscription: made, checked, replaced and cleaned up.
//!
//! Calendly switches subscriptions off without a word, can't switch them on again, never shows a
//! subscription's signing key, and refuses a second one with the same URL. So each new one gets a
//! URL of its own (a generation), is made before the old one is deleted, and every step can be
//! taken anew.

use super::owned::Owned;
use super::store::{Connection, ConnectionStore, LeaseFor};
use super::subscribe::{EVENTS, make};
use crate::Error;
use crate::metrics::{self, Metric, Metrics};
use calendly::api::{Access, ApiError, Client, Listed, Subscription, SubscriptionState};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::time::Duration;

const WEBHOOK_PATH: &str = "/v1/webhooks/calendly/";
/// Longer than any invocation that brings a subscription in order.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// How long to wait while somebody else does.
const WAIT: Duration = Duration::from_secs(8);

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
    /// There was none that works: a new one was made. Webhooks may have been missed.
    Replaced,
}

fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

/// Brings the subscription of `connection` in order. `signing_key` is sent along for a personal
/// access token; an OAuth app has a key of its own.
///
/// One process at a time changes anything: two would make two, and one that is still at it while the connection is
/// taken away would leave one behind.
pub async fn watch<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    signing_key: Option<&str>,
) -> Result<Watched, WatchError> {
    let key = signing_key.map(digest);
    if Seen::of(client, store, connection, key.as_deref())
        .await?
        .in_order(connection)
    {
        return Ok(Watched::Healthy);
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
) -> Result<Watched, WatchError> {
    let id = &connection.id;
    let key = signing_key.map(digest);
    // Looked at again: somebody else may have been here since.
    let seen = Seen::of(client, store, connection, key.as_deref()).await?;
    seen.tell(connection);
    let (keep, watched) = if let Some(healthy) = seen.healthy {
        (healthy.uri, Watched::Healthy)
    } else {
        let prefix = prefix(connection);
        let made = make(client, store, connection, &prefix, signing_key).await?;
        store.subscribed(id, &made, key.as_deref()).await?;
        tracing::warn!(
            connection = id.as_str(),
            outcome = "replaced",
            "subscription"
        );
        metrics::count(Metric::SubscriptionsReplaced);
        (made.uri, Watched::Replaced)
    };
    for old in seen.ours.iter().filter(|one| one.uri != keep) {
        // What is left over does no harm but double messages, and the next run sees it again.
        if let Err(error) = client.unsubscribe(old.id()).await {
            tracing::warn!(connection = id.as_str(), %error, "an old subscription stays");
        }
    }
    Ok(watched)
}

/// What there is of a connection's subscriptions.
struct Seen {
    /// All that send here, whatever their state.
    ours: Vec<Subscription>,
    /// The one that the connection owns, if it works.
    healthy: Option<Subscription>,
    /// Calendly has switched the owned one off.
    disabled: bool,
}

impl Seen {
    async fn of<A: Access>(
        client: &Client<A>,
        store: &ConnectionStore,
        connection: &Connection,
        key: Option<&str>,
    ) -> Result<Self, WatchError> {
        let prefix = prefix(connection);
        let owned = store.subscription(&connection.id).await?;
        let ours = ours(client, connection, &prefix, owned.as_ref()).await?;
        let is_owned = |one: &&Subscription| owned.as_ref().is_some_and(|own| own.uri == one.uri);
        // A key that was changed since counts for new subscriptions only: Calendly signs on with the
        // one that it was given.
        let knows_key = owned.as_ref().is_some_and(|own| own.key.as_deref() == key);
        let own = ours.iter().find(is_owned);
        let disabled = own.is_some_and(|own| own.state == SubscriptionState::Disabled);
        let healthy = own.filter(|own| {
            knows_key
                && own.callback_url.starts_with(&prefix)
                && own.state == SubscriptionState::Active
                && tells_all(own)
        });
        Ok(Self {
            healthy: healthy.cloned(),
            disabled,
            ours,
        })
    }

    /// Whether there is one that works, and no other.
    fn in_order(&self, connection: &Connection) -> bool {
        let alone = self.healthy.is_some() && self.ours.len() == 1;
        if alone {
            self.tell(connection);
        }
        alone
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
        let hours = self.healthy.as_ref();
        if let Some(hours) = hours.and_then(|own| hours_left(own, ambient::now())) {
            tracing::warn!(
                connection = connection.id.as_str(),
                hoursLeft = hours,
                outcome = "retrying",
                "Calendly has begun to retry: it may switch the subscription off when the hours are over"
            );
            let mut metrics = Metrics::default();
            metrics.count(Metric::SubscriptionsRetrying);
            metrics.measure(Metric::SubscriptionHoursLeft, hours);
        }
    }
}

/// Whether it tells of all that is needed. One whose events Calendly doesn't say was made with them.
fn tells_all(subscription: &Subscription) -> bool {
    let tells = |event: &&str| subscription.events.iter().any(|told| told == event);
    subscription.events.is_empty() || EVENTS.iter().all(tells)
}

/// Hours until Calendly may switch a subscription off: it tries for 24 hours from when it began.
/// The time of that may stay set after all is well again, so an older one says nothing.
fn hours_left(subscription: &Subscription, now: Timestamp) -> Option<u64> {
    let tried_for = now.duration_since(subscription.retry_started_at?);
    let hours = u64::try_from(tried_for.as_hours()).ok()?;
    (hours < 24).then(|| 24 - hours)
}

/// Deletes every subscription of this connection, as far as they can be: an error says that some may
/// be left. For the holder of the connection's [`LeaseFor::Watch`].
pub async fn unsubscribe_all<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
) -> Result<(), WatchError> {
    let owned = store.subscription(&connection.id).await?;
    let mut failed = None;
    for subscription in ours(client, connection, &prefix(connection), owned.as_ref()).await? {
        failed = client.unsubscribe(subscription.id()).await.err().or(failed);
    }
    failed.map_or(Ok(()), |error| Err(error.into()))
}

/// How the URLs of this connection's subscriptions begin.
fn prefix(connection: &Connection) -> String {
    let base = connection.base_url.trim_end_matches('/');
    format!("{base}{WEBHOOK_PATH}{}-", connection.id.as_str())
}

/// The subscriptions that send here and that this connection made, whatever their state.
async fn ours<A: Access>(
    client: &Client<A>,
    connection: &Connection,
    prefix: &str,
    owned: Option<&Owned>,
) -> Result<Vec<Subscription>, WatchError> {
    let listed = subscriptions(client, connection).await;
    let mut found = listed.items;
    // Also the one that is known, should this service have moved to another address.
    found.retain(|subscription| {
        subscription.callback_url.starts_with(prefix)
            || owned.is_some_and(|owned| owned.uri == subscription.uri)
    });
    if listed.unreadable > 0 {
        tracing::warn!(
            connection = connection.id.as_str(),
            unreadable = listed.unreadable,
            "Calendly lists subscriptions that can't be read"
        );
    }
    let Some(stopped) = listed.stopped else {
        return Ok(found);
    };
    // A list that can't be read to its end may hide the one that is known, but not from a question
    // of its own. With none known only a later list can tell; if there never is one, one is made.
    let owned = match owned {
        Some(owned) => owned,
        None if stopped.is_transient() => return Err(stopped.into()),
        None => return Ok(found),
    };
    if !found
        .iter()
        .any(|subscription| subscription.uri == owned.uri)
    {
        match client.subscription(owned.id()).await {
            Ok(subscription) => found.push(subscription),
            Err(ApiError::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// All webhook subscriptions that the account of `connection` may see, its organization's and its
/// own, wherever they send; as far as the lists can be read.
pub async fn subscriptions<A: Access>(
    client: &Client<A>,
    connection: &Connection,
) -> Listed<Subscription> {
    let mut found = Listed::default();
    for user in [None, Some(connection.user_uri.as_str())] {
        let listed = client
            .subscriptions(&connection.organization_uri, user)
            .await;
        found.items.extend(listed.items);
        found.unreadable += listed.unreadable;
        match listed.stopped {
            // Only owners and administrators see an organization's subscriptions.
            Some(ApiError::Forbidden { .. }) if user.is_none() => {}
            Some(error) => found.stopped = Some(error),
            None => {}
        }
    }
    found.items.sort_by(|a, b| a.uri.cmp(&b.uri));
    found.items.dedup_by(|a, b| a.uri == b.uri);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use calendly::api::Scope;

    #[test]
    fn hours_are_counted_only_from_a_retry_that_is_young() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let retrying = |hours: i64| Subscription {
            uri: "https://api.calendly.com/webhook_subscriptions/s".to_owned(),
            callback_url: "https://example.com".to_owned(),
            state: SubscriptionState::Active,
            events: Vec::new(),
            scope: Scope::User,
            organization: None,
            user: None,
            creator: None,
            created_at: None,
            retry_started_at: Some(now - SignedDuration::from_hours(hours)),
        };
        assert_eq!(hours_left(&retrying(0), now), Some(24));
        assert_eq!(hours_left(&retrying(23), now), Some(1));
        assert_eq!(hours_left(&retrying(24), now), None);
        assert_eq!(hours_left(&retrying(500), now), None);
        let mut never = retrying(0);
        never.retry_started_at = None;
        assert_eq!(hours_left(&never, now), None);
    }
}
