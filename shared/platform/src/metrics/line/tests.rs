use super::super::names::{ALL, EVERY, Unit};
use super::*;
use crate::metrics::{Metrics, capture};
use std::path::PathBuf;

fn schema() -> jsonschema::Validator {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/emf.schema.json");
    let text = std::fs::read_to_string(path).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

/// What the schema has against a line; nothing if it is of the format. A schema can't say that every
/// name that is mentioned has its value beside it, so that is looked at here.
fn problems(line: &Value) -> Vec<String> {
    let schema = schema();
    let mut found: Vec<String> = schema.iter_errors(line).map(|e| e.to_string()).collect();
    for directive in line["_aws"]["CloudWatchMetrics"]
        .as_array()
        .into_iter()
        .flatten()
    {
        for metric in directive["Metrics"].as_array().into_iter().flatten() {
            let name = metric["Name"].as_str().unwrap_or_default();
            if !(line[name].is_number() || line[name].is_array()) {
                found.push(format!("no value of {name}"));
            }
        }
        let sets = directive["Dimensions"].as_array().into_iter().flatten();
        for name in sets.filter_map(Value::as_array).flatten() {
            if !line[name.as_str().unwrap_or_default()].is_string() {
                found.push(format!("no value of the dimension {name}"));
            }
        }
    }
    found
}

fn at() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

#[test]
fn a_line_names_its_metrics_their_dimension_and_their_values() {
    let values = BTreeMap::from([
        (Metric::SubscriptionHoursLeft, vec![3]),
        (Metric::LagFromReceipt, vec![12, 15]),
    ]);
    let lines = lines(values, at());
    assert_eq!(lines.len(), 1);
    let line = &lines[0];
    assert_eq!(problems(line), [""; 0]);
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(line["_aws"]["Timestamp"], 1_795_176_000_000_i64);
    assert_eq!(directive["Namespace"], "calendly-serverless");
    assert_eq!(directive["Dimensions"], json!([["Stack"]]));
    assert_eq!(
        directive["Metrics"],
        json!([
            {"Name": "LagFromReceipt", "Unit": "Milliseconds"},
            {"Name": "SubscriptionHoursLeft", "Unit": "None"},
        ])
    );
    assert_eq!(line["LagFromReceipt"], json!([12, 15]));
    assert_eq!(line["SubscriptionHoursLeft"], json!(3));
    assert_eq!(line["Stack"], "unknown");
}

#[test]
fn a_cold_start_counts_for_its_function_too() {
    let line = of_function(Metric::ColdStarts, "webhook", at());
    assert_eq!(problems(&line), [""; 0]);
    let directive = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(
        directive["Dimensions"],
        json!([["Stack"], ["Stack", "Function"]])
    );
    assert_eq!(line["Function"], "webhook");
}

#[test]
fn a_line_with_every_metric_and_as_many_values_as_may_be_is_of_the_format() {
    let captured = capture();
    {
        let mut metrics = Metrics::default();
        for (name, _) in ALL {
            let metric = EVERY.iter().find(|metric| metric.name() == *name).unwrap();
            for _ in 0..250 {
                match metric.unit() {
                    Unit::Count => metrics.count(*metric),
                    Unit::Milliseconds | Unit::None => metrics.measure(*metric, 7),
                }
            }
        }
    }
    let lines = captured.lines();
    assert_eq!(lines.len(), 3, "100 values, 100 and 50");
    let directive = &lines[0]["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Metrics"].as_array().unwrap().len(), ALL.len());
    assert_eq!(lines[0]["WebhooksReceived"], 250);
    let counts = lines
        .iter()
        .map(|line| line["LagFromReceipt"].as_array().unwrap().len());
    assert_eq!(counts.collect::<Vec<_>>(), [100, 100, 50]);
    for line in &lines {
        assert_eq!(problems(line), [""; 0]);
        assert!(line.to_string().len() < 256 * 1024);
    }
    assert_eq!(captured.sum(Metric::DeliveriesDead), 250);
}

#[test]
fn what_is_not_of_the_format_does_not_pass() {
    let good = of_function(Metric::ColdStarts, "webhook", at());
    let broken: [fn(&mut Value); 9] = [
        |line| line["_aws"]["Timestamp"] = json!("now"),
        |line| line["_aws"]["CloudWatchMetrics"][0]["Namespace"] = json!(""),
        |line| line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = json!(["Stack"]),
        |line| line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] = json!([vec!["Stack"; 31]]),
        |line| line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"] = json!("Hours"),
        |line| {
            let metrics = vec![json!({"Name": "ColdStarts"}); 101];
            line["_aws"]["CloudWatchMetrics"][0]["Metrics"] = json!(metrics);
        },
        |line| line["ColdStarts"] = json!("1"),
        |line| line["ColdStarts"] = json!(vec![1; 101]),
        |line| line["Function"] = json!(7),
    ];
    for (number, change) in broken.iter().enumerate() {
        let mut line = good.clone();
        change(&mut line);
        assert!(!problems(&line).is_empty(), "change {number} passes");
    }
}

#[test]
fn nothing_counted_is_nothing_written() {
    let captured = capture();
    Metrics::default().add(Metric::SyncPages, 0);
    assert_eq!(captured.lines(), [Value::Null; 0]);
}

#[test]
fn dashboard_and_alarms_know_the_same_metrics() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../dev/local/metrics.json");
    let text = std::fs::read_to_string(path).unwrap();
    let mut listed: Value = serde_json::from_str(&text).unwrap();
    for one in listed["metrics"].as_array_mut().into_iter().flatten() {
        // Which are states is for the rules of alarms.
        one.as_object_mut().map(|one| one.remove("state"));
    }
    let written = EVERY.iter().map(|metric| {
        let line = match metric {
            Metric::ColdStarts | Metric::ServerErrors => of_function(*metric, "webhook", at()),
            other => lines(BTreeMap::from([(*other, vec![1])]), at()).remove(0),
        };
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Namespace"], listed["namespace"]);
        let metric = &directive["Metrics"][0];
        json!({
            "name": metric["Name"],
            "unit": metric["Unit"],
            "dimensions": directive["Dimensions"],
        })
    });
    assert_eq!(listed["metrics"], written.collect::<Value>());
}
