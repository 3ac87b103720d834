//! The lines themselves. Source of the limits: CloudWatch's specification of the embedded metric
//! format.

use super::names::Metric;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const NAMESPACE: &str = "calendly-serverless";
/// The most values that one metric of a line may have.
const MAX_VALUES: usize = 100;

/// The lines with these values, with the stack as their only dimension: one, or more where a metric
/// has more values than a line may hold.
pub(super) fn lines(mut values: BTreeMap<Metric, Vec<u64>>, at: Timestamp) -> Vec<Value> {
    let mut lines = Vec::new();
    loop {
        let mut here: Vec<(Metric, Value)> = Vec::new();
        for (metric, left) in &mut values {
            let rest = left.split_off(left.len().min(MAX_VALUES));
            let some = std::mem::replace(left, rest);
            match some.as_slice() {
                [] => {}
                [one] => here.push((*metric, json!(one))),
                many => here.push((*metric, json!(many))),
            }
        }
        if here.is_empty() {
            return lines;
        }
        lines.push(line(here, &[&["Stack"]], &[("Stack", &stack())], at));
    }
}

/// The line of one thing that happened: in any function, and in this one.
pub(super) fn of_function(metric: Metric, function: &str, at: Timestamp) -> Value {
    line(
        vec![(metric, json!(1))],
        &[&["Stack"], &["Stack", "Function"]],
        &[("Stack", &stack()), ("Function", function)],
        at,
    )
}

fn stack() -> String {
    std::env::var("STACK_NAME").unwrap_or_else(|_| "unknown".to_owned())
}

fn line(
    values: Vec<(Metric, Value)>,
    sets: &[&[&str]],
    dimensions: &[(&str, &str)],
    at: Timestamp,
) -> Value {
    let metrics: Vec<Value> = values
        .iter()
        .map(|(metric, _)| json!({"Name": metric.name(), "Unit": metric.unit().as_str()}))
        .collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": sets,
                "Metrics": metrics,
            }],
        }),
    );
    for (name, value) in dimensions {
        line.insert((*name).to_owned(), json!(value));
    }
    for (metric, value) in values {
        line.insert(metric.name().to_owned(), value);
    }
    Value::Object(line)
}

#[cfg(test)]
mod tests;
