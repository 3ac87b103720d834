//! The way from API Gateway to a function and back: what holds for every request and every answer,
//! whichever function it is for.
//!
//! `lambda_http` makes the request before any code of ours runs, and panics at what it can't make one
//! of: a raw `"` in the query is enough, and needs no key. So the event is taken as it comes, and made
//! into `lambda_http`'s types here.

mod event;
mod reply;

pub use reply::Reply;

use crate::http::{Problem, TrackingId};
use crate::invocation::invoked;
use crate::metrics::{self, Metric};
use event::Malformed;
use futures::FutureExt;
use lambda_http::http::StatusCode;
use lambda_http::lambda_runtime::{self, LambdaEvent};
use lambda_http::{Body, Context, Error, Request, RequestExt, Response, service_fn};
use serde_json::value::RawValue;
use std::panic::AssertUnwindSafe;
use tracing::Instrument;

/// Has `work` answer API Gateway's requests, until Lambda ends the process.
pub async fn run<W>(work: W) -> Result<(), Error>
where
    W: AsyncFn(&Request, &TrackingId) -> Response<Body>,
{
    let serve = async |event: LambdaEvent<Box<RawValue>>| {
        Ok::<_, Error>(answered(event.payload.get(), event.context, &work).await)
    };
    lambda_runtime::run(service_fn(serve)).await
}

/// Has `work` answer one event, which may be any text. Every line that is written on the way carries
/// the tracking id of the answer, at whatever level is logged.
pub async fn answered<W>(event: &str, context: Context, work: &W) -> Reply
where
    W: AsyncFn(&Request, &TrackingId) -> Response<Body>,
{
    let tracking_id = TrackingId::random();
    let request = event::request(event).map(|request| request.with_lambda_context(context.clone()));
    let response = async {
        // Made in here, where the invocation's own is around it.
        let span = tracing::error_span!("request", trackingId = %tracking_id);
        let response = respond(request, &tracking_id, work);
        response.instrument(span).await
    };
    let response = invoked(Some(&context), response).await;
    // To Lambda it is an invocation that went well.
    if response.status().is_server_error() {
        metrics::count_by_function(Metric::ServerErrors);
    }
    Reply::of(response)
}

async fn respond<W>(
    request: Result<Request, Malformed>,
    tracking_id: &TrackingId,
    work: &W,
) -> Response<Body>
where
    W: AsyncFn(&Request, &TrackingId) -> Response<Body>,
{
    let request = match request {
        Ok(request) => request,
        Err(malformed) => {
            tracing::info!(code = INVALID_REQUEST, reason = %malformed, "request refused");
            return invalid(malformed).answer(tracking_id);
        }
    };
    // What requests share are clients and caches: a panic leaves each of them as it was before or
    // after a change.
    let work = AssertUnwindSafe(work(&request, tracking_id));
    work.catch_unwind().await.unwrap_or_else(|_| {
        // The hook has logged where it was.
        metrics::count(Metric::Panics);
        panicked().answer(tracking_id)
    })
}

const INVALID_REQUEST: &str = "INVALID_REQUEST";

fn invalid(malformed: Malformed) -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        INVALID_REQUEST,
        malformed.to_string(),
    )
}

fn panicked() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "INTERNAL_ERROR",
        "this request met a fault of the service; the log line with this tracking id says where",
    )
}

#[cfg(test)]
mod tests;
