//! The reducer: what is stored, and what a delivery says, give what is to be stored.

use crate::erase::forms_of_erased;
use crate::merge::latest;
use crate::{
    ContactKey, EventRecord, EventUri, EventView, Facts, InviteeRecord, InviteeUri, InviteeView,
    SubmissionRecord, Transition,
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
                    || before.erased_people != event.erased_people
                    || EventView::listed(before) != EventView::listed(event)
            })
        });
        records.invitees.retain(|uri, invitee| {
            let before = stored.invitees.get(uri);
            before.is_none_or(|before| {
                before.marks != invitee.marks
                    || before.start() != invitee.start()
                    || InviteeView::of(before, None) != InviteeView::of(invitee, None)
            })
        });
        self.transitions
            .retain(|(uri, _)| records.invitees.contains_key(uri));
        self
    }
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
        // Not from the stored event: what a record holds must follow from its own messages alone.
        let slot = facts.events.get(&uri.event());
        let slot = slot.and_then(|event| event.slot.as_ref());
        if let Some(slot) = slot.filter(|_| fact.known) {
            latest(&mut invitee.slot, &Some(slot.clone()));
        }
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
    let transitions = next
        .invitees
        .values()
        .flat_map(|after| {
            Transition::between(stored.invitees.get(&after.uri), after)
                .into_iter()
                .map(|made| (after.uri.clone(), made))
        })
        .collect();
    let erased = tell_of_erased(facts, &next);
    Reduction {
        records: next,
        transitions,
        follow_ups,
        erased,
    }
}

/// Whether these facts told of somebody whom the records no longer know.
fn tell_of_erased(facts: &Facts, next: &Records) -> bool {
    let invitees = facts.invitees.values().any(|fact| {
        fact.email.is_some() && next.invitees.get(&fact.uri).is_some_and(|next| next.erased)
    });
    let others = facts.events.values().any(|fact| {
        let erased = next.events.get(&fact.uri).map(|next| &next.erased_people);
        let mut told = fact.contacts().into_iter();
        erased.is_some_and(|erased| told.any(|(contact, _)| erased.contains(&contact)))
    });
    let submission = facts.submission.as_ref().is_some_and(|fact| {
        fact.answers.is_some() && next.submission.as_ref().is_some_and(|next| next.erased)
    });
    invitees || others || submission
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
