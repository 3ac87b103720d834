//! `POST /v1/deliveries/{id}/replay` of deliveries that are settled. Dead ones: `alone_dead_letters`.

use platform::deliveries::DeliveryId;
use serde_json::{Value, json};
use stack_tests::{Samples, Stack, assert_has};

#[tokio::test]
async fn a_processed_delivery_is_applied_again_and_changes_nothing() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let id = stack.applied(samples.body("invitee.created")).await;
    // What has come since must not be undone by it.
    stack.applied(samples.body("invitee.canceled")).await;
    let before = stack.event(&samples.event(1)).await;

    let answer = stack.replay(&id).await;
    assert_eq!(
        answer["trackingId"],
        stack.delivery(&id).await["trackingId"]
    );
    let again = |d: &serde_json::Value| d["status"] == "processed" && d["attempts"] == 2;
    stack.until(&id, "processed again", again).await;
    let after = stack.event(&samples.event(1)).await;
    assert_eq!(after, before);
    assert_eq!(after["invitees"][0]["status"], "canceled");
}

#[tokio::test]
async fn an_ignored_delivery_is_ignored_again() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().edited("event_type.updated", |json| {
        json["payload"]["uri"] = uuid::Uuid::new_v4().to_string().into();
    });
    let id = stack.accepted(body).await;
    stack.replay(&id).await;
    let again = |d: &serde_json::Value| d["status"] == "ignored" && d["attempts"] == 1;
    let delivery = stack.until(&id, "ignored again", again).await;
    assert_has(
        &delivery,
        &json!({ "lastError": null, "processedAt": null }),
    );
}

#[tokio::test]
async fn an_unprocessable_delivery_is_unprocessable_again() {
    let stack = Stack::from_env().await;
    let id = stack
        .accepted(format!("not JSON {}", Samples::fresh().event(1)))
        .await;
    let before = stack.delivery(&id).await;
    stack.replay(&id).await;
    let again = |d: &serde_json::Value| d["status"] == "unprocessable" && d["attempts"] == 1;
    let delivery = stack.until(&id, "unprocessable again", again).await;
    assert_eq!(delivery["lastError"], before["lastError"]);
    assert!(delivery["lastError"].is_string());
}

#[tokio::test]
async fn an_erased_delivery_is_gone_and_not_queued() {
    let stack = Stack::from_env().await;
    let id = stack
        .applied(Samples::fresh().body("invitee.created"))
        .await;
    let delivery = DeliveryId::parse(&id).unwrap();
    assert!(stack.deliveries.erase(&delivery).await.unwrap());
    let path = format!("/v1/deliveries/{id}/replay");
    let answer = stack.post_json(&path, &Value::Null).await;
    answer.problem(410, "DELIVERY_ERASED");
    let kept = stack.delivery(&id).await;
    assert_has(&kept, &json!({ "status": "processed", "attempts": 1 }));
    assert!(kept["erasedAt"].is_string());
}
