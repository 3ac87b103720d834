//! How a call is made: with a token, within the rate limit and the time that is left, tried again
//! where that may help.

use super::client::{Access, Client, Urgency};
use super::error::ApiError;
use super::list::{Collection, Listed, Page};
use super::pages::{Pages, Turned};
use super::rate::{RateLimit, wait};
use super::retry::{MAX_ATTEMPTS, MAX_RATE_WAIT, pause};
use crate::call::{NoReply, TIMEOUT};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// The pages of a list that is read in one go: 10,000 entries.
const MAX_PAGES: u32 = 100;

impl<A: Access> Client<A> {
    /// The rate limit as the last answer told it, if its window is not over.
    pub fn rate_limit(&self) -> Option<RateLimit> {
        let rate = *self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        let (rate, at) = rate?;
        let reset = rate.reset.checked_sub(at.elapsed())?;
        Some(RateLimit { reset, ..rate })
    }

    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        action: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Page<T>, ApiError> {
        let found: Collection = self.get(action, path, query).await?;
        Ok(found.into())
    }

    /// Reads a list to its end, or as far as it can be read.
    pub(super) async fn all<T: DeserializeOwned>(
        &self,
        action: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Listed<T> {
        let mut listed = Listed::default();
        let mut pages = Pages::default();
        let mut anew = false;
        loop {
            let mut query = query.to_vec();
            query.extend(page(pages.token()));
            let turned = match self.list(action, path, &query).await {
                Ok(page) => {
                    listed.items.extend(page.items);
                    listed.unreadable += page.unreadable;
                    pages.turn(page.next, MAX_PAGES)
                }
                // A page token that is no longer taken: once more from the start.
                Err(ApiError::Status { status: 400, .. }) if pages.token().is_some() && !anew => {
                    anew = true;
                    pages = Pages::default();
                    Turned::More
                }
                Err(error) => {
                    listed.stopped = Some(error);
                    return listed;
                }
            };
            match turned {
                Turned::More => {}
                Turned::End => return listed,
                Turned::Stuck(cause) => {
                    listed.stopped = Some(ApiError::Endless { action, cause });
                    return listed;
                }
            }
        }
    }

    pub(super) async fn get<T: DeserializeOwned>(
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
    pub(super) async fn call<T: DeserializeOwned>(
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
            self.in_time(action, Duration::ZERO)?;
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
                    ApiError::of(action, reply.status, wait(&reply.headers), &reply.body)
                }
                Err(none @ NoReply::BrokenOff) => return Err(unreachable(action, none.cause())),
                Err(none) => unreachable(action, none.cause()),
            };
            attempt += 1;
            let wait = match &failure {
                ApiError::RateLimited { retry_after } if *retry_after <= MAX_RATE_WAIT => {
                    *retry_after + pause(0)
                }
                ApiError::Unreachable { .. }
                | ApiError::Gateway { .. }
                | ApiError::Status { .. }
                    if failure.is_transient() =>
                {
                    pause(attempt)
                }
                _ => return Err(failure),
            };
            if attempt >= MAX_ATTEMPTS {
                return Err(failure);
            }
            match (self.in_time(action, wait), &failure) {
                (Ok(()), _) => {}
                (Err(_), ApiError::RateLimited { .. }) => return Err(failure),
                (Err(late), _) => return Err(late),
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// Whether a call that is begun after `wait` ends before the deadline, however long it takes.
    fn in_time(&self, action: &'static str, wait: Duration) -> Result<(), ApiError> {
        match self.deadline {
            Some(deadline) if Instant::now() + wait + TIMEOUT > deadline => {
                Err(ApiError::OutOfTime { action })
            }
            _ => Ok(()),
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

pub(super) fn page(token: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
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

pub(super) fn unreadable(action: &'static str, field: &'static str) -> ApiError {
    ApiError::Unreadable { action, field }
}

fn unreachable(action: &'static str, cause: &'static str) -> ApiError {
    ApiError::Unreachable { action, cause }
}
