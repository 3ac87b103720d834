//! A batch of messages: each is applied on its own, and answered for on its own.

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::future::join_all;
use jiff::Timestamp;
use platform::apply::{Application, Applied, Apply};
use platform::deliveries::{DeliveryStore, ErrorKind, Failure};
use platform::metrics::{Metric, Metrics};
use platform::queue::{DeadLetters, DeliveryRef, Inbox, receive_count, trace_header};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

/// The function: applies batches of deliveries.
pub struct Worker<A, I, D> {
    /// What applies one delivery.
    pub bookkeeper: A,
    /// The delivery log, where outcomes are written.
    pub deliveries: DeliveryStore,
    /// Queue that the messages come from.
    pub inbox: I,
    /// Queue for what was given up.
    pub dead_letters: D,
    /// Waits between attempts.
    pub schedule: Vec<Duration>,
    /// How long one record may take.
    pub record_limit: Duration,
}

/// Whether SQS may forget a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Done,
    ComesBack,
}

impl<A: Apply, I, D> Worker<A, I, D>
where
    I: Inbox + Send + Sync + 'static,
    D: DeadLetters + Send + Sync + 'static,
{
    /// Handles a batch and names the messages that must come back.
    pub async fn handle(self: Arc<Self>, batch: SqsEvent) -> SqsBatchResponse {
        let results = join_all(batch.records.into_iter().map(|message| {
            let worker = self.clone();
            async move {
                let id = message.message_id.clone().unwrap_or_default();
                // At the level of errors, so that the ids are on every line whatever is logged.
                let span = tracing::error_span!(
                    "record",
                    messageId = id,
                    xrayTraceId = trace_header(&message.attributes),
                    trackingId = field::Empty,
                    deliveryId = field::Empty,
                    event = field::Empty,
                    attempt = field::Empty,
                );
                (id, worker.isolated(message).instrument(span).await)
            }
        }))
        .await;
        let mut response = SqsBatchResponse::default();
        for (id, verdict) in results {
            if verdict == Verdict::ComesBack {
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = id;
                response.batch_item_failures.push(failure);
            }
        }
        response
    }

    /// One message: a panic in it, or its time running out, is its own failure and no other's.
    async fn isolated(self: Arc<Self>, message: SqsMessage) -> Verdict {
        let began = Instant::now();
        let mut metrics = Metrics::default();
        let body = message.body.clone().unwrap_or_default();
        let Ok(delivery) = serde_json::from_str::<DeliveryRef>(&body) else {
            let reason = "the message is not a reference to a delivery";
            tracing::error!(outcome = "dead", error = reason, "message can't be read");
            metrics.count(Metric::DeliveriesDead);
            return self.bury(&body, reason).await;
        };
        let attempt = receive_count(&message.attributes);
        name(&Span::current(), &delivery, attempt);
        if attempt > 1 {
            metrics.count(Metric::DeliveriesRetried);
        }
        let last = attempt > self.schedule.len();
        if last {
            // Should the process itself be killed by this attempt, SQS moves the message to the
            // dead letter queue with nobody left to say so; so it is said before.
            let reason = "the last attempt began and did not end";
            let reason = Failure::new(ErrorKind::Stopped, reason);
            let id = &delivery.delivery_id;
            if let Err(error) = self.deliveries.dead(id, &reason, 0).await {
                tracing::error!(%error, "outcome not logged");
            }
        }
        let work = {
            let worker = self.clone();
            let delivery = delivery.clone();
            let apply = async move { worker.bookkeeper.apply(&delivery, attempt).await };
            tokio::spawn(apply.in_current_span())
        };
        let stop = work.abort_handle();
        let result = match tokio::time::timeout(self.record_limit, work).await {
            Ok(Ok(result)) => result,
            // The panic's own message may hold a part of the body.
            Ok(Err(_)) => {
                metrics.count(Metric::Panics);
                Err(Failure::new(ErrorKind::Panic, "the worker panicked on it"))
            }
            Err(_) => {
                stop.abort();
                let limit = self.record_limit.as_secs();
                let error = format!("not done within {limit} s");
                Err(Failure::new(ErrorKind::Timeout, error))
            }
        };
        let outcome = self.outcome(attempt, &result);
        let done = match &result {
            Ok(Applied::Now(done)) => Some(done),
            _ => None,
        };
        count(outcome, done, &mut metrics);
        let failure = result.as_ref().err();
        let error = failure.map(|failure| failure.error.as_str());
        log(outcome, done, error, began);
        let Some(failure) = failure else {
            return Verdict::Done;
        };
        if outcome == DEAD {
            let id = &delivery.delivery_id;
            if let Err(unlogged) = self.deliveries.dead(id, failure, 1).await {
                tracing::error!(error = %unlogged, "outcome not logged");
            }
            return self.bury(&body, &failure.error).await;
        }
        self.retry_later(&message, &delivery, attempt, failure)
            .await;
        Verdict::ComesBack
    }

    /// The word for how an attempt ended.
    fn outcome(&self, attempt: usize, result: &Result<Applied, Failure>) -> &'static str {
        match result {
            Ok(Applied::Now(_)) => PROCESSED,
            Ok(Applied::Before) => "duplicate",
            Ok(Applied::Nothing(status)) => status.as_str(),
            Err(failure) if failure.kind.is_passing() && attempt <= self.schedule.len() => FAILED,
            Err(_) => DEAD,
        }
    }

    /// Sets the next attempt by the schedule. If that can't be done, the message comes back by
    /// the queue's own visibility timeout: later or earlier than meant, but it comes.
    async fn retry_later(
        &self,
        message: &SqsMessage,
        delivery: &DeliveryRef,
        attempt: usize,
        failure: &Failure,
    ) {
        let wait = self.schedule.get(attempt - 1).copied().unwrap_or_default();
        let next = ambient::now()
            .saturating_add(wait)
            .unwrap_or(Timestamp::MAX);
        let receipt = message.receipt_handle.as_deref().unwrap_or_default();
        let (hidden, logged) = futures::join!(
            self.inbox.hide(receipt, wait),
            self.deliveries.failed(&delivery.delivery_id, failure, next)
        );
        for problem in [hidden.err(), logged.err()].into_iter().flatten() {
            tracing::error!(error = %problem, "retry not arranged as meant");
        }
    }

    /// Moves a message to the dead letter queue. If that fails it stays in its queue, whose own
    /// redrive policy moves it in the end.
    async fn bury(&self, body: &str, reason: &str) -> Verdict {
        match self.dead_letters.bury(body, reason).await {
            Ok(()) => Verdict::Done,
            Err(error) => {
                tracing::error!(%error, "dead letter not moved");
                Verdict::ComesBack
            }
        }
    }
}

/// The line of an attempt: at the level that tells how much it matters.
fn log(outcome: &str, done: Option<&Application>, error: Option<&str>, began: Instant) {
    let changes = done.map(|done| done.made.iter().map(|made| made.as_str()));
    let changes = changes.map(|all| all.collect::<Vec<_>>().join(","));
    let connection = done.and_then(|done| Some(done.connection.as_ref()?.as_str()));
    let took = platform::millis_since(began);
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                outcome,
                connection,
                changes,
                error,
                durationMs = took,
                "delivery handled"
            )
        };
    }
    match outcome {
        DEAD => line!(error),
        FAILED => line!(warn),
        _ => line!(info),
    }
}

const PROCESSED: &str = "processed";
const FAILED: &str = "failed";
const DEAD: &str = "dead";

/// Puts on every line of a record which delivery it is about.
fn name(span: &Span, delivery: &DeliveryRef, attempt: usize) {
    span.record("trackingId", delivery.tracking_id.as_str());
    span.record("deliveryId", delivery.delivery_id.as_str());
    let event = delivery.event.as_deref();
    span.record("event", event.map(calendly::webhook::word));
    span.record("attempt", attempt);
}

fn count(outcome: &str, done: Option<&Application>, metrics: &mut Metrics) {
    match outcome {
        PROCESSED => metrics.count(Metric::DeliveriesProcessed),
        FAILED => metrics.count(Metric::DeliveriesFailed),
        DEAD => metrics.count(Metric::DeliveriesDead),
        _ => {}
    }
    let Some(done) = done else { return };
    for made in &done.made {
        metrics.count(Metric::from(*made));
    }
    // How long ago a replayed delivery was made says nothing of how quick the service is.
    if done.again {
        return;
    }
    let now = ambient::now();
    let from_calendly = done.created_at.map(|at| (Metric::LagFromCalendly, at));
    let from_receipt = done.received_at.map(|at| (Metric::LagFromReceipt, at));
    for (metric, at) in from_calendly.into_iter().chain(from_receipt) {
        metrics.lag(metric, at, now);
    }
}

#[cfg(test)]
mod tests;
