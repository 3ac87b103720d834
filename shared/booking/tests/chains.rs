//! Chains of reschedules that Calendly makes seldom or never: of more members than a root is carried
//! along, biting their own tail, or of one member. The order in which they come must not matter.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;

use booking::{Facts, InviteeRecord, InviteeStatus, InviteeUri, MAX_CHAIN, Provider};
use memory::{Memory, facts};
use proptest::prelude::*;
use serde_json::Value;
use testkit::fixture;

fn uri(number: usize) -> InviteeUri {
    let id = format!("n{number:04}");
    let uri = format!("https://api.calendly.com/scheduled_events/{id}/invitees/{id}");
    InviteeUri::parse(&uri).unwrap()
}

/// That `new` took the place of `old`.
fn replaces(new: usize, old: usize) -> Facts {
    let mut invitee = InviteeRecord::about(uri(new));
    invitee.known = true;
    invitee.moved_from = Some(uri(old));
    let mut facts = Facts::new(Provider::Calendly);
    facts.add_invitee(&invitee);
    facts
}

fn after<'a>(order: impl IntoIterator<Item = &'a Facts>) -> Memory {
    let mut memory = Memory::default();
    for facts in order {
        memory.apply(facts.clone());
    }
    memory
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_chain_that_is_too_long_ends_the_same_in_every_order(
        order in Just((1..=MAX_CHAIN as usize + 20).collect::<Vec<_>>()).prop_shuffle(),
        segment in 1..MAX_CHAIN as usize,
    ) {
        let links: Vec<Facts> = (1..=order.len()).map(|new| replaces(new, new - 1)).collect();
        let natural = after(&links);
        let last = &natural.records.invitees[&uri(MAX_CHAIN as usize)];
        prop_assert_eq!(last.lineage.as_ref().unwrap().root.as_ref(), Some(&uri(0)));
        let beyond = &natural.records.invitees[&uri(MAX_CHAIN as usize + 1)];
        prop_assert_eq!(beyond.lineage.as_ref().unwrap().root.as_ref(), None);

        let shuffled = after(order.iter().map(|link| &links[link - 1]));
        prop_assert!(natural == shuffled, "shuffled");
        // Two long parts that are joined last.
        let (one, two) = links.split_at(segment);
        prop_assert!(natural == after(two.iter().chain(one)), "joined at {segment}");
    }

    #[test]
    fn a_chain_that_bites_its_tail_ends_the_same_in_every_order(
        order in (1_usize..12).prop_flat_map(|length| Just((0..length).collect::<Vec<_>>()).prop_shuffle()),
    ) {
        let length = order.len();
        let links: Vec<Facts> = (0..length).map(|old| replaces((old + 1) % length, old)).collect();
        let natural = after(&links);
        prop_assert_eq!(&natural, &after(order.iter().map(|link| &links[*link])));
        for invitee in natural.records.invitees.values() {
            let root = invitee.lineage.as_ref().and_then(|lineage| lineage.root.as_ref());
            prop_assert_eq!(root, None);
        }
    }
}

#[test]
fn a_chain_that_was_left_half_carried_is_carried_on_by_a_repeat() {
    let half = MAX_CHAIN as usize / 2 + 10;
    let links: Vec<Facts> = (1..=2 * half).map(|new| replaces(new, new - 1)).collect();
    let natural = after(&links);
    let joint = links[half].clone();
    let rest = links[..half].iter().chain(&links[half + 1..]);
    for steps in [1, half - 20, half - 1] {
        let mut memory = after(rest.clone());
        memory.apply_at_most(joint.clone(), steps);
        memory.apply(joint.clone());
        assert!(memory == natural, "stopped after {steps} steps");
    }
}

#[test]
fn a_booking_that_names_itself_as_its_other_half_stands() {
    for name in ["new_invitee", "old_invitee"] {
        let body = fixture("reschedule.2-invitee.created.json");
        let mut body: Value = serde_json::from_slice(&body).unwrap();
        body["payload"]["old_invitee"] = Value::Null;
        body["payload"][name] = body["payload"]["uri"].clone();
        let memory = Memory::after([&body.to_string().into_bytes()]);
        let invitee = memory.records.invitees.values().next().unwrap();
        assert_eq!(invitee.status(), InviteeStatus::Active, "{name}");
        assert_eq!((&invitee.moved_from, &invitee.lineage), (&None, &None));
    }
    let mut invitee = InviteeRecord::about(uri(1));
    invitee.moved_to.insert(uri(1));
    let mut told = Facts::new(Provider::Calendly);
    told.add_invitee(&invitee);
    let memory = after(&[told, replaces(1, 1)]);
    assert_eq!(
        memory.records.invitees[&uri(1)].status(),
        InviteeStatus::Active
    );
}

#[test]
fn a_booking_whose_new_half_never_comes_is_rescheduled() {
    let body = fixture("reschedule.1-invitee.canceled.json");
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    body["payload"]["new_invitee"] = Value::Null;
    let mut memory = Memory::default();
    memory.apply(facts(&body.to_string().into_bytes()));
    let invitee = memory.records.invitees.values().next().unwrap();
    assert_eq!(invitee.status(), InviteeStatus::Rescheduled);
    assert!(invitee.moved_to.is_empty());
}

/// As many ways lead around as there are orders of naming them, and each is as long as a chain can be.
#[test]
fn bookings_that_all_name_one_another_are_walked_in_few_steps() {
    let mut memory = Memory::default();
    let most = 4_000;
    for (new, old) in [(0, 1), (1, 2), (2, 0), (0, 2), (2, 1), (1, 0)] {
        let steps = memory.apply_at_most(replaces(new, old), most);
        assert!(steps < most, "{new} replaces {old}");
    }
    for booking in memory.records.invitees.values() {
        assert_eq!(
            booking.lineage.as_ref().unwrap().root,
            None,
            "{}",
            booking.uri
        );
    }
}
