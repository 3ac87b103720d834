//! Erasing: what a delivery's body says of people goes, that it came stays known.

use super::body::{MAX_PARTS, split};
use super::keys::StatusKey;
use super::outcome::Change;
use super::record::{DeliveryId, Status};
use super::store::{DeliveryStore, part_id};
use crate::error::failed;
use crate::item::{Read, b, n, s};
use crate::race::{canceled, is_unmet, lost, meets_another};
use crate::{Error, Result};
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};
use booking::{ContactKey, Transition};
use jiff::{SignedDuration, Timestamp};

/// Between reading a delivery and erasing it, a worker may change it: so often that is tried again.
const TRIES: usize = 5;
const ACTION: &str = "erase a delivery";
/// What is said of a delivery that was not applied before it was erased.
const REASON: &str = "erased: its body was removed before it was applied";

/// For how long what is set aside must not name somebody who was erased: as long as Calendly may send
/// what it made before (24 hours), and some over. What comes later was made later.
const SENT_LATE: SignedDuration = SignedDuration::from_hours(26);

fn mark_id(contact: &ContactKey) -> String {
    format!("erased#{}", contact.as_str())
}

impl DeliveryStore {
    /// Sees to it that no body that names somebody, and of which there is nothing to apply, is kept
    /// from now on: those that are applied meet the mark that the bookings have.
    pub async fn mark_erased(&self, contact: &ContactKey, now: Timestamp) -> Result<()> {
        let until = now.saturating_add(SENT_LATE).unwrap_or(Timestamp::MAX);
        self.client
            .update_item()
            .table_name(&self.table)
            .key("id", s(mark_id(contact)))
            .update_expression("SET expiresAt = :until")
            .expression_attribute_values(":until", n(until.as_second()))
            .send()
            .await
            .map_err(failed("mark a person as erased in the log"))?;
        Ok(())
    }

    /// The condition that nobody has marked somebody as erased a while ago.
    pub(super) fn not_erased(
        &self,
        contact: &ContactKey,
        now: AttributeValue,
    ) -> Result<TransactWriteItem> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key("id", s(mark_id(contact)))
            .condition_expression("attribute_not_exists(id) OR expiresAt < :now")
            .expression_attribute_values(":now", now)
            .build()
            .map_err(unbuilt)?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// Erases a delivery's body for good, with all its parts. One that was still to be applied, or
    /// was given up, is `ignored` from then on. Answers whether there was anything to erase.
    pub async fn erase(&self, id: &DeliveryId) -> Result<bool> {
        for attempt in 0..TRIES {
            let answer = self
                .client
                .get_item()
                .table_name(&self.table)
                .key("id", s(id))
                .consistent_read(true)
                .projection_expression("#status, erasedAt")
                .expression_attribute_names("#status", "status")
                .send()
                .await
                .map_err(failed(ACTION))?;
            let Some(item) = answer.item.filter(|item| item.text("erasedAt").is_none()) else {
                return Ok(false);
            };
            if self.erase_as(id, item.must("status")?.parse()?).await? {
                return Ok(true);
            }
            lost(attempt).await;
        }
        Err(Error::Contended {
            action: ACTION,
            tries: TRIES,
        })
    }

    /// As [`Self::processed`], and erases the delivery's body as the same write: a stop between the two
    /// would leave one that was applied without a body, or a body that must not be kept.
    pub async fn processed_and_erased(
        &self,
        id: &DeliveryId,
        made: Option<&[Transition]>,
        warnings: &[String],
    ) -> Result<()> {
        for attempt in 0..TRIES {
            let change = Change::processed(made, warnings);
            let update = Update::builder()
                .table_name(&self.table)
                .key("id", s(id))
                .condition_expression("attribute_exists(id)")
                .expression_attribute_names("#status", "status")
                .set_expression_attribute_values(Some(change.values))
                .update_expression(format!(
                    "SET {}, erasedAt = if_not_exists(erasedAt, :now) \
                     REMOVE {}, body, bodyParts ADD {}",
                    change.set, change.remove, change.add
                ));
            if self.change_with_parts(id, update, &[], 0).await? {
                return Ok(());
            }
            lost(attempt).await;
        }
        Err(Error::Contended {
            action: ACTION,
            tries: TRIES,
        })
    }

    /// Puts what is left of a body in its place, without somebody who was in it. Answers whether the
    /// delivery still stood so. Its id stays that of the body as it was received.
    pub async fn replace_body(&self, id: &DeliveryId, seen: Status, left: &[u8]) -> Result<bool> {
        let parts = split(left)?;
        let Some((first, more)) = parts.split_first() else {
            return Err(Error::corrupt("a delivery's body", "it has no parts"));
        };
        let item = self.item(id).await?;
        let Some(expires_at) = item.and_then(|item| item.number::<i64>("expiresAt")) else {
            return Ok(false);
        };
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", s(id))
            .condition_expression("#status = :seen AND attribute_not_exists(erasedAt)")
            .update_expression("SET body = :body, bodyParts = :parts")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":seen", s(seen.as_str()))
            .expression_attribute_values(":body", b(first))
            .expression_attribute_values(":parts", n(parts.len()));
        self.change_with_parts(id, update, more, expires_at).await
    }

    /// Erases a delivery that stands so; answers whether it does.
    async fn erase_as(&self, id: &DeliveryId, seen: Status) -> Result<bool> {
        let now = ambient::now();
        let mut update = Update::builder()
            .table_name(&self.table)
            .key("id", s(id))
            .condition_expression("#status = :seen AND attribute_not_exists(erasedAt)")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":seen", s(seen.as_str()))
            .expression_attribute_values(":now", s(now));
        update = if seen.is_settled() {
            // Somebody's words of why they put it away may name people, too.
            update.update_expression("SET erasedAt = :now REMOVE body, bodyParts, discardReason")
        } else {
            let key = StatusKey::new(Status::Ignored, now, id);
            update
                .update_expression(
                    "SET erasedAt = :now, #status = :ignored, lastError = :reason, \
                     statusBucket = :bucket, statusAt = :at \
                     REMOVE body, bodyParts, errorKind, nextAttemptAt",
                )
                .expression_attribute_values(":ignored", s(Status::Ignored.as_str()))
                .expression_attribute_values(":reason", s(REASON))
                .expression_attribute_values(":bucket", s(key.bucket))
                .expression_attribute_values(":at", s(key.at))
        };
        self.change_with_parts(id, update, &[], 0).await
    }

    /// Changes an entry and the further parts of its body to `more`, as one, so that no part is left
    /// behind. Answers whether the entry's condition held.
    async fn change_with_parts(
        &self,
        id: &DeliveryId,
        update: UpdateBuilder,
        more: &[Vec<u8>],
        expires_at: i64,
    ) -> Result<bool> {
        let update = update.build().map_err(unbuilt)?;
        let mut writes = vec![TransactWriteItem::builder().update(update).build()];
        for (number, part) in (1..).zip(more) {
            let put = Put::builder()
                .table_name(&self.table)
                .item("id", s(part_id(id, number)))
                .item("body", b(part))
                .item("expiresAt", n(expires_at))
                .build()
                .map_err(unbuilt)?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        for number in 1 + more.len()..MAX_PARTS {
            let delete = Delete::builder()
                .table_name(&self.table)
                .key("id", s(part_id(id, number)))
                .build()
                .map_err(unbuilt)?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
        }
        let written = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error)
                if meets_another(&error)
                    || canceled(&error).unwrap_or_default().iter().any(is_unmet) =>
            {
                Ok(false)
            }
            Err(error) => Err(failed(ACTION)(error)),
        }
    }
}

fn unbuilt(error: aws_sdk_dynamodb::error::BuildError) -> Error {
    Error::corrupt("a delivery", error)
}
