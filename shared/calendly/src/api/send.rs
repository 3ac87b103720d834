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
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::Instant;

/// The pages of a list that is read in one go: 10,000 entries.
const MAX_PAGES: u32 = 100;
/// A token is given up when it is refused so often: one refusal may be an accident, and whoever pasted
/// a token has no other.
const MAX_REFUSALS: u32 = 2;

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
        self.rest(action, path, query, &mut Pages::default()).await
    }

    /// The same, from `pages` on, which are left where there is more to read.
    pub(super) async fn rest<T: DeserializeOwned>(
        &self,
        action: &'static str,
        path: &str,
        query: &[(&str, &str)],
        pages: &mut Pages,
    ) -> Listed<T> {
        let mut listed = Listed::default();
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
                    *pages = Pages::default();
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
        let mut refusals = 0;
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
                    if method == Method::DELETE && is_gone(&reply) {
                        return Err(ApiError::NotFound { action });
                    }
                    match answer(action, &reply) {
                        Err(ApiError::Unauthenticated { .. }) if refusals < MAX_REFUSALS => {
                            refusals += 1;
                            if refusals == MAX_REFUSALS {
                                token = self.access.token_after(&token).await?;
                            }
                            continue;
                        }
                        Err(failure) => failure,
                        found => return found,
                    }
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

/// What an answer says. An empty success is nothing.
fn answer<T: DeserializeOwned>(action: &'static str, reply: &Reply) -> Result<Option<T>, ApiError> {
    let (status, body) = (reply.status, reply.body.trim_ascii());
    if !status.is_success() {
        let wait = wait(&reply.headers);
        return Err(ApiError::of(action, status, wait, &reply.body));
    }
    if body.is_empty() {
        return Ok(None);
    }
    // The parser's own error could quote a booking.
    crate::json::from_slice(body).map(Some).map_err(|_| {
        if crate::json::from_slice::<IgnoredAny>(body).is_ok() {
            return unreadable(action, "the body is not of the documented form");
        }
        let status = status.as_u16();
        ApiError::Gateway { action, status }
    })
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
    use std::sync::atomic::{AtomicU32, Ordering};

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

    /// Takes one token alone, and counts how often it was asked for the one after another.
    struct Keeper(Arc<AtomicU32>);

    impl Access for Keeper {
        async fn token(&self) -> Result<String, ApiError> {
            Ok("a".to_owned())
        }

        async fn token_after(&self, _: &str) -> Result<String, ApiError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Err(ApiError::NoToken {
                message: "lost".to_owned(),
                transient: false,
            })
        }
    }

    /// Refuses the first calls, then answers well.
    struct Refusing(AtomicU32, &'static str);

    impl Wire for Refusing {
        fn send(&self, _: reqwest::Request) -> Answer {
            let left = self.0.load(Ordering::Relaxed);
            self.0.store(left.saturating_sub(1), Ordering::Relaxed);
            let (status, body) = match left {
                0 => (StatusCode::OK, r#"{"resource": {"uri": "e"}}"#),
                _ => (StatusCode::UNAUTHORIZED, self.1),
            };
            let reply = Reply {
                status,
                headers: HeaderMap::default(),
                body: body.into(),
            };
            Box::pin(async { Ok(reply) })
        }
    }

    const REFUSED: &str =
        r#"{"title": "Unauthenticated", "message": "The access token is invalid"}"#;

    /// Answers whether the event was read, and how often the token was given up.
    async fn read_after(refusals: u32, body: &'static str) -> (Result<Value, ApiError>, u32) {
        let lost = Arc::new(AtomicU32::new(0));
        let wire = Refusing(AtomicU32::new(refusals), body);
        let http = Http::by(Arc::new(wire), reqwest::Client::new());
        let keeper = Keeper(lost.clone());
        let client = Client::new(http, &Endpoints::default(), keeper, Urgency::Interactive);
        (client.event("e").await, lost.load(Ordering::Relaxed))
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_token_that_calendly_itself_refuses_twice_is_given_up() {
        for (refusals, body) in [(1, REFUSED), (1, ""), (2, "<html>"), (1, "<html>")] {
            let (read, lost) = read_after(refusals, body).await;
            assert_eq!((read.is_ok(), lost), (true, 0), "{refusals} {body}");
        }
        let (read, lost) = read_after(2, REFUSED).await;
        assert!(matches!(read, Err(ApiError::NoToken { .. })), "{read:?}");
        assert_eq!(lost, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_that_is_no_json_is_not_calendlys_answer() {
        let page = client(StatusCode::OK, "<html>").event("e").await;
        assert!(page.unwrap_err().is_transient());
        let odd = client(StatusCode::OK, "[]").event("e").await.unwrap_err();
        assert!(matches!(odd, ApiError::Unreadable { .. }), "{odd:?}");
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
