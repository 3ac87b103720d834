//! What a connection remembers of its webhook subscription.

use super::store::{ConnectionStore, key};
use crate::error::failed;
use crate::item::{Read, n, s};
use crate::{Error, Result};
use aws_sdk_dynamodb::types::ReturnValue;
use booking::ConnectionId;
use calendly::api::Subscription;

/// The subscription that a connection owns, as it remembers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    /// Its URI.
    pub uri: String,
    /// A digest of the signing key that was sent along; nothing for an OAuth app's own.
    pub key: Option<String>,
}

impl Owned {
    /// The id: the last part of its URI.
    pub(super) fn id(&self) -> &str {
        self.uri.rsplit('/').next().unwrap_or_default()
    }
}

impl ConnectionStore {
    /// The subscription that a connection owns.
    pub async fn subscription(&self, id: &ConnectionId) -> Result<Option<Owned>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", key(id))
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

    /// Remembers a subscription that was made, and a digest of the key that was sent along.
    pub(super) async fn subscribed(
        &self,
        id: &ConnectionId,
        made: &Subscription,
        digest: Option<&str>,
    ) -> Result<()> {
        let (update, digest) = match digest {
            Some(digest) => (
                "SET subscriptionUri = :uri, subscriptionKey = :key",
                Some(s(digest)),
            ),
            None => ("SET subscriptionUri = :uri REMOVE subscriptionKey", None),
        };
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
            .condition_expression("attribute_exists(id)")
            .update_expression(update)
            .expression_attribute_values(":uri", s(&made.uri));
        let call = match digest {
            Some(digest) => call.expression_attribute_values(":key", digest),
            None => call,
        };
        call.send().await.map_err(failed("store a subscription"))?;
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
