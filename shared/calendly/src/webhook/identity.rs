//! Which invitee, and which event, a payload is about.

use super::Unreadable;
use super::json::{self, Json, is_blank};
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
    check_event(part, &uri.event());
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

/// Notes where a payload names another event than its invitee's.
fn check_event(payload: &Part<'_>, own: &EventUri) {
    for name in ["event", "scheduled_event"] {
        let Some(part) = payload.given(name) else {
            continue;
        };
        // Within a scheduled event the URI may be missing.
        let unnamed = name == "scheduled_event"
            && part.value.is_object()
            && part.value.field("uri").is_none_or(is_blank);
        match event_of(part.value) {
            Some(other) if other != *own => {
                part.note("is another event than the invitee's URI names, which counts");
            }
            None if !unnamed && name == "event" => part.not("the URI of a scheduled event"),
            None if !unnamed && part.value.is_object() => {
                if let Some(uri) = part.given("uri") {
                    uri.not("the URI of a scheduled event");
                }
            }
            _ => {}
        }
    }
}
