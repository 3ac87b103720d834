//! Bookings made, moved and canceled as an invitee would, and events changed quietly.

use super::error::{ControlError, read};
use crate::app::Shared;
use crate::bookings::{Bookings, Canceler, QuietChange, Slot};
use crate::clock::plus_minutes;
use crate::event::Host;
use crate::invitee::{Invitee, Person};
use crate::state::State as Held;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Answer = Result<(StatusCode, Json<Value>), ControlError>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewBooking {
    name: String,
    email: String,
    start_time: Timestamp,
    /// Id, URI or name; the first one there is by default.
    event_type: Option<String>,
    #[serde(default)]
    guests: Vec<String>,
    /// Id or URI of a user who hosts it in place of the event type's own hosts.
    host: Option<String>,
    timezone: Option<String>,
    phone: Option<String>,
    #[serde(default)]
    answers: Vec<Answered>,
    #[serde(default)]
    tracking: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    question: String,
    answer: String,
}

fn slot(
    state: &Held,
    start: Timestamp,
    kind: Option<&str>,
    host: Option<&str>,
    guests: Vec<String>,
) -> Result<Slot, ControlError> {
    let accounts = &state.accounts;
    let kind = match kind.filter(|named| !named.is_empty()) {
        Some(named) => accounts.event_type(named),
        None => accounts.event_types.first(),
    };
    let kind = kind.ok_or_else(|| {
        let names: Vec<_> = accounts
            .event_types
            .iter()
            .map(|k| k.name.as_str())
            .collect();
        ControlError::not_found(format!("eventType is none of: {}", names.join(", ")))
    })?;
    let named: Vec<_> = match host {
        Some(host) => vec![host],
        None => kind.hosts.iter().map(String::as_str).collect(),
    };
    let users: Vec<_> = named.iter().filter_map(|id| accounts.user(id)).collect();
    let owner = users
        .first()
        .ok_or_else(|| ControlError::not_found("host is no user's id"))?;
    Ok(Slot {
        organization: owner.organization.clone(),
        kind: kind.clone(),
        hosts: users.iter().map(|user| Host::from(*user)).collect(),
        start,
        guests,
    })
}

fn pair(bookings: &Bookings, invitee: &str) -> Value {
    let event = bookings.event_of(invitee);
    json!({
        "eventUri": event.map(|event| event.uri()),
        "inviteeUri": bookings.invitee(invitee).map(Invitee::uri),
        "eventId": event.map(|event| &event.id),
        "inviteeId": invitee,
    })
}

/// `POST /_sandbox/bookings`.
pub(super) async fn book(State(app): State<Shared>, body: Bytes) -> Answer {
    let new: NewBooking = read(&body)?;
    let mut state = app.state();
    let state = &mut *state;
    let (kind, host) = (new.event_type.as_deref(), new.host.as_deref());
    let slot = slot(state, new.start_time, kind, host, new.guests)?;
    let answers = new.answers.into_iter().map(|a| (a.question, a.answer));
    let person = Person {
        name: new.name,
        email: new.email,
        timezone: new.timezone.unwrap_or_else(|| "Europe/Berlin".to_owned()),
        phone: new.phone,
        answers: answers.collect(),
        tracking: new.tracking.into_iter().collect(),
    };
    let (id, messages) = state.bookings.book(&mut state.clock, &slot, person);
    app.announce(state, messages);
    Ok((StatusCode::CREATED, Json(pair(&state.bookings, &id))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Bulk {
    count: usize,
    /// Start of the first one; an hour from now by default.
    start_time: Option<Timestamp>,
    /// From one start to the next; 5 by default.
    step_minutes: Option<i64>,
    event_type: Option<String>,
    host: Option<String>,
    /// Whether webhooks tell of them; not by default.
    #[serde(default)]
    webhooks: bool,
}

/// `POST /_sandbox/bookings/bulk`: many bookings at once.
pub(super) async fn bulk(State(app): State<Shared>, body: Bytes) -> Answer {
    let bulk: Bulk = read(&body)?;
    if bulk.count > 100_000 {
        return Err(ControlError::bad("count must be up to 100000"));
    }
    let mut state = app.state();
    let state = &mut *state;
    let first = bulk
        .start_time
        .unwrap_or_else(|| plus_minutes(Timestamp::now(), 60));
    let (kind, host) = (bulk.event_type.as_deref(), bulk.host.as_deref());
    let mut slot = slot(state, first, kind, host, Vec::new())?;
    let mut start = first;
    for number in 0..bulk.count {
        slot.start = start;
        let person = Person {
            name: format!("Booker {number}"),
            email: format!("booker.{number}@example.com"),
            timezone: "Europe/Berlin".to_owned(),
            phone: None,
            answers: Vec::new(),
            tracking: Vec::new(),
        };
        let (_, messages) = state.bookings.book(&mut state.clock, &slot, person);
        if bulk.webhooks {
            app.announce(state, messages);
        }
        start = plus_minutes(start, bulk.step_minutes.unwrap_or(5));
    }
    let range = json!({"count": bulk.count, "firstStart": first, "lastStart": slot.start});
    Ok((StatusCode::CREATED, Json(range)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Change {
    start_time: Option<Timestamp>,
    reason: Option<String>,
    /// `host` or `invitee`, who does it by default.
    by: Option<String>,
}

fn canceler(state: &Held, invitee: &str, by: Option<&str>) -> Result<Canceler, ControlError> {
    match by {
        None | Some("invitee") => Ok(Canceler::Invitee),
        Some("host") => {
            let event = state.bookings.event_of(invitee);
            let host = event.and_then(|event| state.accounts.user(&event.hosts.first()?.id));
            let name = host.map_or_else(|| "Host".to_owned(), |user| user.name.clone());
            Ok(Canceler::Host(name))
        }
        Some(_) => Err(ControlError::bad("by must be host or invitee")),
    }
}

/// `POST /_sandbox/bookings/{id}/reschedule`: answers the new pair.
pub(super) async fn reschedule(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let change: Change = read(&body)?;
    let start = change
        .start_time
        .ok_or_else(|| ControlError::bad("startTime is missing"))?;
    let mut state = app.state();
    let state = &mut *state;
    let by = canceler(state, &id, change.by.as_deref())?;
    let moved = state
        .bookings
        .reschedule(&mut state.clock, &id, start, &by, change.reason);
    let (new, messages) = moved?;
    app.announce(state, messages);
    Ok((StatusCode::CREATED, Json(pair(&state.bookings, &new))))
}

/// `POST /_sandbox/bookings/{id}/cancel`.
pub(super) async fn cancel(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let change: Change = read(&body)?;
    let mut state = app.state();
    let state = &mut *state;
    let by = canceler(state, &id, change.by.as_deref())?;
    let reason = change.reason;
    let messages = state.bookings.cancel(&mut state.clock, &id, &by, reason)?;
    app.announce(state, messages);
    Ok((StatusCode::OK, Json(pair(&state.bookings, &id))))
}

/// `POST /_sandbox/bookings/{id}/no-show`.
pub(super) async fn mark_no_show(State(app): State<Shared>, Path(id): Path<String>) -> Answer {
    let mut state = app.state();
    let state = &mut *state;
    let messages = state.bookings.mark_no_show(&mut state.clock, &id)?;
    app.announce(state, messages);
    Ok((StatusCode::CREATED, Json(pair(&state.bookings, &id))))
}

/// `DELETE /_sandbox/bookings/{id}/no-show`.
pub(super) async fn clear_no_show(State(app): State<Shared>, Path(id): Path<String>) -> Answer {
    let mut state = app.state();
    let state = &mut *state;
    let messages = state.bookings.clear_no_show(&mut state.clock, &id)?;
    app.announce(state, messages);
    Ok((StatusCode::OK, Json(pair(&state.bookings, &id))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Quiet {
    start_time: Option<Timestamp>,
    end_time: Option<Timestamp>,
    name: Option<String>,
    /// Calendly's location object, or the address of a place.
    location: Option<Value>,
    /// Id or URI of a user.
    host: Option<String>,
}

/// `PATCH /_sandbox/events/{id}`: a change that no webhook tells of.
pub(super) async fn change_quietly(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let quiet: Quiet = read(&body)?;
    let mut state = app.state();
    let state = &mut *state;
    let hosts = match &quiet.host {
        None => None,
        Some(host) => {
            let user = state.accounts.user(host);
            let user = user.ok_or_else(|| ControlError::not_found("host is no user's id"))?;
            Some(vec![Host::from(user)])
        }
    };
    let place = |location| match location {
        Value::String(place) => json!({"type": "physical", "location": place}),
        other => other,
    };
    let change = QuietChange {
        start: quiet.start_time,
        end: quiet.end_time,
        name: quiet.name,
        location: quiet.location.map(place),
        hosts,
    };
    state
        .bookings
        .change_quietly(&mut state.clock, &id, change)?;
    let event = state.bookings.events.get(&id).map(|event| event.json());
    Ok((StatusCode::OK, Json(json!({"resource": event}))))
}

/// `DELETE /_sandbox/events/{id}`: it vanishes, and nothing tells of it.
pub(super) async fn vanish(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<StatusCode, ControlError> {
    app.state().bookings.vanish(&id)?;
    Ok(StatusCode::NO_CONTENT)
}
