//! A `scheduled_event` beside an invitee of another event: nothing of it is the invitee's own.

use super::{API, booking, invitee_uri, stored, views};
use serde_json::{Value, json};
use testkit::fixture;

fn body(name: &str) -> Value {
    serde_json::from_slice(&fixture(name)).unwrap()
}

fn event_uri(n: u8) -> String {
    format!("{API}/scheduled_events/0000000{n}-1111-4222-8333-444455556666")
}

/// The new half of a move.
fn new_half() -> Value {
    body("reschedule.2-invitee.created.json")
}

/// The event that its invitee has left.
fn left_event() -> Value {
    let mut event = body("reschedule.1-invitee.canceled.json")["payload"]["scheduled_event"].take();
    event["event_guests"] = json!([{"email": "guest.one@example.net"}]);
    event["location"] = json!({"type": "google_conference", "status": "processing"});
    event["invitees_counter"] = json!({"total": 9, "active": 9, "limit": 9});
    event["updated_at"] = json!("2026-11-22T12:00:01.000000Z");
    event
}

fn facts(body: &Value) -> booking::Facts {
    booking(body.to_string().as_bytes()).facts
}

/// The new half, as a relay sends it that knows the event from before, in each form that names it.
fn relayed(name: &str) -> Vec<Value> {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut body = new_half();
        body["event"] = json!(name);
        body["payload"]["scheduled_event"] = left_event();
        change(&mut body["payload"]);
        body
    };
    let unnamed = |payload: &mut Value| {
        let event = payload["scheduled_event"].as_object_mut().unwrap();
        event.remove("uri");
    };
    vec![
        with(&|_| {}),
        with(&|payload| payload["event"] = json!(event_uri(3))),
        with(&|payload| {
            unnamed(payload);
            payload["scheduled_event"]["uuid"] = json!("00000003-1111-4222-8333-444455556666");
        }),
        with(&|payload| {
            unnamed(payload);
            payload["event"] = json!(event_uri(3));
        }),
    ]
}

#[test]
fn nothing_of_another_event_becomes_the_invitees() {
    for name in ["invitee.created", "invitee.rescheduled", "invitee.canceled"] {
        let mut alone = new_half();
        alone["event"] = json!(name);
        alone["payload"]["scheduled_event"] = json!(event_uri(4));
        let want = stored([&facts(&alone)]);
        for body in relayed(name) {
            assert_eq!(stored([&facts(&body)]), want, "{body:#}");
        }
    }
}

#[test]
fn an_event_that_was_left_does_not_cancel_the_one_that_took_its_place() {
    let whole = facts(&new_half());
    for body in relayed("invitee.rescheduled") {
        let told = facts(&body);
        for order in [[&told, &whole], [&whole, &told]] {
            let events = views(&stored(order));
            assert_eq!(events, views(&stored([&whole])));
            assert_eq!(events[1]["status"], "active");
            assert_eq!(events[1]["invitees"][0]["status"], "active");
            assert_eq!(events[1]["invitees"][0]["rescheduledFrom"], invitee_uri(3));
        }
    }
}

#[test]
fn what_is_left_out_of_another_event_is_told() {
    let other = "is another event than the invitee's URI names, which counts";
    let [by_uri, twice, by_id, beside] = relayed("invitee.rescheduled").try_into().unwrap();
    let event = format!("`payload.event` {other}");
    let uri = format!("`payload.scheduled_event.uri` {other}: nothing else of it is read");
    let whole = format!("`payload.scheduled_event` {other}: nothing else of it is read");
    for (body, want) in [
        (by_uri, vec![&uri]),
        (twice, vec![&event, &uri]),
        (by_id, vec![&whole]),
        (beside, vec![&event, &whole]),
    ] {
        let booking = booking(body.to_string().as_bytes());
        assert_eq!(booking.warnings.iter().collect::<Vec<_>>(), want);
        assert!(!booking.link_pending, "that link is another event's");
    }
}

#[test]
fn the_invitees_own_event_is_read_however_it_is_named() {
    let want = stored([&facts(&new_half())]);
    for uri in [
        json!(event_uri(4)),
        json!(format!(" {}/?a=b ", event_uri(4)).trim()),
        json!("00000004-1111-4222-8333-444455556666"),
        Value::Null,
    ] {
        let mut body = new_half();
        body["payload"]["scheduled_event"]["uri"] = uri.clone();
        let booking = booking(body.to_string().as_bytes());
        assert_eq!(booking.warnings, [""; 0], "{uri}");
        assert_eq!(stored([&booking.facts]), want, "{uri}");
        assert!(booking.link_pending);
    }
}
