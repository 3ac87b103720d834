//! How the sandbox behaves: faults, limits, tokens, subscriptions.

use super::error::{ControlError, read};
use crate::accounts::User;
use crate::app::Shared;
use crate::faults::Faults;
use crate::ids;
use crate::subscription::{Reach, Subscription};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// `PUT /_sandbox/faults`: replaces them all, and starts the seed's decisions anew.
pub(super) async fn faults(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<Json<Value>, ControlError> {
    let faults: Faults = read(&body)?;
    let answer = json!(faults);
    let mut state = app.state();
    app.release_held(&mut state);
    state.faults = faults;
    Ok(Json(answer))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Limits {
    per_window: Option<u32>,
    tokens_per_window: Option<u32>,
    window_seconds: Option<f64>,
}

/// `PUT /_sandbox/limits`: what is left out stays; every window starts anew.
pub(super) async fn limits(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<Json<Value>, ControlError> {
    use crate::budget::Budget;
    let limits: Limits = read(&body)?;
    let mut state = app.state();
    let window = match limits.window_seconds.map(Duration::try_from_secs_f64) {
        None => state.budget.window,
        Some(Ok(window)) => window,
        Some(Err(_)) => return Err(ControlError::bad("windowSeconds must be 0 or more")),
    };
    let per_window = limits.per_window.unwrap_or(state.budget.limit);
    let tokens = limits.tokens_per_window.unwrap_or(state.token_budget.limit);
    state.budget = Budget::new(per_window, window);
    state.token_budget = Budget::new(tokens, window);
    Ok(Json(json!({
        "perWindow": per_window,
        "tokensPerWindow": tokens,
        "windowSeconds": window.as_secs_f64(),
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    #[serde(default = "yes")]
    access: bool,
    #[serde(default)]
    codes: bool,
    #[serde(default)]
    refresh: bool,
}

fn yes() -> bool {
    true
}

/// `POST /_sandbox/expire-tokens`: access tokens by default; codes and refresh tokens if asked.
pub(super) async fn expire_tokens(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<StatusCode, ControlError> {
    let expire: Expire = read(&body)?;
    let mut state = app.state();
    state
        .grants
        .expire(expire.access, expire.codes, expire.refresh);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    name: String,
    email: String,
}

/// `POST /_sandbox/accounts`: a new organization with one owner and one event type.
pub(super) async fn add_account(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ControlError> {
    let new: NewAccount = read(&body)?;
    let mut state = app.state();
    let state = &mut *state;
    let user = state.accounts.add(new.name, new.email, state.clock.next());
    let kind = state.accounts.event_types.last().map(|kind| kind.uri());
    let answer = json!({
        "userId": user.id,
        "userUri": user.uri(),
        "organizationUri": user.organization_uri(),
        "eventType": kind,
    });
    Ok((StatusCode::CREATED, Json(answer)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewSubscription {
    url: String,
    events: Vec<String>,
    /// Id or URI of the user who made it; the first one by default.
    creator: Option<String>,
    /// Only this user's events; all of the organization by default.
    user: Option<String>,
    signing_key: Option<String>,
}

/// `POST /_sandbox/subscriptions`: one that somebody else made, even at a URL that is taken.
pub(super) async fn subscribe(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ControlError> {
    let new: NewSubscription = read(&body)?;
    let mut state = app.state();
    let creator = match &new.creator {
        Some(named) => state.accounts.user(named),
        None => state.accounts.users.first(),
    };
    let User {
        id, organization, ..
    } = creator
        .cloned()
        .ok_or_else(|| ControlError::not_found("creator is no user's id"))?;
    let at = state.clock.next();
    let subscription = Subscription {
        id: ids::new_uuid(),
        url: new.url,
        events: new.events,
        organization,
        reach: new.user.map_or(Reach::Organization, |user| {
            Reach::User(ids::last_part(&user).to_owned())
        }),
        creator: id,
        key: new.signing_key,
        created_at: at,
        updated_at: at,
        retry_started_at: None,
        disabled: false,
        given_up: 0,
    };
    let answer = json!({"resource": subscription.json()});
    state.subscriptions.push(subscription);
    Ok((StatusCode::CREATED, Json(answer)))
}

/// `DELETE /_sandbox/subscriptions/{id}`.
pub(super) async fn unsubscribe(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<StatusCode, ControlError> {
    let mut state = app.state();
    state.subscription(&id).ok_or_else(no_subscription)?;
    state.subscriptions.retain(|known| known.id != id);
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /_sandbox/subscriptions/{id}/disable`: as Calendly does it, without a word.
pub(super) async fn disable(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ControlError> {
    let mut state = app.state();
    let at = state.clock.next();
    let subscription = state.subscription(&id).ok_or_else(no_subscription)?;
    subscription.disabled = true;
    subscription.updated_at = at;
    Ok(Json(json!({"resource": subscription.json()})))
}

fn no_subscription() -> ControlError {
    ControlError::not_found("there is no such subscription")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settle {
    /// How long to wait; 10 s by default.
    timeout_ms: Option<u64>,
}

/// `POST /_sandbox/settle`: lets held webhooks go and waits until none is left to be sent.
pub(super) async fn settle(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<Json<Value>, ControlError> {
    let settle: Settle = read(&body)?;
    let end = Instant::now() + Duration::from_millis(settle.timeout_ms.unwrap_or(10_000));
    loop {
        let open = {
            let mut state = app.state();
            app.release_held(&mut state);
            state.deliveries.open()
        };
        if open == 0 || Instant::now() >= end {
            return Ok(Json(json!({"settled": open == 0, "open": open})));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// `DELETE /_sandbox/calls`: counts from nothing again.
pub(super) async fn clear_calls(State(app): State<Shared>) -> StatusCode {
    app.state().calls.clear();
    StatusCode::NO_CONTENT
}
