//! Bookings made, moved and canceled as an invitee would, and events changed quietly.

use super::error::{ControlError, read};
use crate::app::Shared;
use crate::clock::plus_minutes;
use crate::world::{Booked, By, EventChange, InviteeChange, NewBooking, World};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

type Answer = Result<(StatusCode, Json<Value>), ControlError>;

fn pair(world: &World, booked: &Booked) -> Json<Value> {
    let (event, invitee) = world.uris(&booked.invitee).unzip();
    Json(json!({
        "eventUri": event,
        "inviteeUri": invitee,
        "eventId": booked.event,
        "inviteeId": booked.invitee,
    }))
}

/// `POST /_sandbox/bookings`.
pub(super) async fn book(State(app): State<Shared>, body: Bytes) -> Answer {
    let new: NewBooking = read(&body)?;
    let world = World::of(app);
    let booked = world.book(new)?;
    Ok((StatusCode::CREATED, pair(&world, &booked)))
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
    let world = World::of(app);
    let first = bulk
        .start_time
        .unwrap_or_else(|| plus_minutes(world.now(), 60));
    let (mut start, mut last) = (first, first);
    for number in 0..bulk.count {
        last = start;
        let (name, email) = (
            format!("Booker {number}"),
            format!("booker.{number}@example.com"),
        );
        let new = NewBooking {
            event_type: bulk.event_type.clone(),
            host: bulk.host.clone(),
            ..NewBooking::new(&name, &email, start)
        };
        world.book_quietly(new, bulk.webhooks)?;
        start = plus_minutes(start, bulk.step_minutes.unwrap_or(5));
    }
    let range = json!({"count": bulk.count, "firstStart": first, "lastStart": last});
    Ok((StatusCode::CREATED, Json(range)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Change {
    start_time: Option<Timestamp>,
    reason: Option<String>,
    /// The invitee does it by default.
    #[serde(default)]
    by: By,
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
    let world = World::of(app);
    let booked = world.reschedule(&id, start, change.by, change.reason)?;
    Ok((StatusCode::CREATED, pair(&world, &booked)))
}

/// `POST /_sandbox/bookings/{id}/ask-for-another-time`: a host's word; the invitee is canceled as
/// rescheduled, and there is no new booking until they are moved.
pub(super) async fn ask(State(app): State<Shared>, Path(id): Path<String>, body: Bytes) -> Answer {
    let change: Change = read(&body)?;
    let world = World::of(app);
    let booked = world.ask_for_another_time(&id, change.reason)?;
    Ok((StatusCode::OK, pair(&world, &booked)))
}

/// `POST /_sandbox/bookings/{id}/cancel`.
pub(super) async fn cancel(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let change: Change = read(&body)?;
    let world = World::of(app);
    let booked = world.cancel(&id, change.by, change.reason)?;
    Ok((StatusCode::OK, pair(&world, &booked)))
}

/// `POST /_sandbox/bookings/{id}/no-show`.
pub(super) async fn mark_no_show(State(app): State<Shared>, Path(id): Path<String>) -> Answer {
    let world = World::of(app);
    let booked = world.mark_no_show(&id)?;
    Ok((StatusCode::CREATED, pair(&world, &booked)))
}

/// `DELETE /_sandbox/bookings/{id}/no-show`.
pub(super) async fn clear_no_show(State(app): State<Shared>, Path(id): Path<String>) -> Answer {
    let world = World::of(app);
    let booked = world.clear_no_show(&id)?;
    Ok((StatusCode::OK, pair(&world, &booked)))
}

/// `PATCH /_sandbox/bookings/{id}`: a change that no webhook tells of.
pub(super) async fn change_invitee(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ControlError> {
    let change: InviteeChange = read(&body)?;
    World::of(app).change_invitee(&id, change)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PATCH /_sandbox/events/{id}`: a change that no webhook tells of.
pub(super) async fn change_event(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let change: EventChange = read(&body)?;
    let world = World::of(app);
    world.change_event(&id, change)?;
    let event = world.event(&id).map(|event| event.json);
    Ok((StatusCode::OK, Json(json!({"resource": event}))))
}

/// `POST /_sandbox/events/{id}/cancel`: by its host, with all who are still coming.
pub(super) async fn cancel_event(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let change: Change = read(&body)?;
    let world = World::of(app);
    world.cancel_event(&id, change.reason)?;
    let event = world.event(&id).map(|event| event.json);
    Ok((StatusCode::OK, Json(json!({"resource": event}))))
}

/// `DELETE /_sandbox/events/{id}`: it vanishes, and nothing tells of it.
pub(super) async fn vanish(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<StatusCode, ControlError> {
    World::of(app).delete_event(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /_sandbox/routing-form-submissions`: somebody fills in a form.
pub(super) async fn submit_form(State(app): State<Shared>, body: Bytes) -> Answer {
    let uri = World::of(app).submit_form(read(&body)?)?;
    Ok((StatusCode::CREATED, Json(json!({"uri": uri}))))
}
