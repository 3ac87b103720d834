//! Writing: all or nothing, and only while what was read is still so.

use super::item::{Check, Write, Writes};
use super::keys::{self, Key};
use super::store::{BookingStore, FRESH};
use crate::error::failed;
use crate::item::{Item, s};
use crate::race::{canceled, throttled};
use crate::{Error, Result};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{CancellationReason, ConditionCheck, Delete, Put, TransactWriteItem};
use booking::Records;
use tokio::time::Instant;

impl BookingStore {
    /// Writes the next state of `records`, all or nothing. `false` when another writer was faster, or
    /// what was read at `read_at` is too old.
    pub(super) async fn commit(
        &self,
        records: &Records,
        writes: Writes,
        read_at: Instant,
    ) -> Result<bool> {
        let Writes {
            records: mut writes,
            checks,
            links,
            unlinked,
        } = writes;
        if writes.is_empty() {
            return Ok(true);
        }
        for bucket in records.events.values().filter_map(keys::event_bucket) {
            self.directory.list(&bucket).await?;
        }
        if read_at.elapsed() > FRESH {
            return Ok(false);
        }
        let alone = writes.len() == 1 && checks.is_empty();
        if alone && links.is_empty() && unlinked.is_empty() {
            return match writes.pop() {
                Some(write) => self.put(write).await,
                None => Ok(true),
            };
        }
        let mut all = Vec::with_capacity(writes.len() + checks.len());
        for write in writes {
            all.push(self.write(write)?);
        }
        for check in checks {
            all.push(self.check(check)?);
        }
        for item in links {
            all.push(self.link(item)?);
        }
        for key in &unlinked {
            all.push(self.unlink(key)?);
        }
        self.transact(all).await
    }

    /// A record's write, as part of a transaction.
    pub(super) fn write(&self, write: Write) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .condition_expression(condition(write.expected.as_ref()))
            .set_expression_attribute_values(values(write.expected))
            .set_item(Some(write.item))
            .build()
            .map_err(|error| Error::corrupt("a booking", error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// That a record is as it was read, as part of a transaction.
    pub(super) fn check(&self, check: Check) -> Result<TransactWriteItem> {
        let is = ConditionCheck::builder()
            .table_name(&self.table)
            .set_key(Some(check.key.item()))
            .condition_expression(condition(check.expected.as_ref()))
            .set_expression_attribute_values(values(check.expected))
            .build()
            .map_err(|error| Error::corrupt("a booking's key", error))?;
        Ok(TransactWriteItem::builder().condition_check(is).build())
    }

    pub(super) fn link(&self, item: Item) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .build()
            .map_err(|error| Error::corrupt("an index entry", error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    pub(super) fn unlink(&self, key: &Key) -> Result<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .build()
            .map_err(|error| Error::corrupt("an index entry", error))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// `false` when another writer was faster, or the table is throttled: after a pause, since the SDK
    /// waits for no transaction that was canceled.
    pub(super) async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<bool> {
        let written = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) => match canceled(&error).and_then(again) {
                Some(Again::Raced) => Ok(false),
                Some(Again::Throttled) => {
                    throttled(0).await;
                    Ok(false)
                }
                None => Err(failed("write bookings")(error)),
            },
        }
    }

    /// `false` when another writer was faster.
    pub(super) async fn put(&self, write: Write) -> Result<bool> {
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .condition_expression(condition(write.expected.as_ref()))
            .set_expression_attribute_values(values(write.expected))
            .set_item(Some(write.item))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) if lost_race(&error) => Ok(false),
            Err(error) => Err(failed("write a booking")(error)),
        }
    }
}

fn condition(expected: Option<&String>) -> &'static str {
    match expected {
        Some(_) => "etag = :etag",
        None => "attribute_not_exists(pk)",
    }
}

fn values(expected: Option<String>) -> Option<Item> {
    expected.map(|etag| Item::from([(":etag".to_owned(), s(etag))]))
}

/// Whether a write failed only because another came first.
fn lost_race<R>(error: &SdkError<PutItemError, R>) -> bool {
    error.as_service_error().is_some_and(|error| {
        error.is_conditional_check_failed_exception() || error.is_transaction_conflict_exception()
    })
}

/// Why a transaction that was canceled is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    /// Another writer came first.
    Raced,
    /// The table, or an index, takes no more for the moment.
    Throttled,
}

/// Why a transaction is worth another try that was canceled for these reasons; nothing if one of them
/// would be met each time. The codes are those of DynamoDB's `TransactionCanceledException`.
fn again(reasons: &[CancellationReason]) -> Option<Again> {
    let codes = reasons.iter().filter_map(CancellationReason::code);
    let mut found = None;
    for code in codes.filter(|code| *code != "None") {
        match code {
            "ConditionalCheckFailed" | "TransactionConflict" => {
                found.get_or_insert(Again::Raced);
            }
            "ThrottlingError" | "ProvisionedThroughputExceeded" => found = Some(Again::Throttled),
            _ => return None,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(codes: &[&str]) -> Option<Again> {
        let reasons = codes.iter();
        let reasons: Vec<_> = reasons
            .map(|code| CancellationReason::builder().code(*code).build())
            .collect();
        again(&reasons)
    }

    #[test]
    fn a_transaction_is_tried_again_unless_one_of_its_reasons_stays() {
        let raced = Some(Again::Raced);
        let throttled = Some(Again::Throttled);
        assert_eq!(of(&["None", "ConditionalCheckFailed"]), raced);
        assert_eq!(of(&["TransactionConflict", "None"]), raced);
        assert_eq!(of(&["None", "ThrottlingError"]), throttled);
        assert_eq!(of(&["ProvisionedThroughputExceeded"]), throttled);
        assert_eq!(
            of(&["ThrottlingError", "ConditionalCheckFailed"]),
            throttled
        );
        assert_eq!(of(&["ConditionalCheckFailed", "ValidationError"]), None);
        assert_eq!(
            of(&["ThrottlingError", "ItemCollectionSizeLimitExceeded"]),
            None
        );
        assert_eq!(of(&["None"]), None);
        assert_eq!(of(&[]), None);
    }
}
