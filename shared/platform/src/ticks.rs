//! When the schedules last ticked, in the connections table as the one item `ticks`: that nothing
//! ticks any more is seen by whoever looks.

use crate::Result;
use crate::error::failed;
use crate::item::{Item, Read, s};
use aws_sdk_dynamodb::Client;
use jiff::Timestamp;

const ID: &str = "ticks";

/// When the schedules last ticked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticks {
    /// The first tick of all.
    pub first_at: Option<Timestamp>,
    /// The last one that planned syncs.
    pub planned_at: Option<Timestamp>,
    /// The last one that looked whether all is well.
    pub watched_at: Option<Timestamp>,
}

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tick {
    /// It planned syncs.
    Planned,
    /// It looked whether all is well.
    Watched,
}

/// The ticks in DynamoDB.
#[derive(Clone)]
pub struct TickStore {
    client: Client,
    table: String,
}

impl TickStore {
    /// The ticks in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Notes that there was one at `at`.
    pub async fn note(&self, tick: Tick, at: Timestamp) -> Result<()> {
        let name = match tick {
            Tick::Planned => "plannedAt",
            Tick::Watched => "watchedAt",
        };
        self.client
            .update_item()
            .table_name(&self.table)
            .key("id", s(ID))
            .update_expression("SET #at = :at, firstAt = if_not_exists(firstAt, :at)")
            .expression_attribute_names("#at", name)
            .expression_attribute_values(":at", s(at))
            .send()
            .await
            .map_err(failed("note a tick of the schedule"))?;
        Ok(())
    }

    /// When they were.
    pub async fn get(&self) -> Result<Ticks> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", s(ID))
            .send()
            .await
            .map_err(failed("read when the schedules ticked"))?;
        let item: Item = answer.item.unwrap_or_default();
        Ok(Ticks {
            first_at: item.time("firstAt"),
            planned_at: item.time("plannedAt"),
            watched_at: item.time("watchedAt"),
        })
    }
}
