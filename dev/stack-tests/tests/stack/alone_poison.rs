//! A poison record in a batch fails alone.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use stack_tests::{Samples, Stack, assert_has, eventually};

/// Good deliveries, which must be applied in their first attempt.
async fn all_applied(stack: &Stack, ids: &[String], samples: &[Samples]) {
    for (id, samples) in ids.iter().zip(samples) {
        let delivery = stack.until_status(id, "processed").await;
        assert_eq!(delivery["attempts"], 1, "another's failure brought it back");
        assert_has(
            &stack.event(&samples.event(1)).await,
            &json!({ "status": "active", "invitees": [{ "name": "Ada Booker" }] }),
        );
    }
}

async fn until_nothing_waits(stack: &Stack) {
    eventually("the queue is empty", async || match stack.waiting().await {
        0 => Ok(()),
        waiting => Err(waiting),
    })
    .await;
}

#[tokio::test]
async fn messages_that_are_no_deliveries() {
    let stack = Stack::from_env().await;
    stack.purge_dead_letters().await;
    let good: Vec<_> = (0..3).map(|_| Samples::fresh()).collect();
    let unique = uuid::Uuid::new_v4();
    let garbage = format!("garbage {unique}");
    let unknown = json!({
        "deliveryId": platform::deliveries::DeliveryId::of(unique.as_bytes()),
        "trackingId": unique.to_string(),
        "event": "invitee.created",
    })
    .to_string();

    let mut ids = Vec::new();
    stack
        .with_worker_stopped(async || {
            for (samples, poison) in good.iter().zip([garbage.as_str(), &unknown, "{}"]) {
                ids.push(stack.accepted(samples.body("invitee.created")).await);
                stack.send_to_queue(poison).await;
            }
        })
        .await;

    all_applied(&stack, &ids, &good).await;
    until_nothing_waits(&stack).await;
    let letters = stack.letters().await;
    assert_eq!(letters.len(), 3, "{letters:?}");
    for (body, reason) in [
        (garbage.as_str(), "not a reference"),
        (&unknown, "not in the log"),
        ("{}", "not a reference"),
    ] {
        let letter = letters
            .iter()
            .find(|letter| letter.body == *body)
            .expect(body);
        assert!(
            letter.reason.as_ref().unwrap().contains(reason),
            "{letter:?}"
        );
    }
    // A redrive says of each that it can do nothing, and leaves them.
    let report = stack.redrive(json!({})).await;
    let nothing =
        json!({ "redriven": 0, "complete": true, "notInLog": 1, "unreadable": 2, "left": 3 });
    assert_has(&report, &nothing);
    assert_eq!(stack.letters().await.len(), 3);
    stack.purge_dead_letters().await;
}

#[tokio::test]
async fn deliveries_that_can_not_be_applied() {
    let stack = Stack::from_env().await;
    stack.purge_dead_letters().await;
    let good: Vec<_> = (0..3).map(|_| Samples::fresh()).collect();
    let (torn, partial) = (Samples::fresh(), Samples::fresh());

    let (mut ids, mut bad) = (Vec::new(), Vec::new());
    stack
        .with_worker_stopped(async || {
            for samples in [&torn, &good[0], &partial, &good[1], &good[2]] {
                let id = stack.accepted(samples.body("invitee.created")).await;
                let is_good = good.iter().any(|good| std::ptr::eq(good, samples));
                if is_good { &mut ids } else { &mut bad }.push(id);
            }
            // One that no attempt can read, and one that lacks a part, which may pass.
            let noise = AttributeValue::B(Blob::new(b"noise"));
            stack.tamper(&bad[0], "body", noise).await;
            stack
                .tamper(&bad[1], "bodyParts", AttributeValue::N("2".to_owned()))
                .await;
        })
        .await;

    all_applied(&stack, &ids, &good).await;
    let dead = stack.until_status(&bad[0], "dead").await;
    assert_eq!(dead["attempts"], 1, "no attempt can succeed");
    let reason = dead["lastError"].as_str().unwrap();
    assert!(reason.contains("can't be read"), "{reason}");

    let failed = |d: &Value| d["status"] == "failed" && d["nextAttemptAt"].is_string();
    stack.until(&bad[1], "failed", failed).await;
    stack
        .tamper(&bad[1], "bodyParts", AttributeValue::N("1".to_owned()))
        .await;
    let healed = stack.until_status(&bad[1], "processed").await;
    assert!(healed["attempts"].as_u64() >= Some(2));
    assert_eq!(stack.event(&partial.event(1)).await["status"], "active");

    until_nothing_waits(&stack).await;
    let letters = stack.letters().await;
    assert!(
        letters.len() == 1 && letters[0].body.contains(&bad[0]),
        "{letters:?}"
    );
    stack.purge_dead_letters().await;
}
