//! `payload.event` as `scheduled_event`.

use super::{Simple, cancellation, first, invitee, names, written};
use crate::webhook::Unreadable;
use crate::webhook::json::{API, Json, time};
use crate::webhook::standing;
use booking::EventUri;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

/// What the event is called; nothing, where nothing says so.
pub(super) fn name(simple: &Simple) -> String {
    let own = simple.event.filled("name");
    let own = own.or_else(|| simple.event.filled("title"));
    let event_type = event_type(simple).and_then(|it| it.filled("name"));
    own.or(event_type).unwrap_or_default()
}

fn event_type(simple: &Simple) -> Option<&Value> {
    first(&[&simple.event, &simple.payload], &["event_type"])
}

/// The event in Calendly's form.
pub(super) fn scheduled_event(simple: &Simple, uri: &EventUri) -> Result<Value, Unreadable> {
    let given = &simple.event;
    let mut event = given.as_object().cloned().unwrap_or_default();
    event.insert("uri".to_owned(), json!(uri.as_str()));
    match name(simple) {
        called if called.is_empty() => event.remove("name"),
        called => event.insert("name".to_owned(), json!(called)),
    };
    // Only of what this test makes up nobody else can know better.
    let made_up = !is_named(simple);
    times(simple, &mut event, made_up)?;
    if names::is_made_up(uri.id()) && given.field("updated_at").is_none_or(Value::is_null) {
        event.insert("updated_at".to_owned(), json!(simple.at));
    }
    if let Some(event_type) = event_type(simple) {
        event.insert("event_type".to_owned(), type_uri(event_type));
    }
    if let Some(Value::String(place)) = given.field("location") {
        let location = json!({ "type": "custom", "location": place });
        event.insert("location".to_owned(), location);
    }
    let hosts = [
        "event_memberships",
        "hosts",
        "extended_assigned_to",
        "assigned_to",
    ];
    if let Some(hosts) = first(&[given], &hosts) {
        let hosts = match hosts {
            Value::Array(hosts) => hosts.iter().map(host).collect(),
            one => host(one),
        };
        event.insert("event_memberships".to_owned(), hosts);
    }
    if let Some(guests) = first(&[given], &["event_guests", "guests"]) {
        event.insert("event_guests".to_owned(), guests.clone());
    }
    if standing::is_canceled(given)
        && let Some(why) = cancellation(&[given, &simple.invitee, &simple.payload], &simple.at)
    {
        event.insert("cancellation".to_owned(), why);
    }
    let counter = given.object("invitees_counter");
    if made_up && counter.is_none() && !is_group(simple) {
        // One of which no more is said is for one person, and ends with that one's booking.
        event.insert("invitees_counter".to_owned(), json!({ "limit": 1 }));
    }
    Ok(event.into())
}

/// Whether anything but what it is says which event it is: it isn't this test alone that knows of it.
fn is_named(simple: &Simple) -> bool {
    invitee::whole_uri(simple).is_some() || names::is_named(&simple.event)
}

/// Start and end. One without an end takes as long as its `duration` says, in minutes; one that is
/// `made_up`, or no time.
fn times(simple: &Simple, event: &mut Map<String, Value>, made_up: bool) -> Result<(), Unreadable> {
    let given = &simple.event;
    let wrong = |field, expected| Unreadable::Field { field, expected };
    let Some(told) = first(&[given], &names::START) else {
        return Ok(());
    };
    let start = names::start(given).ok_or(wrong(
        if simple.as_scheduled {
            "payload.scheduled_event.startTime"
        } else {
            "payload.event.startTime"
        },
        "not a time such as 2026-12-01T15:00:00Z",
    ))?;
    // As it is given: what is odd about it is noted when it is read.
    event.insert("start_time".to_owned(), told.clone());
    if let Some(end) = first(&[given], &["end_time", "end"]) {
        time(end).ok_or(wrong(
            if simple.as_scheduled {
                "payload.scheduled_event.endTime"
            } else {
                "payload.event.endTime"
            },
            "not a time such as 2026-12-01T15:30:00Z",
        ))?;
        event.insert("end_time".to_owned(), end.clone());
        return Ok(());
    }
    let of_type = event_type(simple).and_then(|it| it.int("duration"));
    let minutes = given.int("duration").or(of_type);
    if let Some(minutes) = minutes.or(made_up.then_some(0)) {
        // A day is longer than any meeting.
        let length = SignedDuration::from_mins(minutes.clamp(0, 24 * 60));
        let end = start.saturating_add(length).unwrap_or(start);
        event.insert("end_time".to_owned(), json!(written(end)));
    }
    Ok(())
}

fn is_group(simple: &Simple) -> bool {
    let kind = event_type(simple).and_then(|it| it.text("kind"));
    kind.is_some_and(|kind| kind.eq_ignore_ascii_case("group"))
}

fn type_uri(event_type: &Value) -> Value {
    let id = || event_type.text("uuid").or_else(|| event_type.text("id"));
    let uri = match event_type {
        Value::String(uri) => Some(uri.clone()),
        other => other
            .text("uri")
            .or_else(|| id().map(|id| format!("{API}/event_types/{id}"))),
    };
    json!(uri)
}

/// A name or address alone stays as it is.
fn host(host: &Value) -> Value {
    if !host.is_object() {
        return host.clone();
    }
    json!({
        "user": first(&[host], &["user", "uri"]),
        "user_name": first(&[host], &["user_name", "name"]),
        "user_email": first(&[host], &["user_email", "email"]),
    })
}
