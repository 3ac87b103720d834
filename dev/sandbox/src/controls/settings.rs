//! How the sandbox behaves: faults, limits, tokens, subscriptions.

use super::error::{ControlError, read};
use crate::accounts::Role;
use crate::app::Shared;
use crate::event_type::EventType;
use crate::faults::Faults;
use crate::ids;
use crate::world::{Account, World};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// `PUT /_sandbox/faults`: replaces them all, and starts the seed's decisions anew.
pub(super) async fn faults(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<Json<Value>, ControlError> {
    let faults: Faults = read(&body)?;
    let answer = json!(faults);
    World::of(app).set_faults(faults);
    Ok(Json(answer))
}

/// `POST /_sandbox/faults/calls`: lets single calls fail.
pub(super) async fn fail(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<StatusCode, ControlError> {
    World::of(app).fail(read(&body)?);
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /_sandbox/faults/calls`: forgets those that have not come yet.
pub(super) async fn fail_no_more(State(app): State<Shared>) -> StatusCode {
    World::of(app).fail_no_more();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClockSetting {
    ahead_ms: i64,
}

/// `PUT /_sandbox/clock`: how far Calendly's clock is ahead of this machine's.
pub(super) async fn clock(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<StatusCode, ControlError> {
    let setting: ClockSetting = read(&body)?;
    World::of(app).set_clock_ahead(SignedDuration::from_millis(setting.ahead_ms));
    Ok(StatusCode::NO_CONTENT)
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
    let now = state.clock.now();
    state
        .grants
        .expire(now, expire.access, expire.codes, expire.refresh);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    name: String,
    email: String,
}

fn account(account: &Account, kind: Option<String>) -> Json<Value> {
    Json(json!({
        "userId": account.id,
        "userUri": account.uri,
        "organizationUri": account.organization,
        "eventType": kind,
    }))
}

/// `POST /_sandbox/accounts`: a new organization with one owner and one event type.
pub(super) async fn add_account(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ControlError> {
    let new: NewAccount = read(&body)?;
    let world = World::of(app);
    let added = world.add_account(&new.name, &new.email);
    let state = world.app().state();
    let is_theirs = |kind: &&EventType| kind.hosts.contains(&added.id);
    let kind = state.accounts.event_types.iter().find(is_theirs);
    let answer = account(&added, kind.map(|kind| kind.uri()));
    Ok((StatusCode::CREATED, answer))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMember {
    organization: String,
    name: String,
    email: String,
    role: Role,
}

/// `POST /_sandbox/members`: a new account in an organization that is there.
pub(super) async fn add_member(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ControlError> {
    let new: NewMember = read(&body)?;
    let world = World::of(app);
    let added = world.add_member(&new.organization, &new.name, &new.email, new.role);
    Ok((StatusCode::CREATED, account(&added, None)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountChange {
    role: Role,
    /// Id or URI of another organization that it moves to.
    organization: Option<String>,
}

/// `PATCH /_sandbox/accounts/{id}`: another role, in the same organization or in another one.
pub(super) async fn change_account(
    State(app): State<Shared>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, ControlError> {
    let change: AccountChange = read(&body)?;
    let world = World::of(app);
    match change.organization {
        None => world.set_role(&id, change.role)?,
        Some(organization) => world.move_account(&id, &organization, change.role)?,
    }
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /_sandbox/event-types`.
pub(super) async fn add_event_type(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ControlError> {
    let id = World::of(app).add_event_type(read(&body)?)?;
    let uri = ids::uri("event_types", &id);
    Ok((StatusCode::CREATED, Json(json!({"eventType": uri}))))
}

fn subscription(world: &World, id: &str) -> Json<Value> {
    let mut state = world.app().state();
    let json = state.subscription(id).map(|known| known.json());
    Json(json!({"resource": json}))
}

/// `POST /_sandbox/subscriptions`: one that somebody else made, even at a URL that is taken.
pub(super) async fn subscribe(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), ControlError> {
    let world = World::of(app);
    let id = world.subscribe(read(&body)?)?;
    Ok((StatusCode::CREATED, subscription(&world, &id)))
}

/// `DELETE /_sandbox/subscriptions/{id}`.
pub(super) async fn unsubscribe(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<StatusCode, ControlError> {
    World::of(app).unsubscribe(&id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /_sandbox/subscriptions/{id}/disable`: as Calendly does it, without a word.
pub(super) async fn disable(
    State(app): State<Shared>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ControlError> {
    let world = World::of(app);
    world.disable(&id)?;
    Ok(subscription(&world, &id))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Settle {
    /// How long to wait; a minute by default.
    timeout_ms: Option<u64>,
}

/// `POST /_sandbox/settle`: lets held webhooks go and waits until none is left to be sent.
pub(super) async fn settle(
    State(app): State<Shared>,
    body: Bytes,
) -> Result<Json<Value>, ControlError> {
    let settle: Settle = read(&body)?;
    let end = Instant::now() + Duration::from_millis(settle.timeout_ms.unwrap_or(60_000));
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
