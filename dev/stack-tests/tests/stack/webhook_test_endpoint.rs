//! Webhooks are tried with an API key and no signature, and processed before they are answered.

use rand::Rng;
use reqwest::Method;
use serde_json::{Value, json};
use stack_tests::{Answer, Samples, Stack, assert_has};

const PATH: &str = "/v1/webhooks/calendly/test";

/// Sends a test; what happened.
async fn tested(stack: &Stack, data: &Value) -> Value {
    let answer = stack.post_json(PATH, &json!({ "eventData": data })).await;
    let tracking_id = answer.tracking_id.clone();
    let tested = answer.ok();
    assert_eq!(tested["trackingId"].as_str(), tracking_id.as_deref());
    assert_eq!(tested["result"]["trackingId"], tested["trackingId"]);
    assert_eq!(tested["result"]["processed"], tested["success"]);
    tested
}

fn full(samples: &Samples, name: &str) -> Value {
    serde_json::from_str(&samples.body(name)).unwrap()
}

/// A booking of a person whom no other test knows, in the simple form.
fn simple(person: &str, event: &str, time: &str, start: &str) -> Value {
    json!({
        "event": event,
        "time": time,
        "payload": {
            "event": { "name": format!("Consultation {person}"), "startTime": start },
            "invitee": { "name": "Ada Booker", "email": format!("{person}@example.com") },
        },
    })
}

fn somebody() -> String {
    format!("ada.{:016x}", rand::rng().random::<u64>())
}

#[tokio::test]
async fn a_full_body_is_a_booking_and_a_delivery_at_once() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let data = full(&samples, "invitee.created");
    let first = tested(&stack, &data).await;
    let result = json!({
        "event": "invitee.created",
        "processed": true,
        "changes": ["scheduled"],
        "errors": [],
        "eventId": samples.event(1),
        "inviteeId": samples.invitee(1),
    });
    let wanted = json!({ "success": true, "event": "invitee.created", "result": result });
    assert_has(&first, &wanted);

    // Nothing is waited for: it was processed before it was answered.
    let event = stack.event(&samples.event(1)).await;
    assert_has(
        &event,
        &json!({ "status": "active", "invitees": [{ "id": samples.invitee(1), "status": "active" }] }),
    );
    let id = first["result"]["deliveryId"].as_str().unwrap();
    let delivery = stack.delivery(id).await;
    assert_has(
        &delivery,
        &json!({
            "status": "processed",
            "event": "invitee.created",
            "trackingId": first["trackingId"],
            "changes": ["scheduled"],
            "eventUri": samples.event_uri(1),
            "inviteeUri": samples.invitee_uri(1),
            "attempts": 1,
        }),
    );
    let with_body = stack.get(&format!("/v1/deliveries/{id}?body=true")).await;
    let body = with_body.ok()["body"].as_str().unwrap().to_owned();
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), data);

    let again = tested(&stack, &data).await;
    assert_has(
        &again,
        &json!({ "success": true, "result": { "changes": [], "deliveryId": id } }),
    );
    assert_eq!(stack.event(&samples.event(1)).await, event);
    assert_eq!(stack.delivery(id).await, delivery);
}

#[tokio::test]
async fn tests_and_true_webhooks_make_one_booking() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    // The old half of a reschedule by Calendly, the new one as a test.
    stack
        .applied(samples.body("reschedule.1-invitee.canceled"))
        .await;
    let made = tested(&stack, &full(&samples, "reschedule.2-invitee.created")).await;
    assert_eq!(made["result"]["changes"], json!(["rescheduled"]));
    let old = stack.event(&samples.event(3)).await;
    assert_has(
        &old["invitees"][0],
        &json!({ "status": "rescheduled", "rescheduledTo": samples.invitee_uri(4) }),
    );
}

#[tokio::test]
async fn a_simple_booking_is_made_moved_and_canceled() {
    let stack = Stack::from_env().await;
    let person = somebody();
    let (first, second) = ("2026-12-01T15:00:00Z", "2026-12-03T15:00:00Z");
    let booked = simple(&person, "invitee.created", "2026-11-20T09:15:01Z", first);
    let booked = tested(&stack, &booked).await;
    assert_eq!(booked["result"]["changes"], json!(["scheduled"]));
    let old = stack
        .event(booked["result"]["eventId"].as_str().unwrap())
        .await;
    assert_has(
        &old,
        &json!({
            "status": "active",
            "startTime": first,
            "invitees": [{ "email": format!("{person}@example.com"), "name": "Ada Booker" }],
        }),
    );

    let mut moved = simple(&person, "invitee.created", "2026-11-22T12:00:00Z", second);
    moved["payload"]["old_event"] = json!({ "start_time": first });
    let moved = tested(&stack, &moved).await;
    // Of the old half, which no webhook told of, it makes a moved one.
    let mut changes = moved["result"]["changes"].as_array().unwrap().clone();
    // In the order of the bookings' ids, which are digests.
    changes.sort_by_key(Value::to_string);
    assert_eq!(changes, [json!("rescheduled"), json!("updated")]);
    let new = stack
        .event(moved["result"]["eventId"].as_str().unwrap())
        .await;
    assert_eq!(
        new["invitees"][0]["rescheduledFrom"],
        old["invitees"][0]["uri"]
    );

    let mut canceled = simple(&person, "invitee.canceled", "2026-11-23T08:00:00Z", second);
    canceled["payload"]["invitee"]["cancelReason"] = json!("Something came up");
    let canceled = tested(&stack, &canceled).await;
    assert_eq!(canceled["result"]["changes"], json!(["canceled"]));
    assert_eq!(
        canceled["result"]["inviteeId"],
        moved["result"]["inviteeId"]
    );
    let event = stack
        .event(moved["result"]["eventId"].as_str().unwrap())
        .await;
    assert_eq!(event["status"], "canceled");
    assert_has(
        &event["invitees"][0],
        &json!({ "status": "canceled", "cancellation": { "reason": "Something came up" } }),
    );
}

#[tokio::test]
async fn what_can_not_be_processed_says_why_and_is_in_the_log() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let mut unnamed = simple(
        &somebody(),
        "invitee.created",
        "2026-11-20T09:15:01Z",
        "soon",
    );
    unnamed["noise"] = json!(somebody());
    for (data, status, why) in [
        (
            full(&samples, "event_type.updated"),
            "ignored",
            "events of this name",
        ),
        (unnamed, "unprocessable", "payload.event"),
    ] {
        let answer = tested(&stack, &data).await;
        assert_has(
            &answer,
            &json!({ "success": false, "result": { "changes": [], "eventId": null } }),
        );
        let error = answer["result"]["errors"][0].as_str().unwrap();
        assert!(error.contains(why), "{error}");
        let id = answer["result"]["deliveryId"].as_str().unwrap();
        assert_eq!(stack.delivery(id).await["status"], status);
    }
}

#[tokio::test]
async fn refused_10_times_an_address_is_limited_and_a_good_test_passes() {
    // One of many addresses, so that the test can be run again before the window ends.
    let stack = Stack::from_address([127, 0, 78, rand::rng().random_range(1..=254)]).await;
    let samples = Samples::fresh();
    let data = full(&samples, "invitee.created");
    let body = json!({ "eventData": data }).to_string();
    let refused = async |headers: &[(&str, &str)], body: &str| -> Answer {
        let body = Some(body.to_owned());
        stack.call(Method::POST, PATH, headers, body).await
    };
    let key = [("x-api-key", stack.api_key.as_str())];
    for _ in 0..4 {
        refused(&[], &body).await.problem(401, "UNAUTHORIZED");
    }
    for _ in 0..3 {
        let wrong = refused(&[("x-api-key", "wrong")], &body).await;
        wrong.problem(401, "UNAUTHORIZED");
    }
    let error = refused(&key, "{}").await.problem(400, "INVALID_PARAMETER");
    assert!(error.contains("eventData"), "{error}");
    let error = refused(&key, &data.to_string()).await;
    error.problem(400, "INVALID_PARAMETER");
    let large = format!("{body}{}", " ".repeat(64 * 1024));
    let error = refused(&key, &large)
        .await
        .problem(413, "PAYLOAD_TOO_LARGE");
    assert!(error.contains("65536"), "{error}");

    let limited = refused(&[], &body).await;
    let seconds: u32 = limited.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&seconds), "{seconds}");
    limited.problem(429, "RATE_LIMITED");

    // None of them left anything; a good one passes.
    stack
        .get(&format!("/v1/events/{}", samples.event(1)))
        .await
        .problem(404, "NOT_FOUND");
    let made = tested(&stack, &data).await;
    assert_eq!(made["result"]["changes"], json!(["scheduled"]));
}
