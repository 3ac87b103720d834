//! The meeting is the event's: whoever booked it finds it at its present time, and nobody is coming
//! to an event that was called off.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;
mod told;

use booking::{EventStatus, EventView, InviteeStatus, ROSTER_LIMIT};
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::history::histories;
use told::{after, at, called_off, created, found, left, moved_to, say};

use memory::Memory;

/// Each invitee has its event's start, and none comes to an event that was called off.
fn all_follow(memory: &Memory) {
    for invitee in memory.records.invitees.values() {
        let event = &memory.records.events[&invitee.uri.event()];
        assert!(event.is_settled(), "{}", event.uri);
        assert_eq!(invitee.meeting, event.meeting(), "{}", invitee.uri);
        if event.is_canceled() {
            assert_ne!(invitee.status(), InviteeStatus::Active, "{}", invitee.uri);
        }
    }
}

#[test]
fn everybody_finds_a_moved_event_at_its_new_time() {
    let (later, moved) = ("2026-12-09T10:00:00Z", "2026-11-04T00:00:00Z");
    let first = say(&created("a", "2026-11-02T00:00:00Z", 20));
    let second = say(&moved_to(created("c", moved, 20), later, moved));
    for order in [[&first, &second], [&second, &first]] {
        let memory = after(order);
        for name in ["a", "c"] {
            assert_eq!(memory.invitee(name).start(), Some(at(later)), "{name}");
        }
    }
}

#[test]
fn nobody_comes_to_an_event_that_the_host_called_off() {
    let people: Vec<String> = (0..2 * ROSTER_LIMIT).map(|n| format!("i{n:04}")).collect();
    let booked = people
        .iter()
        .map(|id| say(&created(id, "2026-11-02T00:00:00Z", 200)));
    let off = say(&called_off(
        created(&people[70], "2026-11-02T00:00:00Z", 200),
        "2026-11-05T00:00:00Z",
    ));
    let mut facts: Vec<_> = booked.collect();
    facts.push(off);
    let natural = after(&facts);
    all_follow(&natural);
    assert_eq!(natural.event().status(), EventStatus::Canceled);
    let other = natural.invitee("i0003");
    assert_eq!(other.status(), InviteeStatus::Canceled);
    assert_eq!(
        other.shown_cancellation().unwrap().by_type.as_deref(),
        Some("host")
    );
    let listed = json!(EventView::listed(natural.event()));
    assert_eq!(listed["invitees"][3]["status"], "canceled");
    assert_eq!(listed["invitees"][3]["cancellation"]["byType"], "host");
    facts.reverse();
    assert_eq!(after(&facts), natural);
}

#[test]
fn an_invitee_keeps_the_cancellation_of_their_own() {
    let booked = [
        created("a", "2026-11-02T00:00:00Z", 9),
        created("b", "2026-11-02T00:00:01Z", 9),
    ];
    let gone = left(booked[0].clone(), "2026-11-03T00:00:00Z");
    let off = called_off(booked[1].clone(), "2026-11-05T00:00:00Z");
    let memory = after(&[say(&booked[0]), say(&booked[1]), say(&gone), say(&off)]);
    let by = |id| {
        memory
            .invitee(id)
            .shown_cancellation()
            .unwrap()
            .by_type
            .clone()
    };
    assert_eq!(
        (by("a").as_deref(), by("b").as_deref()),
        (Some("invitee"), Some("host"))
    );
}

/// An event of unknown seats, of which everybody who is known has left, is not on.
#[test]
fn an_event_that_all_have_left_is_canceled_unless_it_has_seats_to_offer() {
    let counter = |limit: Value| json!({"total": 1, "active": 1, "limit": limit});
    for (counter, want) in [
        (counter(json!(1)), EventStatus::Canceled),
        (counter(json!(0)), EventStatus::Canceled),
        (counter(Value::Null), EventStatus::Canceled),
        (Value::Null, EventStatus::Canceled),
        (counter(json!(20)), EventStatus::Active),
        (json!({"total": 7, "active": 4}), EventStatus::Active),
        (json!({"total": 2, "active": 1}), EventStatus::Active),
        (json!({"active": 2}), EventStatus::Active),
    ] {
        let mut booked = created("a", "2026-11-02T00:00:00Z", 1);
        booked["payload"]["scheduled_event"]["invitees_counter"] = counter.clone();
        let gone = left(booked.clone(), "2026-11-03T00:00:00Z");
        let memory = after(&[say(&booked), say(&gone)]);
        assert_eq!(memory.event().status(), want, "{counter}");
        assert_eq!(after(&[say(&booked)]).event().status(), EventStatus::Active);
    }
}

#[test]
fn a_form_without_an_event_ends_with_its_booking() {
    let mut booked = created("a", "2026-11-02T00:00:00Z", 1);
    booked["payload"]
        .as_object_mut()
        .unwrap()
        .remove("scheduled_event");
    let gone = left(booked.clone(), "2026-11-03T00:00:00Z");
    let memory = after(&[say(&gone), say(&booked)]);
    assert_eq!(memory.event().status(), EventStatus::Canceled);
}

#[test]
fn an_event_that_is_known_by_a_move_alone_is_not_on() {
    let body = testkit::fixture("reschedule.2-invitee.created.json");
    let memory = Memory::after([&body]);
    let mut statuses: Vec<_> = memory
        .records
        .events
        .values()
        .map(|it| it.status().as_str())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["active", "canceled"]);
}

#[test]
fn of_many_of_whom_not_all_are_named_none_is_taken_to_have_left() {
    let mut facts = Vec::new();
    for number in 0..=ROSTER_LIMIT {
        let body = created(&format!("i{number:04}"), "2026-11-02T00:00:00Z", 0);
        facts.push(say(&body));
        if number < ROSTER_LIMIT {
            facts.push(say(&left(body, "2026-11-03T00:00:00Z")));
        }
    }
    assert_eq!(after(&facts).event().status(), EventStatus::Active);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_every_delivery_each_invitee_follows_their_event(history in histories()) {
        let mut memory = Memory::default();
        let told = history.webhooks.iter().map(|body| memory::facts(body));
        let all: Vec<_> = told.chain(history.looks.iter().map(found)).collect();
        for index in &history.all_arrivals {
            memory.apply(all[*index].clone());
            all_follow(&memory);
        }
    }
}
