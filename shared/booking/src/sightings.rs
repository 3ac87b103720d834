//! Whether an event is still at Calendly, by what every look found.
//!
//! That an event was not found proves little: a read can lag behind, and a token can lose the right
//! to see it. So it is an observation like any other. Two looks some time apart call the event off,
//! and a later sight of it takes that back, whoever saw it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How far apart two looks must lie that did not find an event, before it counts as gone. A lag
/// of Calendly's own copies, or an outage, is over by then.
pub const GONE_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// When an event was seen, and when it was looked for and not found.
///
/// Join: the latest sight, and the union of the looks after it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sightings {
    /// The last sight: a read that found it, or a message that told of it.
    last_seen: Option<Timestamp>,
    /// Looks after that which did not find it. Few: a look between the first and the one that makes
    /// it gone is worth no write.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    missing: BTreeSet<Timestamp>,
}

impl Sightings {
    /// Seen at `at`.
    pub fn seen(at: Timestamp) -> Self {
        Self {
            last_seen: Some(at),
            missing: BTreeSet::new(),
        }
    }

    /// Looked for at `at` and not found.
    pub fn not_found(at: Timestamp) -> Self {
        Self {
            last_seen: None,
            missing: BTreeSet::from([at]),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        let Self { last_seen, missing } = other;
        self.last_seen = self.last_seen.max(*last_seen);
        self.missing.extend(missing);
        if let Some(seen) = self.last_seen {
            self.missing.retain(|look| *look > seen);
        }
    }

    /// The first look of those since the last sight: since when it can't be found.
    pub fn missing_since(&self) -> Option<Timestamp> {
        self.missing.first().copied()
    }

    /// Since when an event that starts at `start` is gone. A look at or after the start says
    /// nothing: a meeting that was held is not called off by being deleted.
    pub(crate) fn gone(&self, start: Timestamp) -> Option<Timestamp> {
        let first = *self.missing.first()?;
        let last = *self.missing.range(..start).next_back()?;
        (last.duration_since(first) >= GONE_AFTER).then_some(first)
    }
}
