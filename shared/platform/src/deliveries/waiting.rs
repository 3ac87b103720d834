//! Deliveries that wait to be processed. One that waits for long has lost its message: the process
//! was killed between the log and the queue.

use super::keys::{SHARDS, first_day, just_below, month_start, time};
use super::record::{Delivery, Status};
use super::store::DeliveryStore;
use crate::Result;
use crate::error::failed;
use crate::item::{Item, Read, s};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// How far back is looked: longer than ever lies between two looks, which is at most a week (the
/// template's `SyncOverdueHours`).
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(24 * 8);

impl DeliveryStore {
    /// Up to `limit` deliveries that have been waiting since before `before`, the oldest first.
    ///
    /// 16 queries, and twice as many where a month ended in the last eight days.
    pub async fn waiting(&self, before: Timestamp, limit: usize) -> Result<Vec<Delivery>> {
        let oldest = time(
            ambient::now()
                .saturating_sub(LOOK_BACK)
                .unwrap_or(Timestamp::MIN),
        );
        let before = time(before);
        let mut found: Vec<Item> = Vec::new();
        let mut month = first_day(&oldest);
        while let Some(day) = month.filter(|day| found.len() < limit && month_start(*day) < before)
        {
            let missing = limit - found.len();
            let shards = SHARDS.map(|shard| {
                let bucket = format!(
                    "{}#{}#{shard}",
                    Status::Received.as_str(),
                    day.strftime("%Y-%m")
                );
                self.waiting_in(bucket, &oldest, &before, missing)
            });
            let mut here: Vec<Item> = try_join_all(shards).await?.into_iter().flatten().collect();
            here.sort_by(|a, b| a.text("statusAt").cmp(&b.text("statusAt")));
            here.truncate(missing);
            found.extend(here);
            month = day.checked_add(1.month()).ok();
        }
        // One that can't be read must not keep the others waiting.
        let readable = found.iter().filter_map(|item| {
            let read = Delivery::from_item(item);
            read.inspect_err(|error| {
                let id = item.text("id");
                tracing::error!(deliveryId = id, %error, "a waiting delivery is left out");
            })
            .ok()
        });
        Ok(readable.collect())
    }

    async fn waiting_in(
        &self,
        bucket: String,
        oldest: &str,
        before: &str,
        limit: usize,
    ) -> Result<Vec<Item>> {
        // The ends of a span must be in their order.
        if before <= oldest {
            return Ok(Vec::new());
        }
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("byStatus")
            .key_condition_expression("statusBucket = :bucket AND statusAt BETWEEN :from AND :to")
            .expression_attribute_values(":bucket", s(bucket))
            .expression_attribute_values(":from", s(oldest))
            .expression_attribute_values(":to", s(just_below(before)))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(failed("look for waiting deliveries"))?;
        Ok(answer.items.unwrap_or_default())
    }
}
