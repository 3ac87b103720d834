//! The REST API, version 2.

mod body;
mod error;
mod event_types;
mod events;
mod forms;
mod gate;
mod invitees;
mod no_shows;
mod organizations;
mod paging;
mod subscriptions;
mod users;

pub(crate) use gate::{injected, limited, with_body};

use crate::app::Shared;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use error::ApiError;
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
        .route("/event_types", get(event_types::list))
        .route("/event_types/{id}", get(event_types::one))
        .route("/organizations/{id}", get(organizations::one))
        .route(
            "/organizations/{id}/invitations",
            get(organizations::invitations),
        )
        .route("/organization_memberships", get(organizations::memberships))
        .route(
            "/organization_memberships/{id}",
            get(organizations::one_membership),
        )
        .route("/groups", get(organizations::groups))
        .route("/groups/{id}", get(organizations::one_group))
        .route("/routing_forms", get(forms::list))
        .route("/routing_forms/{id}", get(forms::one))
        .route("/routing_form_submissions", get(forms::submissions))
        .route("/routing_form_submissions/{id}", get(forms::one_submission))
        .fallback(async || ApiError::not_found())
        .method_not_allowed_fallback(async || ApiError::wrong_method())
        .layer(from_fn_with_state(Arc::clone(app), gate::gate))
}
