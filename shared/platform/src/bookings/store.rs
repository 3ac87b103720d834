//! The bookings table: reading, reducing and writing as one step.

use super::directory::Directory;
use super::item::{self, Loaded, Write, Writes, changed, condition, record, values};
use super::keys::{self, Key};
use crate::error::failed;
use crate::item::{Item, Read, s};
use crate::{Error, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{Delete, KeysAndAttributes, Put, TransactWriteItem};
use booking::{
    ContactKey, EventRecord, EventUri, EventView, Facts, InviteeRecord, InviteeView, Provider,
    RecordKeys, Records, SubmissionRecord, SubmissionUri, Transition, reduce,
};
use rand::Rng;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// How often a step is taken anew because others changed the same records meanwhile.
const MAX_TRIES: usize = 40;
/// How many items are read in one call, at most.
const BATCH: usize = 100;
/// How many items are written in one transaction, at most.
const TRANSACTION: usize = 100;
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
    /// The facts told of somebody who was erased: what brought them must not be kept either.
    pub erased: bool,
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
        self.merge(facts, Keep::Everything).await
    }

    /// As [`Self::apply`], but writes no record of which only the times of its facts would change:
    /// what a sync reads again unchanged is not worth a write.
    pub async fn reconcile(&self, facts: Facts) -> Result<Merged> {
        self.merge(facts, Keep::Changes).await
    }

    async fn merge(&self, facts: Facts, keep: Keep) -> Result<Merged> {
        let mut merged = Merged::default();
        let mut steps = VecDeque::from([facts]);
        while let Some(facts) = steps.pop_front() {
            // On the heap: records are large, and every caller's future would carry them.
            let (step, follow_ups) = Box::pin(self.step(&facts, keep)).await?;
            merged.transitions.extend(step.transitions);
            merged.written += step.written;
            merged.erased |= step.erased;
            steps.extend(follow_ups);
        }
        Ok(merged)
    }

    async fn step(&self, facts: &Facts, keep: Keep) -> Result<(Merged, Vec<Facts>)> {
        for attempt in 0..MAX_TRIES {
            let loaded = self
                .load(facts.provider, &facts.keys(), &facts.contacts())
                .await?;
            let mut reduction = reduce(&loaded.records, facts);
            if keep == Keep::Changes {
                reduction = reduction.changes_since(&loaded.records);
            }
            let writes = changed(facts.provider, &loaded, &reduction.records)?;
            let written = writes.records.len();
            if self.commit(&reduction.records, writes).await? {
                let made = reduction.transitions.into_iter().map(|(_, made)| made);
                let merged = Merged {
                    transitions: made.collect(),
                    written,
                    erased: reduction.erased,
                };
                return Ok((merged, reduction.follow_ups));
            }
            let most = 10_u64 << attempt.min(6);
            let pause = ambient::rng().random_range(0..=most);
            tokio::time::sleep(Duration::from_millis(pause)).await;
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
            let key = Key {
                pk: item.must("pk")?.to_owned(),
                sk: item.must("sk")?.to_owned(),
            };
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

    /// Reads items in one call: at most [`BATCH`], and at least one.
    async fn batch(&self, some: &[Key]) -> Result<Vec<Item>> {
        let action = "read bookings";
        let request = KeysAndAttributes::builder()
            .set_keys(Some(some.iter().map(Key::item).collect()))
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
        // What was left out must not be taken for what doesn't exist.
        if answer
            .unprocessed_keys()
            .is_some_and(|keys| !keys.is_empty())
        {
            return Err(Error::Aws {
                action,
                cause: "the table is throttled".to_owned(),
            });
        }
        let mut tables = answer.responses.unwrap_or_default();
        Ok(tables.remove(&self.table).unwrap_or_default())
    }

    /// Writes all or nothing. `false` when another writer was faster.
    ///
    /// Links that one transaction can't hold (an event with very many guests) are made before it and
    /// taken away after it: one too many leads to an event that tells that it doesn't fit, and does
    /// no harm.
    async fn commit(&self, records: &Records, writes: Writes) -> Result<bool> {
        let Writes {
            records: mut writes,
            mut links,
            mut unlinked,
        } = writes;
        if writes.is_empty() {
            return Ok(true);
        }
        for bucket in records.events.values().filter_map(keys::event_bucket) {
            self.directory.list(&bucket).await?;
        }
        if writes.len() == 1 && links.is_empty() && unlinked.is_empty() {
            return match writes.pop() {
                Some(write) => self.put(write).await,
                None => Ok(true),
            };
        }
        let room = TRANSACTION.saturating_sub(writes.len());
        let before = links.split_off(links.len().min(room));
        let after = unlinked.split_off(unlinked.len().min(room - links.len()));
        for some in before.chunks(TRANSACTION) {
            let puts = some.iter().map(|item| self.link(item.clone()));
            if !self.transact(puts.collect::<Result<_>>()?).await? {
                return Ok(false);
            }
        }
        let mut all = Vec::with_capacity(writes.len() + links.len() + unlinked.len());
        for write in writes {
            let put = Put::builder()
                .table_name(&self.table)
                .condition_expression(condition(write.expected.as_ref()))
                .set_expression_attribute_values(values(write.expected))
                .set_item(Some(write.item))
                .build()
                .map_err(|error| Error::corrupt("a booking", error))?;
            all.push(TransactWriteItem::builder().put(put).build());
        }
        for item in links {
            all.push(self.link(item)?);
        }
        for key in &unlinked {
            all.push(self.unlink(key)?);
        }
        if !self.transact(all).await? {
            return Ok(false);
        }
        for some in after.chunks(TRANSACTION) {
            let deletes = some.iter().map(|key| self.unlink(key));
            self.transact(deletes.collect::<Result<_>>()?).await?;
        }
        Ok(true)
    }

    fn link(&self, item: Item) -> Result<TransactWriteItem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .build()
            .map_err(|error| Error::corrupt("an index entry", error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn unlink(&self, key: &Key) -> Result<TransactWriteItem> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .build()
            .map_err(|error| Error::corrupt("an index entry", error))?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    async fn transact(&self, items: Vec<TransactWriteItem>) -> Result<bool> {
        let written = self
            .client
            .transact_write_items()
            .set_transact_items(Some(items))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) if lost_race(&error) => Ok(false),
            Err(error) => Err(failed("write bookings")(error)),
        }
    }

    async fn put(&self, write: Write) -> Result<bool> {
        let written = self
            .client
            .put_item()
            .table_name(&self.table)
            .condition_expression(condition(write.expected.as_ref()))
            .set_expression_attribute_values(values(write.expected))
            .set_item(Some(write.item))
            .send()
            .await;
        match written {
            Ok(_) => Ok(true),
            Err(error) if lost_race(&error) => Ok(false),
            Err(error) => Err(failed("write a booking")(error)),
        }
    }

    /// One event with all its invitees (at most 1,000) and their routing form submissions.
    pub async fn event(&self, provider: Provider, id: &str) -> Result<Option<StoredEvent>> {
        let Some((event, invitees)) = self.all_of(provider, id).await? else {
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

    /// One invitee's record.
    pub async fn invitee(
        &self,
        provider: Provider,
        event: &str,
        id: &str,
    ) -> Result<Option<InviteeRecord>> {
        let key = Key::new(keys::event_pk(provider, event), format!("invitee#{id}"));
        let found = self.batch_get(&[key]).await?;
        found.first().map(record).transpose()
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

    /// The records of an event and of its invitees (at most 1,000).
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

    async fn submissions(
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

/// Whether a write failed only because another came first.
fn lost_race<E: ProvideErrorMetadata + RaceLost, R>(error: &SdkError<E, R>) -> bool {
    error.as_service_error().is_some_and(RaceLost::race_lost)
}

trait RaceLost {
    fn race_lost(&self) -> bool;
}

impl RaceLost for aws_sdk_dynamodb::operation::put_item::PutItemError {
    fn race_lost(&self) -> bool {
        self.is_conditional_check_failed_exception() || self.is_transaction_conflict_exception()
    }
}

impl RaceLost for aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError {
    fn race_lost(&self) -> bool {
        let Self::TransactionCanceledException(canceled) = self else {
            return false;
        };
        let mut codes = canceled
            .cancellation_reasons()
            .iter()
            .filter_map(|reason| reason.code());
        codes.clone().any(|code| code != "None")
            && codes.all(|code| {
                matches!(
                    code,
                    "None" | "ConditionalCheckFailed" | "TransactionConflict"
                )
            })
    }
}
