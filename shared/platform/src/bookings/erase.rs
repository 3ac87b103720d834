//! Erasing a person from the bookings.

use super::item::take;
use super::keys::{self, Key};
use super::store::BookingStore;
use super::walk::{Index, Order, Range};
use crate::Result;
use crate::deliveries::About;
use crate::error::failed;
use crate::item::{Read, s};
use booking::{ContactKey, EventUri, InviteeUri, Provider, Records, SubmissionUri, erasure};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// How many bookings of one event are erased in one step.
const STEP: usize = 20;

/// An event or a routing form submission that names somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pk: String,
    sks: Vec<String>,
}

/// What was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// Bookings of theirs.
    pub invitees: Vec<InviteeUri>,
    /// The event, where they were guest or host.
    pub event: Option<EventUri>,
    /// Routing form submissions.
    pub submissions: Vec<SubmissionUri>,
}

impl Trace {
    /// What the log of deliveries calls it.
    pub fn about(&self) -> About {
        let id = self.pk.rsplit('#').next().unwrap_or_default();
        if self.is_event() {
            About::event(id)
        } else {
            About::submission(id)
        }
    }

    /// How many entries of the index led to it.
    pub fn entries(&self) -> usize {
        self.sks.len()
    }

    fn is_event(&self) -> bool {
        self.pk.split('#').nth(1) == Some("event")
    }
}

impl BookingStore {
    /// Marks somebody as erased at a time: from now on nothing is kept of them that was so by then.
    pub async fn mark_erased(&self, contact: &ContactKey, at: Timestamp) -> Result<()> {
        let mut item = keys::erased(contact).item();
        item.insert("erasedAt".to_owned(), s(at));
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(failed("mark a person as erased"))?;
        Ok(())
    }

    /// Up to about `limit` events and submissions that name somebody.
    pub async fn traces(&self, contact: &ContactKey, limit: usize) -> Result<Vec<Trace>> {
        let everything = Range::new(None, None, Order::Ascending, None);
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for party in [keys::contact_party(contact), keys::submitter_party(contact)] {
            let items = self.partition(Index::Party, &party, &everything, limit);
            for item in items.await? {
                let sks = found.entry(item.must("pk")?.to_owned()).or_default();
                sks.push(item.must("sk")?.to_owned());
            }
        }
        let traces = found.into_iter().map(|(pk, sks)| Trace { pk, sks });
        Ok(traces.collect())
    }

    /// Erases somebody from where `trace` leads. Safe to repeat, and to stop anywhere.
    pub async fn erase(&self, contact: &ContactKey, trace: &Trace) -> Result<Erased> {
        let mut erased = Erased::default();
        if !trace.is_event() {
            let key = Key::new(&trace.pk, "submission");
            let records = self.read(&[key]).await?;
            self.erase_from(contact, &records, &mut erased).await?;
            return Ok(erased);
        }
        let invitees: Vec<&String> = trace
            .sks
            .iter()
            .filter(|sk| sk.starts_with("invitee#"))
            .collect();
        // Once for an event that names them as guest or host alone.
        let steps = invitees
            .chunks(STEP)
            .chain(invitees.is_empty().then_some(&[][..]));
        for some in steps {
            let event = Key::new(&trace.pk, "event");
            let some = some.iter().map(|sk| Key::new(&trace.pk, sk.as_str()));
            let keys: Vec<Key> = std::iter::once(event).chain(some).collect();
            let records = self.read(&keys).await?;
            // First what the bookings lead to: afterwards nothing tells of it.
            for submission in records
                .invitees
                .values()
                .filter_map(|it| it.submission.as_ref())
            {
                let key = keys::submission(Provider::Calendly, submission);
                let mut linked = self.read(&[key]).await?;
                linked.invitees = records.invitees.clone();
                linked.events = records.events.clone();
                self.erase_from(contact, &linked, &mut erased).await?;
            }
            self.erase_from(contact, &records, &mut erased).await?;
        }
        Ok(erased)
    }

    async fn erase_from(
        &self,
        contact: &ContactKey,
        records: &Records,
        erased: &mut Erased,
    ) -> Result<()> {
        let invitees = records
            .invitees
            .values()
            .filter(|it| it.contact().as_ref() == Some(contact));
        for uri in invitees.map(|it| &it.uri) {
            if !erased.invitees.contains(uri) {
                erased.invitees.push(uri.clone());
            }
        }
        let event = records.events.values().find(|event| {
            let mut contacts = event.contacts().into_iter();
            contacts.any(|(known, _)| known == *contact)
        });
        erased.event = erased
            .event
            .take()
            .or_else(|| event.map(|it| it.uri.clone()));
        let submission = records.submission.as_ref().filter(|it| !it.erased);
        erased
            .submissions
            .extend(submission.map(|it| it.uri.clone()));
        self.apply(erasure(records, contact)).await?;
        Ok(())
    }

    async fn read(&self, keys: &[Key]) -> Result<Records> {
        let mut records = Records::default();
        for item in self.batch_get(keys).await? {
            take(&mut records, &item)?;
        }
        Ok(records)
    }
}
