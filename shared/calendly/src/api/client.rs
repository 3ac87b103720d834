//! Calls.

use super::error::ApiError;
use super::rate::{RateLimit, wait};
use super::resources::{Collection, ErrorBody, Page, Resource, Scope, Subscription, User};
use super::retry::{MAX_ATTEMPTS, MAX_RATE_WAIT, pause};
use crate::call::{Http, NoReply};
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
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
    http: Http,
    base: String,
    access: A,
    urgency: Urgency,
    rate: Mutex<Option<(RateLimit, Instant)>>,
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
        }
    }

    /// The rate limit as the last answer told it, if its window is not over.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        let rate = *self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        let (rate, at) = rate?;
        let reset = rate.reset.checked_sub(at.elapsed())?;
        Some(RateLimit { reset, ..rate })
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
        owner: (Scope, &str),
        window: &EventWindow,
        page_token: Option<&str>,
    ) -> Result<Page<Value>, ApiError> {
        let (from, to) = (format!("{:.6}", window.from), format!("{:.6}", window.to));
        let mut query = vec![
            (scope_name(owner.0), owner.1),
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

    /// A page of an event's invitees as raw resources.
    pub async fn invitees(
        &self,
        event_id: &str,
        page_token: Option<&str>,
    ) -> Result<Page<Value>, ApiError> {
        let path = format!("/scheduled_events/{event_id}/invitees");
        let query: Vec<_> = page(page_token).collect();
        self.list("list invitees", &path, &query).await
    }

    /// A page of the webhook subscriptions of an organization, or of one user in it.
    pub async fn subscriptions(
        &self,
        organization: &str,
        user: Option<&str>,
        page_token: Option<&str>,
    ) -> Result<Page<Subscription>, ApiError> {
        let scope = if user.is_some() {
            "user"
        } else {
            "organization"
        };
        let mut query = vec![("organization", organization), ("scope", scope)];
        query.extend(user.map(|user| ("user", user)));
        query.extend(page(page_token));
        let action = "list webhook subscriptions";
        self.list(action, "/webhook_subscriptions", &query).await
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
            Ok(_) | Err(ApiError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn list<T: DeserializeOwned>(
        &self,
        action: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Page<T>, ApiError> {
        let found: Collection<T> = self.get(action, path, query).await?;
        Ok(Page {
            items: found.collection,
            next: found.pagination.next_page_token,
        })
    }

    async fn get<T: DeserializeOwned>(
        &self,
        action: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, ApiError> {
        let url = format!("{}{path}", self.base);
        let found = self.call(action, Method::GET, &url, query, None).await?;
        found.ok_or(unreadable(action, "the body"))
    }

    /// One call with its retries. An empty success is nothing.
    async fn call<T: DeserializeOwned>(
        &self,
        action: &'static str,
        method: Method,
        url: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Option<T>, ApiError> {
        let mut token = self.access.token().await?;
        let mut renewed = false;
        let mut attempt = 0;
        loop {
            self.keep_reserve()?;
            let mut request = self.http.request(method.clone(), url).query(query);
            if let Some(body) = body {
                request = request.json(body);
            }
            let failure = match self.http.call(action, request.bearer_auth(&token)).await {
                Ok(reply) => {
                    self.note_rate(&reply.headers);
                    if reply.status.is_success() {
                        return parse(action, &reply.body);
                    }
                    if reply.status == StatusCode::UNAUTHORIZED && !renewed {
                        renewed = true;
                        token = self.access.token_after(&token).await?;
                        continue;
                    }
                    error_of(action, reply.status, wait(&reply.headers), &reply.body)
                }
                Err(none @ NoReply::BrokenOff) => return Err(unreachable(action, none.cause())),
                Err(none) => unreachable(action, none.cause()),
            };
            attempt += 1;
            let wait = match &failure {
                ApiError::RateLimited { retry_after } if *retry_after <= MAX_RATE_WAIT => {
                    *retry_after + pause(0)
                }
                ApiError::Unreachable { .. } | ApiError::Status { .. }
                    if failure.is_transient() =>
                {
                    pause(attempt)
                }
                _ => return Err(failure),
            };
            if attempt >= MAX_ATTEMPTS {
                return Err(failure);
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Stops background work before it uses what people wait for.
    fn keep_reserve(&self) -> Result<(), ApiError> {
        match self.rate_limit() {
            Some(rate) if self.urgency == Urgency::Background && rate.is_reserve() => {
                Err(ApiError::RateLimited {
                    retry_after: rate.reset.max(Duration::from_secs(1)),
                })
            }
            _ => Ok(()),
        }
    }

    fn note_rate(&self, headers: &reqwest::header::HeaderMap) {
        if let Some(rate) = RateLimit::read(headers) {
            let mut known = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Some((rate, Instant::now()));
        }
    }
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Organization => "organization",
        Scope::User => "user",
        Scope::Group => "group",
    }
}

fn page(token: Option<&str>) -> impl Iterator<Item = (&'static str, &str)> {
    std::iter::once(("count", "100")).chain(token.map(|token| ("page_token", token)))
}

fn parse<T: DeserializeOwned>(action: &'static str, bytes: &[u8]) -> Result<Option<T>, ApiError> {
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    // The parser's own error could quote a booking.
    crate::json::from_slice(bytes)
        .map(Some)
        .map_err(|_| unreadable(action, "the body is not of the documented form"))
}

fn unreadable(action: &'static str, field: &'static str) -> ApiError {
    ApiError::Unreadable { action, field }
}

fn unreachable(action: &'static str, cause: &'static str) -> ApiError {
    ApiError::Unreachable { action, cause }
}

/// Calendly's own words are kept short: they are shown to people and logged.
const MAX_MESSAGE: usize = 200;

fn error_of(action: &'static str, status: StatusCode, wait: Duration, bytes: &[u8]) -> ApiError {
    let body: ErrorBody = serde_json::from_slice(bytes).unwrap_or_default();
    let message: String = body.message.chars().take(MAX_MESSAGE).collect();
    match status {
        StatusCode::UNAUTHORIZED => ApiError::Unauthenticated { action },
        StatusCode::FORBIDDEN if !body.required_scopes.is_empty() => ApiError::MissingScope {
            action,
            scopes: body.required_scopes.join(" "),
        },
        StatusCode::FORBIDDEN => ApiError::Forbidden { action, message },
        StatusCode::NOT_FOUND => ApiError::NotFound { action },
        StatusCode::CONFLICT => ApiError::AlreadyExists { action },
        StatusCode::TOO_MANY_REQUESTS => ApiError::RateLimited { retry_after: wait },
        status => ApiError::Status {
            action,
            status: status.as_u16(),
            message,
        },
    }
}
