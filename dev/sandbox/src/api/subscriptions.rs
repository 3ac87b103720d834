//! Webhook subscriptions: listed, read, made, deleted. There is no way to change one.

use super::body::Given;
use super::error::ApiError;
use super::gate::Caller;
use super::paging::{Page, Params, one_of};
use crate::accounts::Accounts;
use crate::app::Shared;
use crate::ids;
use crate::subscription::{Reach, Subscription, read_scope};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde_json::{Value, json};

const READ: &str = "webhooks:read";
const WRITE: &str = "webhooks:write";

fn may_see(caller: &Caller, subscription: &Subscription) -> bool {
    subscription.organization == caller.user.organization
        && (caller.user.role.sees_all() || subscription.creator == caller.user.id)
}

/// What a subscription of `scope` reaches, for this caller.
fn reach(
    caller: &Caller,
    accounts: &Accounts,
    scope: &str,
    user: Option<&str>,
    group: Option<&str>,
) -> Result<Reach, ApiError> {
    match (scope, user.map(ids::last_part), group) {
        ("organization", ..) if caller.user.role.sees_all() => Ok(Reach::Organization),
        ("user", Some(id), _) if id == caller.user.id || caller.user.role.sees_all() => {
            Ok(Reach::User(id.to_owned()))
        }
        ("user", None, _) => Err(ApiError::invalid("user", "must be present")),
        ("group", _, None) => Err(ApiError::invalid("group", "must be present")),
        ("group", _, Some(group)) => match accounts.group(group) {
            Some(group) if caller.leads(group) => Ok(Reach::Group(group.id.clone())),
            _ => Err(ApiError::not_yours()),
        },
        _ => Err(ApiError::not_yours()),
    }
}

/// `GET /webhook_subscriptions`.
pub(super) async fn list(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Query(params): Query<Params>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let page = Page::read("/webhook_subscriptions", &params)?;
    let sort = one_of(&params, "sort", &["created_at:asc", "created_at:desc"])?;
    let scope = one_of(&params, "scope", &["organization", "user", "group"])?
        .ok_or_else(|| ApiError::invalid("scope", "must be present"))?;
    let organization = params
        .get("organization")
        .ok_or_else(|| ApiError::invalid("organization", "must be present"))?;
    if ids::last_part(organization) != caller.user.organization {
        return Err(ApiError::not_yours());
    }
    let named = |name| params.get(name).map(String::as_str);
    let state = app.state();
    let (user, group) = (named("user"), named("group"));
    let reach = reach(&caller, &state.accounts, scope, user, group)?;
    let wanted = |known: &&Subscription| may_see(&caller, known) && known.reach == reach;
    let mut rows: Vec<_> = state.subscriptions.iter().filter(wanted).collect();
    if sort == Some("created_at:desc") {
        rows.reverse();
    }
    Ok(Json(page.of(&rows, |known| known.json())))
}

/// `GET /webhook_subscriptions/{id}`.
pub(super) async fn one(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    caller.needs(READ)?;
    let mut state = app.state();
    let found = state.subscription(&id).ok_or_else(ApiError::not_found)?;
    if !may_see(&caller, found) {
        return Err(ApiError::not_yours());
    }
    Ok(Json(json!({"resource": found.json()})))
}

/// `DELETE /webhook_subscriptions/{id}`.
pub(super) async fn delete(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    caller.needs(WRITE)?;
    let mut state = app.state();
    let found = state.subscription(&id).ok_or_else(ApiError::not_found)?;
    if !may_see(&caller, found) {
        return Err(ApiError::not_yours());
    }
    state.subscriptions.retain(|known| known.id != id);
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /webhook_subscriptions`.
pub(super) async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Given(body): Given,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    caller.needs(WRITE)?;
    let text = |name: &str| body[name].as_str();
    let needed =
        |name: &'static str| text(name).ok_or_else(|| ApiError::invalid(name, "must be present"));
    let url = url(needed("url")?)?;
    let scope = needed("scope")?;
    let events = events(&caller, &body["events"], scope)?;
    if ids::last_part(needed("organization")?) != caller.user.organization {
        return Err(ApiError::not_yours());
    }
    let mut state = app.state();
    let reach = reach(&caller, &state.accounts, scope, text("user"), text("group"))?;
    // An app has one key for all of its subscriptions; only one's own token brings one along.
    let key = if caller.is_personal() {
        text("signing_key").map(str::to_owned)
    } else {
        Some(app.options.signing_key.clone())
    };
    // A URL is one user's in one organization: others may have it too.
    let is_taken = |known: &Subscription| {
        known.url == url
            && known.organization == caller.user.organization
            && known.creator == caller.user.id
    };
    if state.subscriptions.iter().any(is_taken) {
        return Err(ApiError::hook_exists());
    }
    let at = state.clock.next();
    let mut subscription = Subscription::new(url, events, &caller.user, reach, at);
    subscription.key = key;
    let answer = json!({"resource": subscription.json()});
    state.subscriptions.push(subscription);
    Ok((StatusCode::CREATED, Json(answer)))
}

/// HTTPS, or anything on this machine.
fn url(text: &str) -> Result<String, ApiError> {
    let wrong = || ApiError::invalid("url", "must be a valid HTTPS URL");
    let url = reqwest::Url::parse(text).map_err(|_| wrong())?;
    let here = matches!(url.host_str(), Some("localhost" | "127.0.0.1"));
    if url.scheme() == "https" || (url.scheme() == "http" && here) {
        Ok(text.to_owned())
    } else {
        Err(wrong())
    }
}

/// A missing read scope is the same 400 as an unknown event, as Calendly answers it.
fn events(caller: &Caller, given: &Value, scope: &str) -> Result<Vec<String>, ApiError> {
    let wrong = |message: &str| Err(ApiError::invalid("events", message));
    let Some(given) = given.as_array().filter(|given| !given.is_empty()) else {
        return wrong("must be present");
    };
    let mut events = Vec::new();
    for event in given {
        let event = event.as_str().unwrap_or_default();
        match read_scope(event, scope) {
            None => return wrong(&format!("{event:?} can't be subscribed with this scope")),
            Some(read) if !caller.has(read) => return wrong("are not permitted"),
            Some(_) => events.push(event.to_owned()),
        }
    }
    Ok(events)
}
