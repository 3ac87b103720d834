//! Calendly's REST API v2: typed calls, bounded in time and number, that keep within the rate limit.
//!
//! Source: Calendly's API reference.

mod client;
mod error;
mod list;
mod pages;
mod rate;
mod resources;
mod retry;
mod send;

pub use client::{Access, Client, Endpoints, EventWindow, NewSubscription, Owner, Urgency};
pub use error::ApiError;
pub use list::{Listed, Next, Page};
pub use pages::{Pages, Turned};
pub use rate::RateLimit;
pub use resources::{Scope, Subscription, SubscriptionState, User};
