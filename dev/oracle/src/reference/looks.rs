//! What was asked, and what may be concluded from the answers: that an event is gone, from looks
//! alone, and that an account sees its own events only, from a refusal.

use super::{Stored, Truth};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What was asked about single events, by id.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Those that were asked for on their own, or whose invitees were.
    pub read: BTreeSet<String>,
    /// When an account that may see its whole organization was told that there is no such event.
    pub in_vain: BTreeMap<String, Vec<Timestamp>>,
    /// What a single run asked for most often in the same words, and how often.
    pub most: (String, u32),
    /// An account asked for its own events, and had never been refused its organization's.
    pub content_with_less: bool,
}

/// So often a run may ask for the same: a few times until it notices that a list leads nowhere, and
/// each of these a few times where no answer comes.
const MOST: u32 = 16;

/// What nobody would ask.
pub fn senseless(asked: &Asked) -> Vec<String> {
    let mut found = Vec::new();
    let (what, times) = &asked.most;
    if *times > MOST {
        found.push(format!("one run asks {times} times for the same {what}"));
    }
    if asked.content_with_less {
        let what = "an account asks for its own events only, and was never refused the others";
        found.push(what.to_owned());
    }
    found
}

/// How far apart two looks in vain must be.
const APART: SignedDuration = SignedDuration::from_mins(10);
/// From when a look is counted to when it is answered.
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_secs(20);

/// Events that are shown as gone, though nobody looked for them in vain twice, ten minutes apart,
/// before they began.
pub fn hasty(deleted: &BTreeMap<String, Truth>, stored: &Stored, asked: &Asked) -> Vec<String> {
    let mut found = Vec::new();
    for (id, event) in &stored.events {
        // What was never canceled at Calendly, nobody can have told of as canceled.
        let was_active = deleted
            .get(id)
            .is_some_and(|it| it.event["status"] == "active");
        let inferred = event["cancellation"]["inferred"] == true;
        let told_wrongly = was_active && event["status"] == "canceled" && !all_left(event);
        if !(inferred || told_wrongly) {
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

/// Whether all who are known of an event have left, each by themselves: where nobody told how many seats
/// it has, that is the end of it, though somebody may come of whom all messages were lost.
fn all_left(event: &Value) -> bool {
    let invitees = event["invitees"].as_array();
    let has_left = |invitee: &Value| {
        invitee["status"] == "rescheduled" || !invitee["cancellation"]["byType"].is_null()
    };
    invitees.is_some_and(|all| !all.is_empty() && all.iter().all(has_left))
}
