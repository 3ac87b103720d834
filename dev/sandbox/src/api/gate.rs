//! What every API call passes: faults, the bearer token, the rate limit.

use super::error::ApiError;
use crate::accounts::{Group, User};
use crate::app::{App, Shared};
use crate::bookings::Bookings;
use crate::budget::Left;
use crate::faults::{Body, Instead};
use crate::grants::{Access, Token};
use axum::body::to_bytes;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, ETAG, SERVER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub user: User,
    token: Token,
}

impl Caller {
    pub(crate) fn needs(&self, scope: &str) -> Result<(), ApiError> {
        if self.has(scope) {
            Ok(())
        } else {
            Err(ApiError::scope(scope))
        }
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        self.token.has_scope(scope)
    }

    /// `true` if what a group's members host is this caller's to see.
    pub(crate) fn leads(&self, group: &Group) -> bool {
        group.organization == self.user.organization
            && (self.user.role.sees_all() || group.leads.contains(&self.user.id))
    }

    pub(crate) fn is_personal(&self) -> bool {
        self.token.is_personal()
    }
}

/// How far a read lags behind.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lag(SignedDuration);

impl Lag {
    fn of_millis(millis: u64) -> Self {
        Self(SignedDuration::from_millis(
            i64::try_from(millis).unwrap_or(i64::MAX),
        ))
    }

    /// The bookings as a read with this lag sees them.
    pub(crate) fn sees(self, bookings: &Bookings) -> Cow<'_, Bookings> {
        if self.0.is_zero() {
            return Cow::Borrowed(bookings);
        }
        let now = ambient::now();
        Cow::Owned(bookings.as_of(now.saturating_sub(self.0).unwrap_or(now)))
    }
}

/// Counts the call and lets it through, or answers what stands in its way.
pub(super) async fn gate(
    State(app): State<Shared>,
    path: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let path = path.as_ref().map_or("elsewhere", MatchedPath::as_str);
    let route = format!("{} {path}", request.method());
    let (mut hang, mut error, mut body, lag, instead) = {
        let mut state = app.state();
        let share = state.faults.hang;
        let hangs = state.faults.happens("hang", share);
        let hang = hangs.then(|| state.faults.hang_for());
        let error = state.faults.error(false);
        let instead = state.call_faults.take(&route, request.uri().path());
        let lasting = &state.faults;
        (hang, error, lasting.api_body, lasting.lag_ms, instead)
    };
    let mut lag = Lag::of_millis(lag);
    let mut page = None;
    match instead {
        None => {}
        Some(Instead::Status(status)) => error = Some(status),
        Some(Instead::CdnPage) => page = Some(cdn_page()),
        Some(Instead::UpgradePlan) => {
            page = Some(
                ApiError::denied("Please upgrade to a paid Calendly account.").into_response(),
            );
        }
        Some(Instead::Page(status)) => {
            page = Some(with_body(
                ApiError::of_status(status).into_response(),
                Body::Html,
            ));
        }
        Some(Instead::Lost) => body = Body::Lost,
        Some(Instead::Hang) => hang = Some(app.state().faults.hang_for()),
        Some(Instead::LagMs(millis)) => lag = Lag::of_millis(millis),
    }
    request.extensions_mut().insert(lag);
    if let Some(hang) = hang {
        // Counted first: a client that gives up ends this here.
        app.state().calls.count(route, 504);
        tokio::time::sleep(hang).await;
        return StatusCode::GATEWAY_TIMEOUT.into_response();
    }
    let response = if let Some(page) = page {
        page
    } else if let Some(status) = error {
        injected(&app, status)
    } else {
        let response = pass(&app, request, next).await;
        if body == Body::Lost && response.status().is_success() {
            let hang = app.state().faults.hang_for();
            tokio::time::sleep(hang).await;
        }
        with_body(response, body)
    };
    app.state().calls.count(route, response.status().as_u16());
    dressed(response).await
}

/// The answer with the headers that every recorded one has.
async fn dressed(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let headers = &mut parts.headers;
    if headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json")
    {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        headers.insert(CONTENT_TYPE, json);
    }
    if parts.status == StatusCode::OK {
        let digest = hex::encode(&Sha256::digest(&body)[..16]);
        if let Ok(tag) = HeaderValue::from_str(&format!("W/\"{digest}\"")) {
            headers.insert(ETAG, tag);
        }
    }
    if let Ok(id) = HeaderValue::from_str(&ambient::uuid()) {
        headers.insert("x-request-id", id);
    }
    headers.insert(SERVER, HeaderValue::from_static("cloudflare"));
    Response::from_parts(parts, body.into())
}

async fn pass(app: &App, mut request: Request, next: Next) -> Response {
    let caller = match caller(app, request.headers()) {
        Ok(caller) => caller,
        Err(error) => return error.into_response(),
    };
    let left = app.state().budget.take(&caller.user.id);
    if left.exceeded {
        return limited(left);
    }
    let user = HeaderValue::from_str(&caller.user.id);
    request.extensions_mut().insert(caller);
    let mut response = with_limits(next.run(request).await, left);
    if let Ok(user) = user {
        response.headers_mut().insert("x-ratelimit-key", user);
    }
    response
}

fn caller(app: &App, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let invalid = || ApiError::unauthenticated("The access token is invalid");
    let bearer = headers
        .get(AUTHORIZATION)
        .and_then(|header| header.to_str().ok()?.strip_prefix("Bearer "))
        .ok_or_else(invalid)?;
    let state = app.state();
    let token = state.grants.by_access(bearer).ok_or_else(invalid)?;
    match token.access_state(state.clock.now()) {
        Access::Good => {}
        Access::Expired => return Err(ApiError::unauthenticated("The access token expired")),
        Access::Revoked => return Err(ApiError::unauthenticated("The access token was revoked")),
    }
    let user = state.accounts.user(&token.user).ok_or_else(invalid)?;
    Ok(Caller {
        user: user.clone(),
        token: token.clone(),
    })
}

fn with_limits(mut response: Response, left: Left) -> Response {
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", left.limit.into());
    headers.insert("x-ratelimit-remaining", left.remaining.into());
    headers.insert("x-ratelimit-reset", left.reset.into());
    // The two tiers that were recorded, by their limits.
    let tier = if left.limit <= 50 { "free" } else { "trial" };
    headers.insert("x-ratelimit-tier", HeaderValue::from_static(tier));
    response
}

/// The answer over the limit.
pub(crate) fn limited(left: Left) -> Response {
    with_limits(ApiError::of_status(429).into_response(), left)
}

/// How the content network before the API refuses a call.
fn cdn_page() -> Response {
    let page = "<!DOCTYPE html><html lang=\"en-US\"><head><title>Access denied</title></head>\
                <body><h1>Error 1010</h1><p>The owner of this website has banned your access \
                based on your browser's signature.</p></body></html>";
    let headers = [("server", "cloudflare"), ("cf-ray", "8a0000000000made-FRA")];
    (StatusCode::FORBIDDEN, headers, Html(page)).into_response()
}

/// An error that a fault asks for. A 429 of this kind is over in a second.
pub(crate) fn injected(app: &App, status: u16) -> Response {
    let (body, limit) = {
        let state = app.state();
        (state.faults.error_body, state.budget.limit)
    };
    let response = with_body(ApiError::of_status(status).into_response(), body);
    if status != 429 {
        return response;
    }
    let left = Left {
        limit,
        remaining: 0,
        reset: 1,
        exceeded: true,
    };
    with_limits(response, left)
}

/// The answer with another body.
pub(crate) fn with_body(response: Response, body: Body) -> Response {
    let status = response.status();
    let json = HeaderValue::from_static("application/json");
    match body {
        Body::Normal => response,
        Body::Html => {
            let page = "<html><head><title>Gateway</title></head><body><h1>Bad day</h1></body>";
            (status, Html(page)).into_response()
        }
        Body::Empty => status.into_response(),
        Body::Partial => (status, [(CONTENT_TYPE, json)], "{}").into_response(),
        Body::Lost => StatusCode::GATEWAY_TIMEOUT.into_response(),
    }
}
