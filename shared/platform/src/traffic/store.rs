//! The counts of days in DynamoDB.

use super::{Outcome, Traffic, hour_of};
use crate::error::failed;
use crate::item::{Item, Read, n, s};
use crate::{Error, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// How many days are read: the same hour of each of the last four weeks.
pub const DAYS: i64 = 29;
/// For how long a day's item is kept, in seconds from the day's beginning.
const KEPT_FOR: i64 = 36 * DAY;
const DAY: i64 = 24 * 3600;
/// How often what DynamoDB left out is asked for again.
const TRIES: usize = 3;
const ACTION: &str = "read the traffic of webhooks";

/// The counts in the table of limits.
#[derive(Clone)]
pub struct TrafficStore {
    client: Client,
    table: String,
}

impl TrafficStore {
    /// The counts in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Adds what a process counted: one write for each day.
    pub async fn add(&self, counted: &Traffic) -> Result<()> {
        let hours = counted.counts.keys().map(|(_, hour)| hour.div_euclid(24));
        let days: BTreeSet<i64> = hours.collect();
        for day in days {
            self.add_to(day, counted).await?;
        }
        Ok(())
    }

    async fn add_to(&self, day: i64, counted: &Traffic) -> Result<()> {
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", s(id_of(day)))
            .expression_attribute_values(":expires", n(day * DAY + KEPT_FOR));
        let mut set = "SET expiresAt = :expires".to_owned();
        let mut add = Vec::new();
        let of_day = |hour: i64| hour.div_euclid(24) == day;
        for ((outcome, hour), many) in &counted.counts {
            if of_day(*hour) {
                let name = count_name(*outcome, hour.rem_euclid(24));
                add.push(format!("{name} :{name}"));
                update = update.expression_attribute_values(format!(":{name}"), n(many));
            }
        }
        for (outcome, at) in &counted.last {
            if of_day(hour_of(*at)) {
                let name = last_name(*outcome);
                set = format!("{set}, {name} = :{name}");
                update = update.expression_attribute_values(format!(":{name}"), s(at));
            }
        }
        update
            .update_expression(format!("{set} ADD {}", add.join(", ")))
            .send()
            .await
            .map_err(failed("count webhooks"))?;
        Ok(())
    }

    /// What there was in the four weeks before `now`.
    pub async fn read(&self, now: Timestamp) -> Result<Traffic> {
        let today = hour_of(now).div_euclid(24);
        let key = |day| Item::from([("id".to_owned(), s(id_of(day)))]);
        let mut keys: Vec<Item> = (today - DAYS + 1..=today).map(key).collect();
        let mut traffic = Traffic::default();
        for _ in 0..TRIES {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .build()
                .map_err(|error| Error::corrupt("the traffic of webhooks", error))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, wanted)
                .send()
                .await
                .map_err(failed(ACTION))?;
            let found = answer.responses().and_then(|all| all.get(&self.table));
            for item in found.into_iter().flatten() {
                traffic.join(of_day(item));
            }
            let left = answer
                .unprocessed_keys()
                .and_then(|all| all.get(&self.table));
            keys = left.map(|left| left.keys().to_vec()).unwrap_or_default();
            if keys.is_empty() {
                return Ok(traffic);
            }
        }
        Err(Error::Aws {
            action: ACTION,
            cause: "some days were left out".to_owned(),
        })
    }
}

fn of_day(item: &Item) -> Traffic {
    let mut traffic = Traffic::default();
    let day = item.text("id").and_then(day_of).unwrap_or_default();
    for outcome in Outcome::ALL {
        for hour in 0..24 {
            let name = count_name(outcome, hour);
            let count = item.get(&name).and_then(|value| value.as_n().ok());
            if let Some(many) = count.and_then(|count| count.parse().ok()) {
                traffic.add(outcome, day * 24 + hour, many);
            }
        }
        let last = item.get(&last_name(outcome));
        let last = last.and_then(|value| value.as_s().ok()?.parse().ok());
        if let Some(at) = last {
            traffic.saw(outcome, at);
        }
    }
    traffic
}

fn count_name(outcome: Outcome, hour: i64) -> String {
    format!("{}{hour:02}", outcome.as_str())
}

fn last_name(outcome: Outcome) -> String {
    format!("{}At", outcome.as_str())
}

/// A day, counted from 1970 on, as `traffic#2026-11-26`.
fn id_of(day: i64) -> String {
    let start = Timestamp::from_second(day * DAY).unwrap_or(Timestamp::MAX);
    format!("traffic#{}", start.strftime("%Y-%m-%d"))
}

fn day_of(id: &str) -> Option<i64> {
    let date = id.strip_prefix("traffic#")?;
    let start: Timestamp = format!("{date}T00:00:00Z").parse().ok()?;
    Some(start.as_second().div_euclid(DAY))
}
