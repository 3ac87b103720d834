//! A store in memory, which takes facts as the real one does.

#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // helpers of tests

use booking::{EventUri, Facts, Handed, Records, SubmissionRecord, reduce};
use calendly::webhook::{Webhook, read};
use std::collections::{BTreeMap, VecDeque};

/// What a webhook's body says.
pub fn facts(body: &[u8]) -> Facts {
    match read(body, testkit::received_at()).unwrap() {
        Webhook::Booking(booking) => booking.facts,
        Webhook::NotHandled { event } => panic!("{event} is handled"),
    }
}

/// Records, and the marks of those who were erased.
#[derive(Default, Debug, Clone, PartialEq)]
pub struct Memory {
    pub records: Records,
    pub submissions: BTreeMap<String, SubmissionRecord>,
}

impl Memory {
    /// Merges facts, and what follows from them.
    pub fn apply(&mut self, facts: Facts) {
        self.apply_at_most(facts, usize::MAX);
    }

    /// As [`Self::apply`], stopped after so many steps. Answers how many it took.
    pub fn apply_at_most(&mut self, facts: Facts, most: usize) -> usize {
        let mut steps = VecDeque::from([facts]);
        let mut handed = Handed::default();
        for step in 0..most {
            let Some(facts) = steps.pop_front() else {
                return step;
            };
            let keys = facts.keys();
            let contacts = facts.contacts();
            let all = &self.records;
            let marks = all.erasures.iter();
            let events = keys.events.iter().filter_map(|uri| all.events.get(uri));
            let invitees = keys.invitees.iter().filter_map(|uri| all.invitees.get(uri));
            let stored = Records {
                events: events.map(|it| (it.uri.clone(), it.clone())).collect(),
                invitees: invitees.map(|it| (it.uri.clone(), it.clone())).collect(),
                submission: keys
                    .submission
                    .and_then(|uri| self.submissions.get(uri.as_str()).cloned()),
                erasures: marks
                    .filter(|(contact, _)| contacts.contains(contact))
                    .map(|(contact, at)| (contact.clone(), *at))
                    .collect(),
            };
            let reduction = reduce(&stored, &facts);
            self.records.events.extend(reduction.records.events);
            self.records.invitees.extend(reduction.records.invitees);
            if let Some(submission) = reduction.records.submission {
                self.submissions
                    .insert(submission.uri.to_string(), submission);
            }
            for event in &reduction.unsettled {
                self.settle(event);
            }
            let due = reduction.follow_ups.into_iter();
            steps.extend(due.filter(|facts| handed.is_due(facts)));
        }
        most
    }

    /// Lets every invitee of an event follow it.
    fn settle(&mut self, event: &EventUri) {
        let record = self.records.events.get_mut(event).unwrap();
        record.settle();
        let meeting = record.meeting();
        let mut invitees = self.records.invitees.values_mut();
        while let Some(invitee) = invitees.find(|invitee| invitee.uri.event() == *event) {
            invitee.follow(&meeting);
        }
    }

    /// What bodies that arrive in this order leave.
    pub fn after<'a>(bodies: impl IntoIterator<Item = &'a Vec<u8>>) -> Self {
        let mut memory = Self::default();
        for body in bodies {
            memory.apply(facts(body));
        }
        memory
    }
}
