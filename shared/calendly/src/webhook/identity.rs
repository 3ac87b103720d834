//! Which invitee, and which event, a payload is about.

use super::Unreadable;
use super::json::{self, Json};
use super::part::Part;
use booking::{EventUri, InviteeUri};
use serde_json::Value;

/// The invitee that a payload, or a resource, is about. `field` is where its URI stands.
pub(super) fn invitee(part: &Part<'_>, field: &'static str) -> Result<InviteeUri, Unreadable> {
    let wrong = Unreadable::Field {
        field,
        expected: "not the URI of an invitee (…/scheduled_events/{id}/invitees/{id})",
    };
    let named = part.value.field("uri").ok_or(wrong.clone())?;
    let beside = event_beside(part.value);
    let uri = invitee_of(named, beside.as_ref()).ok_or(wrong)?;
    if let Some(event) = part.given("event") {
        check_event(&event, &uri.event());
    }
    Ok(uri)
}

/// The invitee that `named` names: by its whole URI, or by `…/invitees/{id}` or an id alone with the
/// event that is told beside it.
pub(super) fn invitee_of(named: &Value, event: Option<&EventUri>) -> Option<InviteeUri> {
    let uri = json::uri(named, "invitees")?;
    if let Ok(uri) = InviteeUri::parse(&uri) {
        return Some(uri);
    }
    if uri.contains("/scheduled_events/") {
        return None;
    }
    let (_, id) = uri.split_once("://")?.1.split_once("/invitees/")?;
    InviteeUri::parse(&format!("{}/invitees/{id}", event?)).ok()
}

/// The scheduled event that `named` names.
pub(super) fn event_of(named: &Value) -> Option<EventUri> {
    EventUri::parse(&json::uri(named, "scheduled_events")?).ok()
}

fn event_beside(payload: &Value) -> Option<EventUri> {
    let named = ["event", "scheduled_event"].map(|name| payload.field(name));
    named.into_iter().flatten().find_map(event_of)
}

/// Notes where `named` is another event than the invitee's.
fn check_event(named: &Part<'_>, own: &EventUri) {
    match event_of(named.value) {
        Some(event) if event == *own => {}
        Some(_) => named.note("is another event than the invitee's URI names, which counts"),
        None => named.not("the URI of a scheduled event"),
    }
}

/// Whether `scheduled_event` is of another event than `own`, that of the payload's invitee. One that
/// names itself nowhere is of the event that is named beside it.
pub(super) fn tells_of_another(payload: &Value, own: &EventUri) -> bool {
    let meeting = payload.field("scheduled_event").and_then(event_of);
    let named = meeting.or_else(|| event_beside(payload));
    named.is_some_and(|named| named != *own)
}
