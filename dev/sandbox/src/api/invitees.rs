//! The invitees of an event.

use super::error::ApiError;
use super::events::visible;
use super::gate::{Caller, Lag};
use super::paging::{Page, Params, one_of};
use crate::app::Shared;
use crate::invitee::Invitee;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

const READ: &str = "scheduled_events:read";

/// `GET /scheduled_events/{id}/invitees`.
pub(super) async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(lag): Extension<Lag>,
    Path(id): Path<String>,
    Query(params): Query<Params>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let page = Page::read(format!("/scheduled_events/{id}/invitees"), &params)?;
    let status = one_of(&params, "status", &["active", "canceled"])?;
    let sort = one_of(&params, "sort", &["created_at:asc", "created_at:desc"])?;
    let email = params.get("email");
    let state = app.state();
    let bookings = lag.sees(&state.bookings);
    let event = visible(&state, &bookings, &caller, &id)?;
    let wanted = |invitee: &&Invitee| {
        status.is_none_or(|status| invitee.status() == status)
            && email.is_none_or(|email| invitee.person.email == *email)
    };
    let mut rows: Vec<_> = event.invitees.iter().filter(wanted).collect();
    rows.sort_by_key(|invitee| invitee.created_at);
    if sort == Some("created_at:desc") {
        rows.reverse();
    }
    Ok(Json(page.of(&rows, |invitee| invitee.json())))
}

/// `GET /scheduled_events/{id}/invitees/{invitee}`.
pub(super) async fn one(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Extension(lag): Extension<Lag>,
    Path((id, invitee)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let state = app.state();
    let bookings = lag.sees(&state.bookings);
    let event = visible(&state, &bookings, &caller, &id)?;
    let found = event.invitees.iter().find(|known| known.id == invitee);
    let found = found.ok_or_else(ApiError::not_found)?;
    Ok(Json(json!({"resource": found.json()})))
}
