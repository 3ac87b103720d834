//! Erasing people: whenever it comes, and whatever comes before, meanwhile and again after, the records
//! end the same, and nothing of them is left.
//!
//! The histories keep to what Calendly does: a booking keeps its address and an event its guests. Where
//! two different lists of guests were true at the very same time, which one stays may depend on whether
//! they met before the erasure or after it; neither names the erased.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;

use booking::{ContactKey, EventView, Facts, InviteeView, Records, erasure};
use jiff::{SignedDuration, Timestamp};
use memory::{Memory, facts};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use testkit::history::{History, histories};
use testkit::person::{Person, people};

fn key(person: Person) -> ContactKey {
    ContactKey::of(&person.email().to_lowercase())
}

/// Sets the mark, and finds what is stored of a person: the facts that erase it.
fn erase(memory: &mut Memory, person: Person, at: Timestamp) -> Vec<Facts> {
    let key = key(person);
    memory.records.erasures.insert(key.clone(), at);
    let forms = memory.submissions.values().cloned().map(Some);
    forms
        .chain([None])
        .map(|submission| {
            let records = Records {
                submission,
                ..memory.records.clone()
            };
            erasure(&records, &key)
        })
        .collect()
}

fn erase_at_once(memory: &mut Memory, person: Person, at: Timestamp) {
    for facts in erase(memory, person, at) {
        memory.apply(facts);
    }
}

/// The records as a store keeps them.
fn stored(memory: &Memory) -> String {
    let records = &memory.records;
    let events: Vec<_> = records.events.values().collect();
    let invitees: Vec<_> = records.invitees.values().collect();
    let forms: Vec<_> = memory.submissions.values().collect();
    serde_json::to_string_pretty(&json!([events, invitees, forms])).unwrap()
}

/// What the API shows of them.
fn shown(memory: &Memory) -> String {
    let records = &memory.records;
    let events: Vec<_> = records.events.values().map(EventView::listed).collect();
    let invitees = records.invitees.values().map(|invitee| {
        let form = invitee.submission.as_ref();
        let form = form.and_then(|form| memory.submissions.get(form.as_str()));
        InviteeView::of(invitee, form)
    });
    json!([events, invitees.collect::<Vec<_>>()]).to_string()
}

/// The times at which bookings were made, and one after them all.
fn times(natural: &Memory) -> Vec<Timestamp> {
    let invitees = natural.records.invitees.values();
    let mut times: Vec<_> = invitees.filter_map(|i| i.created_at).collect();
    let end = times.iter().max().unwrap();
    times.push(*end + SignedDuration::from_hours(1));
    times
}

/// All but the forms of which nobody knows yet who filled them in: one without an address says of
/// nobody that it is theirs until the booking is known.
fn told(memory: &Memory) -> Memory {
    let mut told = memory.clone();
    told.submissions.retain(|_, form| {
        let submitter = form.submitter.as_ref();
        submitter.is_some_and(|uri| memory.records.invitees[uri].known)
    });
    told
}

/// Who is erased, as of when; and how much has come when the mark is set, and when its job has done.
fn erasures() -> impl Strategy<Value = Vec<(Person, Index, Index, Index)>> {
    let one = (any::<Index>(), any::<Index>(), any::<Index>()).boxed();
    let each = people().map(move |person| {
        let one = one
            .clone()
            .prop_map(move |(at, mark, job)| (person, at, mark, job));
        proptest::option::of(one)
    });
    let each: Vec<_> = each.collect();
    each.prop_map(|all| all.into_iter().flatten().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn wherever_an_erasure_comes_in_the_records_end_the_same(history in histories(), erasures in erasures()) {
        let History { webhooks, arrivals, .. } = &history;
        let mut want = Memory::after(webhooks);
        let times = times(&want);
        for (person, at, ..) in &erasures {
            erase_at_once(&mut want, *person, *at.get(&times));
        }

        let mut got = Memory::default();
        let mut running: Vec<(usize, Vec<Facts>)> = Vec::new();
        let mut done = Vec::new();
        for come in 0..=arrivals.len() {
            for (person, at, mark, job) in &erasures {
                let mark = mark.index(arrivals.len() + 1);
                if mark == come {
                    let job = mark + job.index(arrivals.len() + 1 - mark);
                    running.push((job, erase(&mut got, *person, *at.get(&times))));
                }
            }
            let (ends, rest): (Vec<_>, Vec<_>) = running.into_iter().partition(|(job, _)| *job == come);
            running = rest;
            for facts in ends.into_iter().flat_map(|(_, facts)| facts) {
                done.push(facts.clone());
                got.apply(facts);
            }
            if let Some(index) = arrivals.get(come) {
                got.apply(facts(&webhooks[*index]));
            }
        }
        prop_assert_eq!(stored(&want), stored(&got));

        // All of it once more, the old facts of the erasures included.
        for body in webhooks {
            got.apply(facts(body));
        }
        for facts in done { got.apply(facts); }
        for (person, at, ..) in &erasures {
            erase_at_once(&mut got, *person, *at.get(&times));
        }
        prop_assert_eq!(stored(&want), stored(&got));
    }

    #[test]
    fn nothing_is_left_of_who_was_erased_nor_comes_back(history in histories(), come in any::<Index>()) {
        let History { webhooks, arrivals, .. } = &history;
        let natural = Memory::after(webhooks);
        let end = *times(&natural).last().unwrap();
        let person = Person(0);
        prop_assert!(!person.traces(&stored(&natural)).is_empty());

        let (before, after) = arrivals.split_at(come.index(arrivals.len() + 1));
        let mut memory = Memory::after(before.iter().map(|i| &webhooks[*i]));
        erase_at_once(&mut memory, person, end);
        prop_assert_eq!(person.traces(&stored(&told(&memory))), [""; 0]);
        for index in after {
            memory.apply(facts(&webhooks[*index]));
            prop_assert_eq!(person.traces(&stored(&told(&memory))), [""; 0]);
        }
        prop_assert_eq!(person.traces(&stored(&memory)), [""; 0]);
        prop_assert_eq!(person.traces(&shown(&memory)), [""; 0]);

        // Should the mark be lost one day, old messages about what was erased still bring nothing back.
        memory.records.erasures.clear();
        for body in webhooks {
            memory.apply(facts(body));
        }
        prop_assert_eq!(person.traces(&stored(&memory)), [""; 0]);
    }

    #[test]
    fn who_books_again_is_there_again(history in histories(), at in any::<Index>(), come in any::<Index>()) {
        let History { webhooks, arrivals, .. } = &history;
        let natural = Memory::after(webhooks);
        let at = *at.get(&times(&natural));
        let mut memory = Memory::default();
        let come = come.index(arrivals.len());
        for (place, index) in arrivals.iter().enumerate() {
            if place == come {
                for person in people() { erase_at_once(&mut memory, person, at); }
            }
            memory.apply(facts(&webhooks[*index]));
        }
        let made_after = |created: Option<Timestamp>| created.is_some_and(|created| created > at);
        for (uri, booked) in &natural.records.invitees {
            let kept = &memory.records.invitees[uri];
            prop_assert_eq!(kept.erased, !made_after(booked.created_at));
            if !kept.erased {
                prop_assert_eq!(kept, booked);
            }
        }
        for (uri, event) in &natural.records.events {
            if made_after(event.created_at) {
                prop_assert_eq!(&memory.records.events[uri], event);
            }
        }
        for (uri, form) in &natural.submissions {
            let submitter = &memory.records.invitees[form.submitter.as_ref().unwrap()];
            if made_after(form.created_at) && !submitter.erased {
                prop_assert_eq!(&memory.submissions[uri], form);
            }
        }
    }
}
