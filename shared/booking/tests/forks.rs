//! Two bookings that claim to replace the same one: Calendly makes no such thing, and still the order
//! in which they come must not matter.

#![allow(clippy::unwrap_used)] // helpers of tests

use booking::{Facts, InviteeRecord, InviteeUri, Provider, Records, reduce};
use std::collections::VecDeque;

fn uri(name: &str) -> InviteeUri {
    let uri = format!("https://api.calendly.com/scheduled_events/{name}/invitees/{name}");
    InviteeUri::parse(&uri).unwrap()
}

fn replaces(new: &str, old: &str) -> Facts {
    let mut invitee = InviteeRecord::about(uri(new));
    invitee.known = true;
    invitee.moved_from = Some(uri(old));
    let mut facts = Facts::new(Provider::Calendly);
    facts.add_invitee(&invitee);
    facts
}

fn after(order: &[Facts]) -> Records {
    let mut records = Records::default();
    let mut steps: VecDeque<_> = order.iter().cloned().collect();
    while let Some(facts) = steps.pop_front() {
        let reduction = reduce(&records, &facts);
        records.events.extend(reduction.records.events);
        records.invitees.extend(reduction.records.invitees);
        for follow_up in reduction.follow_ups.into_iter().rev() {
            steps.push_front(follow_up);
        }
    }
    records
}

#[test]
fn a_fork_ends_the_same_in_every_order() {
    let facts = [
        replaces("b", "a"),
        replaces("c", "a"),
        replaces("a", "z"),
        replaces("d", "b"),
    ];
    let want = after(&facts);
    for name in ["b", "c", "d"] {
        let lineage = want.invitees[&uri(name)].lineage.clone().unwrap();
        assert_eq!(lineage.root, Some(uri("z")), "{name}");
    }
    let mut order = [0, 1, 2, 3];
    for _ in 0..24 {
        // All permutations, by plain changes of neighbours and a turn.
        for i in 0..3 {
            order.swap(i, i + 1);
            let got = after(&order.map(|i| facts[i].clone()));
            assert_eq!(got, want, "{order:?}");
        }
        order.rotate_left(1);
    }
}
