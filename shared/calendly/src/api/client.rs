//! Calls.

use super::error::ApiError;
use super::list::{Listed, Page};
use super::pages::Pages;
use super::rate::RateLimit;
use super::resources::{Resource, Scope, Subscription, User};
use super::send::{page, unreadable};
use crate::call::Http;
use jiff::Timestamp;
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;
use std::sync::Mutex;
use tokio::time::Instant;

/// Where Calendly is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// `https://api.calendly.com`
    pub api: String,
    /// `https://auth.calendly.com`
    pub auth: String,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            api: "https://api.calendly.com".to_owned(),
            auth: "https://auth.calendly.com".to_owned(),
        }
    }
}

/// Where access tokens come from.
pub trait Access {
    /// The token to use now.
    fn token(&self) -> impl Future<Output = Result<String, ApiError>> + Send;
    /// A token other than `refused`, which Calendly did not take.
    fn token_after(&self, refused: &str) -> impl Future<Output = Result<String, ApiError>> + Send;
}

/// Who waits for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody does: it may use the last of the rate limit.
    Interactive,
    /// Nobody does: it leaves a reserve.
    Background,
}

/// Whose events are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// All of an organization's, by its URI: only its owners and administrators may.
    Organization(&'a str),
    /// One user's, by their URI.
    User(&'a str),
}

/// A span of start times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventWindow {
    /// From here.
    pub from: Timestamp,
    /// To here.
    pub to: Timestamp,
}

/// A webhook subscription to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewSubscription {
    /// Where it is to send.
    pub url: String,
    /// What it is to tell of.
    pub events: Vec<String>,
    /// URI of the organization.
    pub organization: String,
    /// URI of the user, for that scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whose events.
    pub scope: Scope,
    /// The key to sign with; an OAuth app has its own, and sends none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<String>,
}

/// A client of one connection: tokens and the rate limit are an account's.
pub struct Client<A> {
    pub(super) http: Http,
    pub(super) base: String,
    pub(super) access: A,
    pub(super) urgency: Urgency,
    pub(super) rate: Mutex<Option<(RateLimit, Instant)>>,
    pub(super) deadline: Option<Instant>,
}

impl<A: Access> Client<A> {
    /// A client for the account that `access` has tokens of.
    pub fn new(http: Http, endpoints: &Endpoints, access: A, urgency: Urgency) -> Self {
        Self {
            http,
            base: endpoints.api.trim_end_matches('/').to_owned(),
            access,
            urgency,
            rate: Mutex::default(),
            deadline: None,
        }
    }

    /// The same, but it begins no call that could not end before `deadline`.
    #[must_use]
    pub fn until(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// The account that the token is of.
    pub async fn me(&self) -> Result<User, ApiError> {
        let action = "read the account";
        let found: Resource<User> = self.get(action, "/users/me", &[]).await?;
        Ok(found.resource)
    }

    /// A page of an organization's, or one user's, scheduled events by start, as raw resources.
    pub async fn events(
        &self,
        owner: Owner<'_>,
        window: &EventWindow,
        page_token: Option<&str>,
    ) -> Result<Page<Value>, ApiError> {
        let (from, to) = (format!("{:.6}", window.from), format!("{:.6}", window.to));
        let owner = match owner {
            Owner::Organization(uri) => ("organization", uri),
            Owner::User(uri) => ("user", uri),
        };
        let mut query = vec![
            owner,
            ("min_start_time", &from),
            ("max_start_time", &to),
            ("sort", "start_time:asc"),
        ];
        query.extend(page(page_token));
        self.list("list events", "/scheduled_events", &query).await
    }

    /// One scheduled event as a raw resource.
    pub async fn event(&self, id: &str) -> Result<Value, ApiError> {
        let path = format!("/scheduled_events/{id}");
        let found: Resource<Value> = self.get("read an event", &path, &[]).await?;
        Ok(found.resource)
    }

    /// An event's invitees as raw resources, up to 10,000.
    pub async fn invitees(&self, event_id: &str) -> Listed<Value> {
        let path = format!("/scheduled_events/{event_id}/invitees");
        self.all("list invitees", &path, &[]).await
    }

    /// The same, without the `pages` that were read already. Behind what was read now, `pages` stands at
    /// the one with which to go on.
    pub async fn more_invitees(&self, event_id: &str, pages: &mut Pages) -> Listed<Value> {
        let path = format!("/scheduled_events/{event_id}/invitees");
        self.rest("list invitees", &path, &[], pages).await
    }

    /// The webhook subscriptions of an organization, or of one user in it.
    pub async fn subscriptions(
        &self,
        organization: &str,
        user: Option<&str>,
    ) -> Listed<Subscription> {
        let scope = if user.is_some() {
            "user"
        } else {
            "organization"
        };
        let mut query = vec![("organization", organization), ("scope", scope)];
        query.extend(user.map(|user| ("user", user)));
        let action = "list webhook subscriptions";
        self.all(action, "/webhook_subscriptions", &query).await
    }

    /// One webhook subscription.
    pub async fn subscription(&self, id: &str) -> Result<Subscription, ApiError> {
        let path = format!("/webhook_subscriptions/{id}");
        let action = "read a webhook subscription";
        let found: Resource<Subscription> = self.get(action, &path, &[]).await?;
        Ok(found.resource)
    }

    /// Makes a webhook subscription.
    pub async fn subscribe(&self, new: &NewSubscription) -> Result<Subscription, ApiError> {
        let action = "make a webhook subscription";
        let body = serde_json::to_value(new).map_err(|_| unreadable(action, "the request"))?;
        let url = format!("{}/webhook_subscriptions", self.base);
        let made: Option<Resource<Subscription>> = self
            .call(action, Method::POST, &url, &[], Some(&body))
            .await?;
        Ok(made.ok_or(unreadable(action, "the body"))?.resource)
    }

    /// Deletes a webhook subscription. One that isn't there (any more) is as good as deleted.
    pub async fn unsubscribe(&self, id: &str) -> Result<(), ApiError> {
        let url = format!("{}/webhook_subscriptions/{id}", self.base);
        let action = "delete a webhook subscription";
        let answer: Result<Option<Value>, _> =
            self.call(action, Method::DELETE, &url, &[], None).await;
        match answer {
            Ok(_) | Err(ApiError::NotFound { .. } | ApiError::Status { status: 410, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
