//! What can be booked.

use super::error::ApiError;
use super::gate::Caller;
use super::paging::{Page, Params, one_of};
use crate::accounts::Accounts;
use crate::app::Shared;
use crate::event_type::EventType;
use crate::ids;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

const READ: &str = "event_types:read";

fn organization<'a>(accounts: &'a Accounts, kind: &EventType) -> Option<&'a str> {
    let owner = accounts.user(kind.hosts.first()?)?;
    Some(&owner.organization)
}

fn json(accounts: &Accounts, kind: &EventType) -> Value {
    let owner = kind.hosts.first().and_then(|id| accounts.user(id));
    let mut json = kind.json();
    json["profile"] = json!(owner.map(|owner| json!({
        "type": "User", "name": owner.name, "owner": owner.uri(),
    })));
    json["scheduling_url"] = json!(
        owner.map(|owner| { format!("https://calendly.com/{}/{}", owner.slug(), kind.slug()) })
    );
    json
}

/// `GET /event_types`: of an organization, or of one of its users.
pub(super) async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Query(params): Query<Params>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let page = Page::read("/event_types", &params)?;
    let active = one_of(&params, "active", &["true", "false"])?;
    let of = |name| params.get(name).map(|uri| ids::last_part(uri));
    let (user, asked) = (of("user"), of("organization"));
    if user.is_none() && asked.is_none() {
        let message = "user or organization must be given";
        return Err(ApiError::invalid("organization", message));
    }
    if asked.is_some_and(|id| id != caller.user.organization) {
        return Err(ApiError::not_yours());
    }
    let state = app.state();
    let wanted = |kind: &&EventType| {
        organization(&state.accounts, kind) == Some(&caller.user.organization)
            && user.is_none_or(|user| kind.hosts.iter().any(|host| host == user))
            // None of them is ever switched off here.
            && active != Some("false")
    };
    let rows: Vec<_> = state.accounts.event_types.iter().filter(wanted).collect();
    Ok(Json(page.of(&rows, |kind| json(&state.accounts, kind))))
}

/// `GET /event_types/{id}`.
pub(super) async fn one(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let state = app.state();
    let kinds = &state.accounts.event_types;
    let kind = kinds.iter().find(|kind| kind.id == id);
    let kind = kind.ok_or_else(ApiError::not_found)?;
    if organization(&state.accounts, kind) != Some(&caller.user.organization) {
        return Err(ApiError::not_yours());
    }
    Ok(Json(json!({"resource": json(&state.accounts, kind)})))
}
