//! Any order, any repeats: the same bookings. Here on records in memory; the same property through
//! the store and with crashes is in `platform`.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use booking::{Facts, Records, reduce};
use calendly::webhook::{Webhook, read};
use proptest::prelude::*;
use std::collections::VecDeque;
use testkit::history::{History, histories};

fn facts(body: &[u8]) -> Facts {
    match read(body).unwrap() {
        Webhook::Booking(booking) => booking.facts,
        Webhook::NotHandled { event } => panic!("{event} is handled"),
    }
}

/// A store in memory.
#[derive(Default, Debug, PartialEq)]
struct Memory {
    records: Records,
    submissions: std::collections::BTreeMap<String, booking::SubmissionRecord>,
}

impl Memory {
    fn apply(&mut self, facts: Facts) {
        let mut steps = VecDeque::from([facts]);
        while let Some(facts) = steps.pop_front() {
            let keys = facts.keys();
            let stored = Records {
                events: self.records.events.clone(),
                invitees: self.records.invitees.clone(),
                submission: keys
                    .submission
                    .and_then(|uri| self.submissions.get(uri.as_str()).cloned()),
                erasures: self.records.erasures.clone(),
            };
            let reduction = reduce(&stored, &facts);
            self.records.events.extend(reduction.records.events);
            self.records.invitees.extend(reduction.records.invitees);
            if let Some(submission) = reduction.records.submission {
                self.submissions
                    .insert(submission.uri.to_string(), submission);
            }
            steps.extend(reduction.follow_ups);
        }
    }

    fn after<'a>(bodies: impl IntoIterator<Item = &'a Vec<u8>>) -> Self {
        let mut memory = Self::default();
        for body in bodies {
            memory.apply(facts(body));
        }
        memory
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_order_ends_in_the_same_records(history in histories()) {
        let History { webhooks, arrivals, .. } = &history;
        let natural = Memory::after(webhooks);
        let arrived = Memory::after(arrivals.iter().map(|i| &webhooks[*i]));
        prop_assert_eq!(natural, arrived);
    }

    #[test]
    fn every_member_of_a_chain_knows_its_root(history in histories()) {
        let records = Memory::after(history.arrivals.iter().map(|i| &history.webhooks[*i])).records;
        for invitee in records.invitees.values() {
            let mut first = invitee;
            let mut depth = 0;
            while let Some(old) = &first.moved_from {
                first = &records.invitees[old];
                depth += 1;
            }
            let root = (depth > 0).then(|| first.uri.clone());
            prop_assert_eq!(invitee.lineage.as_ref().map(|l| l.root.clone()), root);
            prop_assert_eq!(invitee.lineage.as_ref().map_or(0, |l| l.depth), depth);
        }
    }
}
