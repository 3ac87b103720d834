//! The bookings table: reading, reducing and writing as one step.

use super::directory::Directory;
use super::item::{self, Loaded, changed, record};
use super::keys::{self, Key};
use super::later::{Again, Later, begun};
use super::open::follow;
use crate::error::failed;
use crate::item::{Item, Read, s};
use crate::race::{MAX_TRIES, lost, throttled};
use crate::{Error, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use booking::{
    ContactKey, EventRecord, EventUri, EventView, Facts, Handed, InviteeRecord, InviteeView,
    Provider, RecordKeys, SubmissionRecord, SubmissionUri, Transition, reduce,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// How many items are read in one call, at most.
const BATCH: usize = 100;
/// So many reads in a row may be answered nothing by a throttled table: some 2 s.
const THROTTLED_READS: usize = 5;
/// How long after a step has read its records it may still send its write. What it read of marks of
/// erasure guards no write: a condition on each mark would cost a new booking a fifth more, and steps
/// that name the same host would meet at the host's mark. So the time is bounded instead.
pub(super) const FRESH: Duration = Duration::from_secs(2);
/// At this time after somebody was marked as erased, every step that had seen no mark has been written,
/// or never will be: [`FRESH`], the 5 s of a call, and a second over.
pub const MARK_WINDOW: Duration = Duration::from_secs(8);
/// How many invitees an event shows.
pub const MAX_INVITEES: usize = 1000;

/// Bookings in DynamoDB.
#[derive(Clone)]
pub struct BookingStore {
    pub(super) client: Client,
    pub(super) table: String,
    pub(super) directory: Directory,
}

/// An event with its invitees, as the API shows it.
pub type StoredEvent = EventView<InviteeView>;

/// What merging facts did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// What changed, invitee by invitee.
    pub transitions: Vec<Transition>,
    /// How many records were written.
    pub written: usize,
    /// Something changed of an event or a booking that had been told of before.
    pub changed_known: bool,
    /// The facts told of somebody who was erased: what brought them must not be kept either.
    pub erased: bool,
    /// A step had to be taken anew. Others changed its records meanwhile, of the same cause even, or
    /// its own write was done and only the answer was lost: what is unchanged now may have changed.
    pub taken_anew: bool,
}

impl Merged {
    pub(super) fn add(&mut self, more: Self) {
        self.transitions.extend(more.transitions);
        self.written += more.written;
        self.changed_known |= more.changed_known;
        self.erased |= more.erased;
        self.taken_anew |= more.taken_anew;
    }
}

/// What one step did, and what is left to do after it.
struct Step {
    merged: Merged,
    unsettled: BTreeSet<EventUri>,
    follow_ups: Vec<Facts>,
}

/// Which new states are worth a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keep {
    Everything,
    Changes,
}

impl BookingStore {
    /// The bookings in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self {
            directory: Directory::new(client.clone(), table.clone()),
            client,
            table,
        }
    }

    /// Merges `facts` into the stored bookings and answers what that changed.
    ///
    /// Every record of a step is written in one transaction, on condition that none has changed
    /// since it was read; else the step is taken anew. Records hold nothing but merged facts and
    /// what follows from them, so steps may be repeated, and stopped anywhere, at will.
    pub async fn apply(&self, facts: Facts) -> Result<Merged> {
        self.merge(facts, Keep::Everything, &Again).await
    }

    /// As [`Self::apply`], but writes no record of which only the times of its facts would change:
    /// what a sync reads again unchanged is not worth a write.
    ///
    /// A sync that is stopped reads anew what it can see, which may no longer be this: `later` is told
    /// before a write that others have to follow.
    pub async fn reconcile(&self, facts: Facts, later: &impl Later) -> Result<Merged> {
        self.merge(facts, Keep::Changes, later).await
    }

    async fn merge(&self, facts: Facts, keep: Keep, later: &impl Later) -> Result<Merged> {
        let mut merged = Merged::default();
        let mut steps = VecDeque::from([facts]);
        let mut handed = Handed::default();
        let mut is_told = false;
        while let Some(facts) = steps.pop_front() {
            // On the heap: records are large, and every caller's future would carry them.
            let step = Box::pin(self.step(&facts, keep, later, &mut is_told)).await?;
            merged.add(step.merged);
            for event in &step.unsettled {
                merged.add(Box::pin(self.settle(facts.provider, event)).await?);
            }
            let due = step.follow_ups.into_iter();
            steps.extend(due.filter(|facts| handed.is_due(facts)));
        }
        Ok(merged)
    }

    async fn step(
        &self,
        facts: &Facts,
        keep: Keep,
        later: &impl Later,
        is_told: &mut bool,
    ) -> Result<Step> {
        for attempt in 0..MAX_TRIES {
            let began = Instant::now();
            let loaded = self
                .load(facts.provider, &facts.keys(), &facts.contacts())
                .await?;
            let mut reduction = reduce(&loaded.records, facts);
            if keep == Keep::Changes {
                reduction = reduction.changes_since(&loaded.records);
            }
            let writes = changed(facts.provider, &loaded, &mut reduction.records)?;
            let written = writes.records.len();
            // Those that their links made so are among them only now.
            let mut unsettled = std::mem::take(&mut reduction.unsettled);
            let events = reduction.records.events.values();
            unsettled.extend(
                events
                    .filter(|it| !it.is_settled())
                    .map(|it| it.uri.clone()),
            );
            let begun = begun(&unsettled, &reduction.follow_ups, &reduction.records);
            // Once is enough: whoever goes on there comes to all that follows.
            if written > 0 && !begun.is_empty() && !*is_told {
                later.go_on(&begun).await?;
                *is_told = true;
            }
            if self.commit(&reduction.records, writes, began).await? {
                let changed_known = reduction.changes_known(&loaded.records);
                let made = reduction.transitions.into_iter().map(|(_, made)| made);
                return Ok(Step {
                    merged: Merged {
                        transitions: made.collect(),
                        written,
                        changed_known,
                        erased: reduction.erased,
                        taken_anew: attempt > 0,
                    },
                    unsettled,
                    follow_ups: reduction.follow_ups,
                });
            }
            lost(attempt).await;
        }
        Err(Error::Contended {
            action: "write a booking",
            tries: MAX_TRIES,
        })
    }

    /// The stored records of some events, without their invitees.
    pub async fn events(
        &self,
        provider: Provider,
        uris: impl IntoIterator<Item = EventUri>,
    ) -> Result<BTreeMap<EventUri, EventRecord>> {
        let wanted = RecordKeys {
            events: uris.into_iter().collect(),
            ..RecordKeys::default()
        };
        let loaded = self.load(provider, &wanted, &BTreeSet::new()).await?;
        Ok(loaded.records.events)
    }

    /// Reads records, and which of `contacts` were erased, as they are now.
    pub(super) async fn load(
        &self,
        provider: Provider,
        wanted: &RecordKeys,
        contacts: &BTreeSet<ContactKey>,
    ) -> Result<Loaded> {
        let events = wanted.events.iter().map(|uri| keys::event(provider, uri));
        let invitees = wanted
            .invitees
            .iter()
            .map(|uri| keys::invitee(provider, uri));
        let submission = wanted
            .submission
            .iter()
            .map(|uri| keys::submission(provider, uri));
        let marks = contacts.iter().map(keys::erased);
        let all: Vec<Key> = events
            .chain(invitees)
            .chain(submission)
            .chain(marks)
            .collect();
        let mut loaded = Loaded::default();
        for item in self.batch_get(&all).await? {
            let key = Key::of(&item)?;
            let records = &mut loaded.records;
            if let Some(contact) = keys::contact_of(&key) {
                let contact = contacts.iter().find(|known| known.as_str() == contact);
                if let (Some(contact), Some(at)) = (contact, item.time("erasedAt")) {
                    records.erasures.insert(contact.clone(), at);
                }
                continue;
            }
            item::take(records, &item)?;
            loaded.etags.insert(key, item.must("etag")?.to_owned());
        }
        Ok(loaded)
    }

    /// Reads items as they are now, in as few calls as it takes.
    pub(super) async fn batch_get(&self, all: &[Key]) -> Result<Vec<Item>> {
        let mut items = Vec::with_capacity(all.len());
        for some in all.chunks(BATCH) {
            items.extend(self.batch(some).await?);
        }
        Ok(items)
    }

    /// Reads at most [`BATCH`] items, and at least one. What an answer leaves out, since it has no room
    /// for more or the table is throttled, is asked for again: it must not be taken for what doesn't
    /// exist.
    async fn batch(&self, some: &[Key]) -> Result<Vec<Item>> {
        let action = "read bookings";
        let mut items = Vec::with_capacity(some.len());
        let mut wanted: Vec<Item> = some.iter().map(Key::item).collect();
        let mut in_vain = 0;
        loop {
            let asked = wanted.len();
            let request = KeysAndAttributes::builder()
                .set_keys(Some(wanted))
                .consistent_read(true)
                .build()
                .map_err(|error| Error::corrupt("a booking's key", error))?;
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, request)
                .send()
                .await
                .map_err(failed(action))?;
            let mut tables = answer.responses.unwrap_or_default();
            items.extend(tables.remove(&self.table).unwrap_or_default());
            let left = answer.unprocessed_keys.unwrap_or_default();
            wanted = left.into_values().flat_map(|left| left.keys).collect();
            if wanted.is_empty() {
                return Ok(items);
            }
            in_vain = if wanted.len() < asked { 0 } else { in_vain + 1 };
            if in_vain >= THROTTLED_READS {
                return Err(Error::Aws {
                    action,
                    cause: "the table is throttled".to_owned(),
                });
            }
            throttled(in_vain).await;
        }
    }

    /// One event with all its invitees (at most 1,000) and their routing form submissions.
    pub async fn event(&self, provider: Provider, id: &str) -> Result<Option<StoredEvent>> {
        let Some((event, invitees)) = self.whole(provider, id).await? else {
            return Ok(None);
        };
        let submissions = self.submissions(provider, &invitees).await?;
        let views = invitees
            .iter()
            .map(|invitee| {
                let uri = invitee.submission.as_ref();
                InviteeView::of(invitee, uri.and_then(|uri| submissions.get(uri)))
            })
            .collect();
        Ok(Some(EventView::of(&event, views)))
    }

    /// One invitee's record, as their event stands.
    pub async fn invitee(
        &self,
        provider: Provider,
        event: &str,
        id: &str,
    ) -> Result<Option<InviteeRecord>> {
        let pk = keys::event_pk(provider, event);
        let both = [
            Key::new(&pk, "event"),
            Key::new(&pk, format!("invitee#{id}")),
        ];
        let mut event: Option<EventRecord> = None;
        let mut invitee: Option<InviteeRecord> = None;
        for item in self.batch_get(&both).await? {
            if item.text("sk") == Some("event") {
                event = Some(record(&item)?);
            } else {
                invitee = Some(record(&item)?);
            }
        }
        if let Some(event) = &event {
            follow(event, invitee.as_mut_slice());
        }
        Ok(invitee)
    }

    /// Every detail of an invitee, with the routing form submission that led here.
    pub async fn show(&self, provider: Provider, invitee: &InviteeRecord) -> Result<InviteeView> {
        let invitees = std::slice::from_ref(invitee);
        let submissions = self.submissions(provider, invitees).await?;
        let submission = invitee.submission.as_ref();
        Ok(InviteeView::of(
            invitee,
            submission.and_then(|uri| submissions.get(uri)),
        ))
    }

    /// The records of an event and of its invitees (at most 1,000), as their event stands.
    pub async fn whole(
        &self,
        provider: Provider,
        id: &str,
    ) -> Result<Option<(EventRecord, Vec<InviteeRecord>)>> {
        let mut whole = self.all_of(provider, id).await?;
        if let Some((event, invitees)) = &mut whole {
            follow(event, invitees);
        }
        Ok(whole)
    }

    /// The records of an event and of its invitees (at most 1,000), as they are stored: of an event
    /// that isn't settled, invitees may be behind.
    pub async fn all_of(
        &self,
        provider: Provider,
        id: &str,
    ) -> Result<Option<(EventRecord, Vec<InviteeRecord>)>> {
        let mut event: Option<EventRecord> = None;
        let mut invitees: Vec<InviteeRecord> = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                // The event and its invitees, and none of the items by which they are found.
                .key_condition_expression("pk = :pk AND sk >= :event")
                .expression_attribute_values(":pk", s(keys::event_pk(provider, id)))
                .expression_attribute_values(":event", s("event"))
                .consistent_read(true)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(failed("read an event"))?;
            for item in answer.items() {
                if item.text("sk") == Some("event") {
                    event = Some(record(item)?);
                } else {
                    invitees.push(record(item)?);
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() || invitees.len() >= MAX_INVITEES {
                break;
            }
        }
        Ok(event.map(|event| (event, invitees)))
    }

    pub(super) async fn submissions(
        &self,
        provider: Provider,
        invitees: &[InviteeRecord],
    ) -> Result<BTreeMap<SubmissionUri, SubmissionRecord>> {
        let uris: BTreeSet<_> = invitees
            .iter()
            .filter_map(|i| i.submission.as_ref())
            .collect();
        let keys: Vec<_> = uris
            .into_iter()
            .map(|uri| keys::submission(provider, uri))
            .collect();
        let mut found = BTreeMap::new();
        for item in self.batch_get(&keys).await? {
            let submission: SubmissionRecord = record(&item)?;
            found.insert(submission.uri.clone(), submission);
        }
        Ok(found)
    }
}
