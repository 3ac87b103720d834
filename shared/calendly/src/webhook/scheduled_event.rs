//! `payload.scheduled_event`: the meeting as the message saw it.

use super::Envelope;
use super::json::Json;
use booking::{
    Cancellation, Counter, EventRecord, EventUri, Guest, Host, Latest, Provider, Slot, Stamp,
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
    let updated_at = json.time("updated_at").or(created_at).unwrap_or(observed);
    let at = Stamp::new(updated_at, observed);
    let cancellation = json.object("cancellation").map(cancellation);

    let mut event = EventRecord::about(uri, Provider::Calendly);
    event.connections.extend(envelope.connection.clone());
    event.name = json.filled("name").map(|v| Latest::new(at, v));
    event.event_type = json.uri("event_type").map(|v| Latest::new(at, v));
    event.slot = json
        .time("start_time")
        .zip(json.time("end_time"))
        .map(|(start, end)| Latest::new(at, Slot { start, end }));
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
    event.notes = json
        .filled("meeting_notes_plain")
        .map(|v| Latest::new(at, v));
    event.canceled = cancellation.is_some() || json.text("status").as_deref() == Some("canceled");
    event.cancellation = cancellation.map(|v| Latest::new(at, v));
    event.created_at = created_at;
    event.updated_at = Some(updated_at);
    event
}

pub(super) fn cancellation(json: &Value) -> Cancellation {
    Cancellation {
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
