//! A connection's webhook subscription: made, checked, replaced and cleaned up.
//!
//! Calendly switches subscriptions off without a word, can't switch them on again, never shows a
//! subscription's signing key, and refuses a second one with the same URL. So each new one gets a
//! URL of its own (a generation), is made before the old one is deleted, and every step can be
//! taken anew.

use super::store::{Connection, ConnectionStore, LeaseFor};
use crate::error::failed;
use crate::item::{Read, n, s};
use crate::metrics::{self, Metric, Metrics};
use crate::{Error, Result};
use aws_sdk_dynamodb::types::ReturnValue;
use booking::ConnectionId;
use calendly::api::{
    Access, ApiError, Client, Listed, NewSubscription, Scope, Subscription, SubscriptionState,
};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// What is subscribed to. Routing forms are told of to organizations only.
const EVENTS: [&str; 4] = [
    "invitee.created",
    "invitee.canceled",
    "invitee_no_show.created",
    "invitee_no_show.deleted",
];
const ROUTING_FORMS: &str = "routing_form_submission.created";
const WEBHOOK_PATH: &str = "/v1/webhooks/calendly/";
/// How many URLs are tried that turn out to be taken, by earlier tries that were stopped.
const MAX_TAKEN: usize = 5;
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

/// The subscription that a connection owns, as it remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Its URI.
    pub uri: String,
    /// A digest of the signing key that was sent along; nothing for an OAuth app's own.
    pub key: Option<String>,
}

impl Owned {
    fn id(&self) -> &str {
        self.uri.rsplit('/').next().unwrap_or_default()
    }
}

fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key))
}

/// Brings the subscription of `connection` in order. `signing_key` is sent along for a personal
/// access token; an OAuth app has a key of its own.
///
/// One process at a time: two would make two, and one that is still at it while the connection is
/// taken away would leave one behind.
pub async fn watch<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    signing_key: Option<&str>,
) -> Result<Watched, WatchError> {
    let id = &connection.id;
    let lease = store.wait_for(id, LeaseFor::Watch, LEASE, WAIT).await?;
    let lease = lease.ok_or(WatchError::Busy)?;
    let watched = watch_alone(client, store, connection, signing_key).await;
    // Not given back it ends by itself.
    if let Err(error) = store.release(id, &lease).await {
        tracing::warn!(connection = id.as_str(), %error, "lease not given back");
    }
    watched
}

async fn watch_alone<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    signing_key: Option<&str>,
) -> Result<Watched, WatchError> {
    let prefix = prefix(connection);
    let owned = store.subscription(&connection.id).await?;
    let ours = ours(client, connection, &prefix, owned.as_ref()).await?;
    let key = signing_key.map(digest);
    // A key that was changed since counts for new subscriptions only: Calendly signs on with the one
    // that it was given.
    let known_key = owned.as_ref().filter(|owned| owned.key == key);
    let healthy = known_key.and_then(|owned| {
        ours.iter().find(|subscription| {
            subscription.uri == owned.uri
                && subscription.callback_url.starts_with(&prefix)
                && subscription.state == SubscriptionState::Active
                && tells_all(subscription)
        })
    });
    let is_disabled = |owned: &Owned| {
        ours.iter().any(|subscription| {
            subscription.uri == owned.uri && subscription.state == SubscriptionState::Disabled
        })
    };
    if owned.as_ref().is_some_and(is_disabled) {
        tracing::warn!(
            connection = connection.id.as_str(),
            outcome = "disabled",
            "Calendly has switched the subscription off; a new one takes its place"
        );
        metrics::count(Metric::SubscriptionsDisabled);
    }
    if let Some(hours) = healthy.and_then(|subscription| hours_left(subscription, ambient::now())) {
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
    let (keep, watched) = if let Some(subscription) = healthy {
        (subscription.uri.clone(), Watched::Healthy)
    } else {
        let made = make(client, store, connection, &prefix, signing_key).await?;
        let uri = made.uri.clone();
        store
            .subscribed(&connection.id, &made, key.as_deref())
            .await?;
        tracing::warn!(
            connection = connection.id.as_str(),
            outcome = "replaced",
            "subscription"
        );
        metrics::count(Metric::SubscriptionsReplaced);
        (uri, Watched::Replaced)
    };
    for old in ours.iter().filter(|subscription| subscription.uri != keep) {
        // What is left over does no harm but double messages, and the next run sees it again.
        if let Err(error) = client.unsubscribe(old.id()).await {
            tracing::warn!(connection = connection.id.as_str(), %error, "an old subscription stays");
        }
    }
    Ok(watched)
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

/// Makes a subscription with as much as the account may: its organization with routing forms,
/// without, or only the user's own events.
async fn make<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    prefix: &str,
    signing_key: Option<&str>,
) -> Result<Subscription, WatchError> {
    // Without its scope Calendly refuses the whole subscription. Older apps don't tell theirs.
    let routing_forms = connection.scopes.is_empty()
        || connection
            .scopes
            .iter()
            .any(|scope| scope == "routing_forms:read");
    let mut wishes = vec![(Scope::Organization, false), (Scope::User, false)];
    if routing_forms {
        wishes.insert(0, (Scope::Organization, true));
    }
    let mut refused = None;
    for (scope, routing_forms) in wishes {
        match make_one(
            client,
            store,
            connection,
            prefix,
            signing_key,
            (scope, routing_forms),
        )
        .await
        {
            // A plan, a role, or a scope that the token lacks (which Calendly answers with 400).
            Err(WatchError::Calendly(
                error @ (ApiError::Forbidden { .. }
                | ApiError::MissingScope { .. }
                | ApiError::Status { status: 400, .. }),
            )) => refused = Some(error),
            result => return result,
        }
    }
    Err(refused.map_or_else(
        || {
            ApiError::AlreadyExists {
                action: "make a webhook subscription",
            }
            .into()
        },
        WatchError::Calendly,
    ))
}

async fn make_one<A: Access>(
    client: &Client<A>,
    store: &ConnectionStore,
    connection: &Connection,
    prefix: &str,
    signing_key: Option<&str>,
    (scope, routing_forms): (Scope, bool),
) -> Result<Subscription, WatchError> {
    let events = EVENTS
        .into_iter()
        .chain(routing_forms.then_some(ROUTING_FORMS));
    let events: Vec<String> = events.map(str::to_owned).collect();
    for _ in 0..MAX_TAKEN {
        // Counted before it is used: a run that is stopped in between leaves a gap, not a clash.
        let generation = store.next_generation(&connection.id).await?;
        let new = NewSubscription {
            url: format!("{prefix}{generation}"),
            events: events.clone(),
            organization: connection.organization_uri.clone(),
            user: (scope == Scope::User).then(|| connection.user_uri.clone()),
            scope,
            signing_key: signing_key.map(str::to_owned),
        };
        match client.subscribe(&new).await {
            // Of unknown key and state: left to the clean-up, and the next URL is tried.
            Err(ApiError::AlreadyExists { .. }) => {}
            result => return Ok(result?),
        }
    }
    Err(ApiError::AlreadyExists {
        action: "make a webhook subscription",
    }
    .into())
}

impl ConnectionStore {
    /// The subscription that a connection owns.
    pub async fn subscription(&self, id: &ConnectionId) -> Result<Option<Owned>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", super::store::key(id))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("read a subscription"))?;
        Ok(answer.item.and_then(|item| {
            Some(Owned {
                uri: item.text("subscriptionUri")?.to_owned(),
                key: item.text("subscriptionKey").map(str::to_owned),
            })
        }))
    }

    async fn subscribed(
        &self,
        id: &ConnectionId,
        made: &Subscription,
        key: Option<&str>,
    ) -> Result<()> {
        let (update, key) = match key {
            Some(key) => (
                "SET subscriptionUri = :uri, subscriptionKey = :key",
                Some(s(key)),
            ),
            None => ("SET subscriptionUri = :uri REMOVE subscriptionKey", None),
        };
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", super::store::key(id))
            .condition_expression("attribute_exists(id)")
            .update_expression(update)
            .expression_attribute_values(":uri", s(&made.uri));
        let call = match key {
            Some(key) => call.expression_attribute_values(":key", key),
            None => call,
        };
        call.send().await.map_err(failed("store a subscription"))?;
        Ok(())
    }

    async fn next_generation(&self, id: &ConnectionId) -> Result<u64> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", super::store::key(id))
            .condition_expression("attribute_exists(id)")
            .update_expression("ADD generation :one")
            .expression_attribute_values(":one", n(1))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(failed("count a subscription"))?;
        let count = answer.attributes.and_then(|item| item.number("generation"));
        count.ok_or_else(|| Error::corrupt("a connection", "no generation came back"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

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
