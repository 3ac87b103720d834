//! What the alarms of syncs, tokens and subscriptions wait for, each brought about and counted. They
//! run after the tests that share the sandbox's accounts: tokens of all of them end here.

use jiff::{SignedDuration, Timestamp};
use platform::deliveries::{DeliveryId, NewDelivery, Status};
use reqwest::Method;
use serde_json::{Value, json};
use stack_tests::{Desk, Function, Samples, Sandbox, Stack, eventually};

/// The sum of a metric in the log of the sync function.
fn counted(stack: &Stack, metric: &str) -> u64 {
    let lines = stack.log_lines("sync");
    lines.iter().filter_map(|line| line[metric].as_u64()).sum()
}

/// Waits until a metric stands higher than before.
async fn until_counted(stack: &Stack, metric: &str, before: u64) {
    eventually(&format!("{metric} is counted"), async || {
        let now = counted(stack, metric);
        if now > before { Ok(()) } else { Err(now) }
    })
    .await;
}

fn tomorrow() -> String {
    (Timestamp::now() + SignedDuration::from_hours(24)).to_string()
}

#[tokio::test]
async fn a_tick_plans_heals_and_sweeps() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Tina Tick").await;
    let mut desk = Desk::connected(&stack, &sandbox, account).await;
    stack.until_first_sync(&desk.account).await;
    let faults = json!({ "seed": 1, "drop": 1.0 });
    sandbox
        .with_faults(&faults, async || {
            desk.book("Mia Missed", "Product Demo", &tomorrow()).await;
            desk.applied_but_dropped().await;
        })
        .await;
    assert_eq!(desk.differences().await.len(), 1, "it was not told of");

    // As a process leaves it that was killed between the log and the queue.
    let body = Samples::fresh().body("invitee.created");
    let id = DeliveryId::of(body.as_bytes());
    let lost = NewDelivery {
        id: &id,
        tracking_id: "left-waiting",
        provider: "calendly",
        event: Some("invitee.created"),
        status: Status::Received,
        reason: None,
        event_uri: None,
        invitee_uri: None,
        warnings: &[],
        about: None,
        occurred_at: None,
        received_at: Timestamp::now() - SignedDuration::from_mins(20),
        body: body.as_bytes(),
    };
    let retention = SignedDuration::from_hours(24);
    stack.deliveries.record(&lost, retention).await.unwrap();

    let metrics = ["SyncsPlanned", "DriftHealed", "DeliveriesRequeued"];
    let before = metrics.map(|metric| counted(&stack, metric));
    let done = stack.tick().await;
    assert!(done["planned"].as_u64() >= Some(1), "{done}");
    assert!(done["swept"].as_u64() >= Some(1), "{done}");
    stack.until_status(id.as_str(), "processed").await;
    for (metric, before) in metrics.into_iter().zip(before) {
        until_counted(&stack, metric, before).await;
    }
    // What was counted may have been healed for another account.
    eventually("the missed booking is there", async || {
        let missing = desk.differences().await;
        if missing.is_empty() {
            Ok(())
        } else {
            Err(missing)
        }
    })
    .await;
    desk.assert_same().await;
}

#[tokio::test]
async fn retries_of_calendly_are_told_with_the_hours_that_are_left() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Rita Retry").await;
    let mut desk = Desk::connected(&stack, &sandbox, account).await;
    stack.until_first_sync(&desk.account).await;
    let down = [("DELIVERIES_TABLE", "no-such-table")];
    stack
        .with_environment(Function::Webhook, &down, async || {
            desk.book("Rob Retried", "Product Demo", &tomorrow()).await;
            eventually("Calendly begins to retry", async || {
                let all = sandbox.subscriptions(&desk.account).await;
                let began = |one: &Value| !one["retry_started_at"].is_null();
                if all.iter().any(began) {
                    Ok(())
                } else {
                    Err(all)
                }
            })
            .await;
        })
        .await;
    stack.sync(&desk.account).await;
    let before = counted(&stack, "SubscriptionHoursLeft");
    let watched = stack.watch().await;
    assert!(watched["well"].is_boolean(), "{watched}");
    until_counted(&stack, "SubscriptionHoursLeft", before).await;
}

#[tokio::test]
async fn tokens_are_renewed_and_their_loss_is_told() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Toni Token").await;
    let desk = Desk::connected(&stack, &sandbox, account).await;
    stack.until_first_sync(&desk.account).await;

    let before = counted(&stack, "TokensRefreshed");
    let expire = async |what: Value| {
        sandbox.control(Method::POST, "/expire-tokens", &what).await;
    };
    expire(json!({})).await;
    stack.sync(&desk.account).await;
    until_counted(&stack, "TokensRefreshed", before).await;

    let metrics = ["TokenRefreshFailures", "ConnectionsLost", "SyncsFailed"];
    let before = metrics.map(|metric| counted(&stack, metric));
    expire(json!({ "refresh": true })).await;
    let wanted = json!({ "connection": desk.account.id });
    stack.post_json("/v1/sync", &wanted).await.with_status(202);
    for (metric, before) in metrics.into_iter().zip(before) {
        until_counted(&stack, metric, before).await;
    }
    let connection = stack.connection(&desk.account.id).await.unwrap();
    assert_eq!(connection["status"], "needs_reauth");
}
