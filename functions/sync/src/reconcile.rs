//! A reconcile run of one connection: what Calendly lists, against what is stored.
//!
//! Calendly can't be asked what changed, so a run goes through a window of start times. Invitees are
//! read only for events that are new or differ; and everything goes through the same reducer as
//! webhooks do.

use booking::{
    Cancellation, EventRecord, EventUri, Facts, InviteeRecord, InviteeSummary, InviteeUri, Latest,
    Provider, ROSTER_LIMIT, Records, Stamp, reduce,
};
use calendly::api::{Access, ApiError, Client, EventWindow, Scope};
use calendly::webhook::{Unreadable, resource};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use platform::bookings::{BookingStore, MAX_INVITEES};
use platform::connections::Connection;
use platform::metrics::{Metric, Metrics};
use platform::syncs::{Place, Tally};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How far back a run looks: late cancellations and no-show marks.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(48);
/// How far ahead: beyond what event types let people book.
const HORIZON: SignedDuration = SignedDuration::from_hours(24 * 730);
/// Events whose invitees are read at a time.
const AT_A_TIME: usize = 4;
/// The pages of invitees of one event that are read: 10,000 people.
const MAX_INVITEE_PAGES: usize = 100;

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// All of the window is compared.
    Complete,
    /// Time or the rate limit ran short: it goes on at `place`, after a while.
    Paused {
        /// Where.
        place: Place,
        /// When.
        after: Duration,
    },
}

/// Why a run could not go on.
#[derive(Debug)]
pub enum Trouble {
    /// Calendly.
    Calendly(ApiError),
    /// The store.
    Store(platform::Error),
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        Self::Calendly(error)
    }
}

impl From<platform::Error> for Trouble {
    fn from(error: platform::Error) -> Self {
        Self::Store(error)
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Calendly(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

/// One run, or the next part of it.
pub struct Run<'a, A> {
    /// Calendly, with this connection's tokens.
    pub client: &'a Client<A>,
    /// What is stored.
    pub bookings: &'a BookingStore,
    /// Which connection.
    pub connection: &'a Connection,
    /// When to stop and save the place.
    pub deadline: Instant,
    /// Where changes of bookings are counted.
    pub metrics: &'a Mutex<Metrics>,
}

impl<A: Access> Run<'_, A> {
    /// Goes on from `place` to the end of the window, or as far as time and rate limit allow.
    /// What was done is in `tally` however it ends.
    pub async fn go(&self, mut place: Place, tally: &mut Tally) -> Result<End, Trouble> {
        let now = ambient::now();
        let from = *place
            .from
            .get_or_insert(now.saturating_sub(LOOK_BACK).unwrap_or(now));
        let to = *place
            .to
            .get_or_insert(now.saturating_add(HORIZON).unwrap_or(now));
        let window = EventWindow { from, to };
        // At least one page a message, or a run with little time would never end.
        loop {
            let step = self.page(&mut place, &window, tally).await;
            match step {
                Ok(true) => return Ok(End::Complete),
                Ok(false) => {}
                Err(Trouble::Calendly(ApiError::RateLimited { retry_after })) => {
                    return Ok(End::Paused {
                        place,
                        after: retry_after,
                    });
                }
                Err(trouble) => return Err(trouble),
            }
            if Instant::now() >= self.deadline {
                let after = Duration::ZERO;
                return Ok(End::Paused { place, after });
            }
        }
    }

    /// Reads one event and merges it. Answers whether its conference link still isn't ready.
    pub async fn event(&self, event_id: &str) -> Result<bool, Trouble> {
        let read_at = ambient::now();
        let event = self.client.event(event_id).await?;
        if let Ok(facts) = resource::facts(&event, &[], &self.connection.id, read_at) {
            self.merge(facts).await?;
        }
        Ok(resource::link_pending(&event))
    }

    /// Merges facts, and counts what that changed. Answers how many records were written.
    async fn merge(&self, facts: Facts) -> platform::Result<usize> {
        let merged = self.bookings.reconcile(facts).await?;
        let mut metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner);
        for made in &merged.transitions {
            metrics.count(Metric::from(*made));
        }
        Ok(merged.written)
    }

    /// Compares one page, and moves the place behind it. `true` after the last.
    async fn page(
        &self,
        place: &mut Place,
        window: &EventWindow,
        tally: &mut Tally,
    ) -> Result<bool, Trouble> {
        let read_at = ambient::now();
        let token = place.page_token.as_deref();
        let page = match self.client.events(self.owner(place), window, token).await {
            // Only owners and administrators may list an organization's events.
            Err(ApiError::Forbidden { .. }) if !place.own_events_only => {
                place.own_events_only = true;
                return Ok(false);
            }
            // A page token that has become stale: from the start, which finds nothing to write.
            Err(ApiError::Status { status: 400, .. }) if place.page_token.is_some() => {
                place.page_token = None;
                place.done_to = None;
                place.done_at.clear();
                return Ok(false);
            }
            page => page?,
        };
        let mut listed = BTreeMap::new();
        for event in page.items {
            match resource::event_uri(&event) {
                Ok(uri) => {
                    listed.insert(uri, event);
                }
                Err(error) => tally
                    .errors
                    .push(format!("an event can't be read: {error}")),
            }
        }
        let stored = self
            .bookings
            .events(Provider::Calendly, listed.keys().cloned())
            .await?;
        let mut to_read = Vec::new();
        for (uri, event) in &listed {
            if self.differs(stored.get(uri), event, read_at).await? {
                to_read.push(event);
            }
        }
        for events in to_read.chunks(AT_A_TIME) {
            let reads = events.iter().map(|event| self.reconcile(event, read_at));
            for result in try_join_all(reads).await? {
                match result {
                    Ok(written) => tally.changed += usize::from(written > 0),
                    Err(error) => tally
                        .errors
                        .push(format!("an event can't be read: {error}")),
                }
            }
        }
        let last = page.next.is_none();
        self.find_vanished(
            place,
            &listed,
            last.then_some(window.to),
            window.from,
            tally,
        )
        .await?;
        tally.pages += 1;
        tally.seen += listed.len();
        place.page_token = page.next;
        Ok(last)
    }

    fn owner(&self, place: &Place) -> (Scope, &str) {
        if place.own_events_only {
            (Scope::User, &self.connection.user_uri)
        } else {
            (Scope::Organization, &self.connection.organization_uri)
        }
    }

    /// Whether an event's invitees have to be read: it is new, it differs, it has other people
    /// than are stored, or it has begun, after which a no-show mark moves nothing of the event.
    async fn differs(
        &self,
        stored: Option<&EventRecord>,
        event: &Value,
        read_at: Timestamp,
    ) -> Result<bool, Trouble> {
        let Some(stored) = stored.filter(|stored| stored.updated_at.is_some()) else {
            return Ok(true);
        };
        let Ok(facts) = resource::facts(event, &[], &self.connection.id, read_at) else {
            return Ok(true);
        };
        let mut records = Records::default();
        records.events.insert(stored.uri.clone(), stored.clone());
        let next = reduce(&records, &facts).changes_since(&records);
        if !next.records.events.is_empty() || has_begun(stored, read_at) {
            return Ok(true);
        }
        let people = self.people(stored).await?;
        Ok(people_missing(stored, &people))
    }

    /// The stored people of an event. A roster that is full doesn't name all.
    async fn people(&self, stored: &EventRecord) -> Result<Vec<InviteeSummary>, Trouble> {
        if stored.roster.len() < ROSTER_LIMIT {
            return Ok(stored.roster.values().cloned().collect());
        }
        let all = self
            .bookings
            .event(stored.provider, stored.uri.id())
            .await?;
        let all = all.into_iter().flat_map(|event| event.invitees);
        Ok(all.map(|invitee| invitee.summary).collect())
    }

    /// Reads an event's invitees and merges it all. Answers how many records were written.
    async fn reconcile(
        &self,
        event: &Value,
        read_at: Timestamp,
    ) -> Result<Result<usize, Unreadable>, Trouble> {
        let uri = match resource::event_uri(event) {
            Ok(uri) => uri,
            Err(error) => return Ok(Err(error)),
        };
        let mut invitees = Vec::new();
        let mut token = None;
        for _ in 0..MAX_INVITEE_PAGES {
            let page = self.client.invitees(uri.id(), token.as_deref()).await?;
            invitees.extend(page.items);
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        let mut written = 0;
        // A step is one transaction, of at most 100 items: an event, and a few people and those
        // they were moved from and to.
        let groups: Vec<&[Value]> = match invitees.as_slice() {
            [] => vec![&[]],
            some => some.chunks(10).collect(),
        };
        for group in groups {
            match resource::facts(event, group, &self.connection.id, read_at) {
                Ok(facts) => written += self.merge(facts).await?,
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(written))
    }

    /// Looks for stored events of this page's span of starts that Calendly did not list: each is
    /// read on its own, and was either moved or is gone.
    async fn find_vanished(
        &self,
        place: &mut Place,
        listed: &BTreeMap<EventUri, Value>,
        window_end: Option<Timestamp>,
        window_start: Timestamp,
        tally: &mut Tally,
    ) -> Result<(), Trouble> {
        let latest = listed.values().filter_map(start).max();
        // Events that start together with the last one may be on the next page.
        let Some(to) = window_end.or(latest) else {
            return Ok(());
        };
        let from = place.done_to.unwrap_or(window_start);
        if to <= from {
            // A whole page that starts at one time: what it lists is known to the next.
            let ids = listed.keys().map(|uri| uri.id().to_owned());
            place.done_at.extend(ids);
            return Ok(());
        }
        let stored = self.bookings.between(&self.connection.id, from, to).await?;
        let missing = stored.into_iter().filter(|event| {
            let known = place.done_at.iter().any(|id| id == event.uri.id());
            !event.is_canceled() && !known && !listed.contains_key(&event.uri)
        });
        for event in missing {
            let read_at = ambient::now();
            let written = match self.client.event(event.uri.id()).await {
                Ok(found) => match self.reconcile(&found, read_at).await? {
                    Ok(written) => written,
                    Err(error) => {
                        tally
                            .errors
                            .push(format!("an event can't be read: {error}"));
                        0
                    }
                },
                Err(ApiError::NotFound { .. }) => {
                    tally.vanished += 1;
                    let mut written = 0;
                    for facts in gone(&event, &self.people(&event).await?, read_at) {
                        written += self.merge(facts).await?;
                    }
                    written
                }
                Err(error) => return Err(error.into()),
            };
            tally.changed += usize::from(written > 0);
        }
        place.done_to = Some(to);
        place.done_at = listed
            .iter()
            .filter(|(_, event)| start(event) == Some(to))
            .map(|(uri, _)| uri.id().to_owned())
            .collect();
        Ok(())
    }
}

fn start(event: &Value) -> Option<Timestamp> {
    event.get("start_time")?.as_str()?.parse().ok()
}

/// Whether there is more to know of an event's people than is stored.
fn people_missing(stored: &EventRecord, people: &[InviteeSummary]) -> bool {
    let Some(counter) = stored.counter.as_ref().map(|counter| &counter.value) else {
        return people.is_empty();
    };
    // Known only through a link, or moved with the half that says why still missing. Who was erased
    // has no address either, and none to be read.
    let half_known = |invitee: &InviteeSummary| {
        invitee.email.is_none() && !invitee.erased
            || !invitee.is_active() && invitee.cancellation.is_none()
    };
    if people.iter().any(half_known) {
        return true;
    }
    let known = i64::try_from(people.len()).unwrap_or(i64::MAX);
    let active = people.iter().filter(|invitee| invitee.is_active()).count();
    let active = i64::try_from(active).unwrap_or(i64::MAX);
    // No more than these are ever shown.
    let all_shown = people.len() >= MAX_INVITEES;
    let all_known = all_shown || counter.total.is_none_or(|total| total <= known);
    let same_active = all_shown || counter.active.is_none_or(|count| count == active);
    !(all_known && same_active)
}

fn has_begun(stored: &EventRecord, now: Timestamp) -> bool {
    let start = stored.slot.as_ref().map(|slot| slot.value.start);
    start.is_some_and(|start| start <= now)
}

/// An event that Calendly no longer knows: canceled, with all who were coming. In steps of a few
/// people: a step is one transaction, of at most 100 items.
fn gone(event: &EventRecord, people: &[InviteeSummary], read_at: Timestamp) -> Vec<Facts> {
    let mut canceled = EventRecord::about(event.uri.clone(), event.provider);
    canceled.canceled = true;
    let cancellation = Cancellation {
        by: None,
        reason: Some("no longer at Calendly".to_owned()),
        by_type: None,
        at: Some(read_at),
        inferred: true,
    };
    let cancellation = Latest::new(Stamp::new(read_at, read_at), cancellation);
    let mut first = Facts::new(event.provider);
    first.add_event(&canceled);
    let mut steps = vec![first];
    let coming: Vec<InviteeUri> = people
        .iter()
        .filter(|invitee| invitee.is_active())
        .filter_map(|invitee| InviteeUri::parse(&invitee.uri).ok())
        .collect();
    for some in coming.chunks(40) {
        let mut facts = Facts::new(event.provider);
        for uri in some {
            let mut invitee = InviteeRecord::about(uri.clone());
            invitee.canceled = true;
            invitee.cancellation = Some(cancellation.clone());
            facts.add_invitee(&invitee);
        }
        steps.push(facts);
    }
    steps
}
