//! The reducer: what is stored, and what a delivery says, give what is to be stored.

use crate::erase::forms_of_erased;
use crate::lineage::carry_roots;
use crate::people::keep_former_addresses;
use crate::{
    ContactKey, EventRecord, EventUri, EventView, Facts, InviteeRecord, InviteeUri, InviteeView,
    ROSTER_LIMIT, SubmissionRecord, Transition,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Stored records, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// Scheduled events.
    pub events: BTreeMap<EventUri, EventRecord>,
    /// Invitees.
    pub invitees: BTreeMap<InviteeUri, InviteeRecord>,
    /// A routing form submission.
    pub submission: Option<SubmissionRecord>,
    /// When people were erased: their mark, which stays. Only read, and never part of what a step
    /// makes.
    pub erasures: BTreeMap<ContactKey, Timestamp>,
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
    /// Events that have more invitees than this step, whose records may be behind: to be settled
    /// after it is stored, whether or not it changed anything.
    pub unsettled: BTreeSet<EventUri>,
    /// The facts told of somebody who was erased: what brought them must not be kept either.
    pub erased: bool,
}

impl Reduction {
    /// Only the records of which more has changed than when their facts were seen.
    #[must_use]
    pub fn changes_since(mut self, stored: &Records) -> Self {
        let records = &mut self.records;
        records.events.retain(|uri, event| {
            let before = stored.events.get(uri);
            before.is_none_or(|before| {
                before.named != event.named
                    || before.named_more != event.named_more
                    || event_differs(before, event)
            })
        });
        records.invitees.retain(|uri, invitee| {
            let before = stored.invitees.get(uri);
            before.is_none_or(|before| invitee_differs(before, invitee))
        });
        self
    }

    /// Whether this changes anything that is shown of an event or a booking that had been told of
    /// before.
    pub fn changes_known(&self, stored: &Records) -> bool {
        let records = &self.records;
        let mut events = records.events.iter().filter_map(|(uri, event)| {
            let before = stored.events.get(uri)?;
            (before.updated_at.is_some()).then(|| event_differs(before, event))
        });
        let mut invitees = records.invitees.iter().filter_map(|(uri, invitee)| {
            let before = stored.invitees.get(uri)?;
            before.known.then(|| invitee_differs(before, invitee))
        });
        events.any(|differs| differs) || invitees.any(|differs| differs)
    }
}

fn event_differs(before: &EventRecord, after: &EventRecord) -> bool {
    before.connections != after.connections
        || before.erased_people != after.erased_people
        || before.meeting() != after.meeting()
        || before.roster != after.roster
        || before.listed_in() != after.listed_in()
        || EventView::listed(before) != EventView::listed(after)
}

fn invitee_differs(before: &InviteeRecord, after: &InviteeRecord) -> bool {
    before.known != after.known
        || before.marks != after.marks
        || before.meeting != after.meeting
        || before.moved_to != after.moved_to
        || before.lineage != after.lineage
        || InviteeView::of(before, None) != InviteeView::of(after, None)
}

/// Merges `facts` into `stored`, which holds those of `facts.keys()`, and those marks of
/// `facts.contacts()`, that exist.
pub fn reduce(stored: &Records, facts: &Facts) -> Reduction {
    let mut next = Records::default();
    for (uri, fact) in &facts.events {
        let mut event = stored
            .events
            .get(uri)
            .cloned()
            .unwrap_or_else(|| EventRecord::about(uri.clone(), facts.provider));
        event.merge_marked(fact, &stored.erasures);
        next.events.insert(uri.clone(), event);
    }
    for (uri, fact) in &facts.invitees {
        let mut invitee = stored
            .invitees
            .get(uri)
            .cloned()
            .unwrap_or_else(|| InviteeRecord::about(uri.clone()));
        invitee.merge_marked(fact, &stored.erasures);
        next.invitees.insert(uri.clone(), invitee);
    }
    next.submission = facts.submission.as_ref().map(|fact| {
        let mut submission = stored
            .submission
            .clone()
            .unwrap_or_else(|| SubmissionRecord::about(fact.uri.clone()));
        submission.merge_marked(fact, &stored.erasures, &next.invitees);
        submission
    });

    keep_former_addresses(&mut next, stored, facts);
    let mut follow_ups = carry_roots(&mut next.invitees, facts);
    follow_ups.extend(forms_of_erased(&next, facts.provider));
    for invitee in next.invitees.values() {
        if let Some(event) = next.events.get_mut(&invitee.uri.event()) {
            event.enrol(invitee);
        }
    }
    for event in next.events.values_mut() {
        event.forget_meeting_of_erased();
    }
    let unsettled = follow_events(stored, &mut next);
    let transitions = transitions(stored, &next);
    let erased = tell_of_erased(facts, &next);
    Reduction {
        records: next,
        transitions,
        follow_ups,
        unsettled,
        erased,
    }
}

/// Lets the invitees of this step follow their events, and marks those events of which others may
/// have to. Answers these.
fn follow_events(stored: &Records, next: &mut Records) -> BTreeSet<EventUri> {
    for event in next.events.values_mut() {
        let before = stored.events.get(&event.uri);
        let before = before.map(EventRecord::meeting).unwrap_or_default();
        let here: BTreeSet<&str> = next
            .invitees
            .keys()
            .filter(|invitee| invitee.event() == event.uri)
            .map(InviteeUri::id)
            .collect();
        let others = event.roster.len() >= ROSTER_LIMIT
            || event.roster.keys().any(|id| !here.contains(id.as_str()));
        if others && before != event.meeting() {
            event.unsettle();
        }
    }
    for invitee in next.invitees.values_mut() {
        if let Some(event) = next.events.get(&invitee.uri.event()) {
            invitee.follow(&event.meeting());
        }
    }
    let unsettled = next.events.values().filter(|event| !event.is_settled());
    unsettled.map(|event| event.uri.clone()).collect()
}

fn transitions(stored: &Records, next: &Records) -> Vec<(InviteeUri, Transition)> {
    let mut made = Vec::new();
    for after in next.invitees.values() {
        let uri = after.uri.event();
        let event = next.events.get(&uri);
        let around = event.is_some_and(|event| {
            let before = stored.events.get(&uri);
            before.is_none_or(|before| Transition::shows_more(before, event))
        });
        let before = stored.invitees.get(&after.uri);
        let here = Transition::between(before, after, around);
        made.extend(here.into_iter().map(|one| (after.uri.clone(), one)));
    }
    made
}

/// Whether these facts told of somebody whom the records no longer know.
fn tell_of_erased(facts: &Facts, next: &Records) -> bool {
    let invitees = facts.invitees.values().any(|fact| {
        fact.email.is_some() && next.invitees.get(&fact.uri).is_some_and(|next| next.erased)
    });
    let others = facts.events.values().any(|fact| {
        let erased = next.events.get(&fact.uri).map(|next| &next.erased_people);
        erased.is_some_and(|erased| !fact.told().is_disjoint(erased))
    });
    let submission = facts.submission.as_ref().zip(next.submission.as_ref());
    let submission = submission.is_some_and(|(fact, next)| {
        fact.answers.is_some() && next.erased || !fact.named.is_disjoint(&next.erased_people)
    });
    invitees || others || submission
}
