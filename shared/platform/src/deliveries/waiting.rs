//! Deliveries that wait to be processed. One that waits for long has lost its message: the process
//! was killed between the log and the queue.

use super::record::{Delivery, DeliveryId};
use super::store::DeliveryStore;
use crate::Result;
use crate::error::failed;
use crate::item::{Item, s};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// Deliveries of one hour lie in as many partitions, spread by their ids.
const SHARDS: u32 = 16;
/// How far back is looked: longer than Calendly itself would try again.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(26);

/// Where a delivery that waits from `at` on lies in the index.
pub(super) fn waiting_key(id: &DeliveryId, at: Timestamp) -> (String, String) {
    // The id is a digest in hex, so its first digit is spread evenly over the 16 shards.
    let first = id
        .as_str()
        .chars()
        .next()
        .and_then(|digit| digit.to_digit(16));
    (
        bucket(at, first.unwrap_or_default()),
        format!("{at:.6}#{id}"),
    )
}

fn bucket(at: Timestamp, shard: u32) -> String {
    let hour = at
        .to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H")
        .to_string();
    format!("received#{hour}#{shard}")
}

impl DeliveryStore {
    /// Up to `limit` deliveries that have been waiting since before `before`, the oldest first.
    pub async fn waiting(&self, before: Timestamp, limit: usize) -> Result<Vec<Delivery>> {
        let mut found: Vec<Item> = Vec::new();
        let mut hour = Timestamp::now()
            .saturating_sub(LOOK_BACK)
            .unwrap_or(Timestamp::MIN);
        while hour
            <= before
                .saturating_add(SignedDuration::from_hours(1))
                .unwrap_or(before)
        {
            for shard in 0..SHARDS {
                if found.len() >= limit {
                    break;
                }
                let answer = self
                    .client
                    .query()
                    .table_name(&self.table)
                    .index_name("byStatus")
                    .key_condition_expression("statusBucket = :bucket AND statusAt < :before")
                    .expression_attribute_values(":bucket", s(bucket(hour, shard)))
                    .expression_attribute_values(":before", s(format!("{before:.6}")))
                    .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                    .send()
                    .await
                    .map_err(failed("look for waiting deliveries"))?;
                found.extend(answer.items.unwrap_or_default());
            }
            hour += SignedDuration::from_hours(1);
        }
        found.iter().map(Delivery::from_item).collect()
    }
}
