//! The history of a booking: every transition with its cause, whatever the order in which it came.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;

use booking::{
    ConnectionId, Facts, InviteeRecord, InviteeUri, Records, Transition, history, reduce,
};
use calendly::webhook::resource;
use jiff::{SignedDuration, Timestamp};
use memory::{Memory, facts};
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::fixture;
use testkit::history::{History, histories};

fn shown(memory: &Memory) -> Vec<Value> {
    let invitees = memory.records.invitees.values();
    invitees.map(|invitee| json!(history(invitee))).collect()
}

fn entry(transition: &str, at: &str, cause: &Value) -> Value {
    let mut all = json!({
        "by": null, "byType": null, "reason": null,
        "rescheduledFrom": null, "rescheduledTo": null, "detail": null,
    });
    for (name, value) in cause.as_object().unwrap() {
        all[name] = value.clone();
    }
    json!({"transition": transition, "at": at, "cause": all})
}

/// The samples' body, with another time of its mark and its message.
fn no_show(name: &str, mark: &str, sent: &str) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(&fixture(name)).unwrap();
    body["created_at"] = sent.into();
    body["payload"]["updated_at"] = sent.into();
    if body["payload"]["no_show"].is_object() {
        body["payload"]["no_show"]["created_at"] = mark.into();
    }
    body.to_string().into_bytes()
}

#[test]
fn every_transition_is_told_with_its_cause_and_time() {
    let again = "2026-12-01T16:00:00Z";
    let mut confirmed: Value = serde_json::from_slice(&fixture("invitee.created.json")).unwrap();
    confirmed["created_at"] = "2026-11-20T10:00:00Z".into();
    confirmed["payload"]["updated_at"] = "2026-11-20T10:00:00Z".into();
    confirmed["payload"]["reconfirmation"]["confirmed_at"] = "2026-11-20T10:00:00Z".into();
    let mut bodies = vec![
        fixture("invitee.created.json"),
        confirmed.to_string().into_bytes(),
        fixture("invitee_no_show.created.json"),
        fixture("invitee_no_show.deleted.json"),
        no_show("invitee_no_show.created.json", again, again),
        fixture("invitee.canceled.json"),
    ];
    let want = [json!([
        entry("scheduled", "2026-11-20T09:15:01.123456Z", &json!({})),
        entry(
            "updated",
            "2026-11-20T09:15:02Z",
            &json!({"detail": "reconfirmation requested"})
        ),
        entry(
            "updated",
            "2026-11-20T10:00:00Z",
            &json!({"detail": "reconfirmation confirmed"})
        ),
        entry(
            "canceled",
            "2026-11-21T08:00:10Z",
            &json!({"by": "Ada Booker", "byType": "invitee", "reason": "Something came up"})
        ),
        entry("no_show_marked", "2026-12-01T15:20:00Z", &json!({})),
        entry("no_show_cleared", "2026-12-01T15:40:00.1Z", &json!({})),
        entry("no_show_marked", again, &json!({})),
    ])];
    for _ in 0..bodies.len() {
        assert_eq!(shown(&Memory::after(&bodies)), want);
        bodies.rotate_left(1);
    }
    bodies.reverse();
    assert_eq!(shown(&Memory::after(&bodies)), want);
}

#[test]
fn both_ends_of_a_move_tell_of_it() {
    let uri = |n: u8| {
        format!(
            "https://api.calendly.com/scheduled_events/0000000{n}-1111-4222-8333-444455556666\
             /invitees/0000000{n}-aaaa-4bbb-8ccc-ddddeeeeffff"
        )
    };
    let old = fixture("reschedule.1-invitee.canceled.json");
    let new = fixture("reschedule.2-invitee.created.json");
    let came = entry(
        "rescheduled",
        "2026-11-22T12:00:00.45Z",
        &json!({"rescheduledFrom": uri(3)}),
    );
    let made = entry("scheduled", "2026-11-20T09:15:01.123456Z", &json!({}));
    let left = entry(
        "rescheduled",
        "2026-11-22T12:00:00Z",
        &json!({
            "by": "Ada Booker", "byType": "invitee", "reason": "Need a later slot",
            "rescheduledTo": uri(4),
        }),
    );
    let want = [json!([made, left]), json!([came])];
    assert_eq!(shown(&Memory::after([&old, &new])), want);
    assert_eq!(shown(&Memory::after([&new, &old])), want);

    // Of the old booking no more is known than that it was moved, and where.
    let alone = shown(&Memory::after([&new]));
    let mut link = entry("rescheduled", "", &json!({"rescheduledTo": uri(4)}));
    link["at"] = Value::Null;
    assert_eq!(alone, [json!([link]), json!([came])]);
}

#[test]
fn what_has_no_time_comes_last() {
    let uri = "https://api.calendly.com/scheduled_events/e/invitees/i";
    let mut record = InviteeRecord::about(InviteeUri::parse(uri).unwrap());
    assert_eq!(history(&record), []);
    record.canceled = true;
    record.created_at = Some(Timestamp::UNIX_EPOCH);
    let told: Vec<_> = history(&record)
        .into_iter()
        .map(|entry| (entry.transition, entry.at))
        .collect();
    let want = [
        (Transition::Scheduled, Some(Timestamp::UNIX_EPOCH)),
        (Transition::Canceled, None),
    ];
    assert_eq!(told, want);
}

/// What the REST API says of the invitee of a webhook's body.
fn read(body: &[u8], no_show: &Value, read_at: Timestamp) -> Facts {
    let body: Value = serde_json::from_slice(body).unwrap();
    let mut invitee = body["payload"].clone();
    let mut event = invitee["scheduled_event"].take();
    if event.is_null() {
        event = json!({"uri": invitee["event"]});
    }
    invitee["no_show"] = no_show.clone();
    let host = ConnectionId::from_user_uri("https://api.calendly.com/users/U").unwrap();
    resource::facts(&event, &[invitee], &host, read_at).unwrap()
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

#[test]
fn a_read_that_finds_a_mark_gone_tells_it_once() {
    let marked = fixture("invitee_no_show.created.json");
    let mut memory = Memory::after([&fixture("invitee.created.json"), &marked]);
    let transitions = |memory: &Memory| -> Vec<_> {
        let record = memory.records.invitees.values().next().unwrap();
        let told = history(record).into_iter().filter(|entry| {
            use Transition::{NoShowCleared, NoShowMarked};
            matches!(entry.transition, NoShowMarked | NoShowCleared)
        });
        told.map(|entry| (entry.transition, entry.at.unwrap()))
            .collect()
    };
    let mark = (Transition::NoShowMarked, at("2026-12-01T15:20:00Z"));
    assert_eq!(transitions(&memory), [mark]);

    let found = at("2026-12-01T18:00:00Z");
    memory.apply(read(&marked, &Value::Null, found));
    let cleared = (Transition::NoShowCleared, found);
    assert_eq!(transitions(&memory), [mark, cleared]);
    let marks = |memory: &Memory| memory.records.invitees.values().next().unwrap().marks.len();
    assert_eq!(marks(&memory), 1);

    // Each later read finds the same: it adds no mark, and nothing that is worth a write.
    for hours in 1..20 {
        let facts = read(
            &marked,
            &Value::Null,
            found + SignedDuration::from_hours(hours),
        );
        let stored = memory.records.clone();
        let changes = reduce(&stored, &facts).changes_since(&stored);
        assert_eq!(changes.records, Records::default());
        assert_eq!(changes.transitions, []);
        memory.apply(facts);
        assert_eq!(marks(&memory), 1);
    }
}

#[test]
fn a_read_that_finds_a_known_mark_changes_nothing() {
    let marked = fixture("invitee_no_show.created.json");
    let mut memory = Memory::after([&fixture("invitee.created.json"), &marked]);
    let body: Value = serde_json::from_slice(&marked).unwrap();
    let mark = body["payload"]["no_show"].clone();
    // The first read can know more of the event than the webhooks did.
    memory.apply(read(&marked, &mark, at("2026-12-01T17:00:00Z")));
    let facts = read(&marked, &mark, at("2026-12-01T18:00:00Z"));
    let stored = memory.records;
    let changes = reduce(&stored, &facts).changes_since(&stored);
    assert_eq!(changes.records, Records::default());
}

#[test]
fn an_earlier_mark_that_comes_late_is_worth_a_write() {
    let (first, second) = ("2026-12-01T15:20:00Z", "2026-12-01T17:00:00Z");
    let mark = |time| no_show("invitee_no_show.created.json", time, second);
    let stored = Memory::after([&mark(second)]).records;
    let changes = reduce(&stored, &facts(&mark(first))).changes_since(&stored);
    assert_eq!(changes.records.invitees.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Webhooks in any order, and between them reads that find a mark or none.
    #[test]
    fn a_history_is_the_same_in_every_order(
        history_told in histories(),
        reads in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), 0_i64..9_000_000), 0..4),
        turns in prop::collection::vec(any::<prop::sample::Index>(), 4),
    ) {
        let History { webhooks, arrivals, .. } = &history_told;
        let mut all: Vec<Facts> = webhooks.iter().map(|body| facts(body)).collect();
        let about_people: Vec<_> = webhooks.iter().filter(|body| {
            let body: Value = serde_json::from_slice(body).unwrap();
            body["payload"]["email"].is_string()
        }).collect();
        for (index, marked, later) in &reads {
            let body = about_people[index.index(about_people.len())];
            let sent: Value = serde_json::from_slice(body).unwrap();
            let read_at = at(sent["payload"]["updated_at"].as_str().unwrap())
                + SignedDuration::from_micros(*later);
            let mark = if *marked { sent["payload"]["no_show"].clone() } else { Value::Null };
            all.push(read(body, &mark, read_at));
        }
        let mut natural = Memory::default();
        for facts in &all { natural.apply(facts.clone()); }
        let mut order: Vec<usize> = arrivals.clone();
        for (read, turn) in (webhooks.len()..all.len()).zip(&turns) {
            order.insert(turn.index(order.len()), read);
        }
        let mut arrived = Memory::default();
        for i in order { arrived.apply(all[i].clone()); }
        prop_assert_eq!(shown(&natural), shown(&arrived));

        for invitee in arrived.records.invitees.values() {
            let told = history(invitee);
            let last = told.iter().rev().map(|entry| entry.transition);
            let last = last.filter(|t| matches!(t, Transition::NoShowMarked | Transition::NoShowCleared));
            let marked = last.into_iter().next() == Some(Transition::NoShowMarked);
            prop_assert_eq!(marked, invitee.is_no_show());
        }
    }

    #[test]
    fn every_mark_that_was_told_is_in_the_history(history_told in histories()) {
        let count = |word: &str| history_told.webhooks.iter().filter(|body| {
            let body: Value = serde_json::from_slice(body).unwrap();
            body["event"] == word
        }).count();
        let memory = Memory::after(history_told.arrivals.iter().map(|i| &history_told.webhooks[*i]));
        let told = |transition| memory.records.invitees.values().flat_map(history)
            .filter(|entry| entry.transition == transition).count();
        // Of the same microsecond, two are one.
        prop_assume!(memory.records.invitees.values().all(|i| {
            i.marks.iter().zip(i.marks.iter().skip(1)).all(|(a, b)| a.at != b.at)
        }));
        prop_assert_eq!(told(Transition::NoShowMarked), count("invitee_no_show.created"));
        prop_assert_eq!(told(Transition::NoShowCleared), count("invitee_no_show.deleted"));
    }
}
