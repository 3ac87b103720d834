//! How an erasure goes through the reducer: whom its mark meets, what it tells, and that the order of
//! its steps makes no difference.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;

use booking::{
    ByPart, Cancellation, ContactKey, Counter, EventRecord, Facts, FormAnswer, Guest,
    InviteeRecord, InviteeUri, Latest, Provider, ROSTER_LIMIT, Records, Stamp, SubmissionRecord,
    SubmissionUri, Transition, erasure, reduce,
};
use jiff::Timestamp;
use memory::{Memory, facts};
use serde_json::{Value, json};
use testkit::fixture;

const ADA: &str = "ada.booker@example.com";

fn erase(memory: &mut Memory, email: &str) {
    let facts = erasure(&memory.records, &ContactKey::of(email));
    memory.apply(facts);
}

fn uri(n: usize) -> InviteeUri {
    let uri = format!("https://api.calendly.com/scheduled_events/e/invitees/i{n:03}");
    InviteeUri::parse(&uri).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn booked(n: usize) -> Facts {
    let mut record = InviteeRecord::about(uri(n));
    let now = Stamp::new(at(10), at(10));
    record.known = true;
    record.email = Some(Latest::new(now, format!("person{n}@example.com")));
    record.created_at = Some(at(10));
    record.updated_at = Some(at(10));
    let mut facts = Facts::new(Provider::Calendly);
    facts.add_invitee(&record);
    facts
}

#[test]
fn a_full_roster_keeps_no_old_summary() {
    let mut memory = Memory::default();
    for n in (0..ROSTER_LIMIT + 10).rev() {
        memory.apply(booked(n));
    }
    let (listed, beyond) = (3, ROSTER_LIMIT + 5);
    erase(&mut memory, &format!("person{listed}@example.com"));
    erase(&mut memory, &format!("person{beyond}@example.com"));
    let roster = &memory.records.events.values().next().unwrap().roster;
    assert_eq!(roster.len(), ROSTER_LIMIT);
    let erased: Vec<_> = roster.values().filter(|i| i.erased).collect();
    assert_eq!(erased.len(), 1);
    assert_eq!(erased[0].uri, uri(listed).as_str());
    assert_eq!(erased[0].email, None);
    assert!(memory.records.invitees[&uri(beyond)].erased);
    assert_eq!(memory.records.invitees[&uri(beyond)].contact(), None);
}

#[test]
fn a_mark_meets_what_was_made_up_to_its_time() {
    let mut stored = Records::default();
    let key = ContactKey::of("person1@example.com");
    for (mark, erased) in [(9, false), (10, true), (11, true)] {
        stored.erasures.insert(key.clone(), at(mark));
        assert_eq!(booked(1).contacts().iter().next(), Some(&key));
        let made = reduce(&stored, &booked(1)).records;
        assert_eq!(made.invitees[&uri(1)].erased, erased, "{mark}");
        assert_eq!(made.erasures.len(), 0);

        let mut known = reduce(&Records::default(), &booked(1)).records;
        known.erasures = stored.erasures.clone();
        let touched = erasure(&known, &key).keys().invitees.len();
        assert_eq!(touched, usize::from(erased), "{mark}");
    }
}

#[test]
fn an_erasure_is_an_update_and_what_happens_later_is_told() {
    let known = Memory::after(&[fixture("invitee.created.json")]).records;
    let mut records = known.clone();
    let mut step = |facts: &Facts| {
        let made = reduce(&records, facts);
        records.events.extend(made.records.events);
        records.invitees.extend(made.records.invitees);
        let told = made.transitions.into_iter().map(|(_, told)| told);
        told.collect::<Vec<_>>()
    };
    let erased = erasure(&known, &ContactKey::of(ADA));
    assert_eq!(step(&erased), [Transition::Updated]);
    assert_eq!(step(&erased), []);
    let canceled = facts(&fixture("invitee.canceled.json"));
    assert_eq!(step(&canceled), [Transition::Canceled]);
    assert_eq!(step(&canceled), []);
}

#[test]
fn cancellations_of_the_same_time_end_the_same_whenever_somebody_is_erased() {
    let canceled = |by_type: &str, by: &str| {
        let mut record = InviteeRecord::about(uri(1));
        let said = Cancellation {
            inferred: false,
            by_type: Some(by_type.to_owned()),
            at: Some(at(20)),
            by: Some(by.to_owned()),
            reason: None,
        };
        record.canceled = true;
        record.cancellation = Some(ByPart::new(Stamp::new(at(20), at(20)), said));
        let mut meeting = EventRecord::about(uri(1).event(), Provider::Calendly);
        meeting.cancellation = record.cancellation.clone();
        let mut facts = Facts::new(Provider::Calendly);
        facts.add_event(&meeting);
        facts.add_invitee(&record);
        facts
    };
    let steps = [
        canceled("host", "Zoe"),
        canceled("invitee", "Ada"),
        canceled("host", "Ada"),
        erasure(
            &reduce(&Records::default(), &booked(1)).records,
            &ContactKey::of("person1@example.com"),
        ),
    ];
    let mut counted = booked(1);
    let mut meeting = EventRecord::about(uri(1).event(), Provider::Calendly);
    let counter = Counter {
        total: Some(1),
        active: Some(1),
        limit: Some(1),
    };
    meeting.counter = Some(ByPart::new(Stamp::new(at(10), at(10)), counter));
    counted.add_event(&meeting);

    let after = |order: [usize; 4]| {
        let mut memory = Memory::default();
        memory.apply(counted.clone());
        for step in order {
            memory.apply(steps[step].clone());
        }
        memory
    };
    let want = after([0, 1, 2, 3]);
    let kept = want.records.invitees[&uri(1)].cancellation.clone().unwrap();
    assert_eq!(kept.value.by_type.as_deref(), Some("invitee"));
    assert_eq!(kept.value.by, None);
    for order in [
        [3, 0, 1, 2],
        [0, 3, 1, 2],
        [2, 1, 3, 0],
        [1, 3, 2, 0],
        [3, 2, 1, 0],
        [1, 2, 0, 3],
    ] {
        assert_eq!(after(order), want, "{order:?}");
    }
}

fn form(address: &str) -> Facts {
    let uri = "https://api.calendly.com/routing_form_submissions/s";
    let mut form = SubmissionRecord::about(SubmissionUri::parse(uri).unwrap());
    let now = Stamp::new(at(10), at(10));
    let answer = FormAnswer {
        question_uuid: None,
        question: "How do we reach you?".to_owned(),
        answer: Some(address.to_owned()),
        truncated: false,
    };
    form.answers = Some(Latest::new(now, vec![answer]));
    form.created_at = Some(at(10));
    let mut facts = Facts::new(Provider::Calendly);
    facts.add_submission(form);
    facts
}

#[test]
fn a_form_is_theirs_whose_address_is_in_it() {
    let key = ContactKey::of("person1@example.com");
    for (address, erased) in [
        (" Person1@example.com", true),
        ("person2@example.com", false),
    ] {
        let mut marked = Memory::default();
        marked.records.erasures.insert(key.clone(), at(10));
        marked.apply(form(address));

        let mut records = reduce(&Records::default(), &form(address)).records;
        let facts = erasure(&records, &key);
        assert_eq!(facts.keys().submission.is_some(), erased, "{address}");
        if erased {
            records = reduce(&records, &facts).records;
        }
        for form in marked.submissions.values().chain(&records.submission) {
            assert_eq!(form.erased, erased, "{address}");
            assert_eq!(form.answers.is_none(), erased, "{address}");
        }
    }
}

fn guests(emails: &[&str], second: i64) -> Facts {
    let mut event = EventRecord::about(uri(1).event(), Provider::Calendly);
    let guests = emails.iter().map(|email| Guest {
        email: (*email).to_owned(),
    });
    let now = Stamp::new(at(second), at(second));
    event.guests = Some(Latest::new(now, guests.collect()));
    event.created_at = Some(at(10));
    let mut facts = Facts::new(Provider::Calendly);
    facts.add_event(&event);
    facts
}

#[test]
fn a_marked_guest_of_an_older_list_counts_and_is_worth_a_write() {
    let (older, newer) = (
        guests(&["a@example.com"], 10),
        guests(&["b@example.com"], 20),
    );
    let after = |order: [&Facts; 2]| {
        let mut memory = Memory::default();
        let key = ContactKey::of("a@example.com");
        memory.records.erasures.insert(key, at(10));
        memory.apply(order[0].clone());
        let mut stored = memory.records.clone();
        let changes = reduce(&stored, order[1]).changes_since(&stored);
        assert_eq!(changes.records.events.len(), 1);
        stored.events.extend(changes.records.events);
        stored
    };
    assert_eq!(after([&older, &newer]), after([&newer, &older]));
}

/// Name, place and notes of an event that one person booked are made of theirs, whether or not
/// anything tells that it has but one seat. One that has others keeps them.
#[test]
fn an_event_of_unknown_seats_keeps_nothing_of_who_alone_booked_it() {
    let zeros = json!({ "total": 0, "active": 0, "limit": 0 });
    let others = json!({ "total": 2, "active": 1 });
    for (counter, is_one) in [(Value::Null, true), (zeros, true), (others, false)] {
        let mut body: Value = serde_json::from_slice(&fixture("invitee.canceled.json")).unwrap();
        let meeting = &mut body["payload"]["scheduled_event"];
        meeting["invitees_counter"] = counter;
        meeting["name"] = "Ada and Dana".into();
        meeting["location"] = json!({ "type": "outbound_call", "location": "+1 212-555-0142" });
        meeting["meeting_notes_plain"] = "Ada is late".into();
        meeting["status"] = "canceled".into();
        meeting["cancellation"] = json!({ "canceled_by": "Ada", "reason": "Ill" });
        let mut memory = Memory::after(&[body.to_string().into_bytes()]);
        assert_eq!(memory.records.events.len(), 1);
        erase(&mut memory, ADA);
        let event = memory.records.events.values().next().unwrap();
        let kept = serde_json::to_string(event).unwrap();
        for text in ["Ada and Dana", "555-0142", "Ada is late", "Ill"] {
            assert_eq!(!kept.contains(text), is_one, "{text}: {kept}");
        }
    }
}

#[test]
fn a_second_booking_makes_an_event_of_unknown_seats_a_group() {
    let mut body: Value = serde_json::from_slice(&fixture("invitee.created.json")).unwrap();
    body["payload"]["scheduled_event"]["invitees_counter"] = Value::Null;
    body["payload"]["scheduled_event"]["name"] = "Open house".into();
    let mut second = body.clone();
    let uri = second["payload"]["uri"].as_str().unwrap().to_owned() + "2";
    second["payload"]["uri"] = uri.into();
    second["payload"]["email"] = "bob@example.com".into();
    let mut memory = Memory::after(&[
        body.to_string().into_bytes(),
        second.to_string().into_bytes(),
    ]);
    erase(&mut memory, ADA);
    let event = memory.records.events.values().next().unwrap();
    assert_eq!(
        event.name.as_ref().unwrap().value.as_deref(),
        Some("Open house")
    );
}
