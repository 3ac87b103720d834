//! What a connection remembers of its webhook subscriptions.

use super::store::{Connection, ConnectionStore, key};
use crate::error::failed;
use crate::item::{Item, Read, n, s};
use crate::{Error, Result};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use booking::ConnectionId;
use calendly::api::Subscription;
use jiff::{SignedDuration, Timestamp};

/// The most former subscriptions that are remembered; of more the oldest are forgotten.
const MAX_FORMER: usize = 10;
/// How often more is tried than it takes for webhooks to come.
const TRY_EVERY: SignedDuration = SignedDuration::from_hours(24);

/// The subscription that a connection owns, as it remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Its URI.
    pub uri: String,
    /// A digest of the signing key that was sent along; nothing for an OAuth app's own.
    pub key: Option<String>,
}

/// What a connection remembers of its subscriptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The one that it owns.
    pub owned: Option<Owned>,
    /// URIs of former ones that may still be there, the oldest first: Calendly may hide them from an
    /// account that has become a member.
    pub former: Vec<String>,
    /// When it was last tried to have more than webhooks that come: a subscription that tells of the
    /// whole organization, and former ones deleted that are hidden.
    tried_at: Option<Timestamp>,
}

impl Remembered {
    pub(super) fn of(item: &Item) -> Self {
        let owned = item.text("subscriptionUri").map(|uri| Owned {
            uri: uri.to_owned(),
            key: item.text("subscriptionKey").map(str::to_owned),
        });
        Self {
            owned,
            former: item.texts("formerSubscriptions"),
            tried_at: item.time("subscriptionTriedAt"),
        }
    }

    /// URIs of all that are known.
    pub(super) fn uris(&self) -> impl Iterator<Item = &str> {
        let owned = self.owned.as_ref().map(|owned| owned.uri.as_str());
        owned
            .into_iter()
            .chain(self.former.iter().map(String::as_str))
    }

    /// Whether more is to be tried again.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.tried_at
            .is_none_or(|at| now.duration_since(at) >= TRY_EVERY)
    }
}

impl ConnectionStore {
    /// Remembers a subscription that was made for `connection`, with a digest of the key that was sent
    /// along, and the one before it as a former one.
    pub(super) async fn subscribed(
        &self,
        connection: &Connection,
        made: &Subscription,
        digest: Option<&str>,
    ) -> Result<()> {
        let remembered = &connection.subscriptions;
        let mut former = remembered.former.clone();
        let before = remembered.owned.as_ref().map(|owned| owned.uri.clone());
        former.extend(before.filter(|before| *before != made.uri));
        let update = "SET formerSubscriptions = :former, subscriptionUri = :uri";
        let update = match digest {
            Some(_) => format!("{update}, subscriptionKey = :key"),
            None => format!("{update} REMOVE subscriptionKey"),
        };
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(&connection.id))
            .condition_expression("attribute_exists(id)")
            .update_expression(update)
            .expression_attribute_values(":former", bounded(&connection.id, &former))
            .expression_attribute_values(":uri", s(&made.uri));
        let call = match digest {
            Some(digest) => call.expression_attribute_values(":key", s(digest)),
            None => call,
        };
        call.send().await.map_err(failed("store a subscription"))?;
        Ok(())
    }

    /// Remembers which former subscriptions may still be there.
    pub(super) async fn former(&self, id: &ConnectionId, former: &[String]) -> Result<()> {
        self.set(id, "formerSubscriptions", bounded(id, former))
            .await
    }

    /// Remembers that more is being tried now.
    pub(super) async fn trying(&self, id: &ConnectionId) -> Result<()> {
        self.set(id, "subscriptionTriedAt", s(ambient::now())).await
    }

    async fn set(&self, id: &ConnectionId, name: &str, value: AttributeValue) -> Result<()> {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
            .condition_expression("attribute_exists(id)")
            .update_expression("SET #name = :value")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":value", value)
            .send()
            .await
            .map_err(failed("remember a subscription"))?;
        Ok(())
    }

    /// The number of the next URL.
    pub(super) async fn next_generation(&self, id: &ConnectionId) -> Result<u64> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
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

/// The newest of `former`, as many as are remembered.
fn bounded(id: &ConnectionId, former: &[String]) -> AttributeValue {
    let (forgotten, kept) = former.split_at(former.len().saturating_sub(MAX_FORMER));
    for uri in forgotten {
        tracing::warn!(
            connection = id.as_str(),
            subscription = uri,
            "a former subscription that may still be there is forgotten"
        );
    }
    AttributeValue::L(kept.iter().map(s).collect())
}
