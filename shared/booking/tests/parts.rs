//! Messages that tell a part of something and leave out the rest: what they leave out stays.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;
mod told;

use booking::{Cancellation, ContactKey, Counter, EventStatus, Facts, Host, Payment, erasure};
use memory::Memory;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use told::{after, created, left, read, say};

const FIRST: &str = "2026-11-02T00:00:00Z";
const LATER: &str = "2026-11-03T00:00:00Z";
const LAST: &str = "2026-11-04T00:00:00Z";

/// A booking whose event says what is in `fields`, told at `time`.
fn with(time: &str, fields: &Value) -> Value {
    let mut body = created("a", FIRST, 20);
    body["created_at"] = json!(time);
    body["payload"]["updated_at"] = json!(time);
    let event = body["payload"]["scheduled_event"].as_object_mut().unwrap();
    event.insert("updated_at".to_owned(), json!(time));
    for (name, value) in fields.as_object().unwrap() {
        event.insert(name.clone(), value.clone());
    }
    body
}

fn without(mut body: Value, name: &str) -> Value {
    let event = body["payload"]["scheduled_event"].as_object_mut().unwrap();
    event.remove(name);
    body
}

/// What bodies leave, in whichever order they come.
fn in_any_order(bodies: &[Value]) -> Memory {
    let told: Vec<Facts> = bodies.iter().map(say).collect();
    let memory = after(&told);
    assert_eq!(memory, after(told.iter().rev()));
    memory
}

fn end(memory: &Memory) -> Option<String> {
    let slot = memory.event().meeting().slot.unwrap();
    slot.end.map(|end| end.to_string())
}

#[test]
fn an_end_stays_while_the_start_does() {
    let whole = created("a", FIRST, 1);
    for end_time in [Value::Null, json!("soon"), json!({})] {
        let start_alone = with(LATER, &json!({ "end_time": end_time }));
        let memory = in_any_order(&[whole.clone(), start_alone]);
        assert_eq!(end(&memory).as_deref(), Some("2026-12-01T11:00:00Z"));
    }
}

#[test]
fn a_meeting_that_was_moved_has_no_end_until_it_is_told() {
    let whole = created("a", FIRST, 1);
    let moved = |time| {
        let times = json!({ "start_time": "2026-12-02T10:00:00Z", "end_time": null });
        with(time, &times)
    };
    let memory = in_any_order(&[whole.clone(), moved(LATER)]);
    assert_eq!(end(&memory), None);
    let back = without(with(LAST, &json!({})), "end_time");
    let memory = in_any_order(&[whole, moved(LATER), back]);
    assert_eq!(end(&memory).as_deref(), Some("2026-12-01T11:00:00Z"));
}

#[test]
fn who_canceled_and_why_stays_when_a_later_message_does_not_say() {
    for seats in [1, 20] {
        let told = left(created("a", FIRST, seats), LATER);
        for later in [Value::Null, json!({ "canceler_type": "invitee" })] {
            let mut untold = left(created("a", FIRST, seats), LAST);
            untold["payload"]["cancellation"] = later;
            let memory = in_any_order(&[told.clone(), untold]);
            let cancellation = memory.invitee("a").shown_cancellation().unwrap();
            assert_eq!(cancellation.by.as_deref(), Some("Ada"));
            assert_eq!(cancellation.reason.as_deref(), Some("Ill"));
            assert_eq!(cancellation.by_type.as_deref(), Some("invitee"));
            assert_eq!(cancellation.at, Some(told::at(LATER)));
        }
    }
}

#[test]
fn what_nobody_told_of_a_cancellation_gives_way_to_what_a_read_says() {
    let mut untold = left(created("a", FIRST, 20), LAST);
    untold["payload"]["cancellation"] = Value::Null;
    let shown = left(created("a", FIRST, 20), LATER);
    let memory = after(&[say(&untold), read(&shown, FIRST)]);
    let cancellation = memory.invitee("a").shown_cancellation().unwrap();
    assert_eq!(cancellation.by.as_deref(), Some("Ada"));
    assert_eq!(cancellation.at, Some(told::at(LATER)));
}

#[test]
fn nobody_is_said_to_have_canceled_for_somebody_elses_reason() {
    let told = left(created("a", FIRST, 20), LATER);
    let mut other = left(created("a", FIRST, 20), LAST);
    other["payload"]["cancellation"] = json!({ "canceler_type": "host" });
    let memory = in_any_order(&[told, other]);
    let cancellation = memory.invitee("a").shown_cancellation().unwrap();
    assert_eq!(cancellation.by_type.as_deref(), Some("host"));
    assert_eq!((&cancellation.by, &cancellation.reason), (&None, &None));
}

#[test]
fn a_counter_keeps_what_a_later_one_leaves_out() {
    let whole = with(
        FIRST,
        &json!({ "invitees_counter": { "total": 7, "active": 5, "limit": 20 } }),
    );
    let part = with(
        LATER,
        &json!({ "invitees_counter": { "total": 7, "active": 4 } }),
    );
    let gone = left(part.clone(), LAST);
    let memory = in_any_order(&[whole, part, gone]);
    let want = Counter {
        total: Some(7),
        active: Some(4),
        limit: Some(20),
    };
    assert_eq!(memory.event().counter.as_ref().unwrap().value, want);
    assert_eq!(memory.event().status(), EventStatus::Active);
}

#[test]
fn hosts_keep_their_names_when_an_older_kind_of_message_names_their_accounts_alone() {
    let account = "https://api.calendly.com/users/U";
    let whole = json!([{ "user": account, "user_name": "Dana", "user_email": "dana@example.com" }]);
    let whole = with(FIRST, &json!({ "event_memberships": whole }));
    let alone = json!([{ "user": account }, { "user": "https://api.calendly.com/users/V" }]);
    let alone = with(LATER, &json!({ "event_memberships": alone }));
    let mut memory = in_any_order(&[whole.clone(), alone.clone()]);
    let names = |memory: &Memory| -> Vec<(Option<String>, Option<String>)> {
        let hosts = memory.event().hosts.clone().unwrap().value;
        hosts.into_iter().map(|it| (it.name, it.email)).collect()
    };
    let dana = (Some("Dana".to_owned()), Some("dana@example.com".to_owned()));
    assert_eq!(names(&memory), [dana, (None, None)]);

    // Once erased, they are in none of what is kept.
    let erase = |memory: &mut Memory| {
        let facts = erasure(&memory.records, &ContactKey::of("dana@example.com"));
        memory.apply(facts);
    };
    erase(&mut memory);
    assert_eq!(names(&memory), [(None, None), (None, None)]);
    let stored = serde_json::to_string(memory.event()).unwrap();
    assert!(!stored.to_lowercase().contains("dana"), "{stored}");

    let mut early = after(&[say(&whole)]);
    erase(&mut early);
    early.apply(say(&alone));
    assert_eq!(early.event(), memory.event());
}

#[test]
fn what_is_said_of_one_payment_is_not_said_of_another() {
    let paid = |time: &str, payment: &Value| {
        let mut body = with(time, &json!({}));
        body["payload"]["payment"] = payment.clone();
        body
    };
    let whole = json!({
        "external_id": "ch_1", "provider": "stripe", "amount": 12.5, "currency": "EUR",
        "terms": "None", "successful": false,
    });
    let whole = paid(FIRST, &whole);
    let payment = |later: &Value| {
        let memory = in_any_order(&[whole.clone(), paid(LATER, later)]);
        memory.invitee("a").payment.clone().unwrap().value
    };
    let same = payment(&json!({ "external_id": "ch_1", "successful": true }));
    assert_eq!(same.currency.as_deref(), Some("EUR"));
    assert_eq!(same.successful, Some(true));
    let unnamed = payment(&json!({ "successful": true }));
    assert_eq!(unnamed, same);
    let other = payment(&json!({ "external_id": "ch_2" }));
    let want = Payment {
        external_id: Some("ch_2".to_owned()),
        provider: None,
        amount: None,
        currency: None,
        terms: None,
        successful: None,
    };
    assert_eq!(other, want);
}

#[test]
fn of_two_of_the_very_same_time_the_one_that_says_more_stays() {
    let tracking = |source: Value| {
        let mut body = created("a", FIRST, 1);
        body["payload"]["tracking"] = json!({ "utm_source": source, "utm_term": "x" });
        body["payload"]["scheduled_event"]["location"] = json!({ "join_url": source });
        body
    };
    let memory = in_any_order(&[tracking(json!("mail")), tracking(Value::Null)]);
    let kept = memory.invitee("a").tracking.clone().unwrap().value;
    assert_eq!(kept.utm_source.as_deref(), Some("mail"));
    let location = &memory.event().location.as_ref().unwrap().value;
    assert_eq!(location["join_url"], "mail");
}

/// A value of these, or none.
fn maybe(values: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        select(values).prop_map(|value| json!(value))
    ]
}

fn counted() -> impl Strategy<Value = Value> {
    prop_oneof![Just(Value::Null), (0_i64..3).prop_map(|count| json!(count))]
}

/// An object with some of these fields.
fn some_of(
    fields: Vec<(&'static str, BoxedStrategy<Value>)>,
) -> impl Strategy<Value = Value> + Clone {
    let count = fields.len();
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    (
        values,
        subsequence((0..count).collect::<Vec<_>>(), 0..=count),
    )
        .prop_map(move |(values, some)| {
            let fields = some
                .iter()
                .map(|at| (names[*at].to_owned(), values[*at].clone()));
            Value::Object(fields.collect())
        })
        .boxed()
}

/// Messages about one booking, each of which tells some of the parts of what it tells.
fn partial() -> impl Strategy<Value = Value> {
    let times = &["2026-12-01T10:00:00Z", "2026-12-01T11:00:00Z"];
    let cancellation = some_of(vec![
        ("canceled_by", maybe(&["Ada", "Dana"]).boxed()),
        ("reason", maybe(&["", "Ill"]).boxed()),
        ("canceler_type", maybe(&["host", "invitee"]).boxed()),
        ("created_at", maybe(times).boxed()),
    ]);
    let host = some_of(vec![
        (
            "user",
            maybe(&[
                "https://api.calendly.com/users/U",
                "https://api.calendly.com/users/V",
            ])
            .boxed(),
        ),
        ("user_name", maybe(&["Dana", "Mia"]).boxed()),
        (
            "user_email",
            maybe(&["dana@example.com", "mia@example.com"]).boxed(),
        ),
    ]);
    let event = some_of(vec![
        ("start_time", maybe(times).boxed()),
        ("end_time", maybe(times).boxed()),
        (
            "event_memberships",
            prop::collection::vec(host, 0..3)
                .prop_map(Value::Array)
                .boxed(),
        ),
        (
            "invitees_counter",
            some_of(vec![
                ("total", counted().boxed()),
                ("active", counted().boxed()),
                ("limit", counted().boxed()),
            ])
            .boxed(),
        ),
        ("status", maybe(&["active", "canceled"]).boxed()),
        ("cancellation", cancellation.clone().boxed()),
    ]);
    let booking = some_of(vec![
        ("cancellation", cancellation.boxed()),
        (
            "payment",
            some_of(vec![
                ("external_id", maybe(&["ch_1", "ch_2"]).boxed()),
                ("currency", maybe(&["EUR", "USD"]).boxed()),
                ("amount", counted().boxed()),
            ])
            .boxed(),
        ),
        (
            "tracking",
            some_of(vec![
                ("utm_source", maybe(&["mail", "ad"]).boxed()),
                ("utm_term", maybe(&["x", "y"]).boxed()),
            ])
            .boxed(),
        ),
    ]);
    let time = select(&[FIRST, LATER, LAST][..]);
    let name = select(&["invitee.created", "invitee.canceled"][..]);
    (time, name, booking, event).prop_map(|(time, name, booking, event)| {
        let mut body = created("a", FIRST, 1);
        body["event"] = json!(name);
        body["created_at"] = json!(time);
        let payload = body["payload"].as_object_mut().unwrap();
        payload.extend(booking.as_object().unwrap().clone());
        payload.insert("updated_at".to_owned(), json!(time));
        let mut meeting = event.as_object().unwrap().clone();
        meeting.insert("updated_at".to_owned(), json!(time));
        payload.insert("scheduled_event".to_owned(), Value::Object(meeting));
        body
    })
}

fn facts_of(bodies: &[Value]) -> Vec<Facts> {
    bodies.iter().map(say).collect()
}

/// What is stored, as it is read back.
fn stored(memory: &Memory) -> String {
    let event = serde_json::to_string(memory.event()).unwrap();
    let read: booking::EventRecord = serde_json::from_str(&event).unwrap();
    assert_eq!(read, *memory.event());
    let invitee = serde_json::to_string(memory.invitee("a")).unwrap();
    let read: booking::InviteeRecord = serde_json::from_str(&invitee).unwrap();
    assert_eq!(read, *memory.invitee("a"));
    event + &invitee
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parts_end_the_same_in_any_order_and_however_often(
        bodies in prop::collection::vec(partial(), 1..6),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let told = facts_of(&bodies);
        let arrivals = order.iter().map(|index| index.get(&told)).chain(told.iter().rev());
        prop_assert_eq!(stored(&after(&told)), stored(&after(arrivals)));
    }

    /// Those who merge first what came last, as two workers do whose steps are joined.
    #[test]
    fn parts_end_the_same_however_they_are_grouped(
        bodies in prop::collection::vec(partial(), 2..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let told = facts_of(&bodies);
        let cut = cut.index(told.len());
        let (event, invitee) = {
            let first = after(told[..cut].iter().chain(&told[..1]));
            let rest = after(told[cut..].iter());
            let (mut event, mut invitee) = (first.event().clone(), first.invitee("a").clone());
            event.merge(rest.event());
            invitee.merge(rest.invitee("a"));
            (event, invitee)
        };
        let all = after(&told);
        prop_assert_eq!(&event.slot, &all.event().slot);
        prop_assert_eq!(&event.hosts, &all.event().hosts);
        prop_assert_eq!(&event.counter, &all.event().counter);
        prop_assert_eq!(&event.cancellation, &all.event().cancellation);
        prop_assert_eq!(&invitee.cancellation, &all.invitee("a").cancellation);
        prop_assert_eq!(&invitee.payment, &all.invitee("a").payment);
        prop_assert_eq!(&invitee.tracking, &all.invitee("a").tracking);
    }

    /// A part that was told is never lost to a message that leaves it out.
    #[test]
    fn no_count_is_lost_to_a_later_message(bodies in prop::collection::vec(partial(), 1..6)) {
        let memory = after(&facts_of(&bodies));
        let kept = memory.event().counter.as_ref().map(|it| it.value.clone());
        for name in ["total", "active", "limit"] {
            let told = bodies.iter().any(|body| {
                body["payload"]["scheduled_event"]["invitees_counter"][name].is_number()
            });
            let kept = kept.as_ref().and_then(|kept| match name {
                "total" => kept.total,
                "active" => kept.active,
                _ => kept.limit,
            });
            prop_assert_eq!(kept.is_some(), told, "{}", name);
        }
        let who = |body: &Value, field: &str| body["payload"]["cancellation"][field].is_string();
        let canceled = |body: &&Value| body["event"] == "invitee.canceled";
        let told: Vec<&Value> = bodies.iter().filter(canceled).filter(|it| who(it, "canceler_type")).collect();
        let cancellation: Option<&Cancellation> = memory.invitee("a").shown_cancellation();
        if !told.is_empty() {
            prop_assert!(cancellation.is_some_and(|it| it.by_type.is_some()));
        }
        let hosts: Vec<Host> = memory.event().hosts.iter().flat_map(|it| it.value.clone()).collect();
        prop_assert!(hosts.iter().all(|it| !it.erased));
    }
}
