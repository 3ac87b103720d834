//! The world that a sandbox stands for, to be changed and looked at from within the process.

mod accounts;
mod asked;
mod bookings;
mod faults;
mod forms;
mod snapshot;
mod webhooks;

pub use accounts::{Account, NewEventType, NewSubscription};
pub use asked::{Answered, Booked, By, EventChange, InviteeChange, NewBooking};
pub use forms::NewSubmission;
pub use snapshot::{SeenEvent, SeenInvitee};
pub use webhooks::{Attempt, Webhook};

use crate::app::Shared;
use crate::{Options, api, controls, oauth, page};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Calendly as the sandbox has it: its accounts, bookings, subscriptions and faults. Clones are
/// handles of the same one.
#[derive(Debug, Clone)]
pub struct World {
    app: Shared,
}

impl World {
    pub(crate) fn of(app: Shared) -> Self {
        Self { app }
    }

    pub(crate) fn app(&self) -> &Shared {
        &self.app
    }

    /// Everything that it answers over HTTP: Calendly's API and OAuth, the controls, the page.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(api::router(&self.app))
            .merge(oauth::router())
            .merge(controls::router())
            .merge(page::router())
            .layer(DefaultBodyLimit::max(4 << 20))
            .with_state(Arc::clone(&self.app))
    }

    /// What it was started with.
    pub fn options(&self) -> &Options {
        &self.app.options
    }

    /// The time by Calendly's clock.
    pub fn now(&self) -> Timestamp {
        self.app.state().clock.now()
    }

    /// Sets Calendly's clock so far ahead of the machine's; behind it with less than nothing.
    pub fn set_clock_ahead(&self, ahead: SignedDuration) {
        self.app.state().clock.ahead = ahead;
    }
}
