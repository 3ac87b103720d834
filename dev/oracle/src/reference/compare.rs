//! What is stored, held against what is true.

use super::truth::{Truth, World, time};
use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Fields that the world doesn't have: see [`super::Why::Ours`].
const OURS: [&str; 3] = ["connection", "updatedAt", "missingSince"];

/// What the service shows.
#[derive(Debug, Clone, Default)]
pub struct Stored {
    /// Each event on its own, with all of its invitees, by id.
    pub events: BTreeMap<String, Value>,
    /// Ids of the list of all, in its order.
    pub all: Vec<String>,
    /// Ids of the list of those that are active, and of those that are canceled.
    pub by_status: BTreeMap<String, Vec<String>>,
    /// Ids of each person's list, by address.
    pub by_person: BTreeMap<String, Vec<String>>,
    /// Ids of the events that a person's list has from the event's own start on, up to a second
    /// later, by address and event.
    pub at_start: BTreeMap<(String, String), bool>,
    /// Ids of the events of each guest, by address; only where it was asked for.
    pub by_guest: BTreeMap<String, Vec<String>>,
    /// What is behind in the records themselves, where what is shown hides it.
    pub behind: Vec<String>,
}

/// How what is stored differs from what is true, where all that was begun is done.
pub fn differences(world: &World, stored: &Stored) -> Vec<String> {
    let mut found = disorder(stored);
    found.extend(stored.behind.iter().cloned());
    found.extend(untrue(world, stored));
    for (id, event) in &stored.events {
        if world.events.contains_key(id) {
            continue;
        }
        match world.deleted.get(id) {
            None => found.push(format!("event {id} is stored, and never was")),
            Some(truth) => deleted(world, truth, event, &mut found),
        }
    }
    found
}

/// How what is stored differs from what is true of all that is there.
pub fn untrue(world: &World, stored: &Stored) -> Vec<String> {
    let mut found = Vec::new();
    for (id, truth) in &world.events {
        match stored.events.get(id) {
            None if world.is_seen(truth) => found.push(format!("event {id} is not stored")),
            Some(event) if world.is_seen(truth) => {
                fields(id, &truth.expected(world, event), event, &mut found);
            }
            // Not seen.
            None | Some(_) => {}
        }
    }
    found
}

/// An event that was deleted is no longer active, wherever that could be told.
fn deleted(world: &World, truth: &Truth, event: &Value, found: &mut Vec<String>) {
    let start = event["startTime"].as_str();
    let start = start.and_then(|text| text.parse::<Timestamp>().ok());
    let begun = start.is_none_or(|start| start <= world.now);
    let teller = event["connection"].as_str().unwrap_or("nobody");
    if begun || !world.would_be_missed(truth, teller) {
        return;
    }
    if event["status"] != "canceled" {
        let id = truth.id();
        found.push(format!("event {id} was deleted, and is stored as active"));
    }
}

/// What can't be, whatever is true: an invitee who starts at another time than the event, or is
/// active on a canceled one, and lists that say other than the events.
pub fn disorder(stored: &Stored) -> Vec<String> {
    let mut found = Vec::new();
    for (id, event) in &stored.events {
        let canceled = event["status"] == "canceled";
        for invitee in event["invitees"].as_array().into_iter().flatten() {
            if canceled && invitee["status"] == "active" {
                let who = &invitee["id"];
                found.push(format!(
                    "event {id} is canceled, and invitee {who} is active"
                ));
            }
        }
        let listed = stored.all.iter().filter(|listed| *listed == id).count();
        if listed != 1 {
            found.push(format!("event {id} is listed {listed} times"));
        }
        for (status, ids) in &stored.by_status {
            let listed = ids.iter().filter(|listed| *listed == id).count();
            let right = usize::from(event["status"] == **status);
            if listed != right {
                let is = &event["status"];
                found.push(format!(
                    "event {id} is {is}, and listed {listed} times as {status}"
                ));
            }
        }
    }
    let starts: Vec<Value> = stored
        .all
        .iter()
        .filter_map(|id| Some(time(&stored.events.get(id)?["startTime"])))
        .filter(|start| !start.is_null())
        .collect();
    if !starts.is_sorted_by_key(ToString::to_string) {
        found.push("the list is not in the order of starts".to_owned());
    }
    for ((address, id), listed) in &stored.at_start {
        if !listed {
            found.push(format!("{address} does not find event {id} at its start"));
        }
    }
    mislisted(stored, "invitees", &stored.by_person, &mut found);
    mislisted(stored, "guests", &stored.by_guest, &mut found);
    found
}

/// Lists of people that say other than the events name.
fn mislisted(
    stored: &Stored,
    role: &str,
    lists: &BTreeMap<String, Vec<String>>,
    found: &mut Vec<String>,
) {
    for (address, ids) in lists {
        for (id, event) in &stored.events {
            let people = event[role].as_array().into_iter().flatten();
            let named = people.filter(|person| person["email"] == **address);
            let right = usize::from(named.count() > 0);
            let listed = ids.iter().filter(|listed| *listed == id).count();
            if listed != right {
                found.push(format!(
                    "{address} finds event {id} {listed} times, not {right}, among {role}"
                ));
            }
        }
    }
}

/// Each field that differs. A field that is stored and not expected is a difference too: whoever
/// adds one says here what is true of it.
fn fields(path: &str, expected: &Value, stored: &Value, found: &mut Vec<String>) {
    match (expected, stored) {
        (Value::Object(expected), Value::Object(stored)) => {
            for name in names(expected, stored) {
                let (Some(expected), Some(stored)) = (expected.get(name), stored.get(name)) else {
                    let side = if stored.contains_key(name) {
                        "stored, and not expected"
                    } else {
                        "expected, and not stored"
                    };
                    if !(OURS.contains(&name.as_str()) || is_empty(expected, stored, name)) {
                        found.push(format!("{path}.{name} is {side}"));
                    }
                    continue;
                };
                fields(&format!("{path}.{name}"), expected, stored, found);
            }
        }
        (Value::Array(expected), Value::Array(stored)) => {
            if expected.len() != stored.len() {
                found.push(format!(
                    "{path} has {} items, not {}",
                    stored.len(),
                    expected.len()
                ));
            }
            for (place, (expected, stored)) in expected.iter().zip(stored).enumerate() {
                let path = match expected["id"].as_str() {
                    Some(id) => format!("{path}.{id}"),
                    None => format!("{path}.{place}"),
                };
                fields(&path, expected, stored, found);
            }
        }
        _ if same(expected, stored) => {}
        _ => found.push(format!("{path} is {stored}, not {expected}")),
    }
}

fn names<'a>(a: &'a Map<String, Value>, b: &'a Map<String, Value>) -> Vec<&'a String> {
    let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
    names.sort();
    names.dedup();
    names
}

/// What one side leaves out, and of which the other says nothing.
fn is_empty(a: &Map<String, Value>, b: &Map<String, Value>, name: &str) -> bool {
    let value = a.get(name).or_else(|| b.get(name));
    value.is_none_or(|value| value.is_null() || *value == false)
}

fn same(expected: &Value, stored: &Value) -> bool {
    expected == stored
        || !expected.is_null() && time(expected) == time(stored) && !time(stored).is_null()
}
