//! What the function is called with: a tick of one of the schedules, or a batch of jobs.

use crate::time::Deadlines;
use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use calendly::Http;
use calendly::api::Endpoints;
use jiff::SignedDuration;
use lambda_runtime::Error;
use platform::bookings::BookingStore;
use platform::connections::{ConnectionStore, Vault};
use platform::deliveries::DeliveryStore;
use platform::health::Sources;
use platform::metrics::{self, Metric};
use platform::queue::{Jobs, Outbox, receive_count, trace_header};
use platform::secrets::{CalendlySecret, RotatingSecret, Versions};
use platform::syncs::{Attempt, PLAN, Part, SyncJob, SyncStore, Tally};
use platform::ticks::Tick;
use serde_json::{Value, json};
use std::time::SystemTime;
use tokio::time::Instant;
use tracing::Instrument;

/// The function.
pub struct Syncer<V, S, J, O> {
    /// Connections.
    pub connections: ConnectionStore,
    /// Syncs that were asked for.
    pub syncs: SyncStore,
    /// Bookings.
    pub bookings: BookingStore,
    /// The delivery log, which is swept.
    pub deliveries: DeliveryStore,
    /// Queue of sync jobs.
    pub jobs: J,
    /// Queue of deliveries.
    pub webhooks: O,
    /// Where tokens lie.
    pub vault: V,
    /// The OAuth app.
    pub app: RotatingSecret<CalendlySecret, S>,
    /// For calls to Calendly.
    pub http: Http,
    /// Where Calendly is.
    pub endpoints: Endpoints,
    /// Where it is looked whether all is well.
    pub sources: Sources,
}

/// The `maxReceiveCount` of the sync queue: after that often SQS gives a job up.
const MAX_RECEIVES: usize = 5;
/// The sync queue's visibility timeout: a job that failed comes back after this.
const COMES_BACK: SignedDuration = SignedDuration::from_secs(360);

/// Whether another attempt comes after this one, and when.
fn attempt(receives: usize) -> Attempt {
    let next = ambient::now().saturating_add(COMES_BACK);
    Attempt {
        number: receives,
        next: next.ok().filter(|_| receives < MAX_RECEIVES),
    }
}

impl<V, S, J, O> Syncer<V, S, J, O>
where
    V: Vault + Clone + Send + std::marker::Sync,
    S: Versions,
    J: Jobs<SyncJob>,
    O: Outbox,
{
    /// Handles one invocation, which ends at `limit`.
    pub async fn handle(&self, payload: Value, limit: SystemTime) -> Result<Value, Error> {
        let began = Instant::now();
        let left = limit
            .duration_since(SystemTime::from(ambient::now()))
            .unwrap_or_default();
        let deadlines = Deadlines::after(left);
        if payload.get("watch").is_some() {
            return self.look(deadlines.work).await;
        }
        if payload.get("Records").is_none() {
            // Neither waits for the other to work.
            let planned = self.plan(&SyncJob::default(), deadlines.work).await;
            let swept = self.sweep().await;
            let planned = planned?;
            metrics::count(Metric::SyncsPlanned);
            self.sources
                .ticks
                .note(Tick::Planned, ambient::now())
                .await?;
            let swept = swept?;
            tracing::info!(
                planned,
                swept,
                outcome = "planned",
                durationMs = platform::millis_since(began),
                "sync"
            );
            return Ok(json!({"planned": planned, "swept": swept}));
        }
        let batch: SqsEvent = serde_json::from_value(payload)?;
        let mut response = SqsBatchResponse::default();
        for message in batch.records {
            // At the level of errors, so that the ids are on every line whatever is logged.
            let span = tracing::error_span!(
                "record",
                messageId = message.message_id,
                xrayTraceId = trace_header(&message.attributes),
                attempt = receive_count(&message.attributes),
            );
            let receives = receive_count(&message.attributes);
            let last = receives >= MAX_RECEIVES;
            let job = serde_json::from_str::<SyncJob>(message.body.as_deref().unwrap_or_default());
            let done = match job {
                Ok(job) => {
                    // On the heap: it would else be part of every future around this.
                    Box::pin(self.job(job, deadlines, receives))
                        .instrument(span.clone())
                        .await
                }
                Err(_) => Err(platform::Error::Corrupt {
                    what: "a sync job",
                    cause: "not of its form".to_owned(),
                }),
            };
            if let Err(error) = done {
                if last {
                    metrics::count(Metric::SyncsFailed);
                }
                tracing::error!(parent: &span, %error, last, "a sync job comes back");
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = message.message_id.unwrap_or_default();
                response.batch_item_failures.push(failure);
            }
        }
        Ok(serde_json::to_value(response)?)
    }

    async fn job(
        &self,
        job: SyncJob,
        deadlines: Deadlines,
        receives: usize,
    ) -> platform::Result<()> {
        if !job.go_on.is_empty() {
            return self.go_on(&job.go_on).await;
        }
        // Whoever asked for it sees why it takes long, and in the end that it won't be done.
        let part = if receives >= MAX_RECEIVES {
            Part::Failed
        } else {
            Part::GoesOn
        };
        let mut tally = Tally::default();
        let Some(id) = job.connection_id.clone() else {
            let planned = self.plan(&job, deadlines.work).await;
            if let (Err(error), Some(sync)) = (&planned, &job.sync_id) {
                tally.error(format!("not all connections could be planned: {error}"));
                if part == Part::Failed {
                    // Its sync ends all the same: what was not planned counts as one that failed.
                    self.syncs.planned(sync, u32::MAX, 1, &[], true).await?;
                }
                self.syncs
                    .add(sync, PLAN, &tally, part, attempt(receives))
                    .await?;
            }
            return planned.map(|_| ());
        };
        if job.event.is_some() {
            return self.read_event(job, &id, deadlines).await;
        }
        if job.missed.is_some() {
            return self.look_for(job, &id, deadlines).await;
        }
        let sync = job.sync_id.clone();
        let done = self.work(job, &id, deadlines, receives).await;
        if let (Err(error), Some(sync)) = (&done, sync) {
            tally.error(error);
            self.syncs
                .add(&sync, id.as_str(), &tally, part, attempt(receives))
                .await?;
        }
        done
    }
}

#[cfg(test)]
mod tests;
