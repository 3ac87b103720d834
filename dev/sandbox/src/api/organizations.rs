//! Organizations, their members and their groups.

use super::error::ApiError;
use super::gate::Caller;
use super::paging::{Page, Params, one_of};
use crate::accounts::{Group, User};
use crate::app::Shared;
use crate::{clock, ids};
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde_json::{Value, json};

const READ: &str = "organizations:read";

fn mine(caller: &Caller, organization: &str) -> Result<(), ApiError> {
    if ids::last_part(organization) == caller.user.organization {
        Ok(())
    } else {
        Err(ApiError::not_yours())
    }
}

/// `GET /organizations/{id}`.
pub(super) async fn one(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    mine(&caller, &id)?;
    let state = app.state();
    let users = &state.accounts.users;
    let first = users.iter().find(|user| user.organization == id);
    let created_at = first.map(|user| clock::text(user.created_at));
    Ok(Json(json!({"resource": {
        "uri": ids::organization(&id),
        "kind": "multiple",
        "name": first.map(|user| format!("{}'s organization", user.name)),
        "plan": "professional",
        "stage": "paid",
        "created_at": created_at,
        "updated_at": created_at,
    }})))
}

/// `GET /organizations/{id}/invitations`: nobody is ever invited here.
pub(super) async fn invitations(
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Query(params): Query<Params>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    mine(&caller, &id)?;
    let page = Page::read(format!("/organizations/{id}/invitations"), &params)?;
    Ok(Json(page.of(&[], |none: &Value| none.clone())))
}

fn membership(user: &User) -> Value {
    json!({
        "uri": ids::uri("organization_memberships", &user.membership),
        "role": user.role.name(),
        "user": user.json(),
        "organization": user.organization_uri(),
        "updated_at": clock::text(user.created_at),
        "created_at": clock::text(user.created_at),
    })
}

/// `GET /organization_memberships`: of an organization, or of one user.
pub(super) async fn memberships(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Query(params): Query<Params>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let page = Page::read("/organization_memberships", &params)?;
    let role = one_of(&params, "role", &["owner", "admin", "user"])?;
    let user = params.get("user").map(|uri| ids::last_part(uri));
    match (params.get("organization"), user) {
        (None, None) => {
            let message = "user or organization must be given";
            return Err(ApiError::invalid("organization", message));
        }
        (Some(organization), _) => mine(&caller, organization)?,
        (None, Some(_)) => {}
    }
    if user != Some(&caller.user.id) && !caller.user.role.sees_all() {
        return Err(ApiError::not_yours());
    }
    let email = params.get("email");
    let state = app.state();
    let wanted = |member: &&User| {
        member.organization == caller.user.organization
            && user.is_none_or(|id| member.id == id)
            && email.is_none_or(|email| member.email == *email)
            && role.is_none_or(|role| member.role.name() == role)
    };
    let rows: Vec<_> = state.accounts.users.iter().filter(wanted).collect();
    Ok(Json(page.of(&rows, |user| membership(user))))
}

/// `GET /organization_memberships/{id}`.
pub(super) async fn one_membership(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let state = app.state();
    let user = state
        .accounts
        .users
        .iter()
        .find(|user| user.membership == id);
    let user = user.ok_or_else(ApiError::not_found)?;
    mine(&caller, &user.organization)?;
    Ok(Json(json!({"resource": membership(user)})))
}

fn group(group: &Group) -> Value {
    json!({
        "uri": group.uri(),
        "name": group.name,
        "organization": ids::organization(&group.organization),
        "created_at": clock::text(group.created_at),
        "updated_at": clock::text(group.created_at),
        "member_count": group.members.len(),
    })
}

/// `GET /groups`.
pub(super) async fn groups(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Query(params): Query<Params>,
) -> Result<Json<Value>, ApiError> {
    caller.needs("groups:read")?;
    let page = Page::read("/groups", &params)?;
    let organization = params
        .get("organization")
        .ok_or_else(|| ApiError::invalid("organization", "must be present"))?;
    mine(&caller, organization)?;
    let state = app.state();
    let groups = state.accounts.groups.iter();
    let rows: Vec<_> = groups.filter(|group| caller.leads(group)).collect();
    Ok(Json(page.of(&rows, |row| group(row))))
}

/// `GET /groups/{id}`.
pub(super) async fn one_group(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.needs("groups:read")?;
    let state = app.state();
    let found = state.accounts.group(&id).ok_or_else(ApiError::not_found)?;
    if !caller.leads(found) {
        return Err(ApiError::not_yours());
    }
    Ok(Json(json!({"resource": group(found)})))
}
