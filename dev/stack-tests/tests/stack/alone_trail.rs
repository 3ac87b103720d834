//! What the logs tell: the way of one webhook through all functions, and metrics in their format.
//! Runs after all tests but `alone_logs`, whose log level it would not want.

use jiff::Timestamp;
use platform::metrics::ALL;
use serde_json::{Value, json};
use stack_tests::{Samples, Stack, assert_has, eventually};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The one line of a function's log that tells how something ended, once it is there.
async fn told(stack: &Stack, function: &str, wanted: &Value, nth: usize) -> Value {
    eventually(&format!("{function} tells of {wanted}"), async || {
        let mut lines = stack.log_lines(function);
        let wanted = wanted.as_object().unwrap();
        lines.retain(|line| wanted.iter().all(|(name, value)| line[name] == *value));
        match lines.len() {
            count if count > nth => Ok(lines.swap_remove(nth)),
            _ => Err(lines),
        }
    })
    .await
}

/// The fields that every line has.
fn assert_whole(line: &Value, function: &str) {
    assert_eq!(line["function"], function, "{line}");
    // What a function tells while it starts belongs to no invocation.
    let starts = line["message"] == "not made ready";
    for field in ["timestamp", "level", "message", "requestId"] {
        if starts && field == "requestId" {
            continue;
        }
        let text = line[field].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "no {field}: {line}");
    }
    assert!(time(line).is_some(), "{line}");
}

fn time(line: &Value) -> Option<Timestamp> {
    line["timestamp"].as_str()?.parse().ok()
}

#[tokio::test]
async fn one_tracking_id_leads_from_the_answer_to_the_booking() {
    let stack = Stack::from_env().await;
    let answer = stack
        .post(Samples::fresh().body("invitee.created"))
        .send()
        .await;
    let tracking_id = answer.tracking_id.clone().unwrap();
    let id = answer.ok()["deliveryId"].as_str().unwrap().to_owned();
    stack.until_status(&id, "processed").await;

    let trail = json!({ "trackingId": tracking_id, "deliveryId": id });
    let of = |outcome: &str| {
        let mut wanted = trail.clone();
        wanted["outcome"] = outcome.into();
        wanted
    };
    let received = told(&stack, "webhook", &of("received"), 0).await;
    let applied = told(&stack, "worker", &of("processed"), 0).await;
    for (line, function) in [(&received, "webhook"), (&applied, "worker")] {
        assert_whole(line, function);
        let common = json!({
            "level": "INFO",
            "event": "invitee.created",
            "connection": "AAAAHOSTUSER0001",
        });
        assert_has(line, &common);
        assert!(line["durationMs"].is_u64(), "{line}");
    }
    assert_has(&applied, &json!({ "attempt": 1, "changes": "scheduled" }));
    assert!(time(&received) < time(&applied), "{received} {applied}");
    assert_ne!(received["requestId"], applied["requestId"]);

    // A replay is applied under the delivery's own id.
    stack.replay(&id).await;
    let replayed = json!({ "deliveryId": id, "outcome": "replayed" });
    let replayed = told(&stack, "api", &replayed, 0).await;
    assert_whole(&replayed, "api");
    let again = told(&stack, "worker", &of("processed"), 1).await;
    assert!(time(&replayed) < time(&again), "{replayed} {again}");
    assert_has(&again, &json!({ "attempt": 1, "changes": "" }));
    let counted = told(&stack, "api", &json!({ "DeliveriesReplayed": 1 }), 0).await;
    assert!(counted["_aws"].is_object());
}

fn schema() -> jsonschema::Validator {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/emf.schema.json");
    let text = std::fs::read_to_string(path).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

#[tokio::test]
async fn every_line_of_the_run_is_an_event_with_its_ids_or_a_metric_of_the_format() {
    let stack = Stack::from_env().await;
    // At least one of each kind, also where this test runs by itself.
    let body = Samples::fresh().body("invitee.created");
    stack.post(body.clone()).signatures(&[]).send().await;
    stack.applied(body).await;

    let schema = schema();
    let units: BTreeMap<&str, &str> = ALL.iter().copied().collect();
    let mut sums: BTreeMap<String, u64> = BTreeMap::new();
    let mut told: BTreeMap<String, u64> = BTreeMap::new();
    for function in ["webhook", "worker", "api", "oauth", "sync"] {
        let path = stack.log_dir.join(format!("{function}.log"));
        // A function that nothing called has no log.
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let mut cold_starts = 0;
        // The last line may still be on its way.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        for line in whole.lines() {
            let json: Value = serde_json::from_str(line)
                .unwrap_or_else(|error| panic!("{error} in {function}: {line}"));
            if json.get("_aws").is_none() {
                assert_whole(&json, function);
                if let ("api", Some(outcome)) = (function, json["outcome"].as_str()) {
                    *told.entry(outcome.to_owned()).or_default() += 1;
                }
                continue;
            }
            let errors: Vec<_> = schema.iter_errors(&json).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?} in {function}: {line}");
            assert_eq!(json["Stack"], "calendly-local", "{line}");
            let directive = &json["_aws"]["CloudWatchMetrics"][0];
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap();
                assert_eq!(metric["Unit"].as_str(), units.get(name).copied(), "{line}");
                let sum = sums.entry(name.to_owned()).or_default();
                *sum += json[name].as_u64().unwrap();
                if name == "ColdStarts" {
                    assert_eq!(json["Function"], function, "{line}");
                    cold_starts += 1;
                }
            }
        }
        assert!(cold_starts > 0, "{function} never started");
    }
    // What operators had done is counted as it is told.
    for (outcome, name) in [
        ("replayed", "DeliveriesReplayed"),
        ("redriven", "DeliveriesRedriven"),
    ] {
        assert_eq!(told.get(outcome), sums.get(name), "{outcome}");
    }
    for name in [
        "WebhooksReceived",
        "WebhooksAccepted",
        "RefusedInvalidSignature",
        "DeliveriesProcessed",
        "BookingsScheduled",
    ] {
        assert!(
            sums.get(name).is_some_and(|sum| *sum > 0),
            "{name} in {sums:?}"
        );
    }
}
