//! Looking at all that matters, at once. What can't be read hides no other.

use super::observed::{Log, Looked, Observed, Settings};
use crate::connections::ConnectionStore;
use crate::deliveries::DeliveryStore;
use crate::ticks::TickStore;
use crate::traffic::TrafficStore;
use jiff::SignedDuration;
use tokio::time::Instant;

/// Beyond `SyncOverdueHours` since it was planned, a connection's own run may take a while: of a large
/// account, or of one with few calls left.
const A_RUN: SignedDuration = SignedDuration::from_hours(3);

/// Where to look.
#[derive(Clone)]
pub struct Sources {
    /// The delivery log.
    pub deliveries: DeliveryStore,
    /// Connections.
    pub connections: ConnectionStore,
    /// What became of webhooks.
    pub traffic: TrafficStore,
    /// When the schedules ticked.
    pub ticks: TickStore,
    /// What is to be called late.
    pub settings: Settings,
}

impl Sources {
    /// Looks, until `until` at most: 34 calls where there is little.
    pub async fn look(&self, until: Instant) -> Observed {
        let now = ambient::now();
        let overdue = self.settings.sync_overdue + A_RUN;
        let (open, connections, traffic, ticks) = futures::join!(
            Box::pin(self.deliveries.open()),
            Box::pin(self.connections.survey(now, overdue, until)),
            Box::pin(self.traffic.read(now)),
            Box::pin(self.ticks.get()),
        );
        Observed {
            now,
            settings: self.settings,
            log: looked(open).map(|open| Log::of(&open, now)),
            connections: looked(connections),
            traffic: looked(traffic),
            ticks: looked(ticks),
            dead_letters: None,
        }
    }
}

fn looked<T>(found: crate::Result<T>) -> Looked<T> {
    found.map_err(|error| {
        tracing::error!(%error, "something could not be looked at");
        error.to_string()
    })
}
