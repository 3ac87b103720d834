//! What events were, for reads that lag behind.

use super::Bookings;
use crate::event::ScheduledEvent;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, VecDeque};

/// What one event was until a time; `None` while it was not there.
type Version = (Timestamp, Option<ScheduledEvent>);

/// Former versions of events, by their ids and in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    memory: SignedDuration,
    versions: BTreeMap<String, VecDeque<Version>>,
}

impl Past {
    pub(super) fn new(memory: SignedDuration) -> Self {
        Self {
            memory,
            versions: BTreeMap::new(),
        }
    }

    /// Keeps what an event is, just before it changes.
    pub(super) fn keep(&mut self, id: &str, version: impl FnOnce() -> Option<ScheduledEvent>) {
        if !self.memory.is_positive() {
            return;
        }
        let now = ambient::now();
        let versions = self.versions.entry(id.to_owned()).or_default();
        let oldest = now.saturating_sub(self.memory).unwrap_or(now);
        while versions.front().is_some_and(|(until, _)| *until < oldest) {
            versions.pop_front();
        }
        // Of several changes at one time, only what was before the first one could be seen.
        if versions.back().is_none_or(|(until, _)| *until < now) {
            versions.push_back((now, version()));
        }
    }
}

impl Bookings {
    /// All of it as it was at a time of the machine's clock, as far back as it is remembered.
    pub(crate) fn as_of(&self, at: Timestamp) -> Self {
        let mut events = self.events.clone();
        for (id, versions) in &self.past.versions {
            let then = versions.iter().find(|(until, _)| *until > at);
            match then {
                None => {}
                Some((_, None)) => {
                    events.remove(id);
                }
                Some((_, Some(event))) => {
                    events.insert(id.clone(), event.clone());
                }
            }
        }
        let invitees = events.values().flat_map(|event| &event.invitees);
        let of_invitee = invitees.map(|i| (i.id.clone(), i.event.clone())).collect();
        Self {
            events,
            of_invitee,
            ..Self::default()
        }
    }
}
