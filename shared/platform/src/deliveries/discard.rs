//! Putting away what was given up and can't be mended.

use super::keys::StatusKey;
use super::record::{Delivery, DeliveryId, Status};
use super::store::{DeliveryStore, has_expired};
use crate::Result;
use crate::error::failed;
use crate::item::{n, s};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};

/// Whether a delivery was put away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Discarded {
    /// It was; here it is.
    Now(Box<Delivery>),
    /// It had been already, by whom and why it says.
    Before(Box<Delivery>),
    /// It is not dead, but stands so.
    NotDead(Status),
    /// It is not in the log (any more).
    Unknown,
}

impl DeliveryStore {
    /// Puts a dead delivery away, for good unless it is replayed. Only a dead one: of what is about to
    /// be applied nobody can say that nothing mends it.
    pub async fn discard(&self, id: &DeliveryId, by: &str, reason: &str) -> Result<Discarded> {
        let now = ambient::now();
        let key = StatusKey::new(Status::Discarded, now, id);
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", s(id))
            .condition_expression(
                "attribute_exists(trackingId) AND expiresAt >= :second AND #status = :dead",
            )
            .update_expression(
                "SET #status = :discarded, statusBucket = :bucket, statusAt = :at, \
                 discardedAt = :now, discardedBy = :by, discardReason = :reason \
                 REMOVE nextAttemptAt",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":second", n(now.as_second()))
            .expression_attribute_values(":dead", s(Status::Dead.as_str()))
            .expression_attribute_values(":discarded", s(Status::Discarded.as_str()))
            .expression_attribute_values(":bucket", s(key.bucket))
            .expression_attribute_values(":at", s(key.at))
            .expression_attribute_values(":now", s(now))
            .expression_attribute_values(":by", s(by))
            .expression_attribute_values(":reason", s(reason))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let error = match answer {
            Ok(answer) => {
                let item = answer.attributes.unwrap_or_default();
                return Ok(Discarded::Now(Box::new(Delivery::from_item(&item)?)));
            }
            Err(error) => error,
        };
        let Some(UpdateItemError::ConditionalCheckFailedException(refused)) =
            error.as_service_error()
        else {
            return Err(failed("discard a delivery")(error));
        };
        let kept = refused.item().filter(|item| !has_expired(item, now));
        let Some(item) = kept.filter(|item| item.contains_key("trackingId")) else {
            return Ok(Discarded::Unknown);
        };
        let delivery = Delivery::from_item(item)?;
        Ok(match delivery.status {
            Status::Discarded => Discarded::Before(Box::new(delivery)),
            status => Discarded::NotDead(status),
        })
    }
}
