//! That an event was not found is an observation: it takes two of them, and a later sight beats both.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;
mod told;

use booking::{
    EventStatus, EventUri, EventView, Facts, InviteeStatus, InviteeView, Provider, reduce,
};
use jiff::SignedDuration;
use memory::Memory;
use proptest::prelude::*;
use serde_json::json;
use told::{EVENT, after, at, called_off, created, read, read_event, say};

const BOOKED: &str = "2026-11-20T00:00:00Z";

fn not_found(time: &str) -> Facts {
    Facts::not_found(
        Provider::Calendly,
        EventUri::parse(EVENT).unwrap(),
        at(time),
    )
}

fn booked() -> Memory {
    after(&[say(&created("a", BOOKED, 1)), say(&created("b", BOOKED, 1))])
}

#[test]
fn one_look_in_vain_is_told_and_cancels_nothing() {
    let mut memory = booked();
    memory.apply(not_found("2026-11-21T00:00:00Z"));
    memory.apply(not_found("2026-11-21T00:09:59Z"));
    assert_eq!(memory.event().status(), EventStatus::Active);
    let shown = json!(EventView::listed(memory.event()));
    assert_eq!(shown["missingSince"], "2026-11-21T00:00:00Z");
    assert_eq!(shown["cancellation"], json!(null));
}

#[test]
fn two_looks_in_vain_some_time_apart_cancel_the_event_and_say_that_nobody_told() {
    let mut memory = booked();
    memory.apply(not_found("2026-11-21T00:10:00Z"));
    memory.apply(not_found("2026-11-21T00:00:00Z"));
    let inferred = json!({
        "by": null, "byType": null, "reason": "no longer at Calendly",
        "at": "2026-11-21T00:00:00Z", "inferred": true,
    });
    let shown = json!(EventView::listed(memory.event()));
    assert_eq!(shown["status"], "canceled");
    assert_eq!(shown["missingSince"], "2026-11-21T00:00:00Z");
    assert_eq!(shown["cancellation"], inferred);
    for invitee in ["a", "b"] {
        let shown = json!(InviteeView::of(memory.invitee(invitee), None));
        assert_eq!(shown["status"], "canceled");
        assert_eq!(shown["cancellation"], inferred);
    }
}

#[test]
fn a_later_sight_takes_it_back_and_is_worth_a_write() {
    let gone = || {
        let mut memory = booked();
        memory.apply(not_found("2026-11-21T00:00:00Z"));
        memory.apply(not_found("2026-11-22T00:00:00Z"));
        memory
    };
    let body = created("a", BOOKED, 1);
    for sight in [
        read(&body, "2026-11-23T00:00:00Z"),
        read_event(&body, "2026-11-23T00:00:00Z"),
        say(&created("c", "2026-11-23T00:00:00Z", 1)),
    ] {
        let mut memory = gone();
        let stored = memory.records.clone();
        let kept = reduce(&stored, &sight).changes_since(&stored);
        assert_eq!(kept.records.events.len(), 1);
        memory.apply(sight);
        assert_eq!(memory.event().status(), EventStatus::Active);
        assert_eq!(memory.event().sightings.missing_since(), None);
        assert_eq!(memory.invitee("a").status(), InviteeStatus::Active);
        assert_eq!(memory.invitee("b").status(), InviteeStatus::Active);
    }
}

#[test]
fn a_sight_of_what_is_not_missing_is_worth_no_write() {
    let mut memory = booked();
    let body = created("a", BOOKED, 1);
    memory.apply(read_event(&body, "2026-11-23T00:00:00Z"));
    let stored = memory.records.clone();
    let kept = reduce(&stored, &read_event(&body, "2026-11-24T00:00:00Z")).changes_since(&stored);
    assert_eq!(kept.records.events.len(), 0);
}

#[test]
fn which_organization_lists_it_is_written_once_and_moves_nothing_that_is_shown() {
    let listed = |organization: &str, time: &str| {
        let event = EventUri::parse(EVENT).unwrap();
        let organization = format!("https://api.calendly.com/organizations/{organization}");
        Facts::listed_in(Provider::Calendly, event, organization, at(time))
    };
    let changes = |memory: &Memory, facts: &Facts| {
        let stored = &memory.records;
        reduce(stored, facts)
            .changes_since(stored)
            .records
            .events
            .len()
    };
    let mut memory = booked();
    memory.apply(not_found("2026-11-21T00:00:00Z"));
    let shown = EventView::listed(memory.event());
    let first = listed("A", "2026-11-22T00:00:00Z");
    assert_eq!(changes(&memory, &first), 1);
    memory.apply(first);
    assert_eq!(EventView::listed(memory.event()), shown, "it is no sight");
    assert_eq!(changes(&memory, &listed("A", "2026-11-23T00:00:00Z")), 0);
    memory.apply(listed("B", "2026-11-24T00:00:00Z"));
    memory.apply(listed("A", "2026-11-23T00:00:00Z"));
    let organization = memory.event().listed_in().unwrap();
    assert!(organization.ends_with("/B"), "{organization}");
}

#[test]
fn an_event_that_has_begun_is_never_canceled_by_a_look() {
    let mut memory = booked();
    for look in [
        "2026-11-30T10:00:00Z",
        "2026-12-01T10:00:00Z",
        "2026-12-02T00:00:00Z",
    ] {
        memory.apply(not_found(look));
        assert_eq!(memory.event().status(), EventStatus::Active, "{look}");
    }
}

#[test]
fn an_event_without_a_start_is_never_canceled_by_a_look() {
    let mut body = created("a", BOOKED, 1);
    body["payload"]
        .as_object_mut()
        .unwrap()
        .remove("scheduled_event");
    let looks = ["2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"].map(not_found);
    let memory = after([&[say(&body)][..], &looks].concat().iter());
    assert_eq!(memory.event().status(), EventStatus::Active);
}

#[test]
fn a_cancellation_that_is_told_later_takes_the_place_of_the_inferred_one() {
    let looks = ["2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"].map(not_found);
    let told = say(&called_off(created("a", BOOKED, 1), "2026-11-20T12:00:00Z"));
    let booked = say(&created("a", BOOKED, 1));
    let natural = after(
        [&looks[..], &[booked.clone(), told.clone()]]
            .concat()
            .iter(),
    );
    assert_eq!(
        natural,
        after([&[booked, told], &looks[..]].concat().iter())
    );
    let event = json!(EventView::listed(natural.event()));
    let invitee = json!(InviteeView::of(natural.invitee("a"), None));
    for shown in [event, invitee] {
        assert_eq!(shown["cancellation"]["reason"], "Ill");
        assert_eq!(shown["cancellation"]["inferred"], false);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sights_and_looks_end_the_same_in_every_order(
        all in prop::collection::vec((any::<bool>(), 0_i64..40), 1..10)
            .prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
    ) {
        let facts = |all: &[(bool, i64)]| -> Vec<Facts> {
            let body = created("a", BOOKED, 1);
            let mut facts = vec![say(&body)];
            facts.extend(all.iter().map(|(seen, minutes)| {
                // About its start, too.
                let time = at("2026-12-01T09:35:00Z") + SignedDuration::from_mins(*minutes);
                if *seen { read_event(&body, &time.to_string()) } else { not_found(&time.to_string()) }
            }));
            facts
        };
        let natural = after(&facts(&all.0));
        prop_assert_eq!(&natural, &after(&facts(&all.1)));
        // What it ends as, in other words.
        let seen = all.0.iter().filter(|(seen, _)| *seen).map(|(_, at)| *at).max();
        let looks = all.0.iter().filter(|(found, at)| !found && Some(*at) > seen && *at < 25);
        let looks: Vec<i64> = looks.map(|(_, at)| *at).collect();
        let gone = looks.iter().max().zip(looks.iter().min()).is_some_and(|(a, b)| a - b >= 10);
        prop_assert_eq!(natural.event().is_canceled(), gone);
        prop_assert_eq!(natural.invitee("a").status() == InviteeStatus::Canceled, gone);
    }
}

#[test]
fn looks_that_make_no_difference_are_not_kept() {
    let mut memory = booked();
    for minutes in 0..60 {
        let look = at("2026-11-21T00:00:00Z") + SignedDuration::from_mins(minutes);
        let stored = memory.records.clone();
        let facts = not_found(&look.to_string());
        let kept = reduce(&stored, &facts).changes_since(&stored);
        if !kept.records.events.is_empty() {
            assert!([0, 10].contains(&minutes), "{minutes}");
            memory.apply(facts);
        }
    }
    assert_eq!(memory.event().status(), EventStatus::Canceled);
}
