//! Erasing a person from the bookings.

use super::item::take;
use super::keys::{self, Key};
use super::store::BookingStore;
use super::walk::{Index, Order, Range};
use crate::Result;
use crate::deliveries::About;
use crate::error::failed;
use crate::item::{Read, s};
use booking::{
    ContactKey, EventUri, InviteeUri, Provider, Records, SubmissionRecord, SubmissionUri, erasure,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// How many bookings of one event are erased in one step.
const STEP: usize = 20;
/// For how long an erasure that was broken off is gone on with. Later it begins anew: what came since
/// would have to be looked through as well.
const GOES_ON: SignedDuration = SignedDuration::from_hours(1);

/// An erasure that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The time of its mark.
    pub at: Timestamp,
    /// How far an earlier request came in what no index leads to.
    pub place: Option<String>,
    /// Before that place something was left, to be looked at again.
    pub left: bool,
}

/// An event or a routing form submission that names somebody, or may.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trace {
    pk: String,
    sks: Vec<String>,
}

/// A place among the traces of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracePlace {
    /// Which of their partitions.
    party: usize,
    after: Option<String>,
}

/// What was erased, or would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// Bookings of theirs.
    pub invitees: BTreeSet<InviteeUri>,
    /// The event, where they were guest or host.
    pub event: Option<EventUri>,
    /// Routing form submissions.
    pub submissions: BTreeSet<SubmissionUri>,
}

impl Trace {
    /// What deliveries that tell of it alone are about.
    pub fn about(&self) -> About {
        let id = self.pk.rsplit('#').next().unwrap_or_default();
        if self.is_event() {
            About::event(id)
        } else {
            About::submission(id)
        }
    }

    fn is_event(&self) -> bool {
        self.pk.split('#').nth(1) == Some("event")
    }

    /// The keys of its records, in steps: an event's own with some of the bookings that led to it.
    fn steps(&self) -> Vec<Vec<Key>> {
        if !self.is_event() {
            return vec![vec![Key::new(&self.pk, "submission")]];
        }
        let invitees: Vec<&String> = self
            .sks
            .iter()
            .filter(|sk| sk.starts_with("invitee#"))
            .collect();
        // Once for an event that names them otherwise alone.
        let steps = invitees
            .chunks(STEP)
            .chain(invitees.is_empty().then_some(&[][..]));
        let keys = |some: &[&String]| {
            let event = Key::new(&self.pk, "event");
            let some = some.iter().map(|sk| Key::new(&self.pk, sk.as_str()));
            std::iter::once(event).chain(some).collect()
        };
        steps.map(keys).collect()
    }
}

impl BookingStore {
    /// Marks somebody as erased at a time: from now on nothing is kept of them that was so by then. One
    /// that was broken off a moment ago keeps its mark.
    pub async fn begin_erasure(&self, contact: &ContactKey, now: Timestamp) -> Result<Erasure> {
        let found = self.batch_get(&[keys::erased(contact)]).await?;
        let begun = found.first().and_then(|mark| {
            Some(Erasure {
                at: mark.time("erasedAt")?,
                place: Some(mark.text("place")?.to_owned()),
                left: mark.contains_key("left"),
            })
        });
        if let Some(erasure) = begun.filter(|it| now.duration_since(it.at) < GOES_ON) {
            return Ok(erasure);
        }
        let erasure = Erasure {
            at: now,
            place: None,
            left: false,
        };
        self.keep_erasure(contact, &erasure).await?;
        Ok(erasure)
    }

    /// Keeps how far an erasure came, or, without a place, that it came to its end.
    pub async fn keep_erasure(&self, contact: &ContactKey, erasure: &Erasure) -> Result<()> {
        let mut item = keys::erased(contact).item();
        item.insert("erasedAt".to_owned(), s(erasure.at));
        if let Some(place) = &erasure.place {
            item.insert("place".to_owned(), s(place));
            if erasure.left {
                item.insert("left".to_owned(), s("yes"));
            }
        }
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map_err(failed("mark a person as erased"))?;
        Ok(())
    }

    /// Up to `limit` entries of events and submissions that name somebody, or name more people than are
    /// kept, and where the next begin. An
    /// event with several entries can come more than once.
    pub async fn traces(
        &self,
        contact: &ContactKey,
        from: Option<&TracePlace>,
        limit: usize,
    ) -> Result<(Vec<Trace>, Option<TracePlace>)> {
        let parties = [
            keys::contact_party(contact),
            keys::submitter_party(contact),
            keys::named_party(contact),
            keys::NAMED_MORE.to_owned(),
        ];
        let (party, after) = from.map_or((0, None), |from| (from.party, from.after.clone()));
        let Some(partition) = parties.get(party) else {
            return Ok((Vec::new(), None));
        };
        let range = Range::new(None, None, Order::Ascending, after);
        let items = self
            .partition(Index::Party, partition, &range, limit)
            .await?;
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for item in &items {
            let sks = found.entry(item.must("pk")?.to_owned()).or_default();
            sks.push(item.must("sk")?.to_owned());
        }
        let last = items.last().filter(|_| items.len() >= limit);
        let after = last
            .map(|item| item.must("startKey").map(str::to_owned))
            .transpose()?;
        let next = match after {
            Some(_) => Some(TracePlace { party, after }),
            None if party + 1 < parties.len() => Some(TracePlace {
                party: party + 1,
                after: None,
            }),
            None => None,
        };
        let traces = found.into_iter().map(|(pk, sks)| Trace { pk, sks });
        Ok((traces.collect(), next))
    }

    /// What deliveries that tell of a trace are about: itself, and what it is linked to. To be asked
    /// before anything is erased, since afterwards nothing leads there.
    pub async fn told_of(&self, trace: &Trace) -> Result<Vec<About>> {
        if !trace.is_event() {
            let records = self.read(&[Key::new(&trace.pk, "submission")]).await?;
            let submitter = records.submission.and_then(|form| form.submitter);
            let event = submitter.map(|invitee| About::event(invitee.event().id()));
            return Ok(std::iter::once(trace.about()).chain(event).collect());
        }
        let mut abouts = vec![trace.about()];
        for step in trace.steps() {
            let records = self.read(&step).await?;
            let forms = records
                .invitees
                .into_values()
                .filter_map(|it| it.submission);
            abouts.extend(forms.map(|form| About::submission(form.id())));
        }
        Ok(abouts)
    }

    /// What [`Self::erase`] would erase.
    pub async fn would_erase(&self, contact: &ContactKey, trace: &Trace) -> Result<Erased> {
        let mut erased = Erased::default();
        for step in trace.steps() {
            for records in self.linked(self.read(&step).await?).await? {
                count(contact, &records, &mut erased);
            }
        }
        Ok(erased)
    }

    /// Erases somebody from where `trace` leads. Safe to repeat, and to stop anywhere.
    pub async fn erase(&self, contact: &ContactKey, trace: &Trace) -> Result<Erased> {
        let mut erased = Erased::default();
        for step in trace.steps() {
            for records in self.linked(self.read(&step).await?).await? {
                count(contact, &records, &mut erased);
                self.apply(erasure(&records, contact)).await?;
            }
        }
        Ok(erased)
    }

    /// Records with each of the forms that their bookings lead to, and without any at the end: after
    /// the bookings are erased nothing leads to the forms.
    async fn linked(&self, records: Records) -> Result<Vec<Records>> {
        let mut all = Vec::new();
        let forms = records.invitees.values();
        for form in forms.filter_map(|it| it.submission.as_ref()) {
            let key = keys::submission(Provider::Calendly, form);
            let found: Option<SubmissionRecord> = self.read(&[key]).await?.submission;
            all.push(Records {
                submission: found,
                ..records.clone()
            });
        }
        all.push(records);
        Ok(all)
    }

    async fn read(&self, keys: &[Key]) -> Result<Records> {
        let mut records = Records::default();
        for item in self.batch_get(keys).await? {
            take(&mut records, &item)?;
        }
        Ok(records)
    }
}

/// Adds what erasing somebody from these records erases.
fn count(contact: &ContactKey, records: &Records, erased: &mut Erased) {
    let invitees = records
        .invitees
        .values()
        .filter(|it| it.contact().as_ref() == Some(contact));
    erased.invitees.extend(invitees.map(|it| it.uri.clone()));
    let event = records.events.values().find(|event| {
        let mut contacts = event.contacts().into_iter();
        contacts.any(|(known, _)| known == *contact)
    });
    erased.event = erased
        .event
        .take()
        .or_else(|| event.map(|it| it.uri.clone()));
    let theirs = erasure(records, contact).keys().submission;
    let form = records.submission.as_ref();
    let form = form.filter(|it| !it.erased && Some(&it.uri) == theirs.as_ref());
    // One that merely names them stays.
    let form = form.filter(|it| !it.named.contains(contact) || it.contacts().contains(contact));
    erased.submissions.extend(form.map(|it| it.uri.clone()));
}
