//! Events that are stored and that Calendly did not list: each is asked for on its own, and was either
//! moved or is gone.

use crate::compare::has_begun;
use crate::pace::Pace;
use crate::read::{Outcome, Reading};
use crate::reconcile::{Listing, Run};
use crate::trouble::Trouble;
use booking::{EventRecord, EventUri, Facts};
use calendly::api::{Access, ApiError};
use jiff::Timestamp;
use platform::syncs::{Place, Tally};
use serde_json::Value;
use std::collections::BTreeSet;

impl<A: Access> Run<'_, A> {
    /// Looks for the stored events of this page's span of starts that it doesn't list.
    pub(crate) async fn find_vanished(
        &self,
        listing: &Listing,
        place: &mut Place,
        pace: &mut Pace,
        tally: &mut Tally,
    ) -> Result<(), Trouble> {
        let Some((from, to)) = listing.span(place) else {
            return Ok(());
        };
        let mut after = None;
        loop {
            let connection = &self.connection.id;
            let part = match self.bookings.between(connection, (from, to), after).await {
                Err(error) if !error.is_transient() => {
                    tally.error(format!("what is stored from {from} to {to}: {error}"));
                    return Ok(());
                }
                part => part?,
            };
            self.find_unlisted(&part.events, listing, place, pace, tally)
                .await?;
            let Some((next, start)) = part.next else {
                return Ok(());
            };
            // A page can span very many: a run that stops here goes on from here.
            place.done_to = place.done_to.max(Some(start));
            let behind = part
                .events
                .iter()
                .filter(|event| starts_before(event, start));
            let behind: BTreeSet<_> = behind.map(|event| event.uri.id()).collect();
            place.done.retain(|id| !behind.contains(id.as_str()));
            after = Some(next);
        }
    }

    /// Looks for those of some stored events that a page doesn't list.
    async fn find_unlisted(
        &self,
        stored: &[EventRecord],
        listing: &Listing,
        place: &mut Place,
        pace: &mut Pace,
        tally: &mut Tally,
    ) -> Result<(), Trouble> {
        let done: BTreeSet<_> = place.done.iter().chain(&place.done_at).cloned().collect();
        for event in stored {
            let known = done.contains(event.uri.id()) || listing.events.contains_key(&event.uri);
            if known || !self.may_list(event, place) {
                continue;
            }
            pace.keep()?;
            let mut reading = Reading::begun(&event.uri, false, place);
            let looked = if event.is_canceled() {
                // One that is gone is not looked for again: should it be back, it is listed.
                self.settle(event).await
            } else {
                self.look_unlisted(event, place, &mut reading, tally).await
            };
            reading.keep(&event.uri, &looked, place);
            pace.done(&event.uri, looked, place, tally)?;
        }
        Ok(())
    }

    /// Whether the list would name this event, if it still were as it is stored.
    fn may_list(&self, event: &EventRecord, place: &Place) -> bool {
        let hosts = event.hosts.as_ref().map(|hosts| hosts.value.as_slice());
        let hosts = hosts.unwrap_or_default();
        let user = self.connection.user_uri.as_str();
        let own = hosts.iter().any(|host| host.uri.as_deref() == Some(user));
        !place.own_events_only || own || hosts.is_empty()
    }

    /// Looks for an event that isn't listed, or has somebody look who can tell whether it is gone.
    async fn look_unlisted(
        &self,
        event: &EventRecord,
        place: &Place,
        reading: &mut Reading,
        tally: &mut Tally,
    ) -> Result<Outcome, Trouble> {
        match self.organization_of(event) {
            Some(here) if here == self.connection.organization_uri => {
                let sees_all = !place.own_events_only;
                self.look(event, sees_all, reading, tally).await
            }
            Some(elsewhere) => self.hand_on(event, elsewhere).await,
            None if has_begun(event, ambient::now()) => Ok(Outcome::default()),
            None => Ok(Outcome::problem(
                "not listed, and its account has been in more than one organization",
            )),
        }
    }

    /// Asks for one event of this connection's organization. That it isn't found says something only of
    /// one that is still to begin, and by a token that may see the whole organization: others lose sight
    /// of events that take place.
    pub(crate) async fn look(
        &self,
        event: &EventRecord,
        sees_all: bool,
        reading: &mut Reading,
        tally: &mut Tally,
    ) -> Result<Outcome, Trouble> {
        let read_at = ambient::now();
        match self.client.event(event.uri.id()).await {
            Ok(found) => self.read(&found, read_at, reading).await,
            Err(ApiError::NotFound { .. }) if has_begun(event, read_at) => Ok(Outcome::default()),
            Err(ApiError::NotFound { .. }) if !sees_all => {
                self.hand_on(event, &self.connection.organization_uri).await
            }
            Err(ApiError::NotFound { .. }) => {
                tally.vanished += 1;
                let facts = Facts::not_found(event.provider, event.uri.clone(), read_at);
                Ok(Outcome {
                    written: self.merge(facts).await?,
                    problems: Vec::new(),
                })
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Listing {
    /// The starts of which all events are known by now. Events that start together with the last
    /// one may be on the next page.
    fn span(&self, place: &Place) -> Option<(Timestamp, Timestamp)> {
        let latest = self.events.values().filter_map(start).max();
        let to = self.end.or(latest)?;
        let from = place.done_to.or(place.from)?;
        (from < to).then_some((from, to))
    }

    /// Moves the place behind this page.
    pub(crate) fn leave(&self, place: &mut Place) {
        place.done.clear();
        place.begun.clear();
        place.compared += 1;
        let to = self.span(place).map(|(_, to)| to);
        if to.is_some() {
            place.done_to = to;
            place.done_at.clear();
        }
        // Of a whole page that starts at one time, what it lists is known to the next.
        let last = self.events.iter();
        let last = last.filter(|(_, event)| to.is_none() || start(event) == to);
        place
            .done_at
            .extend(last.map(|(uri, _)| uri.id().to_owned()));
    }

    /// How many events it lists that no page before did.
    pub(crate) fn fresh(&self, place: &Place) -> usize {
        let known: BTreeSet<&str> = place.done_at.iter().map(String::as_str).collect();
        let fresh = |uri: &&EventUri| !known.contains(uri.id());
        self.events.keys().filter(fresh).count()
    }
}

fn starts_before(event: &EventRecord, time: Timestamp) -> bool {
    let start = event.slot.as_ref().map(|slot| slot.value.start);
    start.is_some_and(|start| start < time)
}

fn start(event: &Value) -> Option<Timestamp> {
    event.get("start_time")?.as_str()?.parse().ok()
}
