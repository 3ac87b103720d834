//! The REST API, version 2.

mod error;
mod events;
mod gate;
mod invitees;
mod no_shows;
mod paging;
mod subscriptions;
mod users;

pub(crate) use gate::{Lag, injected, limited, with_body};

use crate::app::Shared;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::sync::Arc;

pub(crate) fn router(app: &Shared) -> Router<Shared> {
    Router::new()
        .route("/users/me", get(users::me))
        .route("/users/{id}", get(users::user))
        .route("/scheduled_events", get(events::list))
        .route("/scheduled_events/{id}", get(events::one))
        .route("/scheduled_events/{id}/cancellation", post(events::cancel))
        .route("/scheduled_events/{id}/invitees", get(invitees::list))
        .route(
            "/scheduled_events/{id}/invitees/{invitee}",
            get(invitees::one),
        )
        .route("/invitee_no_shows", post(no_shows::mark))
        .route(
            "/invitee_no_shows/{id}",
            get(no_shows::one).delete(no_shows::clear),
        )
        .route(
            "/webhook_subscriptions",
            get(subscriptions::list).post(subscriptions::create),
        )
        .route(
            "/webhook_subscriptions/{id}",
            get(subscriptions::one).delete(subscriptions::delete),
        )
        .route_layer(from_fn_with_state(Arc::clone(app), gate::gate))
}
