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
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// How long a sync can be asked after.
const RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How many errors a sync keeps, and ids of events that it changed, and of connections that it left out.
const NAMED: usize = 20;
/// Pages of connections of which those that were left out are named.
const NAMED_PAGES: u32 = 10;

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
    /// Ids of the first few of them.
    pub changed_events: Vec<String>,
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
        if self.errors.len() < NAMED {
            self.errors.push(error.to_string());
        }
    }

    /// Counts an event of which something was written.
    pub fn changes(&mut self, event_id: &str) {
        self.changed += 1;
        if self.changed_events.len() < NAMED {
            self.changed_events.push(event_id.to_owned());
        }
    }
}

/// A sync as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sync {
    /// Its id.
    pub sync_id: String,
    /// `queued`, `running`, `done` or `failed`; or `retrying`: an attempt failed, and the next one is to
    /// come at `nextAttemptAt`.
    #[schemars(extend("enum" = ["queued", "running", "retrying", "done", "failed"]))]
    pub state: &'static str,
    /// When it was asked for.
    pub requested_at: Option<Timestamp>,
    /// When its last part ended.
    pub updated_at: Option<Timestamp>,
    /// About when what failed is tried again, while it is `retrying`.
    pub next_attempt_at: Option<Timestamp>,
    /// How many connections it covers.
    pub connections: usize,
    /// How many of them are done.
    pub finished: usize,
    /// How many of them could not be done.
    pub failed: usize,
    /// How many connections were left out: they need to be authorized again.
    pub skipped: usize,
    /// Ids of the first few of those.
    pub skipped_connections: Vec<String>,
    /// Pages read.
    pub pages: usize,
    /// Events compared.
    pub synced_count: usize,
    /// Events that there are, once all pages of all connections are read.
    pub total: Option<usize>,
    /// Events of which something had to be written.
    pub changed: usize,
    /// Ids of the first few of those.
    pub changed_events: Vec<String>,
    /// Events that Calendly no longer lists.
    pub vanished: usize,
    /// What went wrong; the first few, each once however often it was met.
    pub errors: Vec<SyncError>,
    /// How much went wrong: events and entries that could not be read, and parts that were tried
    /// again.
    pub error_count: usize,
}

/// What went wrong in a sync.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncError {
    /// When it was met last.
    pub at: Option<Timestamp>,
    /// The connection's id; null where it is none's.
    pub connection: Option<String>,
    /// In which attempt it was met last, from 1 on. What goes on in another part begins anew.
    pub attempt: usize,
    /// For people.
    pub error: String,
    /// About when it is tried again; null where it isn't.
    pub next_attempt_at: Option<Timestamp>,
}

/// Which attempt at a part it was, and when the next one is, should there be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// How often its message was handed out, this time included.
    pub number: usize,
    /// When what ended it is tried again.
    pub next: Option<Timestamp>,
}

/// What ends in a sync beside its connections: that all of them were found.
pub const PLAN: &str = "plan";

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
            .item("errors", AttributeValue::M(HashMap::new()))
            .item("expiresAt", n(expiry()))
            .send()
            .await
            .map_err(failed("store a sync"))?;
        Ok(())
    }

    /// Adds the connections of one page of them, which it covers, and those that it leaves out; with
    /// `all`, there are no more. A page that is told twice counts once.
    pub async fn planned(
        &self,
        id: &str,
        page: u32,
        connections: usize,
        skipped: &[ConnectionId],
        all: bool,
    ) -> Result<()> {
        let named = if page < NAMED_PAGES { skipped } else { &[] };
        let named = named.iter().take(NAMED).map(|one| s(one.as_str()));
        let added = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", s(key(id)))
            .update_expression(
                "SET planned = :all, \
                 skippedNames = list_append(if_not_exists(skippedNames, :none), :named) \
                 ADD connections :count, skipped :skipped, pagesPlanned :pages",
            )
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":named", AttributeValue::L(named.collect()))
            .expression_attribute_values(":skipped", n(skipped.len()))
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
    pub async fn add(
        &self,
        id: &str,
        whom: &str,
        tally: &Tally,
        part: Part,
        this: Attempt,
    ) -> Result<()> {
        let mut ends = part != Part::GoesOn;
        // The first few are told; of a run with very many parts the others only count.
        let tells = !(tally.errors.is_empty() && tally.changed_events.is_empty());
        let told = if tells {
            self.item(key(id)).await?.unwrap_or_default()
        } else {
            Item::default()
        };
        for attempt in 0..MAX_TRIES {
            let part = if ends { part } else { Part::GoesOn };
            let mut writes = vec![self.progress(id, whom, tally, part, this, &told)?];
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
            let ended = reasons.get(1).and_then(|reason| reason.code());
            if ended == Some("ConditionalCheckFailed") {
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

    /// The write that adds to a sync of which this was `told` before.
    fn progress(
        &self,
        id: &str,
        whom: &str,
        tally: &Tally,
        part: Part,
        this: Attempt,
        told: &Item,
    ) -> Result<TransactWriteItem> {
        let mut update = Update::builder()
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
        let mut set = "SET updatedAt = :now".to_owned();
        let errors = told.get("errors").and_then(|errors| errors.as_m().ok());
        if let Some(known) = errors {
            let told = first_of(known, whom, tally, this);
            for (number, (name, error)) in told.into_iter().enumerate() {
                let (key, value) = (format!("#e{number}"), format!(":e{number}"));
                set = format!("{set}, errors.{key} = {value}");
                update = update
                    .expression_attribute_names(key, name)
                    .expression_attribute_values(value, AttributeValue::M(error));
            }
        }
        if !tally.changed_events.is_empty() && told.texts("changedEvents").len() < NAMED {
            let events = tally.changed_events.iter().map(s).collect();
            set.push_str(
                ", changedEvents = list_append(if_not_exists(changedEvents, :none), :events)",
            );
            update = update
                .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
                .expression_attribute_values(":events", AttributeValue::L(events));
        }
        let update = update
            .update_expression(format!(
                "{set} ADD pages :pages, seen :seen, changed :changed, vanished :vanished, \
                 failures :failures, finished :finished, failed :failed"
            ))
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

/// The errors of a part that are told beside those that are `known`: each by a name that the same error
/// of the same connection has again.
fn first_of(
    known: &HashMap<String, AttributeValue>,
    whom: &str,
    tally: &Tally,
    this: Attempt,
) -> BTreeMap<String, Item> {
    let mut told = BTreeMap::new();
    let mut room = NAMED.saturating_sub(known.len());
    for (number, error) in tally.errors.iter().enumerate() {
        let name = hex::encode(&Sha256::digest(format!("{whom} {error}"))[..8]);
        if !known.contains_key(&name) && !told.contains_key(&name) {
            if room == 0 {
                continue;
            }
            room -= 1;
        }
        let mut item = Item::from([
            ("at".to_owned(), s(ambient::now())),
            ("number".to_owned(), n(number)),
            ("attempt".to_owned(), n(this.number)),
            ("error".to_owned(), s(error)),
        ]);
        if whom != PLAN {
            item.insert("connection".to_owned(), s(whom));
        }
        // What ended the part is told last.
        if let Some(next) = this.next.filter(|_| number + 1 == tally.errors.len()) {
            item.insert("nextAttemptAt".to_owned(), s(next));
        }
        told.insert(name, item);
    }
    told
}

/// The errors of a sync, in their order.
fn errors(item: &Item) -> Vec<SyncError> {
    let errors = item.get("errors").and_then(|errors| errors.as_m().ok());
    let mut errors: Vec<&Item> = errors
        .into_iter()
        .flat_map(HashMap::values)
        .filter_map(|error| error.as_m().ok())
        .collect();
    errors.sort_by_key(|error| (error.time("at"), error.number::<usize>("number")));
    let errors = errors.into_iter().map(|error| SyncError {
        at: error.time("at"),
        connection: error.text("connection").map(str::to_owned),
        attempt: error.number("attempt").unwrap_or(1),
        error: error.text("error").unwrap_or_default().to_owned(),
        next_attempt_at: error.time("nextAttemptAt"),
    });
    errors.take(NAMED).collect()
}

fn read(id: &str, item: &Item) -> Sync {
    let count = |name| item.number(name).unwrap_or(0);
    let (connections, finished, failed) =
        (count("connections"), count("finished"), count("failed"));
    let planned = item
        .get("planned")
        .and_then(|all| all.as_bool().ok().copied());
    let over = planned == Some(true) && finished + failed >= connections;
    let errors = errors(item);
    let now = ambient::now();
    let next_attempt_at = errors
        .iter()
        .filter_map(|error| error.next_attempt_at)
        .filter(|at| *at > now && !over)
        .min();
    let named = |name| {
        let mut seen = BTreeSet::new();
        let names = item.texts(name).into_iter();
        names
            .filter(|name| seen.insert(name.clone()))
            .take(NAMED)
            .collect()
    };
    Sync {
        sync_id: id.to_owned(),
        state: match (over, failed > 0) {
            (true, true) => "failed",
            (true, false) => "done",
            (false, _) if next_attempt_at.is_some() => "retrying",
            (false, _) if count("pages") > 0 => "running",
            (false, _) => "queued",
        },
        requested_at: item.time("requestedAt"),
        updated_at: item.time("updatedAt"),
        next_attempt_at,
        connections,
        finished,
        failed,
        skipped: count("skipped"),
        skipped_connections: named("skippedNames"),
        pages: count("pages"),
        synced_count: count("seen"),
        total: (over && failed == 0).then(|| count("seen")),
        changed: count("changed"),
        changed_events: named("changedEvents"),
        vanished: count("vanished"),
        errors,
        error_count: count("failures"),
    }
}
