//! `/_sandbox/…`: what tests and people do to a sandbox beside Calendly's own API.

mod bookings;
mod error;
mod settings;
mod view;

use crate::app::Shared;
use axum::Router;
use axum::routing::{delete, get, patch, post, put};

pub(crate) fn router() -> Router<Shared> {
    let controls = Router::new()
        .route("/bookings", post(bookings::book))
        .route("/bookings/bulk", post(bookings::bulk))
        .route("/bookings/{id}", patch(bookings::change_invitee))
        .route("/bookings/{id}/reschedule", post(bookings::reschedule))
        .route("/bookings/{id}/ask-for-another-time", post(bookings::ask))
        .route("/bookings/{id}/cancel", post(bookings::cancel))
        .route(
            "/bookings/{id}/no-show",
            post(bookings::mark_no_show).delete(bookings::clear_no_show),
        )
        .route(
            "/events/{id}",
            patch(bookings::change_event).delete(bookings::vanish),
        )
        .route("/events/{id}/cancel", post(bookings::cancel_event))
        .route("/accounts", post(settings::add_account))
        .route("/accounts/{id}", patch(settings::change_account))
        .route("/members", post(settings::add_member))
        .route("/event-types", post(settings::add_event_type))
        .route("/routing-form-submissions", post(bookings::submit_form))
        .route("/clock", put(settings::clock))
        .route(
            "/faults/calls",
            post(settings::fail).delete(settings::fail_no_more),
        )
        .route("/faults", put(settings::faults).get(view::faults))
        .route("/limits", put(settings::limits))
        .route("/expire-tokens", post(settings::expire_tokens))
        .route("/subscriptions", post(settings::subscribe))
        .route("/subscriptions/{id}", delete(settings::unsubscribe))
        .route("/subscriptions/{id}/disable", post(settings::disable))
        .route("/settle", post(settings::settle))
        .route("/state", get(view::state))
        .route("/deliveries", get(view::deliveries))
        .route("/calls", get(view::calls).delete(settings::clear_calls));
    Router::new().nest("/_sandbox", controls)
}
