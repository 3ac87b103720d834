//! `payload.scheduled_event`: the meeting as the message saw it.

use super::Envelope;
use super::json::Json;
use booking::{
    Cancellation, Counter, EventRecord, EventUri, Guest, Host, Latest, Provider, Sightings, Slot,
    Stamp,
};
use jiff::Timestamp;
use serde_json::Value;

/// Reads the meeting `uri`. `observed` is the latest time that the message around it speaks of.
pub(super) fn read(
    uri: EventUri,
    json: &Value,
    envelope: &Envelope,
    observed: Timestamp,
) -> EventRecord {
    let created_at = json.time("created_at");
    let told = json.time("updated_at").or(created_at);
    let believed = told.and_then(|time| envelope.believed(time));
    let at = Stamp::new(believed.unwrap_or(observed), observed);
    let cancellation = json.object("cancellation").map(cancellation);

    let mut event = EventRecord::about(uri, Provider::Calendly);
    event.connections.extend(envelope.connection.clone());
    event.name = json.removable("name", at);
    event.event_type = json.uri("event_type").map(|v| Latest::new(at, v));
    event.slot = json.time("start_time").map(|start| {
        let end = json.time("end_time");
        Latest::new(at, Slot { start, end })
    });
    // `null` says that there is no place (any more); a missing field says nothing.
    event.location = json.field("location").map(|v| Latest::new(at, v.clone()));
    event.hosts = json
        .array("event_memberships")
        .map(|list| Latest::new(at, list.iter().map(host).collect()));
    event.guests = json
        .array("event_guests")
        .map(|list| Latest::new(at, list.iter().filter_map(guest).collect()));
    event.counter = json
        .object("invitees_counter")
        .map(|v| Latest::new(at, counter(v)));
    event.notes = json.removable("meeting_notes_plain", at);
    event.canceled = cancellation.is_some() || json.text("status").as_deref() == Some("canceled");
    event.cancellation = cancellation.map(|v| Latest::new(at, v));
    event.sightings = Sightings::seen(observed);
    event.created_at = created_at;
    event.updated_at = believed.or(created_at).or(Some(observed));
    event
}

pub(super) fn cancellation(json: &Value) -> Cancellation {
    Cancellation {
        inferred: false,
        by: json.text("canceled_by"),
        reason: json.text("reason"),
        by_type: json.text("canceler_type"),
        at: json.time("created_at"),
    }
}

fn host(json: &Value) -> Host {
    Host {
        uri: json.uri("user"),
        name: json.filled("user_name"),
        email: json.filled("user_email"),
    }
}

fn guest(json: &Value) -> Option<Guest> {
    json.filled("email").map(|email| Guest { email })
}

fn counter(json: &Value) -> Counter {
    Counter {
        total: json.int("total"),
        active: json.int("active"),
        limit: json.int("limit"),
    }
}
