//! One webhook: verify, log, queue, answer.

use crate::reading::Reading;
use crate::received::Received;
use crate::refusals::{WEBHOOKS, limited};
use calendly::signature::{self, Refusal, SignedBody, SigningKey};
use jiff::SignedDuration;
use lambda_http::http::{StatusCode, header};
use lambda_http::{Body, Request, Response};
use platform::deliveries::{DeliveryId, DeliveryStore, MAX_BODY, Recorded, Status};
use platform::http::{Problem, TrackingId, answer};
use platform::limits::Limiter;
use platform::metrics::{Metric, Metrics};
use platform::queue::{DeliveryRef, Outbox};
use platform::secrets::{CalendlySecret, RotatingSecret};
use platform::traffic::{Outcome, TrafficCounter, meanwhile};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Where the signing keys come from.
pub trait SigningKeys {
    /// The keys that count now: the present one, then the one before.
    fn keys(&self) -> impl Future<Output = platform::Result<Vec<SigningKey>>>;
    /// The same, freshly read where that wasn't done a moment ago.
    fn keys_now(&self) -> impl Future<Output = platform::Result<Vec<SigningKey>>>;
}

impl SigningKeys for RotatingSecret<CalendlySecret> {
    async fn keys(&self) -> platform::Result<Vec<SigningKey>> {
        Ok(usable(&self.values().await?))
    }

    async fn keys_now(&self) -> platform::Result<Vec<SigningKey>> {
        Ok(usable(&self.values_now().await?))
    }
}

/// With no present key there is none at all: one that was emptied is meant to accept nothing.
fn usable(secrets: &Arc<[CalendlySecret]>) -> Vec<SigningKey> {
    if secrets
        .first()
        .is_none_or(|present| present.signing_key.trim().is_empty())
    {
        return Vec::new();
    }
    secrets
        .iter()
        .filter_map(|secret| SigningKey::new(secret.signing_key.as_str()))
        .collect()
}

/// Before the function's own limit of 10 s, so that the caller gets an answer of ours: each of the
/// calls below may take 5 s. Counting a refusal comes on top, and takes 1.2 s at most.
const TIME_LIMIT: Duration = Duration::from_millis(8500);

/// How a webhook that is not taken is answered, and what it counts as.
struct Refused(Problem, Outcome);

/// Receives one webhook at a time.
pub struct Receiver<Q, K> {
    /// The delivery log.
    pub log: DeliveryStore,
    /// Where new deliveries go.
    pub queue: Q,
    /// Signing keys.
    pub keys: K,
    /// Counts what is refused, by address.
    pub limiter: Limiter,
    /// Counts what became of all webhooks.
    pub traffic: TrafficCounter,
    /// How far a signature's time may lie from now.
    pub tolerance: Duration,
    /// How long deliveries are kept.
    pub retention: SignedDuration,
}

impl<Q: Outbox, K: SigningKeys> Receiver<Q, K> {
    /// Answers one webhook.
    pub async fn handle(&self, request: &Request, tracking_id: &TrackingId) -> Response<Body> {
        let began = Instant::now();
        let mut metrics = Metrics::default();
        metrics.count(Metric::WebhooksReceived);
        let receive = self.receive(request, tracking_id);
        let receive = tokio::time::timeout(TIME_LIMIT, receive);
        let received = receive.await.unwrap_or_else(|_| {
            tracing::error!("webhook not accepted in time");
            Err(Refused(Problem::unavailable(), Outcome::NoStore))
        });
        match received {
            Ok(received) => {
                if let Some(metric) = received.metric() {
                    metrics.count(metric);
                }
                received.log(began);
                answer(StatusCode::OK, tracking_id, &received.answer(tracking_id))
            }
            Err(Refused(problem, outcome)) => {
                // By its cause also where the address is over its limit: a key that doesn't fit must
                // not look like a few bad requests.
                let cause = problem.code;
                let limited = limited(problem, &WEBHOOKS, &self.limiter, request, tracking_id);
                let outcome = [outcome];
                let (problem, ()) = tokio::join!(limited, self.traffic.count(&outcome));
                let limited = Some(problem.code).filter(|code| *code != cause);
                let codes = [Some(cause), limited].into_iter().flatten();
                for metric in codes.filter_map(refusal_metric) {
                    metrics.count(metric);
                }
                tracing::warn!(
                    outcome = "refused",
                    code = problem.code,
                    status = problem.status.as_u16(),
                    durationMs = platform::millis_since(began),
                    "webhook refused"
                );
                problem.answer(tracking_id)
            }
        }
    }

    async fn receive(
        &self,
        request: &Request,
        tracking_id: &TrackingId,
    ) -> Result<Received, Refused> {
        let body: &[u8] = request.body().as_ref();
        if body.len() > MAX_BODY {
            return Err(Refused(too_large(body.len(), MAX_BODY), Outcome::Unsigned));
        }
        if !is_json(request) {
            return Err(Refused(not_json(), Outcome::Unsigned));
        }
        let signed = self.verify(request, body).await?;
        let reading = Reading::of(signed.bytes());
        let queued = !reading.status.is_settled();
        let outcomes: &[Outcome] = match reading.status {
            Status::Unprocessable => &[Outcome::Verified, Outcome::Unreadable],
            _ => &[Outcome::Verified],
        };
        let count = self.traffic.count(outcomes);
        let work = Box::pin(self.log_and_queue(signed, reading, tracking_id));
        let done = if queued {
            meanwhile(work, count).await
        } else {
            // One call, as the count is: it has no head start, and may be the last of this process.
            tokio::join!(work, count).0
        };
        done.map_err(|problem| Refused(problem, Outcome::NoStore))
    }

    /// Fails closed: with no key, or none that can be read, nothing is accepted.
    async fn verify<'a>(
        &self,
        request: &Request,
        body: &'a [u8],
    ) -> Result<SignedBody<'a>, Refused> {
        let headers: Vec<&str> = request
            .headers()
            .get_all(signature::HEADER)
            .iter()
            // A value that is no text is kept as one that can't be read, not left out.
            .map(|value| value.to_str().unwrap_or_default())
            .collect();
        let now = ambient::now().as_second();
        let check = |keys: Vec<SigningKey>| {
            if keys.is_empty() {
                return Err(None);
            }
            signature::verify(&keys, &headers, body, now, self.tolerance).map_err(Some)
        };
        let unavailable = |error: &dyn std::fmt::Display| {
            tracing::error!(%error, "no signing key");
            Refused(signing_key_unavailable(), Outcome::NoKey)
        };
        let keys = self.keys.keys().await.map_err(|e| unavailable(&e))?;
        let mut checked = check(keys);
        if matches!(checked, Err(Some(Refusal::Mismatch) | None)) {
            // The key may have been rotated since it was cached.
            let keys = self.keys.keys_now().await.map_err(|e| unavailable(&e))?;
            checked = check(keys);
        }
        checked.map_err(|refusal| match refusal {
            Some(refusal) => refused(refusal),
            None => unavailable(&"the secret's signingKey is empty"),
        })
    }

    async fn log_and_queue(
        &self,
        signed: SignedBody<'_>,
        reading: Reading,
        tracking_id: &TrackingId,
    ) -> Result<Received, Problem> {
        let id = DeliveryId::of(signed.bytes());
        let delivery = reading.delivery(&id, tracking_id, signed.bytes());
        let recorded = self
            .log
            .record(&delivery, self.retention)
            .await
            .map_err(unavailable)?;

        let (status, first_tracking_id) = match &recorded {
            Recorded::New => (reading.status, tracking_id.as_str()),
            Recorded::Duplicate {
                status,
                tracking_id,
            } => (*status, tracking_id.as_str()),
        };
        // A delivery that isn't settled is queued again: its first message may have been lost
        // between the log and the queue.
        if !status.is_settled() {
            if recorded != Recorded::New {
                self.log.sent_again(&id).await.map_err(unavailable)?;
            }
            self.queue
                .send(&DeliveryRef {
                    delivery_id: id.clone(),
                    tracking_id: first_tracking_id.to_owned(),
                    event: reading.event.clone(),
                })
                .await
                .map_err(unavailable)?;
        }
        Ok(Received {
            delivery_id: id,
            duplicate: recorded != Recorded::New,
            reading,
        })
    }
}

/// A missing content type is let pass: a true webhook must not be lost for it.
pub fn is_json(request: &Request) -> bool {
    let Some(value) = request.headers().get(header::CONTENT_TYPE) else {
        return true;
    };
    // API Gateway joins a header that came twice with a comma.
    let types = value.to_str().unwrap_or_default().split(',');
    types.into_iter().all(|one| {
        let essence = one.split(';').next().unwrap_or_default();
        let essence = essence.trim().to_ascii_lowercase();
        essence == "application/json"
            || essence.starts_with("application/") && essence.ends_with("+json")
    })
}

/// 415 `UNSUPPORTED_MEDIA_TYPE`.
pub fn not_json() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "UNSUPPORTED_MEDIA_TYPE",
        "the content type must be application/json",
    )
}

/// 413 `PAYLOAD_TOO_LARGE`.
pub fn too_large(bytes: usize, most: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "PAYLOAD_TOO_LARGE",
        format!("the body has {bytes} bytes; at most {most} are read"),
    )
}

fn refused(refusal: Refusal) -> Refused {
    let (code, outcome) = match refusal {
        Refusal::Stale => ("STALE_SIGNATURE", Outcome::Stale),
        // Of the right form: it may be Calendly's, signed with another key.
        Refusal::Mismatch => ("INVALID_SIGNATURE", Outcome::Mismatch),
        Refusal::Missing | Refusal::Malformed | Refusal::Ambiguous => {
            ("INVALID_SIGNATURE", Outcome::Unsigned)
        }
    };
    let problem = Problem::new(StatusCode::UNAUTHORIZED, code, refusal.to_string());
    Refused(problem, outcome)
}

/// What counts an answer with this code.
fn refusal_metric(code: &str) -> Option<Metric> {
    Some(match code {
        "INVALID_SIGNATURE" => Metric::RefusedInvalidSignature,
        "STALE_SIGNATURE" => Metric::RefusedStaleSignature,
        "PAYLOAD_TOO_LARGE" => Metric::RefusedTooLarge,
        "UNSUPPORTED_MEDIA_TYPE" => Metric::RefusedMediaType,
        "RATE_LIMITED" => Metric::RefusedRateLimited,
        "SIGNING_KEY_UNAVAILABLE" => Metric::SigningKeyUnavailable,
        "STORE_UNAVAILABLE" => Metric::StoreUnavailable,
        _ => return None,
    })
}

fn signing_key_unavailable() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "SIGNING_KEY_UNAVAILABLE",
        "the signing key can't be read, so no webhook can be verified",
    )
}

fn unavailable(error: platform::Error) -> Problem {
    tracing::error!(%error, "webhook not accepted");
    Problem::unavailable()
}

#[cfg(test)]
mod tests;
