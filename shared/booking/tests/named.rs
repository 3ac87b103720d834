//! Whoever was named in what told of an event is found by their address, whatever came of it: guests
//! and hosts who were replaced, addresses that changed, and addresses that stand elsewhere.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;

use booking::{
    ByPart, ContactKey, EventRecord, Facts, Guest, Host, InviteeRecord, InviteeUri, Latest,
    MAX_NAMED, NAMED_LIMIT, Provider, Stamp, SubmissionRecord, SubmissionUri, erasure,
};
use jiff::Timestamp;
use memory::Memory;
use proptest::prelude::*;
use proptest::sample::subsequence;
use std::collections::BTreeSet;

const PEOPLE: usize = 5;

fn address(person: usize) -> String {
    format!("person{person}@example.com")
}

fn key(person: usize) -> ContactKey {
    ContactKey::of(&address(person))
}

/// What a message says of one event, and whom else it names.
#[derive(Debug, Clone)]
struct Told {
    second: i64,
    invitee: usize,
    email: Option<usize>,
    guests: Option<Vec<usize>>,
    host: Option<usize>,
    named: Vec<usize>,
}

impl Told {
    fn facts(&self) -> Facts {
        let at = Timestamp::from_second(self.second).unwrap();
        let stamp = Stamp::new(at, at);
        let uri = format!(
            "https://api.calendly.com/scheduled_events/e/invitees/i{}",
            self.invitee
        );
        let mut invitee = InviteeRecord::about(InviteeUri::parse(&uri).unwrap());
        invitee.known = true;
        invitee.created_at = Some(Timestamp::UNIX_EPOCH);
        invitee.email = self.email.map(|who| Latest::new(stamp, address(who)));
        let mut event = EventRecord::about(invitee.uri.event(), Provider::Calendly);
        event.created_at = Some(Timestamp::UNIX_EPOCH);
        event.guests = self.guests.as_ref().map(|guests| {
            let guests = guests.iter().map(|who| Guest {
                email: address(*who),
            });
            Latest::new(stamp, guests.collect())
        });
        event.hosts = self.host.map(|who| {
            let host = Host {
                uri: Some(format!("https://api.calendly.com/users/u{who}")),
                email: Some(address(who)),
                ..Host::default()
            };
            ByPart::new(stamp, vec![host])
        });
        let mut facts = Facts::new(Provider::Calendly);
        facts.add_event(&event);
        facts.add_invitee(&invitee);
        facts.add_named(self.named.iter().map(|who| key(*who)).collect());
        facts
    }

    fn people(&self) -> BTreeSet<usize> {
        let guests = self.guests.iter().flatten().copied();
        let others = self.email.into_iter().chain(self.host);
        guests.chain(others).chain(self.named.clone()).collect()
    }
}

fn some() -> impl Strategy<Value = Vec<usize>> {
    subsequence((0..PEOPLE).collect::<Vec<_>>(), 0..=PEOPLE)
}

fn messages() -> impl Strategy<Value = Vec<Told>> {
    let who = || proptest::option::of(0..PEOPLE);
    let guests = proptest::option::of(some());
    let one = (0..4_i64, 0..2_usize, who(), guests, who(), some());
    let one = one.prop_map(|(second, invitee, email, guests, host, named)| Told {
        second,
        invitee,
        email,
        guests,
        host,
        named,
    });
    proptest::collection::vec(one, 1..6)
}

/// Everybody who is found by their address.
fn found(memory: &Memory) -> BTreeSet<ContactKey> {
    let event = memory.records.events.values().next().unwrap();
    let invitees = memory.records.invitees.values();
    let around = event.contacts().into_iter().map(|(contact, _)| contact);
    around
        .chain(event.named.iter().cloned())
        .chain(invitees.filter_map(InviteeRecord::contact))
        .collect()
}

fn keys(people: impl IntoIterator<Item = usize>) -> BTreeSet<ContactKey> {
    people.into_iter().map(key).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everybody_who_was_ever_named_is_found_in_any_order(
        messages in messages(),
        order in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
    ) {
        let mut want = Memory::default();
        for told in &messages {
            want.apply(told.facts());
        }
        prop_assert_eq!(found(&want), keys(messages.iter().flat_map(Told::people)));

        let mut got = Memory::default();
        for told in order.iter().map(|index| index.get(&messages)).chain(messages.iter().rev()) {
            got.apply(told.facts());
        }
        prop_assert_eq!(want, got);
    }

    #[test]
    fn who_is_erased_is_not_found_and_all_others_are(
        messages in messages(),
        who in 0..PEOPLE,
        come in any::<proptest::sample::Index>(),
    ) {
        let come = come.index(messages.len() + 1);
        let mut memory = Memory::default();
        for (place, told) in messages.iter().enumerate() {
            if place == come {
                erase(&mut memory, who);
            }
            memory.apply(told.facts());
        }
        if come == messages.len() {
            erase(&mut memory, who);
        }
        let mut people: BTreeSet<_> = messages.iter().flat_map(Told::people).collect();
        people.remove(&who);
        let found = found(&memory);
        prop_assert!(!found.contains(&key(who)));
        // An address that led to nothing but a booking of the erased leads there still.
        prop_assert_eq!(found, keys(people));
    }
}

fn erase(memory: &mut Memory, who: usize) {
    let mark = Timestamp::from_second(100).unwrap();
    let records = memory.records.clone();
    memory.records.erasures.insert(key(who), mark);
    memory.apply(erasure(&records, &key(who)));
}

#[test]
fn a_booking_as_it_comes_keeps_nobody_twice() {
    let told = Told {
        second: 0,
        invitee: 0,
        email: Some(0),
        guests: Some(vec![1]),
        host: Some(2),
        named: vec![0, 1, 2],
    };
    let mut memory = Memory::default();
    memory.apply(told.facts());
    memory.apply(told.facts());
    let event = memory.records.events.values().next().unwrap();
    assert!(event.named.is_empty());
}

#[test]
fn a_booking_that_proves_older_than_its_erasure_keeps_no_key() {
    let told = |second: i64| {
        let at = Timestamp::from_second(second).unwrap();
        let uri = "https://api.calendly.com/scheduled_events/e/invitees/i0";
        let mut invitee = InviteeRecord::about(InviteeUri::parse(uri).unwrap());
        invitee.known = true;
        invitee.created_at = Some(at);
        invitee.email = Some(Latest::new(Stamp::new(at, at), address(0)));
        let mut facts = Facts::new(Provider::Calendly);
        facts.add_invitee(&invitee);
        facts
    };
    let mut memory = Memory::default();
    let mark = Timestamp::from_second(100).unwrap();
    memory.records.erasures.insert(key(0), mark);
    memory.apply(told(200));
    assert_eq!(found(&memory), keys([0]), "made after the erasure");
    memory.apply(told(50));
    assert_eq!(found(&memory), keys([]));
}

/// Bodies that together name more people than an event keeps, each with a guest of its own.
fn flood() -> Vec<Told> {
    let told = |message: usize| Told {
        second: i64::try_from(message).unwrap(),
        invitee: 0,
        email: Some(0),
        guests: Some(vec![1_000 + message]),
        host: None,
        named: (message * 45..message * 45 + 50).collect(),
    };
    (0..12).map(told).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_event_that_names_ever_more_people_keeps_the_same_some_of_them_in_any_order(
        order in Just(flood()).prop_shuffle(),
        again in any::<proptest::sample::Index>(),
        (come, who) in (0..13_usize, 0..600_usize),
    ) {
        let mark = Timestamp::from_second(100).unwrap();
        let mut want = Memory::default();
        want.records.erasures.insert(key(who), mark);
        for told in flood() {
            want.apply(told.facts());
        }
        let mut got = Memory::default();
        got.records.erasures.insert(key(who), mark);
        for (place, told) in order.iter().enumerate() {
            if place == come {
                got.apply(again.get(&order).facts());
            }
            got.apply(told.facts());
        }
        let event = want.records.events.values().next().unwrap();
        prop_assert!(event.named_more);
        prop_assert!(event.named.len() <= NAMED_LIMIT && event.named.len() >= NAMED_LIMIT - 2);
        prop_assert_eq!(want, got);
    }
}

#[test]
fn what_one_body_names_beyond_what_it_is_found_by_is_noted() {
    let named = |count: usize| (0..count).map(key).collect::<BTreeSet<_>>();
    for (count, more) in [(MAX_NAMED, false), (MAX_NAMED + 1, true)] {
        let mut told = flood().remove(0);
        (told.guests, told.email) = (None, None);
        told.named.clear();
        let mut facts = told.facts();
        facts.add_named(named(count));
        let mut memory = Memory::default();
        memory.apply(facts);
        let event = memory.records.events.values().next().unwrap();
        assert_eq!((event.named.len(), event.named_more), (MAX_NAMED, more));

        let uri = "https://api.calendly.com/routing_form_submissions/f";
        let form = SubmissionRecord::about(SubmissionUri::parse(uri).unwrap());
        let mut facts = Facts::new(Provider::Calendly);
        facts.add_submission(form);
        facts.add_named(named(count));
        memory.apply(facts);
        let form = memory.submissions.values().next().unwrap();
        assert_eq!((form.named.len(), form.named_more), (MAX_NAMED, more));
    }
}

#[test]
fn an_event_says_that_more_were_named_only_once_there_are_more() {
    let told = |named: std::ops::Range<usize>| {
        let mut told = flood().remove(0);
        told.guests = None;
        told.email = None;
        told.named = named.collect();
        told.facts()
    };
    let mut memory = Memory::default();
    for first in (0..NAMED_LIMIT).step_by(50) {
        memory.apply(told(first..first + 50));
    }
    let event = memory.records.events.values().next().unwrap();
    assert_eq!((event.named.len(), event.named_more), (NAMED_LIMIT, false));
    memory.apply(told(NAMED_LIMIT..NAMED_LIMIT + 1));
    let event = memory.records.events.values().next().unwrap();
    assert_eq!((event.named.len(), event.named_more), (NAMED_LIMIT, true));
}
