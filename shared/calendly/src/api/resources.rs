//! Resources as the API answers them, as far as they are used.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// `GET /users/me`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The user's URI, whose last part names the connection.
    pub uri: String,
    /// URI of the user's organization.
    pub current_organization: String,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

/// Whose events a webhook subscription tells of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// All of the organization's.
    Organization,
    /// One user's.
    User,
    /// One group's.
    Group,
    /// A scope that isn't documented.
    #[default]
    #[serde(other)]
    Unknown,
}

/// Whether Calendly sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SubscriptionState {
    /// It does.
    Active,
    /// It has stopped, for good: a new subscription is needed.
    Disabled,
    /// A state that isn't documented.
    #[default]
    #[serde(other)]
    Unknown,
}

/// A webhook subscription. Its signing key is never read back.
///
/// Somebody else's can be of a kind that isn't known here, so all but its names may be missing or of
/// any form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its URI.
    pub uri: String,
    /// Where it sends.
    pub callback_url: String,
    /// Whether it sends.
    #[serde(default, deserialize_with = "lenient")]
    pub state: SubscriptionState,
    /// What it tells of; nothing where Calendly doesn't say, as none can be made without.
    #[serde(default, deserialize_with = "lenient")]
    pub events: Vec<String>,
    /// Whose events.
    #[serde(default, deserialize_with = "lenient")]
    pub scope: Scope,
    /// URI of the organization.
    #[serde(default, deserialize_with = "lenient")]
    pub organization: Option<String>,
    /// URI of the user, for that scope.
    #[serde(default, deserialize_with = "lenient")]
    pub user: Option<String>,
    /// URI of the user who made it.
    #[serde(default, deserialize_with = "lenient")]
    pub creator: Option<String>,
    /// When it was made.
    #[serde(default, deserialize_with = "lenient")]
    pub created_at: Option<Timestamp>,
    /// When Calendly last began to retry. It may stay set after all is well again.
    #[serde(default, deserialize_with = "lenient")]
    pub retry_started_at: Option<Timestamp>,
}

impl Subscription {
    /// The id: the last part of its URI.
    pub fn id(&self) -> &str {
        Self::id_of(&self.uri)
    }

    /// The id of the one that has this URI.
    pub fn id_of(uri: &str) -> &str {
        uri.rsplit('/').next().unwrap_or_default()
    }
}

#[derive(Deserialize)]
pub(super) struct Resource<T> {
    pub(super) resource: T,
}

/// What can't be read as it should is as good as missing.
fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}
