//! How many refused requests one address may make, counted in DynamoDB.
//!
//! An address is hashed into one of 16,384 slots, and a slot has one item for each limit: however
//! many addresses come, no more is stored. Two addresses may share a slot; then a refused request
//! of the one can be answered as one too many for the other's sake. Nothing else can happen to
//! it: only what is refused anyway is asked about here.

use crate::error::{condition_failed, failed};
use crate::item::{Item, Read, n, reach, s};
use crate::{Error, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValue;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many items a limit has at most.
pub const SLOTS: u16 = 16_384;

/// A caller who is refused waits for the count. Together with the 8.5 s that the webhook function
/// gives itself for all else this stays below the 10 s that Lambda gives it.
const TIME_LIMIT: Duration = Duration::from_millis(1200);

/// How often a count is tried while others end and start the same window.
const TRIES: usize = 3;

/// An item is left to DynamoDB's expiry this long after its window, in seconds: the clocks of two
/// processes may differ.
const KEPT_AFTER_END: i64 = 3600;

const ACTION: &str = "count a refused request";

/// How many refused requests are answered as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Tells its counts from those of other limits in the same table.
    pub name: &'static str,
    /// The most refused requests of one address in one window.
    pub most: u32,
    /// How long a window is, in whole seconds; it starts with a refused request.
    pub window: Duration,
}

/// Where an address stands with a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was refused seldom enough.
    Within,
    /// It was refused too often.
    Over {
        /// Seconds until the window ends, at least 1.
        retry_after: u32,
    },
}

/// The counts of refused requests, in a table that all processes share.
pub struct Limiter {
    client: Client,
    table: String,
    slots: u16,
    /// Until when a slot is over a limit, in epoch seconds: no call is needed to say so again.
    /// Holds no more than the table does, an entry for each slot of each limit.
    over: Mutex<HashMap<(&'static str, u16), i64>>,
}

/// What a window has come to.
struct Window {
    count: u64,
    ends_at: i64,
}

impl Limiter {
    /// The counts in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self {
            client,
            table,
            slots: SLOTS,
            over: Mutex::default(),
        }
    }

    /// Connects to DynamoDB, and does nothing there.
    pub async fn reach(&self) -> Result<()> {
        reach(&self.client, &self.table).await
    }

    /// Counts a request of `address` that was refused at `now`, and says whether that was one too
    /// many. One call as a rule, two where it starts a window, none once the limit is passed.
    ///
    /// An error, after little more than a second at most, says that it could not be counted: then
    /// the request is to be answered as if there were no limit.
    pub async fn refused(
        &self,
        limit: &Limit,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Standing> {
        let now = now.as_second();
        let slot = slot(address, self.slots);
        if let Some(ends_at) = self.over_until(limit, slot, now) {
            return Ok(over(limit, ends_at, now));
        }
        let counting = tokio::time::timeout(TIME_LIMIT, self.count(limit, slot, now));
        let window = counting.await.unwrap_or_else(|_| {
            Err(Error::Aws {
                action: ACTION,
                cause: "no answer in time".to_owned(),
            })
        })?;
        if window.count <= limit.most.into() {
            return Ok(Standing::Within);
        }
        let mut known = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert((limit.name, slot), window.ends_at);
        Ok(over(limit, window.ends_at, now))
    }

    fn over_until(&self, limit: &Limit, slot: u16, now: i64) -> Option<i64> {
        let mut known = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (limit.name, slot);
        let ends_at = *known.get(&key)?;
        if ends_at <= now {
            known.remove(&key);
            return None;
        }
        Some(ends_at)
    }

    async fn count(&self, limit: &Limit, slot: u16, now: i64) -> Result<Window> {
        let id = format!("{}#{slot}", limit.name);
        for _ in 0..TRIES {
            if let Some(window) = self.add(&id, now).await? {
                return Ok(window);
            }
            // Where another process starts it first, this request is added to what that one began.
            if let Some(window) = self.start(&id, limit, now).await? {
                return Ok(window);
            }
        }
        Err(Error::Contended {
            action: ACTION,
            tries: TRIES,
        })
    }

    /// Counts one more in the open window, if there is one.
    async fn add(&self, id: &str, now: i64) -> Result<Option<Window>> {
        let update = self
            .update(id)
            .update_expression("ADD #count :one")
            .condition_expression("endsAt > :now")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":now", n(now));
        written(update).await
    }

    /// Starts a window with this request, if none is open.
    async fn start(&self, id: &str, limit: &Limit, now: i64) -> Result<Option<Window>> {
        let ends_at = now.saturating_add(seconds(limit.window));
        let update = self
            .update(id)
            .update_expression("SET #count = :one, endsAt = :endsAt, expiresAt = :expiresAt")
            .condition_expression("attribute_not_exists(endsAt) OR endsAt <= :now")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":one", n(1))
            .expression_attribute_values(":endsAt", n(ends_at))
            .expression_attribute_values(":expiresAt", n(ends_at.saturating_add(KEPT_AFTER_END)))
            .expression_attribute_values(":now", n(now));
        written(update).await
    }

    fn update(&self, id: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("id", s(id))
            .return_values(ReturnValue::AllNew)
    }
}

/// Sends an update; nothing where its condition doesn't hold.
async fn written(update: UpdateItemFluentBuilder) -> Result<Option<Window>> {
    match update.send().await {
        Ok(answer) => window(&answer.attributes.unwrap_or_default()).map(Some),
        Err(error) if condition_failed(&error) => Ok(None),
        Err(error) => Err(failed(ACTION)(error)),
    }
}

fn window(item: &Item) -> Result<Window> {
    let number = |name| item.number::<i64>(name);
    let count = number("count").and_then(|count| u64::try_from(count).ok());
    match (count, number("endsAt")) {
        (Some(count), Some(ends_at)) => Ok(Window { count, ends_at }),
        _ => Err(Error::corrupt(
            "a count of refused requests",
            "count or endsAt is no number",
        )),
    }
}

fn over(limit: &Limit, ends_at: i64, now: i64) -> Standing {
    // Never more than a window, even where another process's clock is ahead.
    let left = ends_at
        .saturating_sub(now)
        .min(seconds(limit.window))
        .max(1);
    Standing::Over {
        retry_after: u32::try_from(left).unwrap_or(u32::MAX),
    }
}

fn seconds(window: Duration) -> i64 {
    i64::try_from(window.as_secs()).unwrap_or(i64::MAX)
}

/// The slot of an address. Whoever has one IPv6 address has all 2^64 of its network: they count as
/// one.
fn slot(address: IpAddr, slots: u16) -> u16 {
    let hash = match address.to_canonical() {
        IpAddr::V4(address) => Sha256::digest(address.octets()),
        IpAddr::V6(address) => Sha256::digest(&address.octets()[..8]),
    };
    u16::from_be_bytes([hash[0], hash[1]]) % slots
}

#[cfg(test)]
mod tests;
