//! What one process counts, and when it writes it: each outcome at once when it is the first for a
//! minute, so a flood costs a write a minute.

use super::{Outcome, Traffic, TrafficStore, hour_of};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a process writes what it counted of an outcome.
const EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How long a write may take.
const TIME_LIMIT: Duration = Duration::from_secs(1);

/// Counts what one process sees.
pub struct TrafficCounter {
    store: TrafficStore,
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    counted: Traffic,
    written: BTreeMap<Outcome, Timestamp>,
}

/// What is being written. Should that be broken off, it is pending again.
struct Batch<'a> {
    counter: &'a TrafficCounter,
    counted: Option<Traffic>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        if let Some(counted) = self.counted.take() {
            let mut pending = self.counter.pending();
            for outcome in counted.last.keys() {
                pending.written.remove(outcome);
            }
            pending.counted.join(counted);
        }
    }
}

impl TrafficCounter {
    /// Writes to `store`.
    pub fn new(store: TrafficStore) -> Self {
        Self {
            store,
            pending: Mutex::default(),
        }
    }

    /// Counts what became of one request, and writes what was counted if it is time for that. What
    /// can't be written is told in the log, and lost.
    pub async fn count(&self, outcomes: &[Outcome]) {
        let Some(mut batch) = self.due(outcomes, ambient::now()) else {
            return;
        };
        let counted = batch.counted.clone().unwrap_or_default();
        // On the heap: it is seldom done, and every future around this would carry it.
        let add = Box::pin(self.store.add(&counted));
        let written = tokio::time::timeout(TIME_LIMIT, add).await;
        batch.counted = None;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "traffic not counted"),
            Err(_) => tracing::warn!("traffic not counted in time"),
        }
    }

    /// Counts; answers what is to be written now.
    fn due(&self, outcomes: &[Outcome], now: Timestamp) -> Option<Batch<'_>> {
        let mut pending = self.pending();
        for outcome in outcomes {
            pending.counted.add(*outcome, hour_of(now), 1);
            pending.counted.saw(*outcome, now);
        }
        let due = |outcome: &Outcome| {
            let written = pending.written.get(outcome);
            written.is_none_or(|at| now.duration_since(*at) >= EVERY)
        };
        if !outcomes.iter().any(due) {
            return None;
        }
        let counted = std::mem::take(&mut pending.counted);
        for outcome in counted.last.keys() {
            pending.written.insert(*outcome, now);
        }
        Some(Batch {
            counter: self,
            counted: Some(counted),
        })
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does `work`, and counts meanwhile: what isn't written when the work is done is left for later.
pub async fn meanwhile<T>(work: impl Future<Output = T>, count: impl Future<Output = ()>) -> T {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        done = &mut work => done,
        () = count => work.await,
    }
}
