//! Failures that pass, and one that doesn't.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use stack_tests::{Function, Samples, Stack, assert_has};

/// The bookings can't be reached: as on AWS, a role has no right to a table that isn't the stack's.
const FAULT: [(&str, &str); 1] = [("BOOKINGS_TABLE", "no-such-table")];

fn schedule() -> Vec<i64> {
    let schedule = std::env::var("RETRY_SCHEDULE").expect("RETRY_SCHEDULE; run `make test-stack`");
    schedule
        .split(',')
        .map(|seconds| seconds.parse().unwrap())
        .collect()
}

/// The worker's log lines about a delivery: attempt, outcome, time.
fn attempts(stack: &Stack, id: &str) -> Vec<(u64, String, Timestamp)> {
    let lines = stack.log_lines("worker");
    let of_it = lines
        .iter()
        .filter(|line| line["deliveryId"] == id && line["outcome"].is_string());
    of_it
        .map(|line| {
            let text = |name: &str| line[name].as_str().unwrap().to_owned();
            let number = line["attempt"].as_u64().unwrap();
            (number, text("outcome"), text("timestamp").parse().unwrap())
        })
        .collect()
}

fn is_failed(delivery: &Value) -> bool {
    delivery["status"] == "failed"
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again_and_succeeds() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let id = stack
        .with_environment(Function::Worker, &FAULT, async || {
            let id = stack.accepted(samples.body("invitee.created")).await;
            let before = Timestamp::now();
            let delivery = stack.until(&id, "failed", is_failed).await;
            assert_has(&delivery, &json!({ "processedAt": null }));
            assert!(delivery["attempts"].as_u64() >= Some(1));
            let error = delivery["lastError"].as_str().unwrap();
            assert!(error.contains("AccessDeniedException"), "{error}");
            let next: Timestamp = delivery["nextAttemptAt"].as_str().unwrap().parse().unwrap();
            // The longest wait of the tests' schedule is 3 s.
            let latest = Timestamp::now() + SignedDuration::from_secs(4);
            assert!(before < next && next < latest, "{next}");
            stack
                .get(&format!("/v1/events/{}", samples.event(1)))
                .await
                .problem(404, "NOT_FOUND");
            id
        })
        .await;
    let delivery = stack.until_status(&id, "processed").await;
    assert_has(
        &delivery,
        &json!({ "lastError": null, "nextAttemptAt": null }),
    );
    let made = attempts(&stack, &id);
    assert_eq!(delivery["attempts"], made.len());
    assert!(made.len() >= 2, "{made:?}");
    assert_eq!(made.last().unwrap().1, "processed");
    assert_eq!(stack.event(&samples.event(1)).await["status"], "active");
}

#[tokio::test]
async fn one_that_keeps_failing_is_dead_after_the_fifth_retry() {
    let stack = Stack::from_env().await;
    stack.purge_dead_letters().await;
    let body = Samples::fresh().body("invitee.created");
    let id = stack
        .with_environment(Function::Worker, &FAULT, async || {
            let id = stack.accepted(body.clone()).await;
            let dead = |d: &Value| d["status"] == "dead" && d["attempts"] == 6;
            stack.until(&id, "dead", dead).await;
            id
        })
        .await;

    let delivery = stack.delivery(&id).await;
    assert_has(
        &delivery,
        &json!({ "attempts": 6, "nextAttemptAt": null, "processedAt": null }),
    );
    let error = delivery["lastError"].as_str().unwrap();
    assert!(error.contains("AccessDeniedException"), "{error}");

    let made = attempts(&stack, &id);
    let outcomes: Vec<_> = made
        .iter()
        .map(|(number, outcome, _)| (*number, outcome.as_str()))
        .collect();
    let failed = (1..=5).map(|number| (number, "failed"));
    assert_eq!(outcomes, failed.chain([(6, "dead")]).collect::<Vec<_>>());
    for (pair, wait) in made.windows(2).zip(schedule()) {
        let waited = pair[1].2.duration_since(pair[0].2).as_secs_f64();
        let wanted = f64::from(i32::try_from(wait).unwrap());
        assert!(
            (wanted - 0.2..wanted + 2.0).contains(&waited),
            "{waited} s rather than {wait}"
        );
    }

    let letters = stack.letters().await;
    let letter = letters
        .iter()
        .find(|letter| letter.body.contains(&id))
        .expect("a dead letter");
    assert!(
        letter
            .reason
            .as_ref()
            .unwrap()
            .contains("AccessDeniedException"),
        "{letter:?}"
    );
    assert_eq!(
        letters
            .iter()
            .filter(|letter| letter.body.contains(&id))
            .count(),
        1
    );
    let listed = stack
        .pages("/v1/dead-letters?limit=100", "deadLetters", 100)
        .await
        .concat();
    let listed: Vec<_> = listed
        .iter()
        .filter(|letter| letter["id"] == id.as_str())
        .collect();
    assert_eq!(listed, [&delivery]);

    // The cause is gone: the same webhook again, as Calendly might send it, heals it too.
    let again = stack.post(body).send().await.ok();
    assert_has(&again, &json!({ "duplicate": true }));
    stack.until_status(&id, "processed").await;
    stack.purge_dead_letters().await;
}
