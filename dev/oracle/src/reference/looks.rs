//! That an event is gone is concluded from looks alone: here is what looks there were.

use super::Stored;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// What was asked about single events, by id.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Those that were asked for on their own, or whose invitees were.
    pub read: BTreeSet<String>,
    /// When an account that may see its whole organization was told that there is no such event.
    pub in_vain: BTreeMap<String, Vec<Timestamp>>,
}

/// How far apart two looks in vain must be.
const APART: SignedDuration = SignedDuration::from_mins(10);
/// From when a look is counted to when it is answered.
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_secs(20);

/// Events that are shown as gone, though nobody looked for them in vain twice, ten minutes apart,
/// before they began.
pub fn hasty(stored: &Stored, asked: &Asked) -> Vec<String> {
    let mut found = Vec::new();
    for (id, event) in &stored.events {
        if event["cancellation"]["inferred"] != true {
            continue;
        }
        let start = event["startTime"].as_str();
        let start = start.and_then(|text| text.parse::<Timestamp>().ok());
        let looks = asked.in_vain.get(id).map_or(&[][..], Vec::as_slice);
        let before = |look: &&Timestamp| {
            start.is_some_and(|start| look.duration_since(start) < ANSWERED_WITHIN)
        };
        let looks: Vec<&Timestamp> = looks.iter().filter(before).collect();
        let apart = match (looks.first(), looks.last()) {
            (Some(first), Some(last)) => last.duration_since(**first),
            _ => SignedDuration::ZERO,
        };
        if apart + ANSWERED_WITHIN < APART {
            found.push(format!(
                "event {id} is shown as gone after {} looks in vain before its start",
                looks.len()
            ));
        }
    }
    found
}
