//! What a delivery, or a sync, says: partial records to be merged.

use crate::merge::{Latest, Stamp};
use crate::sightings::Sightings;
use crate::{
    ContactKey, EventRecord, EventUri, InviteeRecord, InviteeUri, Provider, SubmissionRecord,
    SubmissionUri,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How many people a body can name, beside those to whom it gives a role, and each still be found by
/// their address. Each takes an entry of an index.
pub const MAX_NAMED: usize = 50;

/// Partial records about a few events and invitees, merged as one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Where they come from.
    pub provider: Provider,
    pub(crate) events: BTreeMap<EventUri, EventRecord>,
    pub(crate) invitees: BTreeMap<InviteeUri, InviteeRecord>,
    pub(crate) submission: Option<SubmissionRecord>,
    /// How many members of a chain that is too long were followed to here.
    pub(crate) beyond: u32,
}

/// The names of all records that a step reads and may change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordKeys {
    /// Scheduled events.
    pub events: BTreeSet<EventUri>,
    /// Invitees.
    pub invitees: BTreeSet<InviteeUri>,
    /// A routing form submission.
    pub submission: Option<SubmissionUri>,
}

impl Facts {
    /// No facts yet.
    pub fn new(provider: Provider) -> Self {
        Self {
            provider,
            events: BTreeMap::new(),
            invitees: BTreeMap::new(),
            submission: None,
            beyond: 0,
        }
    }

    /// That an event was looked for at `at` with a token that would show it, and was not found.
    ///
    /// Looks that lie [`GONE_AFTER`](crate::GONE_AFTER) apart, before the event's start and with no
    /// sight of it since, cancel it until it is seen again.
    pub fn not_found(provider: Provider, event: EventUri, at: Timestamp) -> Self {
        let mut record = EventRecord::about(event, provider);
        record.sightings = Sightings::not_found(at);
        let mut facts = Self::new(provider);
        facts.add_event(&record);
        facts
    }

    /// That the list of all events of an organization, by its URI, named an event at `at`.
    ///
    /// It is no sight of the event, whose read says that, and changes nothing that is shown.
    pub fn listed_in(
        provider: Provider,
        event: EventUri,
        organization: String,
        at: Timestamp,
    ) -> Self {
        let mut record = EventRecord::about(event, provider);
        record.organization = Some(Latest::new(Stamp::new(at, at), organization));
        let mut facts = Self::new(provider);
        facts.add_event(&record);
        facts
    }

    /// Adds what is known of an event.
    pub fn add_event(&mut self, event: &EventRecord) {
        self.events
            .entry(event.uri.clone())
            .or_insert_with(|| EventRecord::about(event.uri.clone(), self.provider))
            .merge(event);
    }

    /// Adds what is known of an invitee. Links are facts about both of their ends, so each half
    /// of a reschedule says that the old booking was moved, to which one, and from which the new
    /// one came. A link to itself is none: some relays put the booking's own URI there.
    pub fn add_invitee(&mut self, invitee: &InviteeRecord) {
        let mut told = invitee.clone();
        told.moved_from.take_if(|old| *old == invitee.uri);
        told.moved_to.remove(&invitee.uri);
        self.invitee(&told.uri).merge(&told);
        if let Some(old) = &told.moved_from {
            self.add_move(old, &told.uri);
        }
        for new in &told.moved_to {
            self.add_move(&told.uri, new);
        }
    }

    /// Adds a routing form submission, and to its submitter the link to it.
    pub fn add_submission(&mut self, submission: SubmissionRecord) {
        if let Some(submitter) = &submission.submitter {
            self.invitee(submitter).submission = Some(submission.uri.clone());
        }
        self.submission = Some(submission);
    }

    fn add_move(&mut self, old: &InviteeUri, new: &InviteeUri) {
        let record = self.invitee(old);
        record.canceled = true;
        record.rescheduled = true;
        record.moved_to.insert(new.clone());
        self.invitee(new).moved_from = Some(old.clone());
    }

    fn invitee(&mut self, uri: &InviteeUri) -> &mut InviteeRecord {
        let event = uri.event();
        self.events
            .entry(event.clone())
            .or_insert_with(|| EventRecord::about(event, self.provider));
        self.invitees
            .entry(uri.clone())
            .or_insert_with(|| InviteeRecord::about(uri.clone()))
    }

    /// The records that merging these facts reads and may change.
    pub fn keys(&self) -> RecordKeys {
        RecordKeys {
            events: self.events.keys().cloned().collect(),
            invitees: self.invitees.keys().cloned().collect(),
            submission: self.submission.as_ref().map(|s| s.uri.clone()),
        }
    }

    /// Everybody whose address these facts tell: for these, [`Records::erasures`] has to be loaded.
    ///
    /// [`Records::erasures`]: crate::Records::erasures
    pub fn contacts(&self) -> BTreeSet<ContactKey> {
        let around = self.events.values().flat_map(EventRecord::told);
        let invitees = self.invitees.values().filter_map(InviteeRecord::contact);
        let forms = self.submission.iter();
        let forms = forms.flat_map(|form| &form.contacts() | &form.named);
        around.chain(invitees).chain(forms).collect()
    }

    /// Adds that what tells these facts names these people, in whichever role: they are kept with what
    /// it is chiefly about. At most [`MAX_NAMED`] beside those whom the facts themselves tell of; of more
    /// it is noted that there are.
    pub fn add_named(&mut self, people: BTreeSet<ContactKey>) {
        let others = &people - &self.contacts();
        let more = others.len() > MAX_NAMED;
        let others = others.into_iter().take(MAX_NAMED);
        let event = self.main_event();
        if let Some(event) = event.and_then(|uri| self.events.get_mut(&uri)) {
            event.named.extend(others);
            event.named_more |= more;
        } else if let Some(form) = &mut self.submission {
            form.named.extend(others);
            form.named_more |= more;
        }
    }

    /// The invitee that these facts are chiefly about: one with a message of its own before one
    /// that is only linked to.
    pub fn main_invitee(&self) -> Option<&InviteeUri> {
        self.invitees
            .values()
            .find(|invitee| invitee.known)
            .map(|invitee| &invitee.uri)
            .or_else(|| self.invitees.keys().next())
    }

    /// The event that these facts are chiefly about.
    pub fn main_event(&self) -> Option<EventUri> {
        self.main_invitee()
            .map(InviteeUri::event)
            .or_else(|| self.events.keys().next().cloned())
    }
}
