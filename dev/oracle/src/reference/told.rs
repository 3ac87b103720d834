//! What the log says that each delivery changed, held against what is stored.
//!
//! Only of events that no sync asked for: there everything that is stored came by deliveries, so
//! one of them made each change, and says so or says that it doesn't know.

use super::{Asked, Stored};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A delivery of the log.
#[derive(Debug, Clone)]
pub struct Logged {
    /// Its id.
    pub id: String,
    /// Id of the event that it is about.
    pub event: String,
    /// What it told, without who was to hear it, and when.
    pub told: Value,
    /// What it says that it changed; nothing where it doesn't know.
    pub changes: Option<Vec<String>>,
}

/// Changes that no delivery tells of, and such as are told twice.
pub fn mistold(stored: &Stored, log: &[Logged], asked: &Asked) -> Vec<String> {
    let mut by_event: BTreeMap<&str, Vec<&Logged>> = BTreeMap::new();
    for one in log {
        by_event.entry(&one.event).or_default().push(one);
    }
    let mut found = Vec::new();
    for (id, event) in &stored.events {
        let here = by_event.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        for invitee in event["invitees"].as_array().into_iter().flatten() {
            let mut events = BTreeSet::from([id.as_str()]);
            events.extend(["rescheduledFrom", "rescheduledTo"].map(|end| event_of(&invitee[end])));
            events.remove("");
            if events.iter().any(|event| asked.read.contains(*event)) {
                continue;
            }
            let tellers = events.iter().filter_map(|event| by_event.get(event));
            let tellers: Vec<&&Logged> = tellers.flatten().collect();
            let who = &invitee["id"];
            for words in wanted(invitee) {
                if !tellers.iter().any(|teller| may_have_told(teller, words)) {
                    found.push(format!("no delivery says {} of invitee {who}", words[0]));
                }
            }
        }
        let same = here.windows(2).all(|pair| pair[0].told == pair[1].told);
        if same && !asked.read.contains(id) {
            let tell = |one: &&&Logged| one.changes.as_ref().is_some_and(|some| !some.is_empty());
            let tell = here.iter().filter(tell).count();
            if tell > 1 {
                found.push(format!(
                    "event {id}: {tell} deliveries claim the same change"
                ));
            }
        }
    }
    found
}

/// Deliveries that no longer say what they said to have changed before they were applied again;
/// `before` has that by their ids.
pub fn forgotten(before: &BTreeMap<String, Vec<String>>, log: &[Logged]) -> Vec<String> {
    let keeps = |one: &&Logged| {
        let said = before.get(&one.id).map_or(&[][..], Vec::as_slice);
        let says = one.changes.as_deref().unwrap_or_default();
        !says.starts_with(said)
    };
    let forgotten = log.iter().filter(keeps);
    let told = forgotten.map(|one| {
        let (id, said, says) = (&one.id, &before[&one.id], &one.changes);
        format!("delivery {id} said {said:?}, and after it was replayed {says:?}")
    });
    told.collect()
}

/// The words of which one at least must have been said of an invitee, each time.
fn wanted(invitee: &Value) -> Vec<&'static [&'static str]> {
    let mut wanted: Vec<&[&str]> = Vec::new();
    if !invitee["email"].is_null() {
        wanted.push(&["scheduled", "rescheduled"]);
    }
    if invitee["status"] == "canceled" {
        wanted.push(&["canceled"]);
    }
    if invitee["noShow"] == true {
        wanted.push(&["no_show_marked"]);
    }
    wanted
}

fn may_have_told(teller: &Logged, words: &[&str]) -> bool {
    teller
        .changes
        .as_ref()
        .is_none_or(|changes| changes.iter().any(|word| words.contains(&word.as_str())))
}

fn event_of(invitee: &Value) -> &str {
    let uri = invitee.as_str().unwrap_or_default();
    let rest = uri.split("/scheduled_events/").nth(1).unwrap_or_default();
    rest.split('/').next().unwrap_or_default()
}
