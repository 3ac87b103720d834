//! The table of what a `null` says, row by row: through messages and reads.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;
mod told;

use booking::absence::{Null, of_event, of_invitee};
use booking::{EventRecord, EventView, Facts, InviteeRecord, InviteeView};
use memory::Memory;
use serde_json::{Value, json};
use told::{after, created, read, say};

const LATER: &str = "2026-11-25T00:00:00Z";

/// A body with something in every field of the table.
fn full() -> Value {
    let mut body = created("a", "2026-11-20T00:00:00Z", 1);
    let cancellation = json!({
        "canceled_by": "Ada", "reason": "Ill", "canceler_type": "invitee",
        "created_at": "2026-11-20T00:00:00Z",
    });
    let payload = &mut body["payload"];
    for (field, value) in [
        ("name", json!("Ada Booker")),
        ("first_name", json!("Ada")),
        ("last_name", json!("Booker")),
        ("timezone", json!("Europe/Berlin")),
        ("text_reminder_number", json!("+1 212-555-0142")),
        (
            "questions_and_answers",
            json!([{"question": "Why?", "answer": "So", "position": 0}]),
        ),
        ("tracking", json!({"utm_source": "mail"})),
        (
            "payment",
            json!({"external_id": "ch_1", "provider": "stripe", "amount": 12.5}),
        ),
        (
            "reconfirmation",
            json!({"created_at": "2026-11-20T00:00:00Z", "confirmed_at": null}),
        ),
        ("scheduling_method", json!("instant_book")),
        (
            "invitee_scheduled_by",
            json!("https://api.calendly.com/users/U"),
        ),
        ("cancel_url", json!("https://calendly.com/cancellations/a")),
        (
            "reschedule_url",
            json!("https://calendly.com/reschedulings/a"),
        ),
        ("status", json!("canceled")),
        ("cancellation", cancellation.clone()),
    ] {
        payload[field] = value;
    }
    let event = &mut payload["scheduled_event"];
    for (field, value) in [
        ("meeting_notes_plain", json!("bring tea")),
        (
            "event_type",
            json!("https://api.calendly.com/event_types/T"),
        ),
        (
            "event_memberships",
            json!([{"user": "https://api.calendly.com/users/U"}]),
        ),
        ("event_guests", json!([{"email": "guest@example.com"}])),
        ("status", json!("canceled")),
        ("cancellation", cancellation),
    ] {
        event[field] = value;
    }
    body
}

fn shown(memory: &Memory) -> Value {
    json!([
        EventView::listed(memory.event()),
        InviteeView::of(memory.invitee("a"), None),
    ])
}

/// What is left after `facts` of what was shown, the times of messages apart.
fn changes(facts: Facts) -> bool {
    let mut memory = after(&[say(&full())]);
    let without_times = |memory: &Memory| {
        let mut shown = shown(memory);
        for view in shown.as_array_mut().unwrap() {
            view["updatedAt"] = Value::Null;
        }
        shown[0]["invitees"] = Value::Null;
        shown
    };
    let before = without_times(&memory);
    memory.apply(facts);
    without_times(&memory) != before
}

fn later(mut body: Value, change: impl Fn(&mut Value)) -> Value {
    body["created_at"] = json!(LATER);
    body["payload"]["updated_at"] = json!(LATER);
    body["payload"]["scheduled_event"]["updated_at"] = json!(LATER);
    change(&mut body["payload"]);
    body
}

#[test]
fn each_field_is_taken_away_as_the_table_says() {
    let memory = after(&[say(&full())]);
    let (event, invitee): (&EventRecord, &InviteeRecord) = (memory.event(), memory.invitee("a"));
    let of_event = of_event(event).into_iter().map(|row| (true, row));
    let of_invitee = of_invitee(invitee).into_iter().map(|row| (false, row));
    for (in_event, row) in of_event.chain(of_invitee) {
        let set = |value: Option<Value>| {
            later(full(), |payload| {
                let object = if in_event {
                    &mut payload["scheduled_event"]
                } else {
                    payload
                };
                let object = object.as_object_mut().unwrap();
                match &value {
                    Some(value) => object.insert(row.field.to_owned(), value.clone()),
                    None => object.remove(row.field),
                };
            })
        };
        let null = set(Some(Value::Null));
        let told = changes(say(&null));
        let seen = changes(read(&null, LATER));
        let want = match row.null {
            Null::TakesAway => (true, true),
            Null::TakesAwayWhenRead => (false, true),
            Null::SaysNothing => (false, false),
        };
        assert_eq!((told, seen), want, "{row:?}");
        let missing = set(None);
        assert!(!changes(say(&missing)), "missing in a message: {row:?}");
        assert!(
            !changes(read(&missing, LATER)),
            "missing in a read: {row:?}"
        );
        assert!(!row.why.is_empty());
    }
}

#[test]
fn the_body_of_this_test_fills_every_field() {
    let shown = shown(&after(&[say(&full())]));
    for view in shown.as_array().unwrap() {
        for (field, value) in view.as_object().unwrap() {
            let other = [
                "missingSince",
                "rescheduledFrom",
                "rescheduledTo",
                "root",
                "noShowAt",
                "routingFormSubmission",
            ];
            assert!(
                other.contains(&field.as_str()) || (!value.is_null() && *value != json!([])),
                "{field}"
            );
        }
    }
}

#[test]
fn an_older_null_takes_nothing_away() {
    let mut null = full();
    null["payload"]["scheduled_event"]["meeting_notes_plain"] = Value::Null;
    null["payload"]["scheduled_event"]["updated_at"] = json!("2026-11-19T00:00:00Z");
    assert!(!changes(say(&null)));
}

#[test]
fn of_two_of_the_same_time_something_beats_nothing() {
    let mut null = full();
    let event = &mut null["payload"]["scheduled_event"];
    for field in ["name", "meeting_notes_plain", "location"] {
        event[field] = Value::Null;
    }
    let (full, null) = (say(&full()), say(&null));
    let natural = after([&full, &null]);
    assert_eq!(natural, after([&null, &full]));
    assert_eq!(shown(&natural), shown(&after([&full])));
}
