//! What follows from a write and needs writes of its own: the rest of a chain of moves, the invitees of a
//! large group. Who writes may be stopped in between, and never come back: a message that is sent
//! before the write has somebody go on.

use super::keys;
use super::store::{BookingStore, Merged};
use crate::Result;
use crate::item::Read;
use booking::{EventRecord, EventUri, Facts, InviteeRecord, Provider};
use std::collections::BTreeSet;

/// How many moved invitees are looked at in one step: each with its event, and those that it was moved
/// to, with theirs.
const IN_A_STEP: usize = 10;

/// Has [`BookingStore::go_on`] called for events, some time later.
pub trait Later {
    /// Returns once that is certain.
    fn go_on(&self, events: &BTreeSet<EventUri>) -> impl Future<Output = Result<()>>;
}

/// For what is done again as a whole until it succeeds, as deliveries are.
pub(super) struct Again;

impl Later for Again {
    async fn go_on(&self, _: &BTreeSet<EventUri>) -> Result<()> {
        Ok(())
    }
}

/// The events from which something follows: those that aren't settled, and those whose invitees were
/// moved on.
pub(super) fn begun(
    unsettled: &BTreeSet<EventUri>,
    follow_ups: &[Facts],
    records: &booking::Records,
) -> BTreeSet<EventUri> {
    let mut events = unsettled.clone();
    if !follow_ups.is_empty() {
        let moved = records.invitees.values().filter(|it| is_moved(it));
        events.extend(moved.map(|invitee| invitee.uri.event()));
    }
    events
}

fn is_moved(invitee: &InviteeRecord) -> bool {
    !invitee.moved_to.is_empty()
}

impl BookingStore {
    /// Does what is left of what follows from an event's record, and from those of its invitees.
    pub async fn go_on(&self, provider: Provider, event: &EventUri) -> Result<Merged> {
        let mut merged = self.settle(provider, event).await?;
        let key = keys::event(provider, event);
        let mut start = None;
        loop {
            let (items, next) = self.beside(&key, "sk > :event", start).await?;
            let invitees: Vec<InviteeRecord> = items
                .iter()
                .filter(|item| item.text("sk").is_some_and(|sk| sk.starts_with("invitee#")))
                .map(super::item::record)
                .collect::<Result<_>>()?;
            let moved: Vec<_> = invitees.iter().filter(|it| is_moved(it)).collect();
            for some in moved.chunks(IN_A_STEP) {
                let mut facts = Facts::new(provider);
                facts.add_event(&EventRecord::about(event.clone(), provider));
                for invitee in some {
                    let mut about = InviteeRecord::about(invitee.uri.clone());
                    about.moved_to.clone_from(&invitee.moved_to);
                    facts.add_invitee(&about);
                }
                merged.add(self.reconcile(facts, &Again).await?);
            }
            start = next;
            if start.is_none() {
                return Ok(merged);
            }
        }
    }
}
