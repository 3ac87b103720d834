//! Routes.

use crate::docs;
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::{Method, StatusCode};
use lambda_http::{Body, Request, Response};
use platform::bookings::BookingStore;
use platform::connections::ConnectionStore;
use platform::deliveries::DeliveryStore;
use platform::http::{Problem, TrackingId, answer};
use platform::queue::Queue;
use platform::secrets::{ApiKeySecret, RotatingSecret, Scope};
use platform::syncs::SyncStore;
use serde_json::{Value, json};
use tracing::Instrument;

/// The function: answers one request at a time.
pub struct Api {
    /// Bookings.
    pub bookings: BookingStore,
    /// The delivery log.
    pub deliveries: DeliveryStore,
    /// Connections.
    pub connections: ConnectionStore,
    /// Queue of deliveries to be processed.
    pub queue: Queue,
    /// Syncs that were asked for.
    pub syncs: SyncStore,
    /// Queue of sync jobs.
    pub sync_jobs: Queue,
    /// Queue of what was given up.
    pub dead_letters: Queue,
    /// API keys.
    pub keys: RotatingSecret<ApiKeySecret>,
    /// How long deliveries are kept.
    pub retention: SignedDuration,
}

/// An answer with its status.
pub type Answer = Result<(StatusCode, Value), Problem>;

/// One of the routes.
enum Route<'a> {
    Events,
    Event(&'a str),
    Delivery(&'a str),
    Replay(&'a str),
    DeadLetters,
    Redrive,
    Connections,
    StartSync,
    Sync(&'a str),
}

impl<'a> Route<'a> {
    /// The route of a path and the method that it takes.
    fn of(path: &'a str) -> Option<(Self, Method)> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        Some(match parts[..] {
            ["v1", "events"] => (Self::Events, Method::GET),
            ["v1", "events", id] => (Self::Event(id), Method::GET),
            ["v1", "deliveries", id] => (Self::Delivery(id), Method::GET),
            ["v1", "deliveries", id, "replay"] => (Self::Replay(id), Method::POST),
            ["v1", "dead-letters"] => (Self::DeadLetters, Method::GET),
            ["v1", "dead-letters", "redrive"] => (Self::Redrive, Method::POST),
            ["v1", "connections"] => (Self::Connections, Method::GET),
            ["v1", "sync"] => (Self::StartSync, Method::POST),
            ["v1", "sync", id] => (Self::Sync(id), Method::GET),
            _ => return None,
        })
    }
}

impl Api {
    /// Answers one request.
    pub async fn handle(&self, request: &Request) -> Response<Body> {
        let tracking_id = TrackingId::random();
        // Every line that is written on the way carries the id.
        let span = tracing::info_span!("request", trackingId = %tracking_id);
        let parts: Vec<&str> = request.uri().path().trim_matches('/').split('/').collect();
        let result = match &parts[..] {
            ["v1", "docs", asset @ ..] if asset.len() < 2 => allow(request, &Method::GET)
                .and_then(|()| docs::answer(asset.first().copied(), request, &tracking_id)),
            _ => {
                let result = self.route(request, &tracking_id).instrument(span).await;
                result.map(|(status, body)| answer(status, &tracking_id, &body))
            }
        };
        let (status, code) = match &result {
            Ok(response) => (response.status(), None),
            Err(problem) => (problem.status, Some(problem.code)),
        };
        tracing::info!(
            trackingId = %tracking_id,
            method = %request.method(),
            status = status.as_u16(),
            code,
            "request answered"
        );
        result.unwrap_or_else(|problem| problem.answer(&tracking_id))
    }

    async fn route(&self, request: &Request, tracking_id: &TrackingId) -> Answer {
        let path = request.uri().path();
        if path == "/v1/health" {
            return allow(request, &Method::GET).map(|()| health());
        }
        let Some((route, method)) = Route::of(path) else {
            return Err(Problem::not_found(
                "no such route; the README lists what there is",
            ));
        };
        allow(request, &method)?;
        let scope = match method {
            Method::GET => Scope::Read,
            _ => Scope::Operate,
        };
        let caller = self.keys.caller(request, scope).await?;
        match route {
            Route::Events => self.events(request).await,
            Route::Event(id) => self.event(request, id).await,
            Route::Delivery(id) => self.delivery(request, id).await,
            Route::DeadLetters => self.list_dead_letters(request).await,
            Route::Connections => self.list_connections(request).await,
            Route::Sync(id) => self.sync(request, id).await,
            Route::StartSync => {
                caller.operates("sync", tracking_id);
                self.start_sync(request).await
            }
            Route::Replay(id) => {
                caller.operates("replay", tracking_id);
                self.replay(request, id).await
            }
            Route::Redrive => {
                caller.operates("redrive", tracking_id);
                self.redrive(request).await
            }
        }
    }
}

fn allow(request: &Request, method: &Method) -> Result<(), Problem> {
    if request.method() == method {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        format!("this route takes {method}"),
    ))
}

fn health() -> (StatusCode, Value) {
    let body = json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "timestamp": Timestamp::now(),
    });
    (StatusCode::OK, body)
}

/// What the store or a queue could not do, for the caller and for the log.
pub fn unavailable(error: platform::Error) -> Problem {
    tracing::error!(%error, "request not answered");
    if error.is_transient() {
        Problem::unavailable()
    } else {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "STORED_RECORD_UNREADABLE",
            "a stored record can't be read; the log line with this tracking id says which",
        )
    }
}
