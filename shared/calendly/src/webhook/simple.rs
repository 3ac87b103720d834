//! The simple form of a webhook, which people write by hand to try something, as the body that
//! Calendly would send.
//!
//! ```json
//! {"event": "invitee.created", "time": "2026-11-20T09:15:01Z", "payload": {
//!   "event": {"name": "Consultation", "startTime": "2026-12-01T15:00:00Z", "endTime": "…"},
//!   "invitee": {"name": "Ada Booker", "email": "ada.booker@example.com"}}}
//! ```
//!
//! | simple form | Calendly's body |
//! |---|---|
//! | `time` (now, where there is none) | `created_at`; the times of what a test makes up, where it has none of its own |
//! | `payload.event`, or `payload.scheduled_event` beside an `invitee` | `payload.scheduled_event` |
//! | `payload.invitee`, and whatever else `payload` has | the fields of `payload` |
//! | `uri`, or `uuid` or `id` of event and invitee | their URIs; made of what tells them apart where none is given |
//! | `old_invitee`, `new_invitee`, `old_event`, `new_event` | URIs of the other half of a reschedule |
//!
//! What isn't told is filled in only of an event that the test makes up: it lasts no time, and is for
//! one person. A true one is named by its URI or id, and a test takes nothing from it.
//!
//! Names may be in snake or camel case. The names that Calendly's first API had (`canceler_name`,
//! `cancel_reason`, `extended_assigned_to`, `questions_and_responses`, `payments`) are read too: its
//! payloads have this form.

mod event;
mod invitee;
mod names;

use super::json::{Json, is_blank};
use super::{Unreadable, reader};
use booking::InviteeUri;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A simple payload, all of its names in snake case.
struct Simple {
    payload: Value,
    event: Value,
    invitee: Value,
    /// The event stands in `scheduled_event`.
    as_scheduled: bool,
    /// Whether this webhook tells that the booking was canceled.
    cancels: bool,
    /// What is told was true at this time, written as Calendly does.
    at: String,
}

/// `data` as Calendly would send it. Whatever isn't of the simple form, or is of an event that isn't
/// handled, stays as it is; [`super::read`] says what there is to say of it.
pub fn to_body(data: &Map<String, Value>, now: Timestamp) -> Result<Value, Unreadable> {
    let given = Value::Object(data.clone());
    let event = given.text("event").unwrap_or_default();
    let event = event.trim();
    let payload = given.object("payload").filter(|payload| is_simple(payload));
    let (Some(payload), Some(_)) = (payload, reader(event)) else {
        return Ok(given);
    };
    let given = in_snake_case(&given);
    let at = written(time(&given, now)?);
    let payload = in_snake_case(payload);
    let (event_part, as_scheduled) = event_part(&payload);
    let simple = Simple {
        event: event_part,
        invitee: invitee_part(&payload),
        as_scheduled,
        cancels: event == "invitee.canceled",
        at: at.clone(),
        payload,
    };
    Ok(json!({
        "event": event,
        "created_at": at,
        "created_by": given.uri("created_by"),
        "payload": invitee::payload(&simple)?,
    }))
}

/// Calendly's own payload names its invitee by `uri`, and tells of the event in `scheduled_event`.
/// An invitee is also known to be named without its event: that one stands beside it, then.
fn is_simple(payload: &Value) -> bool {
    let uri = payload.field("uri").filter(|uri| !is_blank(uri));
    let of_invitee = |uri: &Value| {
        let uri = uri.as_str().unwrap_or_default();
        uri.contains("/invitees/") && InviteeUri::parse(uri).is_err()
    };
    let has = |name| payload.object(name).is_some();
    match uri {
        None => has("event") || has("invitee"),
        Some(uri) => of_invitee(uri) && (has("event") || has("invitee") || has("scheduled_event")),
    }
}

/// What is said of the event, and whether that stands in `scheduled_event`.
fn event_part(payload: &Value) -> (Value, bool) {
    if let Some(event) = payload.object("event") {
        return (event.clone(), false);
    }
    let scheduled = payload.object("scheduled_event");
    let mut event = scheduled.cloned().unwrap_or_else(|| json!({}));
    if let Some(uri) = payload.filled("event")
        && event.uri("uri").is_none()
    {
        event["uri"] = json!(uri);
    }
    (event, scheduled.is_some())
}

fn invitee_part(payload: &Value) -> Value {
    let invitee = payload.object("invitee").cloned();
    let mut invitee = invitee.unwrap_or_else(|| json!({}));
    if let (Some(uri), None) = (payload.filled("uri"), invitee.uri("uri")) {
        invitee["uri"] = json!(uri);
    }
    invitee
}

fn time(given: &Value, now: Timestamp) -> Result<Timestamp, Unreadable> {
    let Some(time) = first(&[given], &["time", "created_at"]) else {
        return Ok(now);
    };
    json!({ "time": time })
        .time("time")
        .ok_or(Unreadable::Field {
            field: "time",
            expected: "not a time such as 2026-11-20T09:15:01Z",
        })
}

/// As Calendly writes times: with six digits of the second.
fn written(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// The first of these fields that is there and not null, in the first of these objects that has one.
fn first<'a>(objects: &[&'a Value], names: &[&str]) -> Option<&'a Value> {
    let fields = objects
        .iter()
        .flat_map(|object| names.iter().filter_map(|name| object.field(name)));
    fields.into_iter().find(|value| !value.is_null())
}

/// Who canceled, and why, as the first of these that says so has it; nothing where none does.
fn cancellation(objects: &[&Value], at: &str) -> Option<Value> {
    let own = objects
        .iter()
        .find_map(|object| object.object("cancellation"));
    let objects: Vec<&Value> = own.into_iter().chain(objects.iter().copied()).collect();
    let field = |names: &[&str]| first(&objects, names).cloned();
    let by = field(&["canceled_by", "canceler_name"]);
    let text = || first(&objects, &["cancellation"]).filter(|said| said.is_string());
    let reason = field(&["cancel_reason", "cancellation_reason", "reason"]);
    let reason = reason.or_else(|| text().cloned());
    let by_type = field(&["canceler_type"]);
    // `created_at` is that of the cancellation only within one.
    let at_own = own.and_then(|own| own.field("created_at")).cloned();
    let told_at = at_own.or_else(|| field(&["canceled_at"]));
    let told = [&by, &reason, &by_type, &told_at];
    let told = told.into_iter().flatten().any(|value| !is_blank(value));
    told.then(|| {
        json!({
            "canceled_by": by,
            "reason": reason,
            "canceler_type": by_type,
            "created_at": told_at.unwrap_or_else(|| json!(at)),
        })
    })
}

/// The same with all names, at every depth, in snake case. Of a name in both spellings the one that
/// is in snake case counts.
fn in_snake_case(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(in_snake_case).collect(),
        Value::Object(fields) => {
            let mut named = Map::new();
            for (given, value) in fields {
                let name = snake_case(given);
                if name == *given || !named.contains_key(&name) {
                    let value = match value {
                        Value::Object(answers) if ANSWERS.contains(&name.as_str()) => {
                            questions_as_they_are(answers)
                        }
                        other => in_snake_case(other),
                    };
                    named.insert(name, value);
                }
            }
            Value::Object(named)
        }
        other => other.clone(),
    }
}

/// Fields that can be an object with questions, which are nobody's names, for its names.
const ANSWERS: [&str; 3] = [
    "questions_and_answers",
    "questions_and_responses",
    "answers",
];

fn questions_as_they_are(answers: &Map<String, Value>) -> Value {
    let renamed = answers.iter().map(|(given, value)| {
        let name = snake_case(given);
        let numbered = name.ends_with("_question") || name.ends_with("_response");
        let known = numbered && name.starts_with(|c: char| c.is_ascii_digit());
        let name = if known { name } else { given.clone() };
        (name, value.clone())
    });
    Value::Object(renamed.collect())
}

fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    let mut after_small = false;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && after_small {
            snake.push('_');
        }
        after_small = letter.is_ascii_lowercase() || letter.is_ascii_digit();
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests;
