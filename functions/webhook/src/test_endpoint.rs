//! `POST /v1/webhooks/calendly/test`: a webhook without Calendly, and so without its signature. An
//! API key stands in for that; all else is done as for a true one, and at once.

use crate::handler::{is_json, not_json, too_large};
use crate::reading::Reading;
use crate::refusals::{TESTS, limited};
use calendly::webhook::simple;
use contract::answers::{TestResult, Tested};
use contract::requests::{MAX_BODY, TestRequest};
use contract::{Access, Route};
use jiff::SignedDuration;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use platform::apply::{Applied, Apply};
use platform::deliveries::{DeliveryId, DeliveryStore, Recorded, Status};
use platform::http::{Problem, TrackingId, answer};
use platform::limits::Limiter;
use platform::metrics::{self, Metric};
use platform::queue::DeliveryRef;
use platform::secrets::{ApiKeySecret, RotatingSecret, Versions};
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::time::Instant;

/// As for a webhook. What was not done by then is logged, and the sweep has the worker apply it.
const TIME_LIMIT: Duration = Duration::from_millis(8500);

const FORM: &str = "{\"eventData\": {…}}, with a webhook's body as Calendly sends it in it, or \
    {\"event\", \"time\", \"payload\": {\"event\": {…}, \"invitee\": {…}}}";

/// Takes tests.
pub struct Tester<A, V> {
    /// The delivery log.
    pub log: DeliveryStore,
    /// What applies a delivery: the same as the worker's.
    pub bookkeeper: A,
    /// API keys.
    pub keys: RotatingSecret<ApiKeySecret, V>,
    /// Counts what is refused.
    pub limiter: Limiter,
    /// How long deliveries are kept.
    pub retention: SignedDuration,
}

/// What became of a test.
struct Outcome {
    /// Name of the event, as it was given.
    event: String,
    reading: Reading,
    delivery_id: DeliveryId,
    changes: Option<Vec<String>>,
    errors: Vec<String>,
}

impl<A: Apply, V: Versions> Tester<A, V> {
    /// Answers one test.
    pub async fn handle(
        &self,
        request: &Request,
        route: &'static Route,
        tracking_id: &TrackingId,
    ) -> Response<Body> {
        let began = Instant::now();
        let test = tokio::time::timeout(TIME_LIMIT, self.test(request, route, tracking_id));
        let tested = test.await.unwrap_or_else(|_| {
            tracing::error!(trackingId = %tracking_id, "test not done in time");
            Err(Problem::unavailable())
        });
        match tested {
            Ok(outcome) => {
                let tested = told(outcome, began, tracking_id);
                answer(StatusCode::OK, tracking_id, &tested)
            }
            Err(problem) => {
                let problem = limited(problem, &TESTS, &self.limiter, request, tracking_id).await;
                tracing::warn!(
                    trackingId = %tracking_id,
                    outcome = "refused",
                    code = problem.code,
                    status = problem.status.as_u16(),
                    durationMs = platform::millis_since(began),
                    "test refused"
                );
                problem.answer(tracking_id)
            }
        }
    }

    async fn test(
        &self,
        request: &Request,
        route: &'static Route,
        tracking_id: &TrackingId,
    ) -> Result<Outcome, Problem> {
        let Access::Key(scope) = route.access else {
            // Fails closed, should the table of routes ever ask for no key.
            return Err(Problem::unavailable());
        };
        let caller = self.keys.caller(request, scope).await?;
        let data = event_data(request)?;
        caller.operates(route.operation.id(), tracking_id);
        self.process(data, tracking_id).await
    }

    async fn process(
        &self,
        data: Map<String, Value>,
        tracking_id: &TrackingId,
    ) -> Result<Outcome, Problem> {
        let event = data
            .get("event")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let event = event.to_owned();
        // Keys are sorted in it: the same test is the same delivery, however it was written.
        let (body, reading) = match simple::to_body(&data, ambient::now()) {
            Ok(body) => {
                let body = body.to_string();
                let reading = Reading::of(body.as_bytes());
                (body, reading)
            }
            Err(unreadable) => (
                Value::Object(data).to_string(),
                Reading::unprocessable(unreadable.to_string()),
            ),
        };
        let delivery_id = DeliveryId::of(body.as_bytes());
        let delivery = reading.delivery(&delivery_id, tracking_id, body.as_bytes());
        let recorded = self
            .log
            .record(&delivery, self.retention)
            .await
            .map_err(|error| unavailable(&error.to_string(), tracking_id))?;
        let mut outcome = Outcome {
            event,
            reading,
            delivery_id,
            changes: Some(Vec::new()),
            errors: Vec::new(),
        };
        match outcome.reading.status {
            Status::Ignored => {
                let error = "this service does nothing with events of this name";
                outcome.errors.push(error.to_owned());
            }
            Status::Unprocessable => outcome.errors.extend(outcome.reading.reason.clone()),
            _ => {
                // An earlier request may have been stopped half way, or still be under way.
                let is_open = |status: Status| !status.is_settled();
                if matches!(recorded, Recorded::Duplicate { status, .. } if is_open(status)) {
                    let noted = self.log.sent_again(&outcome.delivery_id).await;
                    noted.map_err(|error| unavailable(&error.to_string(), tracking_id))?;
                }
                self.apply(&mut outcome, tracking_id).await?;
            }
        }
        Ok(outcome)
    }

    async fn apply(&self, outcome: &mut Outcome, tracking_id: &TrackingId) -> Result<(), Problem> {
        let delivery = DeliveryRef {
            delivery_id: outcome.delivery_id.clone(),
            tracking_id: tracking_id.as_str().to_owned(),
            event: outcome.reading.event.clone(),
        };
        match self.bookkeeper.apply(&delivery, 1).await {
            Ok(Applied::Now(done)) => {
                metrics::count(Metric::DeliveriesProcessed);
                let words = done.made.iter().map(|made| made.as_str().to_owned());
                outcome.changes = done.is_all.then(|| words.collect());
            }
            Ok(Applied::Before) => {}
            Ok(Applied::Nothing(status)) => {
                outcome.errors.push(format!(
                    "there is nothing to apply: the delivery is {}, since it was set aside, or its \
                     body was erased",
                    status.as_str()
                ));
            }
            Err(failure) if failure.kind.is_passing() => {
                return Err(unavailable(&failure.error, tracking_id));
            }
            Err(failure) => {
                // Settled: nobody is to try again what was only a test.
                let id = &outcome.delivery_id;
                let aside = Status::Unprocessable;
                let logged = self.log.set_aside(id, aside, Some(&failure)).await;
                logged.map_err(|error| unavailable(&error.to_string(), tracking_id))?;
                outcome.errors.push(failure.error);
            }
        }
        Ok(())
    }
}

/// The part of the request that is to be processed.
fn event_data(request: &Request) -> Result<Map<String, Value>, Problem> {
    let body: &[u8] = request.body().as_ref();
    if body.len() > MAX_BODY {
        return Err(too_large(body.len(), MAX_BODY));
    }
    if !is_json(request) {
        return Err(not_json());
    }
    // As a webhook's body is read, so that what is tried here is what would come.
    let read = calendly::json::from_slice::<Map<String, Value>>(body).ok();
    read.and_then(|fields| serde_json::from_value::<TestRequest>(fields.into()).ok())
        .map(|test| test.event_data)
        .ok_or_else(|| Problem::parameter("body", format!("must be {FORM}")))
}

fn told(outcome: Outcome, began: Instant, tracking_id: &TrackingId) -> Tested {
    let processed = outcome.errors.is_empty();
    tracing::info!(
        trackingId = %tracking_id,
        deliveryId = %outcome.delivery_id,
        event = outcome.reading.event.as_deref().map(calendly::webhook::word),
        outcome = if processed { "processed" } else { "not processed" },
        changes = outcome.changes.as_deref().map(|changes| changes.join(",")),
        error = outcome.errors.first(),
        durationMs = platform::millis_since(began),
        "test done"
    );
    let id = |uri: String| uri.rsplit('/').next().map(str::to_owned);
    Tested {
        success: processed,
        tracking_id: tracking_id.as_str().to_owned(),
        event: outcome.event.clone(),
        result: TestResult {
            event: outcome.event,
            tracking_id: tracking_id.as_str().to_owned(),
            processed,
            changes: outcome.changes,
            errors: outcome.errors,
            warnings: outcome.reading.warnings,
            delivery_id: Some(outcome.delivery_id),
            event_id: outcome.reading.event_uri.and_then(id),
            invitee_id: outcome.reading.invitee_uri.and_then(id),
        },
    }
}

fn unavailable(error: &str, tracking_id: &TrackingId) -> Problem {
    tracing::error!(trackingId = %tracking_id, error, "test not done");
    Problem::unavailable()
}

#[cfg(test)]
mod tests;
