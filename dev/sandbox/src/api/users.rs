//! `GET /users/me` and `GET /users/{id}`.

use super::error::ApiError;
use super::gate::Caller;
use crate::app::Shared;
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

pub(super) async fn me(Extension(caller): Extension<Caller>) -> Result<Json<Value>, ApiError> {
    caller.needs("users:read")?;
    Ok(Json(json!({"resource": caller.user.json()})))
}

pub(super) async fn user(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.needs("users:read")?;
    let state = app.state();
    let user = state.accounts.user(&id).ok_or_else(ApiError::not_found)?;
    if user.organization != caller.user.organization {
        return Err(ApiError::not_yours());
    }
    Ok(Json(json!({"resource": user.json()})))
}
