//! No-show marks.

use super::body::Given;
use super::error::ApiError;
use super::events::may_see;
use super::gate::Caller;
use crate::app::Shared;
use crate::bookings::Refused;
use crate::invitee::Invitee;
use crate::state::State as Held;
use crate::{clock, ids};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};

fn json(invitee: &Invitee) -> Value {
    let mark = invitee.no_show.as_ref();
    json!({"resource": {
        "uri": mark.map(|mark| mark.uri()),
        "invitee": invitee.uri(),
        "created_at": mark.map(|mark| clock::text(mark.at)),
    }})
}

fn seen(state: &Held, caller: &Caller, invitee: &str) -> Result<(), ApiError> {
    let event = state.bookings.event_of(invitee);
    if may_see(state, caller, event.ok_or_else(ApiError::not_found)?) {
        Ok(())
    } else {
        Err(ApiError::not_yours())
    }
}

/// `POST /invitee_no_shows`.
pub(super) async fn mark(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Given(body): Given,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    caller.needs("scheduled_events:write")?;
    let uri = body["invitee"].as_str().unwrap_or_default();
    if !uri.contains("/invitees/") {
        return Err(ApiError::invalid(
            "invitee",
            "must be the URI of an invitee",
        ));
    }
    let id = ids::last_part(uri);
    let mut state = app.state();
    let state = &mut *state;
    seen(state, &caller, id)?;
    let marked = state.bookings.mark_no_show(&mut state.clock, id);
    let messages = marked.map_err(|refused| match refused {
        Refused::NotFound => ApiError::not_found(),
        _ => ApiError::invalid("invitee", "is already marked as a no-show"),
    })?;
    app.announce(state, messages);
    let invitee = state.bookings.invitee(id).ok_or_else(ApiError::not_found)?;
    Ok((StatusCode::CREATED, Json(json(invitee))))
}

/// `GET /invitee_no_shows/{id}`.
pub(super) async fn one(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.needs("scheduled_events:read")?;
    let state = app.state();
    let invitee = state.bookings.marked(&id).ok_or_else(ApiError::not_found)?;
    seen(&state, &caller, &invitee.id)?;
    Ok(Json(json(invitee)))
}

/// `DELETE /invitee_no_shows/{id}`.
pub(super) async fn clear(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.needs("scheduled_events:write")?;
    let mut state = app.state();
    let state = &mut *state;
    let invitee = state.bookings.marked(&id).ok_or_else(ApiError::not_found)?;
    let invitee = invitee.id.clone();
    seen(state, &caller, &invitee)?;
    let cleared = state.bookings.clear_no_show(&mut state.clock, &invitee);
    let messages = cleared.map_err(|_| ApiError::not_found())?;
    app.announce(state, messages);
    Ok(StatusCode::NO_CONTENT)
}
