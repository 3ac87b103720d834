//! Webhooks as they arrive: signed, in Calendly's shape, tried again.

use super::support::*;
use calendly::signature::{Refusal, SigningKey, verify};
use calendly::webhook::{Webhook, read};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

fn check(received: &Received, key: &str) -> Result<(), Refusal> {
    let keys = [SigningKey::new(key).unwrap()];
    let now = Timestamp::now().as_second();
    let tolerance = Duration::from_secs(180);
    let signature = received.signature();
    verify(&keys, &[signature], &received.body, now, tolerance).map(|_| ())
}

#[tokio::test]
async fn each_change_is_told_signed_and_readable() {
    let desk = start_with(in_order()).await;
    let receiver = Receiver::start(&[]).await;
    assert_eq!(desk.subscribe(&receiver.url).await.status(), 201);
    let (_, invitee) = desk.book("Ada Booker", "2030-01-01T10:00:00Z").await;
    let path = format!("/bookings/{invitee}");
    desk.post(&format!("{path}/no-show"), json!({})).await;
    desk.control(Method::DELETE, &format!("{path}/no-show"), json!({}))
        .await;
    desk.post(&format!("{path}/cancel"), json!({"reason": "No time"}))
        .await;
    desk.settle().await;

    let events: Vec<_> = receiver
        .told()
        .into_iter()
        .map(|(event, _)| event)
        .collect();
    let want = [
        "invitee.created",
        "invitee_no_show.created",
        "invitee_no_show.deleted",
        "invitee.canceled",
    ];
    assert_eq!(events, want);
    for received in receiver.received() {
        assert_eq!(check(&received, KEY), Ok(()));
        assert_eq!(check(&received, "another"), Err(Refusal::Mismatch));
        assert_eq!(received.headers["user-agent"], "Calendly");
        assert_eq!(received.headers["content-type"], "application/json");
        let Webhook::Booking(booking) = read(&received.body, ambient::now()).unwrap() else {
            panic!("every one of them changes bookings");
        };
        assert_eq!(booking.invitee.unwrap().id(), invitee);
        let body = received.json();
        assert_eq!(body["created_by"], DANA);
        assert!(body["created_at"].as_str().unwrap().ends_with(".000000Z"));
        let keys = |json: &Value| {
            let keys = json.as_object().unwrap().keys();
            keys.cloned().collect::<std::collections::BTreeSet<_>>()
        };
        // The very fields of the sample.
        let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fixtures/calendly/invitee.canceled.json");
        let sample: Value = serde_json::from_slice(&std::fs::read(sample).unwrap()).unwrap();
        if body["event"] == "invitee.canceled" {
            assert_eq!(keys(&body), keys(&sample));
            assert_eq!(keys(&body["payload"]), keys(&sample["payload"]));
            let event = |body: &Value| keys(&body["payload"]["scheduled_event"]);
            assert_eq!(event(&body), event(&sample));
        }
    }
}

#[tokio::test]
async fn a_reschedule_is_two_halves_that_name_each_other() {
    let desk = start_with(in_order()).await;
    let receiver = Receiver::start(&[]).await;
    desk.subscribe(&receiver.url).await;
    let (event, old) = desk.book("Ada", "2030-01-01T10:00:00Z").await;
    let moved = json!({"startTime": "2030-01-02T10:00:00Z"});
    let path = format!("/bookings/{old}/reschedule");
    let new = desk.post(&path, moved).await;
    assert_ne!(new["eventId"], event.as_str());
    desk.settle().await;
    let told = receiver.received();
    let (canceled, created) = (told[1].json(), told[2].json());
    let (canceled, created) = (&canceled["payload"], &created["payload"]);
    assert_eq!(canceled["rescheduled"], true);
    assert_eq!(canceled["status"], "canceled");
    assert_eq!(canceled["scheduled_event"]["status"], "canceled");
    assert_eq!(canceled["new_invitee"], created["uri"]);
    assert_eq!(created["old_invitee"], canceled["uri"]);
    assert_eq!(created["rescheduled"], false);
    assert_eq!(created["uri"], new["inviteeUri"]);
    assert_eq!(
        created["scheduled_event"]["start_time"],
        "2030-01-02T10:00:00.000000Z"
    );
    // What is canceled can't be moved.
    let url = desk.url(&format!("/_sandbox{path}"));
    let again = desk
        .http
        .post(url)
        .json(&json!({"startTime": "2030-01-03T10:00:00Z"}));
    assert_eq!(again.send().await.unwrap().status(), 409);
}

#[tokio::test]
async fn a_failure_is_tried_again_with_the_same_body_and_a_new_time() {
    let mut options = in_order();
    options.retry_delays = vec![Duration::from_millis(1100)];
    let desk = start_with(options).await;
    let receiver = Receiver::start(&[503]).await;
    desk.subscribe(&receiver.url).await;
    desk.book("Ada", "2030-01-01T10:00:00Z").await;
    desk.settle().await;
    let [first, second] = &receiver.received()[..] else {
        panic!("one failure and one retry");
    };
    assert_eq!(first.body, second.body);
    assert!(first.time() < second.time());
    assert_eq!(check(second, KEY), Ok(()));

    let sent = desk.control(Method::GET, "/deliveries", json!({})).await;
    let sent = &sent["deliveries"][0];
    assert_eq!(sent["state"], "delivered");
    assert_eq!(sent["attempts"][0]["status"], 503);
    assert_eq!(sent["attempts"][1]["status"], 200);
    assert_eq!(sent["attempts"][1]["answer"], "thank you");
    let state = desk.control(Method::GET, "/state", json!({})).await;
    let subscription = &state["subscriptions"][0];
    assert_eq!(subscription["state"], "active");
    assert!(subscription["retry_started_at"].is_string());
}

#[tokio::test]
async fn a_message_that_never_gets_through_switches_the_subscription_off() {
    let desk = start_with(in_order()).await;
    // A redirect is a failure too.
    let receiver = Receiver::start(&[500, 302, 404]).await;
    desk.subscribe(&receiver.url).await;
    desk.book("Ada", "2030-01-01T10:00:00Z").await;
    desk.settle().await;
    assert_eq!(receiver.received().len(), 3);
    let state = desk.control(Method::GET, "/state", json!({})).await;
    assert_eq!(state["subscriptions"][0]["state"], "disabled");
    desk.book("Bo", "2030-01-02T10:00:00Z").await;
    desk.settle().await;
    assert_eq!(receiver.received().len(), 3);
}

#[tokio::test]
async fn an_app_signs_with_its_key_and_a_subscription_without_one_does_not() {
    let desk = start().await;
    let receiver = Receiver::start(&[]).await;
    let body = json!({
        "url": receiver.url, "events": ["invitee.created"], "organization": ORGANIZATION,
        "scope": "organization",
    });
    let made = desk
        .call(Method::POST, "/webhook_subscriptions", Some(body))
        .await;
    assert_eq!(made.status(), 201);
    desk.book("Ada", "2030-01-01T10:00:00Z").await;
    desk.settle().await;
    let received = &receiver.received()[0];
    assert!(received.headers.get("calendly-webhook-signature").is_none());
}
