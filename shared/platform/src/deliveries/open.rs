//! What is open: deliveries that wait for an attempt, or for somebody.

use super::keys::{SHARDS, open_bucket};
use super::record::{Delivery, Status};
use super::store::DeliveryStore;
use crate::error::failed;
use crate::item::{Item, Read, n, s};
use crate::{Error, Result};
use futures::future::try_join_all;
use jiff::Timestamp;

/// The most deliveries of one status that are read of one shard.
const MOST: usize = 64;

/// In the order in which the index has them.
const STATUSES: [Status; 3] = [Status::Dead, Status::Failed, Status::Received];

/// An open delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenDelivery {
    /// Since when it stands so.
    pub since: Timestamp,
    /// It.
    pub delivery: Delivery,
}

/// Open deliveries of one status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenList {
    /// Those that stand so for longest come first.
    pub deliveries: Vec<OpenDelivery>,
    /// There are more than these, or may be.
    pub more: bool,
}

/// Every open delivery, or of very many at least the first thousand of each status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Open {
    /// Logged, and not tried so far.
    pub received: OpenList,
    /// Tried in vain, and to be tried again.
    pub failed: OpenList,
    /// Given up.
    pub dead: OpenList,
}

impl Open {
    fn of(&mut self, status: Status) -> Option<&mut OpenList> {
        match status {
            Status::Received => Some(&mut self.received),
            Status::Failed => Some(&mut self.failed),
            Status::Dead => Some(&mut self.dead),
            Status::Processed | Status::Ignored | Status::Unprocessable | Status::Discarded => None,
        }
    }
}

/// Some items of a bucket, and whether these are all.
struct Few {
    items: Vec<Item>,
    all: bool,
}

impl DeliveryStore {
    /// What is open: 16 queries, and up to three more for each shard that has very many.
    pub async fn open(&self) -> Result<Open> {
        // On the heap: sixteen futures of the SDK are more than a small stack holds.
        let shards = SHARDS.map(|shard| Box::pin(self.open_in(open_bucket(shard))));
        let shards = try_join_all(shards).await?;
        let mut open = Open::default();
        for (status, some) in shards.into_iter().flatten() {
            let Some(list) = open.of(status) else {
                continue;
            };
            list.more |= !some.all;
            // One that can't be read must not hide the others.
            list.deliveries.extend(some.items.iter().filter_map(|item| {
                let read = read(item);
                read.inspect_err(|error| {
                    let id = item.text("id");
                    tracing::error!(deliveryId = id, %error, "an open delivery is left out");
                })
                .ok()
            }));
        }
        for list in [&mut open.received, &mut open.failed, &mut open.dead] {
            list.deliveries
                .sort_by(|a, b| (a.since, &a.delivery.id).cmp(&(b.since, &b.delivery.id)));
        }
        Ok(open)
    }

    /// Those of one shard, by status.
    async fn open_in(&self, bucket: String) -> Result<Vec<(Status, Few)>> {
        let first = self.some(&bucket, "").await?;
        let last = first.items.last().and_then(status_of);
        let mut found = Vec::new();
        for status in STATUSES {
            let place = |one: Status| STATUSES.iter().position(|known| *known == one);
            // Those behind the last that was read, and the rest of its own status, take a query more.
            let seen = first.all || last.is_some_and(|last| place(status) < place(last));
            let some = if seen {
                let is = |item: &&Item| status_of(item) == Some(status);
                Few {
                    items: first.items.iter().filter(is).cloned().collect(),
                    all: true,
                }
            } else {
                self.some(&bucket, &format!("{}#", status.as_str())).await?
            };
            found.push((status, some));
        }
        Ok(found)
    }

    async fn some(&self, bucket: &str, prefix: &str) -> Result<Few> {
        let condition = if prefix.is_empty() {
            "statusBucket = :bucket"
        } else {
            "statusBucket = :bucket AND begins_with(statusAt, :prefix)"
        };
        let mut query = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("byStatus")
            .key_condition_expression(condition)
            .filter_expression("expiresAt >= :now")
            .expression_attribute_values(":bucket", s(bucket))
            .expression_attribute_values(":now", n(ambient::now().as_second()))
            .limit(i32::try_from(MOST).unwrap_or(i32::MAX));
        if !prefix.is_empty() {
            query = query.expression_attribute_values(":prefix", s(prefix));
        }
        let answer = query
            .send()
            .await
            .map_err(failed("look for open deliveries"))?;
        Ok(Few {
            all: answer.last_evaluated_key.is_none(),
            items: answer.items.unwrap_or_default(),
        })
    }
}

fn status_of(item: &Item) -> Option<Status> {
    item.text("statusAt")?.split('#').next()?.parse().ok()
}

fn read(item: &Item) -> Result<OpenDelivery> {
    let delivery = Delivery::from_item(item)?;
    let at = item.must("statusAt")?.split('#').nth(1);
    let since = at.and_then(|at| at.parse().ok());
    let since = since.ok_or_else(|| Error::corrupt("an open delivery", "statusAt has no time"))?;
    Ok(OpenDelivery { since, delivery })
}
