//! `payload.scheduled_event`: the meeting as the message saw it.

use super::limits::{LINE, NOTES};
use super::part::Part;
use super::{Envelope, details, identity, people, standing};
use booking::{ByPart, EventRecord, EventUri, Latest, Provider, Sightings, Slot};
use jiff::Timestamp;
use serde_json::Value;

/// What it may have.
const FIELDS: [&str; 14] = [
    "uri",
    "name",
    "event_type",
    "start_time",
    "end_time",
    "location",
    "event_memberships",
    "event_guests",
    "invitees_counter",
    "meeting_notes_plain",
    "status",
    "cancellation",
    "created_at",
    "updated_at",
];

/// `scheduled_event` beside an invitee of the event `own`, where it is more than a URI. One of another
/// event says nothing of this: relays send that of the event which the invitee has left, and it would
/// cancel the one that took its place.
pub(super) fn beside<'a>(payload: &Part<'a>, own: &EventUri) -> Option<Part<'a>> {
    let part = payload.given("scheduled_event")?;
    let named = identity::event_of(part.value);
    let uri = part.given("uri");
    if identity::tells_of_another(payload.value, own) {
        uri.as_ref().unwrap_or(&part).note(
            "is another event than the invitee's URI names, which counts: nothing else of it is read",
        );
        return None;
    }
    if named.is_some() && !part.value.is_object() {
        return None;
    }
    if let (Some(uri), None) = (uri, named) {
        uri.not("the URI of a scheduled event");
    }
    let part = part.object()?;
    if !FIELDS.iter().any(|name| part.given(name).is_some()) {
        part.note("has none of its documented fields");
    }
    Some(part)
}

/// Reads the meeting `uri`. `observed` is the latest time that the message around it speaks of.
pub(super) fn read(
    uri: EventUri,
    json: &Part<'_>,
    envelope: &Envelope,
    observed: Timestamp,
) -> EventRecord {
    let created_at = envelope.created_at(json);
    let updated_at = envelope.updated_at(json, created_at);
    let at = envelope.stamp(updated_at, created_at, observed);
    let standing = standing::read(json, false);

    let mut event = EventRecord::about(uri, Provider::Calendly);
    event.connections.extend(envelope.connection.clone());
    event.name = json.removable("name", at, |name| name.text(LINE));
    event.event_type = json
        .uri_of("event_type", "event_types")
        .map(|v| Latest::new(at, v));
    event.slot = slot(json).map(|v| ByPart::new(at, v));
    event.location = location(json).map(|v| Latest::new(at, v));
    event.hosts = people::hosts(json).map(|v| ByPart::new(at, v));
    event.guests = people::guests(json).map(|v| Latest::new(at, v));
    event.counter = details::counter(json).map(|v| ByPart::new(at, v));
    event.notes = json.removable("meeting_notes_plain", at, |notes| notes.text(NOTES));
    event.canceled = standing.canceled;
    event.cancellation = standing.cancellation.map(|v| ByPart::new(at, v));
    event.sightings = Sightings::seen(observed);
    event.created_at = created_at;
    event.updated_at = updated_at.or(created_at).or(Some(observed));
    event
}

fn slot(json: &Part<'_>) -> Option<Slot> {
    let (start, end) = (json.time_of("start_time"), json.time_of("end_time"));
    start.map(|start| Slot { start, end })
}

/// The place as it is told. `null`, or a text without anything in it, says that there is none (any
/// more); a missing field says nothing, and nor does an empty object.
fn location(json: &Part<'_>) -> Option<Value> {
    let part = json.field("location")?;
    match part.value {
        Value::Null | Value::String(_) if part.is_blank() => Some(Value::Null),
        _ if part.is_blank() => None,
        _ => Some(details::as_it_is(&part)),
    }
}
