//! With the log or the queue out of reach Calendly is told to try again, and nothing is lost.

use platform::deliveries::DeliveryId;
use serde_json::json;
use stack_tests::{Function, Samples, Stack, assert_has};

/// Nothing listens there.
const NOWHERE: &str = "http://127.0.0.1:9";

#[tokio::test]
async fn dynamodb_is_down() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    for fault in [
        ("AWS_ENDPOINT_URL_DYNAMODB", NOWHERE),
        ("DELIVERIES_TABLE", "no-such-table"),
    ] {
        stack
            .with_environment(Function::Webhook, &[fault], async || {
                let answer = stack.post(body.clone()).send().await;
                answer.problem(503, "STORE_UNAVAILABLE");
            })
            .await;
    }
    let id = DeliveryId::of(body.as_bytes());
    stack
        .get(&format!("/v1/deliveries/{id}"))
        .await
        .problem(404, "NOT_FOUND");

    let again = stack.post(body).send().await.ok();
    assert_eq!(again.get("duplicate"), None);
    stack.until_status(id.as_str(), "processed").await;
}

#[tokio::test]
async fn sqs_is_down() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = samples.body("invitee.created");
    let id = DeliveryId::of(body.as_bytes());
    let fault = [("AWS_ENDPOINT_URL_SQS", NOWHERE)];
    stack
        .with_environment(Function::Webhook, &fault, async || {
            let answer = stack.post(body.clone()).send().await;
            answer.problem(503, "STORE_UNAVAILABLE");
        })
        .await;
    let waiting = json!({ "status": "received", "attempts": 0, "event": "invitee.created" });
    assert_has(&stack.delivery(id.as_str()).await, &waiting);

    let again = stack.post(body).send().await.ok();
    assert_has(
        &again,
        &json!({ "duplicate": true, "deliveryId": id.as_str() }),
    );
    stack.until_status(id.as_str(), "processed").await;
    assert_eq!(stack.event(&samples.event(1)).await["status"], "active");
}

#[tokio::test]
async fn the_api_can_not_reach_the_store() {
    let stack = Stack::from_env().await;
    let fault = [
        ("AWS_ENDPOINT_URL_DYNAMODB", NOWHERE),
        ("AWS_ENDPOINT_URL_SQS", NOWHERE),
    ];
    stack
        .with_environment(Function::Api, &fault, async || {
            let nothing = json!({});
            let (list, redrive) = tokio::join!(
                stack.get("/v1/events"),
                stack.post_json("/v1/dead-letters/redrive", &nothing),
            );
            list.problem(503, "STORE_UNAVAILABLE");
            redrive.problem(503, "STORE_UNAVAILABLE");
            stack.get("/v1/health").await.ok();
        })
        .await;
    stack.get("/v1/events").await.ok();
}
