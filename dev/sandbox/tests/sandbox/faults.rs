//! Faults on request, the same for a seed.

use super::support::*;
use calendly::signature::{Refusal, SigningKey, verify};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};

/// Names in the order of arrival, of 40 bookings made one after another.
async fn arrivals(faults: serde_json::Value) -> Vec<String> {
    let desk = start_with(in_order()).await;
    let receiver = Receiver::start(&[]).await;
    desk.subscribe(&receiver.url).await;
    desk.control(Method::PUT, "/faults", faults).await;
    for number in 0..40 {
        desk.book(&format!("N{number:02}"), "2030-01-01T10:00:00Z")
            .await;
    }
    desk.settle().await;
    receiver.told().into_iter().map(|(_, name)| name).collect()
}

fn in_natural_order() -> Vec<String> {
    (0..40).map(|number| format!("N{number:02}")).collect()
}

#[tokio::test]
async fn without_faults_everything_arrives_once_and_in_order() {
    assert_eq!(arrivals(json!({})).await, in_natural_order());
}

#[tokio::test]
async fn drops_repeats_and_order_are_the_seeds() {
    let faults = |seed: u64| json!({"seed": seed, "drop": 0.3, "repeat": 0.2, "reorder": true});
    let first = arrivals(faults(1)).await;
    assert_eq!(first, arrivals(faults(1)).await);
    assert_ne!(first, arrivals(faults(2)).await);
    let mut distinct = first.clone();
    distinct.sort();
    assert_ne!(first, distinct, "some are out of order");
    distinct.dedup();
    assert!(distinct.len() < 40, "some are dropped");
    assert!(distinct.len() < first.len(), "some come twice");
}

#[tokio::test]
async fn each_fault_alone_does_its_own_harm() {
    let dropped = arrivals(json!({"drop": 0.3})).await;
    assert!((20..36).contains(&dropped.len()), "{}", dropped.len());
    let mut sorted = dropped.clone();
    sorted.sort();
    assert_eq!(dropped, sorted);

    let repeated = arrivals(json!({"repeat": 0.2})).await;
    assert!((42..60).contains(&repeated.len()), "{}", repeated.len());
    let mut once = repeated;
    once.dedup();
    assert_eq!(once, in_natural_order());

    let mut reordered = arrivals(json!({"reorder": true})).await;
    assert_ne!(reordered, in_natural_order());
    let other = arrivals(json!({"reorder": true, "seed": 2})).await;
    assert_ne!(reordered, other);
    reordered.sort();
    assert_eq!(reordered, in_natural_order());
}

#[tokio::test]
async fn what_is_dropped_is_on_record() {
    let desk = start().await;
    let receiver = Receiver::start(&[]).await;
    desk.subscribe(&receiver.url).await;
    desk.control(Method::PUT, "/faults", json!({"drop": true}))
        .await;
    desk.book("Ada", "2030-01-01T10:00:00Z").await;
    desk.settle().await;
    let sent = desk
        .control(Method::GET, "/deliveries?state=dropped", json!({}))
        .await;
    assert_eq!(sent["deliveries"].as_array().unwrap().len(), 1);
    assert!(receiver.received().is_empty());
}

#[tokio::test]
async fn signatures_can_be_stale_and_webhooks_late() {
    let desk = start().await;
    let receiver = Receiver::start(&[]).await;
    desk.subscribe(&receiver.url).await;
    let faults = json!({"staleSignature": true, "delayMs": 300});
    desk.control(Method::PUT, "/faults", faults).await;
    desk.book("Ada", "2030-01-01T10:00:00Z").await;
    assert!(receiver.received().is_empty());
    desk.settle().await;
    let received = &receiver.received()[0];
    let keys = [SigningKey::new(KEY).unwrap()];
    let now = Timestamp::now().as_second();
    let tolerance = Duration::from_secs(180);
    let checked = verify(
        &keys,
        &[received.signature()],
        &received.body,
        now,
        tolerance,
    );
    assert_eq!(checked.unwrap_err(), Refusal::Stale);
}

#[tokio::test]
async fn the_api_fails_in_the_asked_shares() {
    let desk = start().await;
    let faults = json!({"seed": 3, "apiErrors": {"429": 0.2, "500": 0.1}});
    let statuses = async || {
        desk.control(Method::PUT, "/faults", faults.clone()).await;
        let mut statuses = Vec::new();
        for _ in 0..100 {
            let response = desk.call(Method::GET, "/users/me", None).await;
            if response.status() == 429 {
                assert_eq!(response.headers()["x-ratelimit-reset"], "1");
            }
            statuses.push(response.status().as_u16());
        }
        statuses
    };
    let first = statuses().await;
    let limited = first.iter().filter(|status| **status == 429).count();
    assert!((10..=30).contains(&limited), "{limited}");
    assert!(first.contains(&500) && first.contains(&200));
    assert_eq!(first, statuses().await);
}

#[tokio::test]
async fn answers_can_be_html_empty_or_never_come() {
    let desk = start().await;
    for (faults, status, start) in [
        (
            json!({"apiErrors": {"500": 1}, "errorBody": "html"}),
            500,
            "<html>",
        ),
        (
            json!({"apiErrors": {"401": 1}, "errorBody": "empty"}),
            401,
            "",
        ),
        (json!({"apiBody": "html"}), 200, "<html>"),
        (json!({"apiBody": "partial"}), 200, "{}"),
        (json!({"apiBody": "empty"}), 200, ""),
    ] {
        desk.control(Method::PUT, "/faults", faults.clone()).await;
        let response = desk.call(Method::GET, "/users/me", None).await;
        assert_eq!(response.status(), status, "{faults}");
        let body = response.text().await.unwrap();
        assert!(body.starts_with(start), "{faults}: {body}");
        assert_eq!(body.is_empty(), start.is_empty());
    }
    let faults = json!({"hang": true, "hangMs": 400});
    desk.control(Method::PUT, "/faults", faults).await;
    let began = Instant::now();
    assert_eq!(desk.status(Method::GET, "/users/me", None).await, 504);
    assert!(began.elapsed() >= Duration::from_millis(400));
    // An unknown fault is no fault.
    let put = desk.http.put(desk.url("/_sandbox/faults"));
    let refused = put.json(&json!({"dorp": 0.1})).send().await.unwrap();
    assert_eq!(refused.status(), 400);
}
