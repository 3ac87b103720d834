//! Metrics, as log lines in CloudWatch's embedded metric format: no call, and no cost that grows
//! with the number of connections, which are no dimension.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::io::Write;

const NAMESPACE: &str = "calendly-serverless";

/// What a metric's value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things that happened.
    Count,
    /// A plain number, such as hours: CloudWatch has no unit for those.
    None,
}

/// Writes one value of a metric, with the stage (`STAGE`) as its only dimension.
pub fn put(name: &'static str, unit: Unit, value: f64) {
    let stage = std::env::var("STAGE").unwrap_or_else(|_| "unknown".to_owned());
    let line = line(name, unit, value, &stage, Timestamp::now());
    // The format wants the JSON alone on its line, so it doesn't go through the log.
    if let Err(error) = writeln!(std::io::stdout(), "{line}") {
        tracing::warn!(%error, "a metric was not written");
    }
}

fn line(name: &'static str, unit: Unit, value: f64, stage: &str, at: Timestamp) -> Value {
    let unit = match unit {
        Unit::Count => "Count",
        Unit::None => "None",
    };
    json!({
        "_aws": {
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [{
                "Namespace": NAMESPACE,
                "Dimensions": [["Stage"]],
                "Metrics": [{"Name": name, "Unit": unit}],
            }],
        },
        "Stage": stage,
        name: value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_its_metric_its_dimension_and_their_values() {
        let at: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let line = line("HoursLeft", Unit::None, 3.0, "prod", at);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(line["_aws"]["Timestamp"], 1_795_176_000_000_i64);
        assert_eq!(directive["Dimensions"], json!([["Stage"]]));
        let metric = json!({"Name": "HoursLeft", "Unit": "None"});
        assert_eq!(directive["Metrics"][0], metric);
        assert_eq!(
            (&line["Stage"], &line["HoursLeft"]),
            (&json!("prod"), &json!(3.0))
        );
    }
}
