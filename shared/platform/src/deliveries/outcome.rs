//! What became of a delivery: each outcome is one write to its entry.

use super::failure::Failure;
use super::keys::StatusKey;
use super::record::{Delivery, DeliveryId, Status};
use super::store::{DeliveryStore, has_expired};
use crate::Result;
use crate::error::{condition_failed, failed};
use crate::item::{Item, n, s};
use crate::race::{meets_transaction, through};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use booking::Transition;
use jiff::Timestamp;

/// Whether a delivery was set back to `received`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reopened {
    /// It was; here it is.
    Yes(Box<Delivery>),
    /// Its body was erased, so there is nothing to apply.
    Erased,
    /// Somebody put it away, and it was to be left then.
    Discarded,
    /// It is not in the log (any more).
    Unknown,
}

/// How many changes of one attempt are kept: a group that is called off has one for each of its
/// people. Of more, as of those that aren't known, the entry says nothing: no list is shorter than
/// what was done.
const MOST_CHANGES: usize = 1000;

/// Attributes of a delivery that was put away.
pub(super) const DISCARD: &str = "discardedAt, discardedBy, discardReason";

/// What is written of a delivery that was applied.
pub(super) struct Change {
    pub(super) set: String,
    pub(super) remove: String,
    pub(super) add: &'static str,
    pub(super) values: Item,
}

impl Change {
    pub(super) fn processed(made: Option<&[Transition]>, warnings: &[String]) -> Self {
        let warnings = warnings.iter().map(s).collect();
        let mut set = "#status = :processed, processedAt = :now, warnings = :warnings".to_owned();
        let mut values = Item::from([
            (":processed".to_owned(), s(Status::Processed.as_str())),
            (":now".to_owned(), s(ambient::now())),
            (":warnings".to_owned(), AttributeValue::L(warnings)),
            (":one".to_owned(), n(1)),
        ]);
        let mut remove =
            format!("lastError, errorKind, nextAttemptAt, statusBucket, statusAt, {DISCARD}");
        if let Some(made) = made.filter(|made| made.len() <= MOST_CHANGES) {
            let made = made.iter().map(s).collect();
            set.push_str(", changes = list_append(if_not_exists(changes, :none), :made)");
            values.insert(":none".to_owned(), AttributeValue::L(Vec::new()));
            values.insert(":made".to_owned(), AttributeValue::L(made));
        } else {
            remove.push_str(", changes");
        }
        Self {
            set,
            remove,
            add: "attempts :one",
            values,
        }
    }
}

impl DeliveryStore {
    /// The delivery was applied. What this attempt `made` is added to what earlier ones are known to
    /// have made. Where that isn't known, nothing is said of either.
    /// `warnings` are what this attempt did not understand in it.
    pub async fn processed(
        &self,
        id: &DeliveryId,
        made: Option<&[Transition]>,
        warnings: &[String],
    ) -> Result<()> {
        let change = Change::processed(made, warnings);
        self.client
            .update_item()
            .table_name(&self.table)
            .key("id", s(id))
            .condition_expression("attribute_exists(id)")
            .expression_attribute_names("#status", "status")
            .set_expression_attribute_values(Some(change.values))
            .update_expression(format!(
                "SET {} REMOVE {} ADD {}",
                change.set, change.remove, change.add
            ))
            .send()
            .await
            .map_err(failed("log a delivery as processed"))?;
        Ok(())
    }

    /// An attempt failed; the next is at `next_attempt_at`. A delivery that another worker
    /// has settled meanwhile stays so.
    pub async fn failed(
        &self,
        id: &DeliveryId,
        failure: &Failure,
        next_attempt_at: Timestamp,
    ) -> Result<()> {
        self.unsettled(
            id,
            "SET #status = :status, statusBucket = :bucket, statusAt = :at, \
             lastError = :error, errorKind = :kind, nextAttemptAt = :next \
             ADD attempts :one",
            Status::Failed,
            vec![
                (":error", s(&failure.error)),
                (":kind", s(failure.kind.as_str())),
                (":next", s(next_attempt_at)),
                (":one", n(1)),
            ],
        )
        .await
    }

    /// The delivery was given up: after `attempts_made` (0 or 1) more attempts, for this failure.
    pub async fn dead(&self, id: &DeliveryId, failure: &Failure, attempts_made: u8) -> Result<()> {
        self.unsettled(
            id,
            "SET #status = :status, statusBucket = :bucket, statusAt = :at, lastError = :error, \
             errorKind = :kind REMOVE nextAttemptAt ADD attempts :made",
            Status::Dead,
            vec![
                (":error", s(&failure.error)),
                (":kind", s(failure.kind.as_str())),
                (":made", n(attempts_made)),
            ],
        )
        .await
    }

    /// Gives a delivery a status that isn't `processed`, unless it is settled already.
    async fn unsettled(
        &self,
        id: &DeliveryId,
        update: &str,
        status: Status,
        values: Vec<(&str, AttributeValue)>,
    ) -> Result<()> {
        // A failure undoes nothing that is settled; what is set aside gives way to what was applied.
        let condition = if status.is_settled() {
            "attribute_exists(id) AND #status <> :processed"
        } else {
            "attribute_exists(id) AND NOT #status IN (:processed, :ignored, :unprocessable, :discarded)"
        };
        let key = StatusKey::new(status, ambient::now(), id);
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", s(id))
            .expression_attribute_values(":bucket", s(key.bucket))
            .expression_attribute_values(":at", s(key.at))
            .condition_expression(condition)
            .update_expression(update)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":processed", s(Status::Processed.as_str()))
            .expression_attribute_values(":status", s(status.as_str()));
        if !status.is_settled() {
            call = call
                .expression_attribute_values(":ignored", s(Status::Ignored.as_str()))
                .expression_attribute_values(":unprocessable", s(Status::Unprocessable.as_str()))
                .expression_attribute_values(":discarded", s(Status::Discarded.as_str()));
        }
        for (name, value) in values {
            call = call.expression_attribute_values(name, value);
        }
        match call.send().await {
            Err(error) if !condition_failed(&error) => Err(failed("log a failed attempt")(error)),
            _ => Ok(()),
        }
    }

    /// There is nothing to apply: `status` is `Ignored` or `Unprocessable`, for `reason`.
    pub async fn set_aside(
        &self,
        id: &DeliveryId,
        status: Status,
        reason: Option<&Failure>,
    ) -> Result<()> {
        let (update, values) = match reason {
            Some(reason) => (
                format!(
                    "SET #status = :status, statusBucket = :bucket, statusAt = :at, \
                     lastError = :error, errorKind = :kind \
                     REMOVE nextAttemptAt, {DISCARD} ADD attempts :one"
                ),
                vec![
                    (":error", s(&reason.error)),
                    (":kind", s(reason.kind.as_str())),
                    (":one", n(1)),
                ],
            ),
            None => (
                format!(
                    "SET #status = :status, statusBucket = :bucket, statusAt = :at \
                     REMOVE lastError, errorKind, nextAttemptAt, {DISCARD} ADD attempts :one"
                ),
                vec![(":one", n(1))],
            ),
        };
        self.unsettled(id, &update, status, values).await
    }

    /// Notes that another message will be sent for a delivery. Before it is sent: whoever handles either
    /// message sees then that they may not be the only one.
    pub async fn sent_again(&self, id: &DeliveryId) -> Result<()> {
        let note = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", s(id))
            .condition_expression("attribute_exists(id)")
            .update_expression("SET sentAgain = :again")
            .expression_attribute_values(":again", AttributeValue::Bool(true));
        through(meets_transaction, || note.clone().send())
            .await
            .map_err(failed("note that a delivery is sent again"))?;
        Ok(())
    }

    /// Sets a delivery back to `received`, to be sent once more. One that was put away counts again.
    pub async fn reopen(&self, id: &DeliveryId) -> Result<Reopened> {
        self.reopen_if(id, "").await
    }

    /// The same, but what was put away stays so.
    pub async fn reopen_kept(&self, id: &DeliveryId) -> Result<Reopened> {
        self.reopen_if(id, " AND attribute_not_exists(discardedAt)")
            .await
    }

    async fn reopen_if(&self, id: &DeliveryId, also: &str) -> Result<Reopened> {
        let now = ambient::now();
        let key = StatusKey::new(Status::Received, now, id);
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", s(id))
            .condition_expression(format!(
                "attribute_exists(trackingId) AND expiresAt >= :now \
                 AND attribute_not_exists(erasedAt){also}"
            ))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .expression_attribute_values(":now", n(now.as_second()))
            .update_expression(format!(
                "SET #status = :received, statusBucket = :bucket, statusAt = :at, \
                 sentAgain = :again REMOVE nextAttemptAt, {DISCARD}"
            ))
            .expression_attribute_values(":again", AttributeValue::Bool(true))
            .expression_attribute_values(":bucket", s(key.bucket))
            .expression_attribute_values(":at", s(key.at))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":received", s(Status::Received.as_str()))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        match answer {
            Ok(answer) => {
                let item = answer.attributes.unwrap_or_default();
                Delivery::from_item(&item).map(|it| Reopened::Yes(Box::new(it)))
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    let kept = refused.item().filter(|item| !has_expired(item, now));
                    Ok(match kept {
                        Some(item) if item.contains_key("erasedAt") => Reopened::Erased,
                        Some(item) if item.contains_key("discardedAt") => Reopened::Discarded,
                        _ => Reopened::Unknown,
                    })
                }
                _ => Err(failed("set a delivery back to received")(error)),
            },
        }
    }
}
