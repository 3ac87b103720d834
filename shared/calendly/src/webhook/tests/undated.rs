//! Parts of a body that tell no time of their own: they say what was true by the time of the message,
//! and nothing against what is told with a time.

use super::{API, stored, views};
use crate::webhook::{BookingWebhook, Webhook, resource};
use booking::{ConnectionId, Facts, Records};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::fixture;

/// When the message was made: a while after what it tells of was last changed.
fn sent() -> Timestamp {
    "2026-11-20T09:15:02Z".parse().unwrap()
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

fn body(name: &str) -> Value {
    serde_json::from_slice(&fixture(name)).unwrap()
}

fn booking(body: &Value, received_at: Timestamp) -> BookingWebhook {
    match crate::webhook::read(body.to_string().as_bytes(), received_at) {
        Ok(Webhook::Booking(booking)) => *booking,
        other => panic!("not a booking: {other:?}"),
    }
}

fn facts(body: &Value) -> Facts {
    booking(body, sent() + seconds(86_400)).facts
}

const PARTS: [&str; 2] = ["/payload", "/payload/scheduled_event"];

/// A message about a booking that was made at 09:15:01, in which neither tells a time that counts.
fn undated(name: &str, sent: Timestamp, times: &Value) -> Value {
    let mut body = body(name);
    body["created_at"] = json!(sent);
    for part in PARTS {
        if let Some(part) = body.pointer_mut(part).and_then(Value::as_object_mut) {
            part.remove("created_at");
            part.insert("updated_at".to_owned(), times.clone());
        }
    }
    body
}

/// Times that tell nothing.
fn nothing() -> [Value; 5] {
    [
        Value::Null,
        json!("yesterday"),
        json!("2612-01-20T00:00:00Z"),
        // It came after that, but was sent before.
        json!(sent() + seconds(7_200)),
        // What programs write that have no word for "none".
        json!("0001-01-01T00:00:00Z"),
    ]
}

/// What changes of a booking and its event, without a new `updated_at`, after the message.
fn changed(mut body: Value) -> Value {
    let payload = &mut body["payload"];
    payload["name"] = json!("Ada Lovelace");
    payload["questions_and_answers"] = json!([{"question": "Later?", "answer": "yes"}]);
    payload["tracking"]["utm_source"] = json!("later");
    if payload["scheduled_event"].is_object() {
        let event = &mut payload["scheduled_event"];
        event["name"] = json!("Second consultation");
        event["location"] = json!({"type": "google_conference", "status": "pushed"});
        event["invitees_counter"] = json!({"total": 2, "active": 1, "limit": 1});
        event["event_guests"] = json!([]);
    }
    body
}

/// All that is shown but when it was made and last changed: the first and last time that was told.
fn shown(records: &Records) -> Value {
    let mut events = views(records);
    for event in &mut events {
        event["updatedAt"].take();
        event["createdAt"].take();
        for invitee in event["invitees"].as_array_mut().unwrap() {
            invitee["updatedAt"].take();
            invitee["createdAt"].take();
        }
    }
    let form = records.submission.as_ref();
    json!([events, form.map(|form| (&form.answers, &form.tracking))])
}

#[track_caller]
fn holds(first: &Facts, second: &Facts, want: &Facts) {
    let want = shown(&stored([want]));
    for order in [[first, second], [second, first]] {
        assert_eq!(shown(&stored(order)), want);
    }
}

proptest! {
    /// Whichever of its times it tells, and however odd the others are.
    #[test]
    fn no_message_says_anything_against_later_reads(
        which in proptest::collection::vec(proptest::option::of(0..nothing().len()), 4),
        after in 0_i64..100_000,
    ) {
        let mut told = body("invitee.created.json");
        told["created_at"] = json!(sent());
        let places = PARTS.iter().flat_map(|part| {
            ["created_at", "updated_at"].map(|name| format!("{part}/{name}"))
        });
        for (place, odd) in places.zip(which) {
            if let Some(odd) = odd {
                *told.pointer_mut(&place).unwrap() = nothing()[odd].clone();
            }
        }
        let host = ConnectionId::from_user_uri(&format!("{API}/users/AAAAHOSTUSER0001")).unwrap();
        let mut truth = changed(body("invitee.created.json"))["payload"].take();
        let event = truth["scheduled_event"].take();
        let read_at = sent() + seconds(after);
        let read = resource::facts(&event, &[truth], &host, read_at).unwrap();
        holds(&facts(&told), &read, &read);
    }
}

/// Or what is read would never be stored, however often it is.
#[test]
fn what_is_read_without_times_counts_from_then() {
    let host = ConnectionId::from_user_uri(&format!("{API}/users/AAAAHOSTUSER0001")).unwrap();
    // Of a change after the booking was made.
    let mut told = undated("invitee.created.json", sent(), &json!(sent()));
    for part in PARTS {
        told.pointer_mut(part).unwrap()["created_at"] = json!(sent() - seconds(1));
    }
    let told = facts(&told);
    for times in nothing() {
        let look = |mut truth: Value, read_at| {
            let mut event = truth["payload"]["scheduled_event"].take();
            event["updated_at"] = times.clone();
            truth["payload"]["updated_at"] = times.clone();
            resource::facts(&event, &[truth["payload"].take()], &host, read_at).unwrap()
        };
        let first = look(body("invitee.created.json"), sent() + seconds(100));
        let second = look(changed(body("invitee.created.json")), sent() + seconds(200));
        holds(&told, &second, &second);
        holds(&first, &second, &second);
    }
}

#[test]
fn a_message_without_times_says_nothing_against_messages_that_tell_them() {
    for name in [
        "invitee.created.json",
        "routing_form_submission.created.json",
    ] {
        let dated = facts(&changed(body(name)));
        for times in nothing() {
            let told = facts(&undated(name, sent() + seconds(3_600), &times));
            holds(&told, &dated, &dated);
        }
    }
}

#[test]
fn of_messages_without_times_the_last_counts() {
    for name in [
        "invitee.created.json",
        "invitee.canceled.json",
        "routing_form_submission.created.json",
    ] {
        for (first, second) in nothing().into_iter().zip(nothing().into_iter().rev()) {
            let first = facts(&undated(name, sent(), &first));
            let second = facts(&changed(undated(name, sent() + seconds(1), &second)));
            holds(&first, &second, &second);
        }
    }
}

/// One that tells when it was made tells at least that.
#[test]
fn when_something_was_made_counts_where_its_last_change_is_not_told() {
    let made = "2026-11-20T09:15:00.9Z";
    let with = |times: &Value, at: Timestamp| {
        let mut body = undated("invitee.created.json", at, times);
        for part in PARTS {
            body.pointer_mut(part).unwrap()["created_at"] = json!(made);
        }
        body
    };
    for times in nothing() {
        let first = with(&json!(made), sent());
        let second = changed(with(&times, sent() + seconds(1)));
        holds(&facts(&first), &facts(&second), &facts(&second));
        let third = body("invitee.created.json");
        holds(&facts(&second), &facts(&third), &facts(&third));
    }
}

#[test]
fn when_something_was_made_can_lie_in_the_future_too() {
    let came = sent() + seconds(86_400);
    for made in [sent() + seconds(3_600), came + seconds(3_600)] {
        let mut body = undated("invitee.created.json", sent(), &json!("yesterday"));
        for part in PARTS {
            body.pointer_mut(part).unwrap()["created_at"] = json!(made);
        }
        let second = facts(&changed(undated(
            "invitee.created.json",
            sent() + seconds(1),
            &Value::Null,
        )));
        let told = booking(&body, came).facts;
        let found = shown(&stored([&told, &second]));
        assert_eq!(found[0][0]["invitees"][0]["name"], "Ada Lovelace", "{made}");
        assert_eq!(found[0][0]["name"], "Second consultation", "{made}");
        let booking = stored([&told]);
        let invitee = booking.invitees.values().next().unwrap();
        assert_eq!(invitee.updated_at, Some(sent()), "{made}");
    }
}

#[test]
fn a_message_without_times_shows_its_own_as_the_last_change() {
    for times in nothing() {
        let body = undated("invitee.canceled.json", sent(), &times);
        let events = views(&stored([&facts(&body)]));
        assert_eq!(events[0]["updatedAt"], json!(sent()), "{times}");
        assert_eq!(events[0]["invitees"][0]["updatedAt"], json!(sent()));
        assert_eq!(events[0]["invitees"][0]["createdAt"], Value::Null);
    }
    // And so does one that tells when the booking was made.
    let mut body = body("invitee.canceled.json");
    body["payload"]
        .as_object_mut()
        .unwrap()
        .remove("updated_at");
    let sent = body["created_at"].clone();
    body["payload"]["cancellation"].take();
    let events = views(&stored([&facts(&body)]));
    let invitee = &events[0]["invitees"][0];
    let sent: Timestamp = sent.as_str().unwrap().parse().unwrap();
    assert_eq!(invitee["updatedAt"], json!(sent));
    assert_eq!(invitee["cancellation"]["at"], json!(sent));
}

#[test]
fn times_before_all_that_can_be_are_left_out() {
    let mut body = body("invitee.created.json");
    body["payload"]["created_at"] = json!("0001-01-01T00:00:00Z");
    body["payload"]["scheduled_event"]["start_time"] = json!("1969-12-31T23:59:59Z");
    let booking = booking(&body, sent());
    let event = &views(&stored([&booking.facts]))[0];
    assert_eq!(event["startTime"], Value::Null);
    assert_eq!(event["invitees"][0]["createdAt"], Value::Null);
    assert_eq!(booking.warnings.len(), 2, "{:?}", booking.warnings);
}

/// Who canceled and why is not taken away by a message that says nothing of it.
#[test]
fn a_cancellation_of_which_nothing_is_told_says_nothing_against_one_of_which_something_is() {
    let by = |order: [&Facts; 2]| views(&stored(order))[0]["invitees"][0]["cancellation"].take();
    let later = json!("2026-11-23T08:00:00Z");
    for times in nothing().into_iter().chain([json!(sent())]) {
        let told = undated("invitee.canceled.json", sent(), &times);
        let facts_told = facts(&told);
        let want = by([&facts_told, &facts_told]);
        assert_eq!(want["reason"], "Something came up");
        for cancellation in [Value::Null, json!({})] {
            for updated_at in [Value::Null, later.clone()] {
                let mut untold = told.clone();
                untold["created_at"] = later.clone();
                untold["payload"]["updated_at"] = updated_at;
                untold["payload"]["cancellation"] = cancellation.clone();
                untold["payload"]["scheduled_event"]["cancellation"].take();
                let untold = facts(&untold);
                assert_eq!(by([&facts_told, &untold]), want, "{times}");
                assert_eq!(by([&untold, &facts_told]), want, "{times}");
            }
        }
    }
}
