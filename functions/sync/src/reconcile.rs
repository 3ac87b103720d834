//! A reconcile run of one connection: what Calendly lists, against what is stored.
//!
//! Calendly can't be asked what changed, so a run goes through a window of start times. Invitees are
//! read only for events that are new or differ; and everything goes through the same reducer as
//! webhooks do.
//!
//! A run is made of parts, each a message. A part saves its place between any two events, so each
//! gets further, however little time or however few calls it has.

use crate::compare::Differs;
use crate::missed::Colleagues;
use crate::pace::Pace;
use crate::read::{Outcome, Reading};
use crate::trouble::Trouble;
use booking::{EventRecord, EventUri, Facts, Provider};
use calendly::api::{Access, ApiError, Client, EventWindow, Next, Owner, Page, Pages, Turned};
use calendly::webhook::resource;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use platform::bookings::{BookingStore, Merged};
use platform::connections::Connection;
use platform::metrics::{Metric, Metrics};
use platform::syncs::{Place, Tally};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// How far back a run looks: late cancellations and no-show marks.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(48);
/// A run that follows so long after what is noted of the last one looks back from there: what began
/// meanwhile was never compared. A shorter gap lies within [`LOOK_BACK`].
const GAP: SignedDuration = SignedDuration::from_hours(26);
/// How far ahead: beyond what event types let people book.
const HORIZON: SignedDuration = SignedDuration::from_hours(24 * 730);
/// Events whose invitees are read at a time.
const AT_A_TIME: usize = 4;
/// The pages of one run: two million events.
const MAX_PAGES: u32 = 20_000;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// All of the window is compared.
    Complete,
    /// The list could not be read to its end.
    Short,
}

/// One run, or the next part of it.
pub struct Run<'a, A> {
    /// Calendly, with this connection's tokens.
    pub client: &'a Client<A>,
    /// What is stored.
    pub bookings: &'a BookingStore,
    /// Who may know of events that this connection can't see.
    pub colleagues: Colleagues<'a>,
    /// Which connection.
    pub connection: &'a Connection,
    /// When to stop and save the place.
    pub deadline: Instant,
    /// Where changes of bookings are counted.
    pub metrics: &'a Mutex<Metrics>,
}

/// A page of Calendly's list.
pub(crate) struct Listing {
    pub(crate) events: BTreeMap<EventUri, Value>,
    /// The end of the window, on the last page.
    pub(crate) end: Option<Timestamp>,
}

/// The place where a run of a window begins, of a connection that was compared before at `compared_at`.
pub fn begin(
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    compared_at: Option<Timestamp>,
) -> Place {
    let now = ambient::now();
    let last = compared_at.filter(|at| now.duration_since(*at) > GAP);
    let last = last.unwrap_or(now);
    let earliest = last.saturating_sub(LOOK_BACK).unwrap_or(last);
    let latest = now.saturating_add(HORIZON).unwrap_or(now);
    Place {
        from: from.or(Some(earliest)),
        to: to.or(Some(latest)),
        ..Place::default()
    }
}

/// When a run began that looks as far ahead as any.
pub fn started(place: &Place) -> Option<Timestamp> {
    place.to?.checked_sub(HORIZON).ok()
}

impl<A: Access> Run<'_, A> {
    /// Goes on from `place` to the end of the window, or as far as time and rate limit allow. What
    /// was done is in `place` and `tally` however it ends.
    pub async fn go(&self, place: &mut Place, tally: &mut Tally) -> Result<End, Trouble> {
        // At least one event a message, or a run with little time would never end.
        let mut pace = Pace::until(self.deadline);
        loop {
            match Box::pin(self.page(place, &mut pace, tally)).await? {
                Turned::End => return Ok(End::Complete),
                Turned::More => {}
                Turned::Stuck(cause) => {
                    tally.error(format!(
                        "the list of events was not read to its end: {cause}"
                    ));
                    return Ok(End::Short);
                }
            }
            pace.turned();
            pace.keep()?;
        }
    }

    /// Merges facts, and counts what that changed. Answers how many records were written.
    pub(crate) async fn merge(&self, facts: Facts) -> platform::Result<usize> {
        let merged = self.bookings.reconcile(facts, &self.colleagues).await?;
        Ok(self.count(&merged))
    }

    /// Goes on where another was stopped before all of an event's bookings followed it.
    pub(crate) async fn settle(&self, event: &EventRecord) -> Result<Outcome, Trouble> {
        let merged = self.bookings.settle(event.provider, &event.uri).await?;
        Ok(Outcome {
            written: self.count(&merged),
            problems: Vec::new(),
        })
    }

    fn count(&self, merged: &Merged) -> usize {
        let mut metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        for made in &merged.transitions {
            metrics.count(Metric::from(*made));
        }
        merged.written
    }

    /// Compares one page, and moves the place behind it.
    async fn page(
        &self,
        place: &mut Place,
        pace: &mut Pace,
        tally: &mut Tally,
    ) -> Result<Turned, Trouble> {
        let window = window(place);
        let read_at = ambient::now();
        let token = place.pages.token();
        let page = match self.client.events(self.owner(place), &window, token).await {
            Ok(page) => page,
            // Only owners and administrators may list an organization's events.
            Err(ApiError::Forbidden { .. }) if !place.own_events_only => {
                self.notes_sight(false).await;
                self.stays_in_organization().await?;
                place.own_events_only = true;
                place.pages = Pages::default();
                place.listed_from = place.done_to;
                return Ok(Turned::More);
            }
            // A page token that is no longer taken.
            Err(ApiError::Status { status: 400, .. }) if token.is_some() => {
                return Ok(anew(place, "Calendly refuses its own page token"));
            }
            Err(error) => return Err(error.into()),
        };
        if !place.own_events_only && place.compared == 0 {
            self.notes_sight(true).await;
        }
        let (listing, unreadable) = listing(&page, place);
        let before = self.compare(&listing, read_at, place, pace, tally).await?;
        self.note_organization(&before, &listing, read_at, place, (pace, tally))
            .await?;
        self.find_vanished(&listing, place, pace, tally).await?;
        self.others_work(place, pace, tally).await?;

        // Only now, when all of the page is done: a page that is read again counts once.
        tally.seen += listing.fresh(place);
        tally.pages += 1;
        for error in unreadable {
            tally.error(error);
        }
        listing.leave(place);
        if place.compared >= MAX_PAGES {
            return Ok(Turned::Stuck("it has more pages than a run reads"));
        }
        Ok(match place.pages.turn(page.next, MAX_PAGES) {
            Turned::Stuck(cause) => anew(place, cause),
            turned => turned,
        })
    }

    /// Whether events that could not be read for now can be left to the next run: only if another of
    /// this page can be read after them, or nothing tells their trouble from Calendly's own.
    async fn others_work(
        &self,
        place: &mut Place,
        pace: &mut Pace,
        tally: &mut Tally,
    ) -> Result<(), Trouble> {
        if !pace.in_doubt() {
            return Ok(());
        }
        let Some(other) = place.done.last() else {
            return pace.end();
        };
        let stopped = self.client.invitees(other).await.stopped;
        match stopped.map(Trouble::from) {
            Some(trouble) if trouble.is_passing() || trouble.is_everywhere() => Err(trouble),
            _ => {
                pace.forgive(place, tally);
                Ok(())
            }
        }
    }

    /// Reads and merges what differs of a page. Answers what was stored of its events before.
    async fn compare(
        &self,
        listing: &Listing,
        read_at: Timestamp,
        place: &mut Place,
        pace: &mut Pace,
        tally: &mut Tally,
    ) -> Result<BTreeMap<EventUri, EventRecord>, Trouble> {
        let stored = self.stored(listing, tally).await?;
        let mut to_read = Vec::new();
        for (uri, event) in &listing.events {
            if place.done.iter().any(|id| id == uri.id()) {
                continue;
            }
            if place.begun.contains_key(uri.id()) {
                to_read.push((uri, event));
                continue;
            }
            pace.keep()?;
            if let Some(stored) = stored.get(uri).filter(|stored| !stored.is_settled())
                && let Err(trouble) = self.settle(stored).await
            {
                pace.done(uri, Err(trouble), place, tally)?;
                continue;
            }
            match self.differs(stored.get(uri), event, read_at).await {
                Ok(Differs::No) => pace.same(uri, place),
                Ok(Differs::Yes) => to_read.push((uri, event)),
                Err(trouble) => pace.done(uri, Err(trouble), place, tally)?,
            }
        }
        for events in to_read.chunks(AT_A_TIME) {
            pace.keep()?;
            let readings = events.iter().map(|(uri, _)| {
                let is_new = stored.get(uri).is_none_or(|event| event.slot.is_none());
                Reading::begun(uri, is_new, place)
            });
            let mut readings: Vec<Reading> = readings.collect();
            let reads = events.iter().zip(&mut readings);
            let reads = reads.map(|((_, event), reading)| self.read(event, read_at, reading));
            // All that were read are done, whatever became of the others.
            let read = join_all(reads).await;
            let mut ended = Ok(());
            for (((uri, _), reading), result) in events.iter().zip(readings).zip(read) {
                reading.keep(uri, &result, place);
                let one = pace.done(uri, result, place, tally);
                ended = ended.and(one);
            }
            ended?;
        }
        Ok(stored)
    }

    /// What is stored of a page's events. One that can't be read is told, and is as good as new.
    pub(crate) async fn stored(
        &self,
        listing: &Listing,
        tally: &mut Tally,
    ) -> Result<BTreeMap<EventUri, EventRecord>, Trouble> {
        let uris = || listing.events.keys().cloned();
        match self.bookings.events(Provider::Calendly, uris()).await {
            Err(error) if !error.is_transient() => {}
            all => return Ok(all?),
        }
        let mut found = BTreeMap::new();
        for uri in uris() {
            let id = uri.id().to_owned();
            match self.bookings.events(Provider::Calendly, [uri]).await {
                Err(error) if !error.is_transient() => tally.error(format!("event {id}: {error}")),
                one => found.extend(one?),
            }
        }
        Ok(found)
    }

    fn owner(&self, place: &Place) -> Owner<'_> {
        if place.own_events_only {
            Owner::User(&self.connection.user_uri)
        } else {
            Owner::Organization(&self.connection.organization_uri)
        }
    }
}

/// The span of starts that the list is of.
fn window(place: &Place) -> EventWindow {
    let from = place.from.unwrap_or(Timestamp::MIN);
    // Calendly's words leave open whether an event that starts just then is listed.
    let anew = place.listed_from.map(second_before);
    EventWindow {
        from: anew.map_or(from, |anew| anew.max(from)),
        to: place.to.unwrap_or(Timestamp::MAX),
    }
}

pub(crate) fn second_before(time: Timestamp) -> Timestamp {
    let second = SignedDuration::from_secs(1);
    time.saturating_sub(second).unwrap_or(time)
}

pub(crate) fn second_after(time: Timestamp) -> Timestamp {
    let second = SignedDuration::from_secs(1);
    time.saturating_add(second).unwrap_or(time)
}

/// Begins the list anew from where all is done; not twice from the same time.
fn anew(place: &mut Place, cause: &'static str) -> Turned {
    let from = place.done_to.or(place.from);
    if from == place.listed_from {
        return Turned::Stuck(cause);
    }
    place.listed_from = from;
    place.pages = Pages::default();
    Turned::More
}

/// A page's events by their URIs, and what is to be said of the others.
fn listing(page: &Page<Value>, place: &Place) -> (Listing, Vec<String>) {
    let mut events = BTreeMap::new();
    let mut unreadable = vec!["an entry of the list can't be read".to_owned(); page.unreadable];
    for event in &page.items {
        match resource::event_uri(event) {
            Ok(uri) => {
                events.insert(uri, event.clone());
            }
            Err(error) => unreadable.push(format!("an event of the list: {error}")),
        }
    }
    let end = place.to.filter(|_| page.next == Next::End);
    (Listing { events, end }, unreadable)
}
