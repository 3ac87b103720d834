//! Calendly's REST API v2: typed calls, bounded in time and number, that keep within the rate limit.
//!
//! Source: Calendly's API reference.

mod client;
mod error;
mod rate;
mod resources;
mod retry;

pub use client::{Access, Client, Endpoints, EventWindow, NewSubscription, Urgency};
pub use error::ApiError;
pub use rate::RateLimit;
pub use resources::{Page, Scope, Subscription, SubscriptionState, User};
