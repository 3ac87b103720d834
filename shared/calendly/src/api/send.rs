//! How a call is made: with a token, within the rate limit and the time that is left, tried again
//! where that may help.

use super::client::{Access, Client, Urgency};
use super::error::ApiError;
use super::list::{Collection, Listed, Page};
use super::pages::{Pages, Turned};
use super::rate::{RateLimit, wait};
use super::retry::{MAX_ATTEMPTS, MAX_RATE_WAIT, pause};
use crate::call::{NoReply, Reply, TIMEOUT};
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
                    if method == Method::DELETE && is_gone(&reply) {
                        return Err(ApiError::NotFound { action });
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

/// Whether what was to be deleted isn't there. Of such an answer nobody needs a body; a page of
/// something before Calendly says nothing about it.
fn is_gone(reply: &Reply) -> bool {
    matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::GONE)
        && reply.body.trim_ascii().is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Endpoints;
    use crate::call::{Answer, Http, Wire};
    use reqwest::header::HeaderMap;
    use std::sync::Arc;

    struct Token;

    impl Access for Token {
        async fn token(&self) -> Result<String, ApiError> {
            Ok("a".to_owned())
        }

        async fn token_after(&self, _: &str) -> Result<String, ApiError> {
            Ok("b".to_owned())
        }
    }

    /// Answers every call alike.
    struct Always(StatusCode, &'static str);

    impl Wire for Always {
        fn send(&self, _: reqwest::Request) -> Answer {
            let reply = Reply {
                status: self.0,
                headers: HeaderMap::default(),
                body: self.1.into(),
            };
            Box::pin(async { Ok(reply) })
        }
    }

    fn client(status: StatusCode, body: &'static str) -> Client<Token> {
        let http = Http::by(Arc::new(Always(status, body)), reqwest::Client::new());
        // One try each: there is no time for a second.
        Client::new(http, &Endpoints::default(), Token, Urgency::Interactive)
            .until(Instant::now() + TIMEOUT + Duration::from_millis(1))
    }

    #[tokio::test(start_paused = true)]
    async fn a_subscription_that_is_gone_without_a_word_is_as_good_as_deleted() {
        for status in [StatusCode::NOT_FOUND, StatusCode::GONE] {
            assert_eq!(client(status, " ").unsubscribe("s").await, Ok(()));
            let page = client(status, "<html>").unsubscribe("s").await;
            assert!(page.is_err(), "{status}");
            // What is read may be there all the same.
            let read = client(status, "").event("e").await.unwrap_err();
            assert!(!matches!(read, ApiError::NotFound { .. }), "{read:?}");
        }
        let told = r#"{"title": "Gone", "message": "It is gone."}"#;
        let gone = client(StatusCode::GONE, told).unsubscribe("s").await;
        assert_eq!(gone, Ok(()));
    }
}
