//! What Calendly no longer sends, doesn't send yet, or only relays send.

use serde_json::{Value, json};
use stack_tests::{Samples, Stack, assert_has};

#[tokio::test]
async fn a_literal_reschedule_is_read() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = samples.edited("reschedule.2-invitee.created", |json| {
        json["event"] = "invitee.rescheduled".into();
    });
    stack.applied(body).await;
    stack
        .applied(samples.body("reschedule.1-invitee.canceled"))
        .await;
    assert_has(
        &stack.event(&samples.event(4)).await["invitees"][0],
        &json!({ "status": "active", "rescheduledFrom": samples.invitee_uri(3) }),
    );
    assert_has(
        &stack.event(&samples.event(3)).await["invitees"][0],
        &json!({ "status": "rescheduled", "rescheduledTo": samples.invitee_uri(4) }),
    );
}

#[tokio::test]
async fn a_literal_no_show_is_read() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    stack.applied(samples.body("invitee.created")).await;
    let body = samples.edited("invitee_no_show.created", |json| {
        json["event"] = "invitee.no_show".into();
    });
    stack.applied(body).await;
    assert_eq!(
        stack.event(&samples.event(1)).await["invitees"][0]["noShow"],
        true
    );
}

#[tokio::test]
async fn a_payload_without_its_scheduled_event_is_read() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = samples.edited("invitee.created", |json| {
        json["payload"]
            .as_object_mut()
            .unwrap()
            .remove("scheduled_event");
    });
    stack.applied(body).await;
    assert_has(
        &stack.event(&samples.event(1)).await,
        &json!({ "status": "active", "startTime": null, "invitees": [{ "name": "Ada Booker" }] }),
    );
    // The slot is known as soon as any webhook tells of it.
    stack.applied(samples.body("invitee_no_show.created")).await;
    assert_has(
        &stack.event(&samples.event(1)).await,
        &json!({ "startTime": "2026-12-01T15:00:00Z", "invitees": [{ "noShow": true }] }),
    );
}

#[tokio::test]
async fn nulls_unknown_fields_and_unknown_kinds_of_location_are_read() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = samples.edited("invitee.created", |json| {
        json["sent_by_the_future"] = json!({ "deep": [1, { "er": null }] });
        let payload = &mut json["payload"];
        for name in ["name", "first_name", "last_name", "timezone", "tracking"] {
            payload[name] = Value::Null;
        }
        payload["questions_and_answers"] = Value::Null;
        payload["new_thing"] = json!([true]);
        payload["scheduled_event"]["event_guests"] = Value::Null;
        payload["scheduled_event"]["location"] =
            json!({ "type": "holodeck", "deck_number": 11, "safety": { "is_on": false } });
    });
    stack.applied(body).await;
    assert_has(
        &stack.event(&samples.event(1)).await,
        &json!({
            "location": { "type": "holodeck", "deckNumber": 11, "safety": { "isOn": false } },
            "guests": [],
            "timezone": null,
            "invitees": [{ "name": null, "answers": [], "email": "ada.booker@example.com" }],
        }),
    );
}
