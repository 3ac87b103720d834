//! `payload.invitee` as the payload's own fields.

use super::names::{self, Places};
use super::{Simple, cancellation, event, first};
use crate::webhook::Unreadable;
use crate::webhook::identity::invitee_of;
use crate::webhook::json::{Json, is_blank};
use crate::webhook::standing;
use booking::{EventUri, InviteeUri};
use serde_json::{Map, Value, json};

/// Parts of the simple form that are no fields of Calendly's payload.
const PARTS: [&str; 6] = [
    "event",
    "scheduled_event",
    "invitee",
    "event_type",
    "old_event",
    "new_event",
];

/// Calendly's names, and others that mean the same.
const OTHER_NAMES: [(&str, &[&str]); 6] = [
    ("email", &["email_address"]),
    ("name", &["full_name"]),
    ("timezone", &["time_zone"]),
    (
        "text_reminder_number",
        &["sms_reminder_number", "phone_number", "phone"],
    ),
    ("questions_and_answers", &["answers"]),
    // Of several the reader takes the one that counts.
    ("payment", &["payments"]),
];

fn here(simple: &Simple) -> Places {
    Places {
        event: if simple.as_scheduled {
            "payload.scheduled_event"
        } else {
            "payload.event"
        },
        invitee: "payload.invitee",
    }
}

/// The payload in Calendly's form.
pub(super) fn payload(simple: &Simple) -> Result<Value, Unreadable> {
    let mut payload = fields(simple);
    let (event, invitee) = who(simple, &payload)?;
    // Only of what a test made up nobody else can know better.
    if [event.id(), invitee.id()]
        .into_iter()
        .any(names::is_made_up)
    {
        for time in ["created_at", "updated_at"] {
            payload.entry(time).or_insert_with(|| json!(simple.at));
        }
    }
    let links = [("old_invitee", "old_event"), ("new_invitee", "new_event")];
    for (name, its_event) in links {
        let link = link(simple, &payload, name, its_event)?;
        payload.insert(name.to_owned(), json!(link));
    }
    let parts = [&simple.invitee, &simple.payload, &simple.event];
    if (simple.cancels || standing::is_canceled(&Value::Object(payload.clone())))
        && let Some(why) = cancellation(&parts, &simple.at)
    {
        payload.insert("cancellation".to_owned(), why);
    }
    payload.insert("uri".to_owned(), json!(invitee.as_str()));
    payload.insert("event".to_owned(), json!(event.as_str()));
    let event = event::scheduled_event(simple, &event)?;
    payload.insert("scheduled_event".to_owned(), event);
    Ok(payload.into())
}

/// What is said of the invitee, and of the booking beside it.
fn fields(simple: &Simple) -> Map<String, Value> {
    let mut fields = Map::new();
    let beside = simple.payload.as_object().into_iter().flatten();
    let beside = beside.filter(|(name, _)| !PARTS.contains(&name.as_str()));
    // The invitee's own words come last, and count.
    let own = simple.invitee.as_object().into_iter().flatten();
    for (name, value) in beside.chain(own).filter(|(_, value)| !value.is_null()) {
        fields.insert(name.clone(), value.clone());
    }
    for (name, others) in OTHER_NAMES {
        let other = others.iter().find_map(|other| fields.remove(*other));
        if let (Some(other), false) = (other, fields.contains_key(name)) {
            fields.insert(name.to_owned(), other);
        }
    }
    if let Some(responses) = fields.remove("questions_and_responses") {
        let untold = fields.get("questions_and_answers").is_none_or(is_blank);
        if untold {
            fields.insert("questions_and_answers".to_owned(), answers(&responses));
        }
    }
    fields
}

/// `{"1_question": "Company", "1_response": "Engines Ltd"}` as a list of answers, in the order of the
/// numbers. Anything else stays as it is.
fn answers(responses: &Value) -> Value {
    let Value::Object(fields) = responses else {
        return responses.clone();
    };
    let number = |name: &str, end| name.strip_suffix(end)?.parse::<u32>().ok();
    let mut numbers: Vec<u32> = fields
        .keys()
        .filter_map(|name| number(name, "_question").or_else(|| number(name, "_response")))
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.is_empty() {
        return responses.clone();
    }
    let list = numbers.iter().map(|number| {
        json!({
            "question": fields.get(&format!("{number}_question")),
            "answer": fields.get(&format!("{number}_response")),
            "position": number.saturating_sub(1),
        })
    });
    list.collect()
}

fn who(simple: &Simple, fields: &Map<String, Value>) -> Result<(EventUri, InviteeUri), Unreadable> {
    let mut here = here(simple);
    let named = names::event(&simple.event, &event::name(simple), here);
    let whole = simple.invitee.filled("uri");
    let Some(invitee) = whole_uri(simple) else {
        let event = named?;
        if whole.is_some() {
            here.invitee = "payload.invitee.uri";
        }
        let invitee = names::invitee(&simple.invitee, &event, email(fields), here)?;
        return Ok((event, invitee));
    };
    // Its URI names the event too.
    let event = invitee.event();
    let names_itself = first(&[&simple.event], &["uri", "uuid", "id"]).is_some();
    if names_itself && named? != event {
        return Err(Unreadable::Field {
            field: "payload.invitee.uri",
            expected: "not of an invitee of the event beside it",
        });
    }
    Ok((event, invitee))
}

/// The invitee whose URI names its event too.
pub(super) fn whole_uri(simple: &Simple) -> Option<InviteeUri> {
    InviteeUri::parse(simple.invitee.filled("uri")?.trim()).ok()
}

fn email(fields: &Map<String, Value>) -> Option<&str> {
    let email = fields.get("email")?.as_str()?.trim();
    (!email.is_empty()).then_some(email)
}

/// The other half of a reschedule: by its whole URI, or who is named by an id, or by an address or
/// the same one's, on the event beside it.
fn link(
    simple: &Simple,
    fields: &Map<String, Value>,
    name: &str,
    its_event: &str,
) -> Result<Option<InviteeUri>, Unreadable> {
    let parts = [&simple.payload, &simple.invitee, &simple.event];
    let told = |name: &str| first(&parts, &[name]).filter(|value| !is_blank(value));
    let (invitee, event) = (told(name), told(its_event));
    if let Some(uri) = invitee.and_then(|named| invitee_of(named, None)) {
        return Ok(Some(uri));
    }
    let place = if name == "old_invitee" {
        Places {
            event: "payload.oldEvent",
            invitee: "payload.oldInvitee",
        }
    } else {
        Places {
            event: "payload.newEvent",
            invitee: "payload.newInvitee",
        }
    };
    if invitee.is_none() && event.is_none() {
        return Ok(None);
    }
    let event = event.unwrap_or(&Value::Null);
    // A booking that is moved stays one of the same kind.
    let called = event.filled("name").unwrap_or_else(|| event::name(simple));
    let event = names::event(event, &called, place)?;
    let invitee = invitee.unwrap_or(&Value::Null);
    names::invitee(invitee, &event, email(fields), place).map(Some)
}
