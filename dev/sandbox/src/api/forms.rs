//! Routing forms and what was filled in.

use super::error::ApiError;
use super::gate::Caller;
use super::paging::{Page, Params, one_of};
use crate::app::Shared;
use crate::forms::{Form, Submission};
use crate::ids;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

const READ: &str = "routing_forms:read";

/// Only those who see all of an organization see its forms.
fn may_see(caller: &Caller, form: &Form) -> Result<(), ApiError> {
    if caller.user.role.sees_all() && form.organization == caller.user.organization {
        Ok(())
    } else {
        Err(ApiError::not_yours())
    }
}

/// `GET /routing_forms`.
pub(super) async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Query(params): Query<Params>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let page = Page::read("/routing_forms", &params)?;
    let sort = one_of(&params, "sort", &["created_at:asc", "created_at:desc"])?;
    let organization = params
        .get("organization")
        .ok_or_else(|| ApiError::invalid("organization", "must be present"))?;
    let is_mine = ids::last_part(organization) == caller.user.organization;
    if !is_mine || !caller.user.role.sees_all() {
        return Err(ApiError::not_yours());
    }
    let state = app.state();
    let is_theirs = |form: &&Form| form.organization == caller.user.organization;
    let mut rows: Vec<_> = state.forms.forms.iter().filter(is_theirs).collect();
    if sort == Some("created_at:desc") {
        rows.reverse();
    }
    Ok(Json(page.of(&rows, |form| form.json())))
}

/// `GET /routing_forms/{id}`.
pub(super) async fn one(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let state = app.state();
    let form = state.forms.form(&id).ok_or_else(ApiError::not_found)?;
    may_see(&caller, form)?;
    Ok(Json(json!({"resource": form.json()})))
}

/// `GET /routing_form_submissions`.
pub(super) async fn submissions(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Query(params): Query<Params>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let page = Page::read("/routing_form_submissions", &params)?;
    let sort = one_of(&params, "sort", &["created_at:asc", "created_at:desc"])?;
    let id = params
        .get("form")
        .ok_or_else(|| ApiError::invalid("form", "must be present"))?;
    let state = app.state();
    let form = state.forms.form(ids::last_part(id));
    let form = form.ok_or_else(ApiError::not_found)?;
    may_see(&caller, form)?;
    let is_of_it = |submission: &&Submission| submission.form == form.id;
    let mut rows: Vec<_> = state.forms.submissions.iter().filter(is_of_it).collect();
    if sort == Some("created_at:desc") {
        rows.reverse();
    }
    Ok(Json(page.of(&rows, |submission| submission.json())))
}

/// `GET /routing_form_submissions/{id}`.
pub(super) async fn one_submission(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let state = app.state();
    let found = state.forms.submission(&id);
    let found = found.ok_or_else(ApiError::not_found)?;
    let form = state.forms.form(&found.form);
    may_see(&caller, form.ok_or_else(ApiError::not_found)?)?;
    Ok(Json(json!({"resource": found.json()})))
}
