//! What died comes back: by redrive, all or some, or by replay.

use reqwest::Method;
use serde_json::{Value, json};
use stack_tests::{Function, Samples, Stack, assert_has};

/// The bookings can't be reached, and there is little patience.
const FAULT: [(&str, &str); 2] = [
    ("BOOKINGS_TABLE", "no-such-table"),
    ("RETRY_SCHEDULE", "0,0,0,0,0"),
];

/// Dead deliveries with these bodies, and no others in the dead letter queue.
async fn dead(stack: &Stack, bodies: &[String]) -> Vec<String> {
    stack.purge_dead_letters().await;
    stack
        .with_environment(Function::Worker, &FAULT, async || {
            let mut ids = Vec::new();
            for body in bodies {
                ids.push(stack.accepted(body.clone()).await);
            }
            for id in &ids {
                stack
                    .until(id, "dead", |d| d["status"] == "dead" && d["attempts"] == 6)
                    .await;
            }
            ids
        })
        .await
}

async fn statuses(stack: &Stack, ids: &[String]) -> Vec<String> {
    let mut statuses = Vec::new();
    for id in ids {
        statuses.push(
            stack.delivery(id).await["status"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    statuses
}

async fn listed(stack: &Stack, limit: usize) -> Vec<String> {
    let path = format!("/v1/dead-letters?limit={limit}");
    let letters = stack.pages(&path, "deadLetters", limit).await.concat();
    letters
        .iter()
        .map(|letter| letter["id"].as_str().unwrap().to_owned())
        .collect()
}

fn sorted(ids: &Value) -> Vec<String> {
    let mut ids: Vec<_> = ids
        .as_array()
        .unwrap()
        .iter()
        .map(|id| id.as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn redrive() {
    let stack = Stack::from_env().await;
    let samples: Vec<_> = (0..3).map(|_| Samples::fresh()).collect();
    let mut bodies: Vec<_> = samples.iter().map(|s| s.body("invitee.created")).collect();
    bodies.push(samples[0].body("invitee.canceled"));
    let ids = dead(&stack, &bodies).await;
    let mut all = ids.clone();
    all.sort();

    // The list: page by page, each once.
    let shown = listed(&stack, 2).await;
    for id in &ids {
        assert_eq!(shown.iter().filter(|shown| *shown == id).count(), 1);
    }
    assert_eq!(listed(&stack, 100).await, shown);
    assert_eq!(
        stack.get("/v1/dead-letters").await.ok()["messagesInQueue"],
        4
    );

    // A dry run says what would be, and does nothing.
    let report = stack.redrive(json!({ "dryRun": true })).await;
    assert_has(
        &report,
        &json!({ "dryRun": true, "matched": 4, "redriven": 0, "complete": true }),
    );
    assert_eq!(sorted(&report["deliveryIds"]), all);
    let report = stack
        .redrive(json!({ "dryRun": true, "event": "invitee.canceled" }))
        .await;
    assert_has(&report, &json!({ "matched": 1, "deliveryIds": [ids[3]] }));
    assert_eq!(statuses(&stack, &ids).await, ["dead"; 4]);
    assert_eq!(stack.letters().await.len(), 4);

    // By delivery.
    let report = stack.redrive(json!({ "deliveryId": ids[1] })).await;
    assert_has(
        &report,
        &json!({ "dryRun": false, "redriven": 1, "deliveryIds": [ids[1]] }),
    );
    stack.until_status(&ids[1], "processed").await;
    assert_eq!(
        statuses(&stack, &ids).await,
        ["dead", "processed", "dead", "dead"]
    );

    // Both conditions must be met.
    let both = json!({ "deliveryId": ids[3], "event": "invitee.created" });
    assert_eq!(stack.redrive(both).await["redriven"], 0);

    // By event, one at most.
    let report = stack
        .redrive(json!({ "event": "invitee.created", "limit": 1 }))
        .await;
    assert_eq!(report["redriven"], 1);
    let id = report["deliveryIds"][0].as_str().unwrap();
    assert!(id == ids[0] || id == ids[2]);
    stack.until_status(id, "processed").await;
    assert_eq!(stack.letters().await.len(), 2);

    // The rest.
    let report = stack.redrive(json!({})).await;
    assert_has(
        &report,
        &json!({ "redriven": 2, "left": 0, "complete": true }),
    );
    for id in &ids {
        let delivery = stack.until_status(id, "processed").await;
        assert_has(&delivery, &json!({ "lastError": null, "attempts": 7 }));
    }
    assert!(stack.letters().await.is_empty());
    let shown = listed(&stack, 100).await;
    assert!(ids.iter().all(|id| !shown.contains(id)));
    for (at, samples) in samples.iter().enumerate() {
        let status = if at == 0 { "canceled" } else { "active" };
        assert_eq!(stack.event(&samples.event(1)).await["status"], status);
    }
}

#[tokio::test]
async fn replay_of_a_dead_delivery() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let ids = dead(&stack, &[samples.body("invitee.created")]).await;
    let id = &ids[0];
    assert_eq!(
        stack.replay(id).await["trackingId"],
        stack.delivery(id).await["trackingId"]
    );
    let delivery = stack.until_status(id, "processed").await;
    assert_has(&delivery, &json!({ "attempts": 7, "lastError": null }));
    assert!(!listed(&stack, 100).await.contains(id));
    assert_eq!(stack.event(&samples.event(1)).await["status"], "active");

    // Its letter is still in the queue. A redrive may send it once more; nothing changes.
    stack.redrive(json!({ "deliveryId": id })).await;
    stack.until_status(id, "processed").await;
    assert!(stack.letters().await.is_empty());
}

#[tokio::test]
async fn what_was_discarded_is_no_dead_letter_and_leaves_the_queue_with_a_redrive() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let bodies = ["invitee.created", "invitee.canceled"].map(|event| samples.body(event));
    let ids = dead(&stack, &bodies).await;
    let path = format!("/v1/dead-letters/{}/discard", ids[0]);
    let put_away = async || {
        let reason = json!({ "reason": "entered by hand" });
        stack.post_json(&path, &reason).await
    };
    let first = put_away().await.ok();
    assert_has(&first, &json!({ "id": ids[0], "status": "discarded" }));
    assert_eq!(first["discarded"]["reason"], "entered by hand");
    assert_eq!(put_away().await.ok(), first);
    assert!(!listed(&stack, 100).await.contains(&ids[0]));

    // Both letters are in the queue; a redrive sends the other one only.
    let dry = stack.redrive(json!({ "dryRun": true })).await;
    assert_has(
        &dry,
        &json!({ "matched": 1, "discarded": 1, "deliveryIds": [ids[1]] }),
    );
    assert_eq!(stack.letters().await.len(), 2);
    let report = stack.redrive(json!({})).await;
    assert_has(
        &report,
        &json!({ "redriven": 1, "discarded": 1, "notRetryable": 0, "left": 0 }),
    );
    stack.until_status(&ids[1], "processed").await;
    assert!(stack.letters().await.is_empty());
    assert_eq!(statuses(&stack, &ids[..1]).await, ["discarded"]);

    // What is not dead is a conflict; and a replay takes it back.
    stack.replay(&ids[0]).await;
    let delivery = stack.until_status(&ids[0], "processed").await;
    assert_has(
        &delivery,
        &json!({ "discarded": null, "retryable": true, "errorKind": null }),
    );
    assert_eq!(put_away().await.with_status(409)["code"], "NOT_DEAD");
}

#[tokio::test]
async fn a_dead_delivery_that_fails_again_is_dead_again() {
    let stack = Stack::from_env().await;
    let ids = dead(&stack, &[Samples::fresh().body("invitee.created")]).await;
    stack
        .with_environment(Function::Worker, &FAULT, async || {
            let report = stack.redrive(json!({ "deliveryId": ids[0] })).await;
            // It died again at once; the same redrive must not take it up once more.
            assert_eq!(report["redriven"], 1);
            let again = |d: &Value| d["status"] == "dead" && d["attempts"] == 12;
            stack.until(&ids[0], "dead again", again).await;
        })
        .await;
    assert_eq!(stack.letters().await.len(), 1);
    // No body at all asks for everything.
    let key = [("x-api-key", stack.api_key.as_str())];
    let everything = stack
        .call(Method::POST, "/v1/dead-letters/redrive", &key, None)
        .await;
    assert_eq!(everything.ok()["redriven"], 1);
    stack.until_status(&ids[0], "processed").await;
}
