//! Resources of the REST API as facts: what a webhook would have said, and what none ever says.

use super::json::{self, Json};
use super::notes::Notes;
use super::part::Part;
use super::{Envelope, Unreadable, invitee, new_facts, scheduled_event, standing};
use booking::{ConnectionId, EventUri, Facts};
use jiff::Timestamp;
use serde_json::Value;

/// The URI of a scheduled event resource.
pub fn event_uri(event: &Value) -> Result<EventUri, Unreadable> {
    let uri = event.field("uri");
    let uri = uri.and_then(|uri| json::uri(uri, "scheduled_events"));
    EventUri::parse(&uri.unwrap_or_default()).map_err(|_| Unreadable::Field {
        field: "uri",
        expected: "not the URI of a scheduled event (…/scheduled_events/{id})",
    })
}

/// Whether an event is to take place at a conference whose link isn't ready: Calendly makes it some
/// time after the booking, and shows a stand-in until then.
pub fn link_pending(event: &Value) -> bool {
    let status = event
        .object("location")
        .and_then(|place| place.text("status"));
    matches!(status.as_deref(), Some("initiated" | "processing")) && !is_canceled(event)
}

/// Whether an event is canceled.
pub fn is_canceled(event: &Value) -> bool {
    standing::is_canceled(event)
}

/// What `GET /scheduled_events/{id}` and its list say of an event and its invitees, read at
/// `read_at`: a change that moves no `updated_at` counts from then.
pub fn facts(
    event: &Value,
    invitees: &[Value],
    connection: &ConnectionId,
    read_at: Timestamp,
) -> Result<Facts, Unreadable> {
    read(Some(event), invitees, connection, read_at)
}

/// The same of invitees alone.
pub fn people(
    invitees: &[Value],
    connection: &ConnectionId,
    read_at: Timestamp,
) -> Result<Facts, Unreadable> {
    read(None, invitees, connection, read_at)
}

fn read(
    event: Option<&Value>,
    invitees: &[Value],
    connection: &ConnectionId,
    read_at: Timestamp,
) -> Result<Facts, Unreadable> {
    let envelope = Envelope::of_read(connection.clone(), read_at);
    let notes = Notes::default();
    let mut facts = new_facts();
    if let Some(event) = event {
        facts.add_event(&scheduled_event::read(
            event_uri(event)?,
            &Part::new(event, "", &notes),
            &envelope,
            read_at,
        ));
    }
    for one in invitees {
        let one = Part::new(one, "", &notes);
        facts.add_invitee(&invitee::resource(&one, &envelope)?);
    }
    // A sync has no delivery to keep them on, and reads the same again each time.
    for warning in notes.into_warnings() {
        tracing::debug!(warning, "a resource is not understood in full");
    }
    Ok(facts)
}
