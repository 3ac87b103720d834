//! Resources as the API answers them, as far as they are used.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET /users/me`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The user's URI, whose last part names the connection.
    pub uri: String,
    /// URI of the user's organization.
    pub current_organization: String,
}

/// Whose events a webhook subscription tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All of the organization's.
    Organization,
    /// One user's.
    User,
    /// One group's.
    Group,
}

/// Whether Calendly sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubscriptionState {
    /// It does.
    Active,
    /// It has stopped, for good: a new subscription is needed.
    Disabled,
    /// A state that isn't documented.
    #[serde(other)]
    Unknown,
}

/// A webhook subscription. Its signing key is never read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its URI.
    pub uri: String,
    /// Where it sends.
    pub callback_url: String,
    /// Whether it sends.
    pub state: SubscriptionState,
    /// What it tells of.
    #[serde(default)]
    pub events: Vec<String>,
    /// Whose events.
    pub scope: Scope,
    /// URI of the organization.
    pub organization: Option<String>,
    /// URI of the user, for that scope.
    pub user: Option<String>,
    /// URI of the user who made it.
    pub creator: Option<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When Calendly last began to retry. It may stay set after all is well again.
    pub retry_started_at: Option<Timestamp>,
}

impl Subscription {
    /// The id: the last part of its URI.
    pub fn id(&self) -> &str {
        self.uri.rsplit('/').next().unwrap_or_default()
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// The token of the next page; nothing on the last.
    pub next: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Collection<T> {
    pub(super) collection: Vec<T>,
    pub(super) pagination: Pagination,
}

#[derive(Deserialize)]
pub(super) struct Pagination {
    pub(super) next_page_token: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Resource<T> {
    pub(super) resource: T,
}

/// The form of an error. Gateways answer HTML or nothing, so every part may be missing.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    pub(super) message: String,
    pub(super) required_scopes: Vec<String>,
}
