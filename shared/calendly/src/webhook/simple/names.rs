//! URIs of events and invitees, made up where none is given: always the same for the same thing, so
//! that a test that cancels meets the one that booked.

use crate::webhook::Unreadable;
use crate::webhook::identity::invitee_of;
use crate::webhook::json::{API, Json};
use booking::{EventUri, InviteeUri};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What the start of an event is called.
pub(super) const START: [&str; 2] = ["start_time", "start"];

/// Where a part is in the request, for errors.
#[derive(Clone, Copy)]
pub(super) struct Places {
    pub(super) event: &'static str,
    pub(super) invitee: &'static str,
}

/// The event of an object with `uri`, `uuid`, `id`, or `start_time`; or of one of these as a text.
/// `name` is what it is called.
pub(super) fn event(event: &Value, name: &str, place: Places) -> Result<EventUri, Unreadable> {
    let wrong = Unreadable::Field {
        field: place.event,
        expected: "without a good `uri`, `uuid` or `id`, or a `startTime` to name it by",
    };
    let uri = match given(event, "scheduled_events") {
        Some(uri) => uri,
        None => match start(event) {
            Some(start) => format!(
                "{API}/scheduled_events/{}",
                made_of(&["event", &start.to_string(), name.trim()])
            ),
            None => return Err(wrong),
        },
    };
    EventUri::parse(&uri).map_err(|_| wrong)
}

/// The invitee of `event` in an object with `uri`, `uuid`, `id` or `email`; or in one of these as a
/// text. Without any it is the person with the address `email`.
pub(super) fn invitee(
    invitee: &Value,
    event: &EventUri,
    email: Option<&str>,
    place: Places,
) -> Result<InviteeUri, Unreadable> {
    let wrong = Unreadable::Field {
        field: place.invitee,
        expected: "without a good `uri`, `uuid` or `id`, or an `email` to name it by",
    };
    let own = invitee.filled("email");
    let uri = match (
        given(
            invitee,
            &format!("scheduled_events/{}/invitees", event.id()),
        ),
        own.as_deref().or(email),
    ) {
        (Some(uri), _) => return invitee_of(&uri.into(), Some(event)).ok_or(wrong),
        (None, Some(email)) => {
            let id = made_of(&["invitee", event.id(), &email.trim().to_lowercase()]);
            format!("{event}/invitees/{id}")
        }
        (None, None) => return Err(wrong),
    };
    InviteeUri::parse(&uri).map_err(|_| wrong)
}

/// When an event starts.
pub(super) fn start(event: &Value) -> Option<Timestamp> {
    START.iter().find_map(|name| event.time(name))
}

/// The URI that is given, or the one of the id that is given in `collection`.
fn given(thing: &Value, collection: &str) -> Option<String> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let name = text(thing).or_else(|| {
        ["uri", "uuid", "id"]
            .iter()
            .find_map(|field| text(thing.field(field)?))
    })?;
    if name.contains("://") {
        return Some(name);
    }
    Some(format!("{API}/{collection}/{name}"))
}

/// Whether an event, or an invitee, names itself, so that others may know of it too.
pub(super) fn is_named(thing: &Value) -> bool {
    given(thing, "").is_some()
}

/// Whether an id was made up, by this test or another.
pub(super) fn is_made_up(id: &str) -> bool {
    id.starts_with(MADE_UP)
}

const MADE_UP: &str = "test-";

/// An id that shows that Calendly did not give it.
fn made_of(parts: &[&str]) -> String {
    let mut digest = hex::encode(Sha256::digest(parts.join("\n")));
    digest.truncate(32);
    format!("{MADE_UP}{digest}")
}
