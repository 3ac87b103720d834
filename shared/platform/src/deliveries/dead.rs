//! The list of dead deliveries.

use super::record::{Delivery, Page, Status};
use super::store::DeliveryStore;
use crate::Result;
use crate::error::failed;
use crate::item::{Item, Read, s};
use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};

const INDEX: &str = "byStatus";

impl DeliveryStore {
    /// Dead deliveries, the newest first, from `after` (as the page before gave it) on.
    ///
    /// They lie by month; as many months are looked through as `retention` spans.
    pub async fn dead_letters(
        &self,
        after: Option<String>,
        limit: usize,
        retention: SignedDuration,
    ) -> Result<Page<Delivery, String>> {
        let now = Timestamp::now();
        let oldest = bucket(
            Status::Dead,
            now.saturating_sub(retention).unwrap_or(Timestamp::MIN),
        );
        let mut month = now.to_zoned(TimeZone::UTC).date().first_of_month();
        let mut found: Vec<Item> = Vec::new();
        loop {
            let bucket = month_bucket(Status::Dead, month);
            if bucket < oldest || found.len() > limit {
                break;
            }
            let mut query = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(INDEX)
                .key_condition_expression("statusBucket = :bucket")
                .expression_attribute_values(":bucket", s(&bucket))
                .scan_index_forward(false)
                // One more than wanted tells whether there is a next page.
                .limit(i32::try_from(limit + 1 - found.len()).unwrap_or(i32::MAX));
            if let Some(after) = &after {
                query = query
                    .key_condition_expression("statusBucket = :bucket AND statusAt < :after")
                    .expression_attribute_values(":after", s(after));
            }
            let answer = query.send().await.map_err(failed("list dead letters"))?;
            found.extend(answer.items.unwrap_or_default());
            month = month.saturating_sub(1.month());
        }
        let next = (found.len() > limit)
            .then(|| found[limit - 1].must("statusAt").map(str::to_owned))
            .transpose()?;
        found.truncate(limit);
        let items = found
            .iter()
            .map(Delivery::from_item)
            .collect::<Result<_>>()?;
        Ok(Page { items, next })
    }
}

/// The bucket of the index in which a delivery that died at a time lies.
pub(super) fn bucket(status: Status, at: Timestamp) -> String {
    month_bucket(status, at.to_zoned(TimeZone::UTC).date())
}

fn month_bucket(status: Status, date: jiff::civil::Date) -> String {
    format!("{}#{:04}-{:02}", status.as_str(), date.year(), date.month())
}
