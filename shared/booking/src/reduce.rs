//! The reducer: what is stored, and what a delivery says, give what is to be stored.

use crate::merge::latest;
use crate::{
    ContactKey, EventRecord, EventUri, EventView, Facts, InviteeRecord, InviteeUri, InviteeView,
    Provider, SubmissionRecord, Transition,
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The longest chain of reschedules along which a root is carried. It bounds the work that a
/// damaged or hostile chain (one that bites its own tail) can make.
pub const MAX_CHAIN: u32 = 200;

/// Stored records, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// Scheduled events.
    pub events: BTreeMap<EventUri, EventRecord>,
    /// Invitees.
    pub invitees: BTreeMap<InviteeUri, InviteeRecord>,
    /// A routing form submission.
    pub submission: Option<SubmissionRecord>,
    /// Who was erased, and when: of what was so by then nothing is kept, whenever it is told. Not
    /// a record that a step changes.
    pub erasures: BTreeMap<ContactKey, Timestamp>,
}

impl Records {
    /// Whether somebody was erased at `since` or later; if that isn't known, at any time.
    fn erased(&self, contact: &ContactKey, since: Option<Timestamp>) -> bool {
        let at = self.erasures.get(contact);
        at.is_some_and(|at| since.is_none_or(|since| since <= *at))
    }
}

/// What a step makes of the stored records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reduction {
    /// The new state of every record that the facts touch, changed or not.
    pub records: Records,
    /// What changed, invitee by invitee.
    pub transitions: Vec<(InviteeUri, Transition)>,
    /// Facts that follow from the new state for records outside this step. To be applied after
    /// it is stored, whether or not it changed anything: an earlier try may have stopped between.
    pub follow_ups: Vec<Facts>,
    /// The facts told of somebody who was erased: what brought them must not be kept either.
    pub erased: bool,
}

impl Reduction {
    /// Only the records, and transitions, of which more has changed than when their facts were seen.
    #[must_use]
    pub fn changes_since(mut self, stored: &Records) -> Self {
        let records = &mut self.records;
        records.events.retain(|uri, event| {
            let before = stored.events.get(uri);
            before.is_none_or(|before| {
                before.connections != event.connections
                    || EventView::listed(before) != EventView::listed(event)
            })
        });
        records.invitees.retain(|uri, invitee| {
            let before = stored.invitees.get(uri);
            before.is_none_or(|before| {
                before.start() != invitee.start()
                    || before.marks != invitee.marks
                    || InviteeView::of(before, None) != InviteeView::of(invitee, None)
            })
        });
        self.transitions
            .retain(|(uri, _)| records.invitees.contains_key(uri));
        self
    }
}

/// Merges `facts` into `stored`, which holds those of `facts.keys()` that exist.
pub fn reduce(stored: &Records, facts: &Facts) -> Reduction {
    let mut next = Records::default();
    let mut erased = false;
    for (uri, fact) in &facts.events {
        let mut event = stored
            .events
            .get(uri)
            .cloned()
            .unwrap_or_else(|| EventRecord::about(uri.clone(), facts.provider));
        // Of the facts as of what is stored: a list that is older than the stored one tells of
        // people, too.
        let told = fact.contacts().into_iter().map(|(contact, _)| contact);
        let made = fact.created_at.or(fact.updated_at);
        let gone = told.filter(|contact| {
            stored.erased(contact, made) || event.erased_people.contains(contact)
        });
        let gone: Vec<_> = gone.collect();
        erased |= !gone.is_empty();
        event.erased_people.extend(gone);
        event.merge(fact);
        next.events.insert(uri.clone(), event);
    }
    for (uri, fact) in &facts.invitees {
        let mut invitee = stored
            .invitees
            .get(uri)
            .cloned()
            .unwrap_or_else(|| InviteeRecord::about(uri.clone()));
        let contact = fact.contact();
        let made = fact.created_at.or(fact.updated_at);
        if contact.is_some_and(|contact| stored.erased(&contact, made)) {
            invitee.erase();
        }
        invitee.merge(fact);
        let slot = facts
            .events
            .get(&uri.event())
            .and_then(|event| event.slot.as_ref());
        if let Some(slot) = slot.filter(|_| fact.known) {
            latest(&mut invitee.slot, &Some(slot.clone()));
        }
        erased |= invitee.erased && fact.email.is_some();
        next.invitees.insert(uri.clone(), invitee);
    }
    next.submission = facts.submission.as_ref().map(|fact| {
        let mut submission = stored
            .submission
            .clone()
            .unwrap_or_else(|| SubmissionRecord::about(fact.uri.clone()));
        let made = fact.created_at.or(fact.updated_at);
        if fact
            .contacts()
            .iter()
            .any(|contact| stored.erased(contact, made))
        {
            submission.erase();
        }
        submission.merge(fact);
        erased |= submission.erased && fact.answers.is_some();
        submission
    });

    let mut follow_ups = carry_roots(&mut next.invitees, facts);
    follow_ups.extend(carry_erasures(&next.invitees, facts));
    for invitee in next.invitees.values() {
        if let Some(event) = next.events.get_mut(&invitee.uri.event()) {
            event.enrol(invitee);
        }
    }
    for event in next.events.values_mut() {
        event.forget_details();
    }
    let transitions = next
        .invitees
        .values()
        .flat_map(|after| {
            Transition::between(stored.invitees.get(&after.uri), after)
                .into_iter()
                .map(|made| (after.uri.clone(), made))
        })
        .collect();
    Reduction {
        records: next,
        transitions,
        follow_ups,
        erased,
    }
}

/// Hands on that somebody was erased to the submission that led to their booking, where that is not
/// part of this step: its answers may name them without their address.
fn carry_erasures<'a>(
    invitees: &'a BTreeMap<InviteeUri, InviteeRecord>,
    facts: &'a Facts,
) -> impl Iterator<Item = Facts> + 'a {
    let here = facts.submission.as_ref().map(|submission| &submission.uri);
    let erased = invitees.values().filter(|invitee| invitee.erased);
    let linked = erased.filter_map(|invitee| invitee.submission.as_ref());
    let elsewhere = linked.filter(move |uri| here != Some(*uri));
    elsewhere.map(|uri| {
        let mut gone = SubmissionRecord::about(uri.clone());
        gone.erased = true;
        let mut follow = Facts::new(facts.provider);
        follow.add_submission(gone);
        follow
    })
}

/// The facts that erase somebody from stored records: bookings of theirs, events in which they are
/// guest or host, and a submission with their address, or of one of those bookings.
pub fn erasure(records: &Records, contact: &ContactKey) -> Facts {
    let provider = records.events.values().map(|event| event.provider).next();
    let mut facts = Facts::new(provider.unwrap_or(Provider::Calendly));
    let theirs = records
        .invitees
        .values()
        .filter(|invitee| invitee.contact().as_ref() == Some(contact));
    for invitee in theirs.clone() {
        let mut gone = InviteeRecord::about(invitee.uri.clone());
        gone.erased = true;
        facts.add_invitee(&gone);
    }
    for event in records.events.values() {
        if event.contacts().iter().any(|(known, _)| known == contact) {
            let mut gone = EventRecord::about(event.uri.clone(), event.provider);
            gone.erased_people.insert(contact.clone());
            facts.add_event(&gone);
        }
    }
    if let Some(submission) = &records.submission {
        let mut theirs = theirs;
        let linked = theirs.any(|invitee| {
            submission.submitter.as_ref() == Some(&invitee.uri)
                || invitee.submission.as_ref() == Some(&submission.uri)
        });
        if linked || submission.contacts().contains(contact) {
            let mut gone = SubmissionRecord::about(submission.uri.clone());
            gone.erased = true;
            facts.add_submission(gone);
        }
    }
    facts
}

/// Hands each moved booking's root to the one that replaced it: at once where that is part of this
/// step, as a follow-up where it isn't. A record holds both its root and its successors, and writes
/// to it are serialised; so whoever writes the later of the two sees both, and carries on.
fn carry_roots(invitees: &mut BTreeMap<InviteeUri, InviteeRecord>, facts: &Facts) -> Vec<Facts> {
    // Links of a step are few, and none is longer than all of them: as many rounds settle it in
    // any order.
    for _ in 0..invitees.len() {
        let handed: Vec<_> = invitees
            .values()
            .flat_map(|old| {
                old.moved_to
                    .iter()
                    .map(|new| (new.clone(), old.passes_on()))
            })
            .collect();
        for (new, lineage) in handed {
            if let Some(new) = invitees.get_mut(&new)
                && lineage.root != new.uri
                && lineage.depth <= MAX_CHAIN
                && new.lineage.as_ref() < Some(&lineage)
            {
                new.lineage = Some(lineage);
            }
        }
    }
    let mut follow_ups = Vec::new();
    for old in invitees.values() {
        let lineage = old.passes_on();
        for new in &old.moved_to {
            if invitees.contains_key(new) || lineage.root == *new || lineage.depth > MAX_CHAIN {
                continue;
            }
            let mut heir = InviteeRecord::about(new.clone());
            heir.lineage = Some(lineage.clone());
            let mut follow = Facts::new(facts.provider);
            follow.add_invitee(&heir);
            follow_ups.push(follow);
        }
    }
    follow_ups
}
