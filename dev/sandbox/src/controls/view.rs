//! What a sandbox holds, to be looked at.

use crate::app::Shared;
use crate::event::ScheduledEvent;
use crate::subscription::Subscription;
use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::cmp::Reverse;

#[derive(Deserialize)]
pub(super) struct Shown {
    limit: Option<usize>,
    event: Option<String>,
    state: Option<String>,
}

fn event(event: &ScheduledEvent) -> Value {
    let mut json = event.json();
    json["invitees"] = event.invitees.iter().map(|i| i.json()).collect();
    json
}

fn subscription(subscription: &Subscription) -> Value {
    let mut json = subscription.json();
    json["id"] = subscription.id.as_str().into();
    json["signing_key"] = json!(subscription.key);
    json
}

/// `GET /_sandbox/state`: all of it; `limit` cuts the events to the newest ones.
pub(super) async fn state(State(app): State<Shared>, Query(shown): Query<Shown>) -> Json<Value> {
    let state = app.state();
    let mut events: Vec<_> = state.bookings.events().collect();
    let total = events.len();
    events.sort_by_key(|event| Reverse(event.created_at));
    events.truncate(shown.limit.unwrap_or(usize::MAX));
    let users = state.accounts.users.iter();
    let kinds = state.accounts.event_types.iter();
    Json(json!({
        "users": users.map(|user| user.json()).collect::<Vec<_>>(),
        "eventTypes": kinds.map(|kind| kind.summary()).collect::<Vec<_>>(),
        "eventCount": total,
        "events": events.into_iter().map(event).collect::<Vec<_>>(),
        "subscriptions": state.subscriptions.iter().map(subscription).collect::<Vec<_>>(),
        "deliveries": {"count": state.deliveries.all.len(), "open": state.deliveries.open()},
        "tokens": state.grants.json(),
        "faults": state.faults,
        "limits": {
            "perWindow": state.budget.limit,
            "tokensPerWindow": state.token_budget.limit,
            "windowSeconds": state.budget.window.as_secs_f64(),
        },
        "calls": state.calls.json(),
    }))
}

/// `GET /_sandbox/deliveries`: newest first; `event` and `state` filter, `limit` cuts.
pub(super) async fn deliveries(
    State(app): State<Shared>,
    Query(shown): Query<Shown>,
) -> Json<Value> {
    let state = app.state();
    let limit = shown.limit.unwrap_or(usize::MAX);
    let (event, stage) = (shown.event.as_deref(), shown.state.as_deref());
    let deliveries = state.deliveries.json(limit, event, stage);
    Json(json!({
        "total": state.deliveries.all.len(),
        "open": state.deliveries.open(),
        "deliveries": deliveries,
    }))
}

/// `GET /_sandbox/calls`.
pub(super) async fn calls(State(app): State<Shared>) -> Json<Value> {
    Json(app.state().calls.json())
}

/// `GET /_sandbox/faults`.
pub(super) async fn faults(State(app): State<Shared>) -> Json<Value> {
    Json(json!(app.state().faults))
}
