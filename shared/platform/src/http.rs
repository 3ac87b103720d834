//! HTTP answers in the contract's shapes.

use crate::room;
use lambda_http::http::{HeaderValue, Method, Response, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};
use serde::Serialize;
use serde_json::json;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// The id that one request's log lines, delivery record, queue message and answers share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackingId(String);

impl TrackingId {
    /// A new random one.
    pub fn random() -> Self {
        Self(ambient::uuid())
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TrackingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// For programs, `UPPER_SNAKE`.
    pub code: &'static str,
    /// For people: what is wrong, and what to do.
    pub message: String,
    /// Seconds after which another try may do better: the header `Retry-After`.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// An error answer.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after: None,
        }
    }

    /// A parameter that can't be used: 400 `INVALID_PARAMETER`, which names it.
    pub fn parameter(name: &str, wrong: impl fmt::Display) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "INVALID_PARAMETER",
            format!("{name}: {wrong}"),
        )
    }

    /// 404 `NOT_FOUND`.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", what)
    }

    /// 503 `STORE_UNAVAILABLE`: what AWS could not do now is worth another try by the caller.
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "STORE_UNAVAILABLE",
            "the store or the queue can't be reached; try again",
        )
    }

    /// 429 `RATE_LIMITED`: too many requests of one address were refused, and more will be for
    /// this many seconds.
    pub fn rate_limited(retry_after: u32) -> Self {
        let message = format!(
            "too many requests from this address were refused; correct what they are refused for, \
             and try again in {retry_after} s"
        );
        Self {
            retry_after: Some(retry_after),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, "RATE_LIMITED", message)
        }
    }

    /// The answer.
    pub fn answer(&self, tracking_id: &TrackingId) -> Response<Body> {
        let mut response = answer(
            self.status,
            tracking_id,
            &json!({
                "error": self.message,
                "code": self.code,
                "trackingId": tracking_id.as_str(),
                "timestamp": ambient::now(),
            }),
        );
        if let Some(seconds) = self.retry_after {
            let headers = response.headers_mut();
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The word for a method in logs: its name where it is a usual one, and else `other`. A caller can
/// write anything there.
pub fn method(method: &Method) -> &'static str {
    let usual = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let usual = usual.into_iter().find(|usual| method == usual);
    usual.unwrap_or("other")
}

/// The address that a request came from, as API Gateway itself saw it: what a header says of it
/// anybody can write.
pub fn source_address(request: &Request) -> Option<IpAddr> {
    let RequestContext::ApiGatewayV2(context) = request.request_context_ref()? else {
        return None;
    };
    context.http.source_ip.as_ref()?.parse().ok()
}

/// For calls to Calendly, with time-outs.
pub fn outgoing() -> Result<calendly::Http, reqwest::Error> {
    reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .timeout(calendly::TIMEOUT)
        // No call of ours is meant to be sent on: a redirect would carry a token elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("calendly-serverless/", env!("CARGO_PKG_VERSION")))
        .build()
        .map(calendly::Http::from)
}

/// A JSON answer with the tracking id in its header.
pub fn answer(
    status: StatusCode,
    tracking_id: &TrackingId,
    body: &impl Serialize,
) -> Response<Body> {
    match room::written(body) {
        Ok(Some(body)) => respond(status, tracking_id, body),
        Ok(None) => {
            tracing::error!("an answer is larger than Lambda takes");
            too_large().answer(tracking_id)
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            respond(status, tracking_id, "{}".to_owned())
        }
    }
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "ANSWER_TOO_LARGE",
        "what is stored is more than an answer can hold; its parts have addresses of their own",
    )
}

fn respond(status: StatusCode, tracking_id: &TrackingId, body: String) -> Response<Body> {
    let mut response = Response::new(Body::Text(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(id) = HeaderValue::from_str(tracking_id.as_str()) {
        headers.insert("x-tracking-id", id);
    }
    response
}
