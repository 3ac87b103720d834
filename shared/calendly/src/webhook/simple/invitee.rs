//! `payload.invitee` as the payload's own fields.

use super::names::{self, Places};
use super::{Simple, cancellation, event, first, is_canceled};
use crate::webhook::Unreadable;
use crate::webhook::json::Json;
use booking::{EventUri, InviteeUri};
use serde_json::{Map, Value, json};

/// Parts of the simple form that are no fields of Calendly's payload.
const PARTS: [&str; 5] = ["event", "invitee", "event_type", "old_event", "new_event"];

/// Calendly's names, and others that mean the same.
const OTHER_NAMES: [(&str, &[&str]); 5] = [
    ("email", &["email_address"]),
    ("name", &["full_name"]),
    ("timezone", &["time_zone"]),
    (
        "text_reminder_number",
        &["sms_reminder_number", "phone_number", "phone"],
    ),
    ("questions_and_answers", &["answers"]),
];

const HERE: Places = Places {
    event: "payload.event",
    invitee: "payload.invitee",
};

/// The payload in Calendly's form.
pub(super) fn payload(simple: &Simple) -> Result<Value, Unreadable> {
    let mut payload = fields(simple);
    let (event, invitee) = who(simple, &payload)?;
    let links = [("old_invitee", "old_event"), ("new_invitee", "new_event")];
    for (name, its_event) in links {
        let link = link(simple, &payload, name, its_event)?;
        payload.insert(name.to_owned(), json!(link));
    }
    if simple.cancels || is_canceled(&simple.invitee) {
        let parts = [&simple.invitee, &simple.payload, &simple.event];
        let why = cancellation(&parts, &simple.at);
        payload.insert("status".to_owned(), json!("canceled"));
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
    if let Some(Value::Array(payments)) = fields.remove("payments")
        && let (Some(payment), false) = (payments.first(), fields.contains_key("payment"))
    {
        fields.insert("payment".to_owned(), payment.clone());
    }
    if let Some(Value::Object(payment)) = fields.get_mut("payment")
        && let (Some(id), false) = (payment.remove("id"), payment.contains_key("external_id"))
    {
        payment.insert("external_id".to_owned(), id);
    }
    for time in ["created_at", "updated_at"] {
        fields.entry(time).or_insert_with(|| json!(simple.at));
    }
    fields
}

fn who(simple: &Simple, fields: &Map<String, Value>) -> Result<(EventUri, InviteeUri), Unreadable> {
    let named = names::event(&simple.event, &event::name(simple), HERE);
    let Some(uri) = simple.invitee.filled("uri") else {
        let event = named?;
        let invitee = names::invitee(&simple.invitee, &event, email(fields), HERE)?;
        return Ok((event, invitee));
    };
    // Its URI names the event too.
    let invitee = InviteeUri::parse(&uri).map_err(|_| Unreadable::Field {
        field: "payload.invitee.uri",
        expected: "not the URI of an invitee (…/scheduled_events/{id}/invitees/{id})",
    })?;
    let event = invitee.event();
    let names_itself = first(&[&simple.event], &["uri", "uuid", "id"]).is_some();
    if names_itself && named? != event {
        return Err(Unreadable::Field {
            field: "payload.invitee.uri",
            expected: "not of an invitee of `payload.event`",
        });
    }
    Ok((event, invitee))
}

fn email(fields: &Map<String, Value>) -> Option<&str> {
    let email = fields.get("email")?.as_str()?.trim();
    (!email.is_empty()).then_some(email)
}

/// The other half of a reschedule: a URI as it is, or who is named by an id, or by an address or
/// the same one's, on the event beside it.
fn link(
    simple: &Simple,
    fields: &Map<String, Value>,
    name: &str,
    its_event: &str,
) -> Result<Option<String>, Unreadable> {
    let parts = [&simple.payload, &simple.invitee, &simple.event];
    let invitee = first(&parts, &[name]);
    let event = first(&parts, &[its_event]);
    if let Some(uri) = invitee.and_then(uri) {
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
    let invitee = names::invitee(invitee, &event, email(fields), place)?;
    Ok(Some(invitee.into()))
}

fn uri(link: &Value) -> Option<String> {
    let uri = link
        .as_str()
        .map(str::to_owned)
        .or_else(|| link.text("uri"));
    uri.filter(|uri| uri.contains("://"))
}
