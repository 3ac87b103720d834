//! Syncs: what was asked for, how far it is, and what it found. In the connections table, as items
//! `sync#{id}` that expire.

use crate::error::{condition_failed, failed};
use crate::item::{Item, Read, n, s};
use crate::race::{MAX_TRIES, canceled, lost};
use crate::{Error, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use booking::{ConnectionId, EventUri};
use calendly::api::Pages;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a sync can be asked after.
const RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How many errors a sync keeps.
const MAX_ERRORS: usize = 20;

/// A message of the sync queue: bring one connection's bookings in order, or those of all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncJob {
    /// The sync that it belongs to; nothing for a scheduled one, which nobody asks after.
    pub sync_id: Option<String>,
    /// Which connection; nothing for all, each of which then gets a job of its own.
    pub connection_id: Option<ConnectionId>,
    /// Start times from here; by default two days ago.
    pub from: Option<Timestamp>,
    /// Start times to here; by default the booking horizon.
    pub to: Option<Timestamp>,
    /// Only this event, which has to be read again.
    #[serde(default)]
    pub event: Option<ReadAgain>,
    /// Only this event, which a colleague's token did not find.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<Missed>,
    /// No connection: only what follows from the records of these events, should whoever wrote them have
    /// been stopped.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub go_on: BTreeSet<EventUri>,
    /// The first one of a connection: what it finds, no webhook could have told of.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
    /// Where an earlier message stopped.
    #[serde(default)]
    pub place: Option<Place>,
    /// With what the message that goes on takes over the connection's lease: nobody else begins a run
    /// in between, and a copy of the message finds the ticket used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// An event to be read again, with its invitees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadAgain {
    /// Id of the scheduled event.
    pub event_id: String,
    /// Why.
    pub why: Why,
    /// How often it was read in vain.
    #[serde(default)]
    pub reads: u32,
}

/// Why an event is to be read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Why {
    /// Its conference link wasn't ready, and no webhook tells when it is.
    LinkPending,
    /// A webhook that came late changed it: what was read meanwhile and showed no change is not on
    /// record, so the late one may have won against it.
    ToldLate,
}

impl ReadAgain {
    /// When to read it (again): for a link after 1, 2, 4 and 8 minutes, for a late webhook at once
    /// and then so. After that the scheduled syncs see it.
    pub fn delay(&self) -> Option<Duration> {
        match (self.why, self.reads) {
            (Why::LinkPending, reads) => Some(reads),
            (Why::ToldLate, 0) => return Some(Duration::ZERO),
            (Why::ToldLate, reads) => Some(reads - 1),
        }
        .filter(|waits| *waits < 4)
        .map(|waits| Duration::from_secs(60 << waits))
    }
}

/// An event that an account which sees its own events only did not find: whoever lists all of its
/// organization can tell whether it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Missed {
    /// URI of the scheduled event.
    pub event: EventUri,
    /// URI of the organization that it belongs to.
    pub organization: String,
    /// How often it was looked for in vain.
    #[serde(default)]
    pub looks: u32,
}

impl Missed {
    /// When to look again after passing trouble: after 1, 2, 4 and 8 minutes. After that the next sync of
    /// who missed it asks again.
    pub fn delay(&self) -> Option<Duration> {
        let waits = self.looks.checked_sub(1).filter(|waits| *waits < 4);
        waits.map(|waits| Duration::from_secs(60 << waits))
    }
}

/// How far a reconcile run is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Place {
    /// The window, fixed when the run began.
    pub from: Option<Timestamp>,
    /// See `from`.
    pub to: Option<Timestamp>,
    /// The page that is being compared. For all connections, a page of them.
    pub pages: Pages,
    /// Where the list was begun anew, should its pages have led nowhere.
    pub listed_from: Option<Timestamp>,
    /// Pages that were compared, whichever list they were of.
    pub compared: u32,
    /// Ids of this page's events that were read already.
    pub done: Vec<String>,
    /// Of this page's events with very many invitees: the pages of those that were read.
    pub begun: BTreeMap<String, Pages>,
    /// Everything that starts before this is done.
    pub done_to: Option<Timestamp>,
    /// Ids of the events that start just then and are done, too.
    pub done_at: Vec<String>,
    /// Only the user's own events can be listed.
    pub own_events_only: bool,
    /// Messages in a row that came no further.
    pub idle: u32,
}

/// What a part of a sync did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Pages read.
    pub pages: usize,
    /// Events seen.
    pub seen: usize,
    /// Events of which something had to be written.
    pub changed: usize,
    /// Events that were no longer listed.
    pub vanished: usize,
    /// What went wrong with single events or the connection: the first few.
    pub errors: Vec<String>,
    /// How much went wrong, all in all.
    pub failures: usize,
}

impl Tally {
    /// Counts something that went wrong, and keeps its text if there are few.
    pub fn error(&mut self, error: impl ToString) {
        self.failures += 1;
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error.to_string());
        }
    }
}

/// A sync as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sync {
    /// Its id.
    pub sync_id: String,
    /// `queued`, `running`, `done` or `failed`.
    #[schemars(extend("enum" = ["queued", "running", "done", "failed"]))]
    pub state: &'static str,
    /// When it was asked for.
    pub requested_at: Option<Timestamp>,
    /// When its last part ended.
    pub updated_at: Option<Timestamp>,
    /// How many connections it covers.
    pub connections: usize,
    /// How many of them are done.
    pub finished: usize,
    /// How many of them could not be done.
    pub failed: usize,
    /// Pages read.
    pub pages: usize,
    /// Events compared.
    pub synced_count: usize,
    /// Events that there are, once all pages of all connections are read.
    pub total: Option<usize>,
    /// Events of which something had to be written.
    pub changed: usize,
    /// Events that Calendly no longer lists.
    pub vanished: usize,
    /// What went wrong; the first few.
    pub errors: Vec<String>,
    /// How much went wrong: events and entries that could not be read, and parts that were tried
    /// again.
    pub error_count: usize,
}

/// How a part of a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// More of the same connection follows.
    GoesOn,
    /// Its connection is done.
    Finished,
    /// Its connection can't be done.
    Failed,
}

/// Syncs in DynamoDB.
#[derive(Clone)]
pub struct SyncStore {
    client: Client,
    table: String,
}

impl SyncStore {
    /// The syncs in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Notes that a sync was asked for.
    pub async fn requested(&self, id: &str) -> Result<()> {
        self.client
            .put_item()
            .table_name(&self.table)
            .item("id", s(key(id)))
            .item("requestedAt", s(ambient::now()))
            .item("expiresAt", n(expiry()))
            .send()
            .await
            .map_err(failed("store a sync"))?;
        Ok(())
    }

    /// Adds the connections of one page of them, which it covers; with `all`, there are no more. A page
    /// that is told twice counts once.
    pub async fn planned(&self, id: &str, page: u32, connections: usize, all: bool) -> Result<()> {
        let added = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", s(key(id)))
            .update_expression("SET planned = :all ADD connections :count, pagesPlanned :pages")
            .condition_expression("NOT contains(pagesPlanned, :page)")
            .expression_attribute_values(":all", AttributeValue::Bool(all))
            .expression_attribute_values(":count", n(connections))
            .expression_attribute_values(":page", n(page))
            .expression_attribute_values(":pages", AttributeValue::Ns(vec![page.to_string()]))
            .send()
            .await;
        match added {
            Err(error) if !condition_failed(&error) => Err(failed("store a sync's plan")(error)),
            _ => Ok(()),
        }
    }

    /// Adds what a part did for `whom`: the id of a connection, or what else the sync covers. Each ends
    /// once, however often its message is handed out.
    pub async fn add(&self, id: &str, whom: &str, tally: &Tally, part: Part) -> Result<()> {
        let mut ends = part != Part::GoesOn;
        // The first few errors are told; of a run with very many parts the others only count.
        let mut tells = !tally.errors.is_empty();
        for attempt in 0..MAX_TRIES {
            let progress =
                self.progress(id, tally, if ends { part } else { Part::GoesOn }, tells)?;
            let mut writes = vec![progress];
            if ends {
                writes.push(self.ended(id, whom)?);
            }
            let written = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes))
                .send()
                .await;
            let Err(error) = written else {
                return Ok(());
            };
            let Some(reasons) = canceled(&error) else {
                return Err(failed("store a sync's progress")(error));
            };
            let refused = |index: usize| {
                let reason = reasons.get(index).and_then(|reason| reason.code());
                reason == Some("ConditionalCheckFailed")
            };
            if refused(0) {
                tells = false;
            } else if refused(1) {
                ends = false;
            } else {
                lost(attempt).await;
            }
        }
        Err(Error::Contended {
            action: "store a sync's progress",
            tries: MAX_TRIES,
        })
    }

    fn progress(
        &self,
        id: &str,
        tally: &Tally,
        part: Part,
        tells: bool,
    ) -> Result<TransactWriteItem> {
        let counted = "ADD pages :pages, seen :seen, changed :changed, vanished :vanished, \
             failures :failures, finished :finished, failed :failed";
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", s(key(id)))
            .expression_attribute_values(":now", s(ambient::now()))
            .expression_attribute_values(":pages", n(tally.pages))
            .expression_attribute_values(":seen", n(tally.seen))
            .expression_attribute_values(":changed", n(tally.changed))
            .expression_attribute_values(":vanished", n(tally.vanished))
            .expression_attribute_values(":failures", n(tally.failures))
            .expression_attribute_values(":finished", n(u8::from(part == Part::Finished)))
            .expression_attribute_values(":failed", n(u8::from(part == Part::Failed)));
        let update = if tells {
            let errors = tally.errors.iter().map(s).collect();
            update
                .update_expression(format!(
                    "SET updatedAt = :now, errors = list_append(if_not_exists(errors, :none), :errors) \
                     {counted}"
                ))
                .condition_expression("attribute_not_exists(errors) OR size(errors) < :most")
                .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
                .expression_attribute_values(":errors", AttributeValue::L(errors))
                .expression_attribute_values(":most", n(MAX_ERRORS))
        } else {
            update.update_expression(format!("SET updatedAt = :now {counted}"))
        };
        let update = update
            .build()
            .map_err(|error| Error::corrupt("a sync", error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// That `whom` is done with, which is noted once.
    fn ended(&self, id: &str, whom: &str) -> Result<TransactWriteItem> {
        let update = Update::builder()
            .table_name(&self.table)
            .key("id", s(ended_key(id, whom)))
            .update_expression("SET expiresAt = :expires")
            .expression_attribute_values(":expires", n(expiry()))
            .condition_expression("attribute_not_exists(id)")
            .build()
            .map_err(|error| Error::corrupt("a sync", error))?;
        Ok(TransactWriteItem::builder().update(update).build())
    }

    /// Whether `whom` is done with.
    pub async fn has_ended(&self, id: &str, whom: &str) -> Result<bool> {
        Ok(self.item(ended_key(id, whom)).await?.is_some())
    }

    /// A sync.
    pub async fn get(&self, id: &str) -> Result<Option<Sync>> {
        let item = self.item(key(id)).await?;
        Ok(item
            .filter(|item| item.contains_key("requestedAt"))
            .map(|item| read(id, &item)))
    }

    async fn item(&self, key: String) -> Result<Option<Item>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", s(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("read a sync"))?;
        Ok(answer.item)
    }
}

fn key(id: &str) -> String {
    format!("sync#{id}")
}

fn ended_key(id: &str, whom: &str) -> String {
    format!("{}#{whom}", key(id))
}

/// In seconds since 1970.
fn expiry() -> i64 {
    let expires = ambient::now().saturating_add(RETENTION);
    expires.unwrap_or(Timestamp::MAX).as_second()
}

fn read(id: &str, item: &Item) -> Sync {
    let count = |name| item.number(name).unwrap_or(0);
    let (connections, finished, failed) =
        (count("connections"), count("finished"), count("failed"));
    let planned = item
        .get("planned")
        .and_then(|all| all.as_bool().ok().copied());
    let over = planned == Some(true) && finished + failed >= connections;
    let mut errors = item.texts("errors");
    errors.truncate(MAX_ERRORS);
    Sync {
        sync_id: id.to_owned(),
        state: match (over, failed > 0, count("pages") > 0) {
            (true, true, _) => "failed",
            (true, false, _) => "done",
            (false, _, true) => "running",
            (false, _, false) => "queued",
        },
        requested_at: item.time("requestedAt"),
        updated_at: item.time("updatedAt"),
        connections,
        finished,
        failed,
        pages: count("pages"),
        synced_count: count("seen"),
        total: (over && failed == 0).then(|| count("seen")),
        changed: count("changed"),
        vanished: count("vanished"),
        errors,
        error_count: count("failures"),
    }
}
