//! Erasing a person: what their records lose, and how it stays lost.
//!
//! That somebody is erased is a fact like any other: a flag that is never unset, and a key among
//! those of an event. What a merge brings back of them is dropped in the same merge, so a late or
//! repeated message changes nothing. A message that comes first of all is met by the mark that the
//! store keeps ([`Records::erasures`]): it erases what was made up to its time, and no more, since
//! who books again is there again.
//!
//! A form without an address is known to be theirs once the booking is that it led to.
//!
//! What a mark concerns is decided by an address and the time beside it, which come in one message
//! and stay as they are at Calendly. Where an invitee's address did change, or a guest was replaced
//! before being erased, it can depend on the order which bookings count as theirs, and which events
//! keep their key; never whether a record names them.

use crate::merge::{max_of, min_of};
use crate::{
    Cancellation, ContactKey, EventRecord, Facts, Host, InviteeRecord, InviteeUri, Provider,
    Records, SubmissionRecord, SubmissionUri,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

type Marks = BTreeMap<ContactKey, Timestamp>;

/// Whether `mark` concerns what was made then; what has no time could have been made at any.
pub(crate) fn covers(
    mark: Timestamp,
    created: Option<Timestamp>,
    updated: Option<Timestamp>,
) -> bool {
    created.or(updated).is_none_or(|made| made <= mark)
}

/// The facts that erase somebody from these records, which are all of one provider.
///
/// What was made after the mark in `records.erasures` stays; without a mark, nothing does. The form
/// that an invitee filled in is erased in the same step, for one invitee of these; for more it
/// follows from [`reduce`](crate::reduce). Who finds an invitee by their address does well to take
/// them one at a time: after the step nothing leads from the address to the form any more.
pub fn erasure(records: &Records, contact: &ContactKey) -> Facts {
    let mark = records.erasures.get(contact);
    let concerned =
        |created, updated| mark.is_none_or(|mark: &Timestamp| covers(*mark, created, updated));
    let provider = records.events.values().next();
    let mut facts = Facts::new(provider.map_or(Provider::Calendly, |event| event.provider));
    for event in records.events.values() {
        if event.told().contains(contact) && concerned(event.created_at, event.updated_at) {
            let mut fact = EventRecord::about(event.uri.clone(), event.provider);
            fact.erased_people.insert(contact.clone());
            facts.add_event(&fact);
        }
    }
    let mut erased = Vec::new();
    for invitee in records.invitees.values() {
        if invitee.contact().as_ref() == Some(contact)
            && concerned(invitee.created_at, invitee.updated_at)
        {
            let mut fact = InviteeRecord::about(invitee.uri.clone());
            fact.erased = true;
            facts.add_invitee(&fact);
            erased.push(invitee);
        }
    }
    let stored = records.submission.iter().filter(|form| {
        form.contacts().contains(contact) && concerned(form.created_at, form.updated_at)
            || erased
                .iter()
                .any(|who| form.submitter.as_ref() == Some(&who.uri))
    });
    let linked = erased.iter().filter_map(|who| who.submission.as_ref());
    let named = records
        .submission
        .iter()
        .filter(|form| form.named.contains(contact) && concerned(form.created_at, form.updated_at));
    if let Some(form) = stored.map(|form| &form.uri).chain(linked).next() {
        facts.add_submission(erased_form(form.clone()));
    }
    for form in named {
        let fact = facts.submission.take().filter(|fact| fact.uri == form.uri);
        let mut fact = fact.unwrap_or_else(|| SubmissionRecord::about(form.uri.clone()));
        fact.erased_people.insert(contact.clone());
        facts.add_submission(fact);
    }
    facts
}

fn erased_form(uri: SubmissionUri) -> SubmissionRecord {
    let mut form = SubmissionRecord::about(uri);
    form.erased = true;
    form
}

/// Facts for the submissions of those who are erased. A step that erases somebody needn't have
/// their submission at hand, and one that brings the submission needn't say who made it.
pub(crate) fn forms_of_erased(next: &Records, provider: Provider) -> Vec<Facts> {
    let here = next.submission.as_ref().map(|form| &form.uri);
    let erased = next.invitees.values().filter(|invitee| invitee.erased);
    erased
        .filter_map(|invitee| invitee.submission.clone())
        .filter(|uri| Some(uri) != here)
        .map(|uri| {
            let mut facts = Facts::new(provider);
            facts.add_submission(erased_form(uri));
            facts
        })
        .collect()
}

impl Cancellation {
    /// Drops what tells who it was.
    fn forget(&mut self) {
        self.by = None;
        self.reason = None;
    }
}

impl InviteeRecord {
    /// Drops all that tells who it is.
    pub(crate) fn forget(&mut self) {
        self.email = None;
        self.name = None;
        self.first_name = None;
        self.last_name = None;
        self.timezone = None;
        self.phone = None;
        self.answers = None;
        self.tracking = None;
        self.payment = None;
        self.cancel_url = None;
        self.reschedule_url = None;
        if let Some(cancellation) = &mut self.cancellation {
            cancellation.each(Cancellation::forget);
        }
    }

    pub(crate) fn merge_marked(&mut self, fact: &Self, marks: &Marks) {
        self.merge(fact);
        let mark = self.contact().and_then(|contact| marks.get(&contact));
        if mark.is_some_and(|mark| covers(*mark, self.created_at, self.updated_at)) {
            self.erased = true;
            self.forget();
        }
    }
}

impl EventRecord {
    /// Drops these guests, and leaves of these hosts their URI.
    pub(crate) fn forget_people(&mut self, people: &BTreeSet<ContactKey>) {
        let erased = |email: &str| people.contains(&ContactKey::of(email));
        if let Some(guests) = &mut self.guests {
            guests.value.retain(|guest| !erased(&guest.email));
        }
        if let Some(hosts) = &mut self.hosts {
            hosts.each(|hosts| {
                let theirs = |host: &&mut Host| host.email.as_deref().is_some_and(erased);
                for host in hosts.iter_mut().filter(theirs) {
                    host.name = None;
                    host.email = None;
                    host.erased = true;
                }
            });
        }
    }

    /// Drops what tells of the one person who booked: name and place of a one-to-one event are made
    /// of theirs. Not kept as a fact: it follows from what the event says of its people. One of unknown
    /// seats that proves to be a group only afterwards is told of in full by its next message, or read.
    pub(crate) fn forget_meeting_of_erased(&mut self) {
        if self.is_one_to_one() && self.roster.values().any(|invitee| invitee.erased) {
            self.name = None;
            self.location = None;
            self.notes = None;
            if let Some(cancellation) = &mut self.cancellation {
                cancellation.each(Cancellation::forget);
            }
        }
    }

    pub(crate) fn merge_marked(&mut self, fact: &Self, marks: &Marks) {
        if marks.is_empty() {
            return self.merge(fact);
        }
        let (mut created, mut updated) = (self.created_at, self.updated_at);
        min_of(&mut created, &fact.created_at);
        max_of(&mut updated, &fact.updated_at);
        // Erased before the two lists are compared, and from the one that is older, too: so it
        // makes no difference which of them was there first.
        let mut fact = fact.clone();
        let named = &self.told() | &fact.told();
        let erased: Vec<_> = named
            .into_iter()
            .filter(|contact| {
                let mark = marks.get(contact);
                mark.is_some_and(|mark| covers(*mark, created, updated))
            })
            .collect();
        fact.erased_people.extend(erased);
        self.merge(&fact);
    }
}

impl SubmissionRecord {
    /// Drops all that was filled in and where it led, which can repeat it.
    pub(crate) fn forget(&mut self) {
        self.answers = None;
        self.tracking = None;
        self.result = None;
    }

    pub(crate) fn merge_marked(
        &mut self,
        fact: &Self,
        marks: &Marks,
        invitees: &BTreeMap<InviteeUri, InviteeRecord>,
    ) {
        self.merge(fact);
        let marked = |contact: &ContactKey| {
            let mark = marks.get(contact);
            mark.is_some_and(|mark| covers(*mark, self.created_at, self.updated_at))
        };
        let erased: BTreeSet<_> = self.named.iter().filter(|it| marked(it)).cloned().collect();
        let marked = self.contacts().iter().any(marked);
        self.named = &self.named - &erased;
        self.erased_people.extend(erased);
        let of_erased = invitees.values().any(|invitee| {
            invitee.erased
                && (self.submitter.as_ref() == Some(&invitee.uri)
                    || invitee.submission.as_ref() == Some(&self.uri))
        });
        if marked || of_erased {
            self.erased = true;
            self.forget();
        }
    }
}
