//! The schedule's tick: one job a connection, and the sweep.

use crate::handler::Syncer;
use calendly::api::Turned;
use jiff::{SignedDuration, Timestamp};
use platform::Result;
use platform::connections::{ConnectionStatus, Vault};
use platform::metrics::{Metric, Metrics};
use platform::queue::{DeliveryRef, Jobs, Outbox};
use platform::secrets::Versions;
use platform::syncs::{Place, SyncJob};
use std::time::Duration;
use tokio::time::Instant;

/// Connections read at a time.
const PAGE: usize = 100;
/// The pages of connections: a million of them.
const MAX_PAGES: u32 = 10_000;
/// A delivery that was logged this long ago and is still waiting has lost its message.
const LOST_AFTER: SignedDuration = SignedDuration::from_mins(10);

impl<V, S, J, O> Syncer<V, S, J, O>
where
    V: Vault + Clone + Send + std::marker::Sync,
    S: Versions,
    J: Jobs<SyncJob>,
    O: Outbox,
{
    /// Queues a job for each connection that works, and goes on in a new message when time runs
    /// short. Answers how many were queued now.
    pub(crate) async fn plan(&self, all: &SyncJob, deadline: Instant) -> Result<usize> {
        let mut planned = 0;
        let mut pages = all.place.clone().unwrap_or_default().pages;
        loop {
            let page = self.connections.list(pages.token(), PAGE).await?;
            let mut here = 0;
            let mut skipped = Vec::new();
            for connection in page.items {
                match connection.status {
                    ConnectionStatus::Active => {}
                    ConnectionStatus::NeedsReauth => {
                        skipped.push(connection.id);
                        continue;
                    }
                }
                let job = SyncJob {
                    connection_id: Some(connection.id),
                    place: None,
                    ..all.clone()
                };
                self.jobs.push(&job, Duration::ZERO).await?;
                here += 1;
            }
            let number = pages.read();
            let turned = pages.turn(page.next.into(), MAX_PAGES);
            if let Some(sync) = &all.sync_id {
                let last = turned != Turned::More;
                self.syncs
                    .planned(sync, number, here, &skipped, last)
                    .await?;
            }
            planned += here;
            match turned {
                Turned::More => {}
                Turned::End => return Ok(planned),
                Turned::Stuck(cause) => {
                    return Err(platform::Error::Corrupt {
                        what: "the list of connections",
                        cause: cause.to_owned(),
                    });
                }
            }
            if Instant::now() >= deadline {
                let place = Place {
                    pages,
                    ..Place::default()
                };
                let rest = SyncJob {
                    place: Some(place),
                    ..all.clone()
                };
                self.jobs.push(&rest, Duration::ZERO).await?;
                return Ok(planned);
            }
        }
    }

    /// Queues deliveries again whose message was lost between the log and the queue: a thousand of
    /// them, at most, at a time. Answers how many.
    pub(crate) async fn sweep(&self) -> Result<usize> {
        let before = ambient::now()
            .saturating_sub(LOST_AFTER)
            .unwrap_or(Timestamp::MIN);
        let open = self.deliveries.open().await?;
        let mut metrics = Metrics::default();
        let mut swept = 0;
        for waiting in open.received.deliveries {
            if waiting.since >= before {
                continue;
            }
            let delivery = &waiting.delivery;
            tracing::warn!(
                deliveryId = %delivery.id,
                trackingId = delivery.tracking_id,
                outcome = "queued again",
                "a delivery was left waiting"
            );
            self.webhooks.send(&DeliveryRef::from(delivery)).await?;
            metrics.count(Metric::DeliveriesRequeued);
            swept += 1;
        }
        Ok(swept)
    }
}
