//! Every scheduled event, and what can happen to one. Each change that Calendly would tell of
//! answers its messages; a quiet change has none.

mod book;
mod cancel;
mod change;
mod past;
mod reschedule;

pub(crate) use change::QuietChange;

use crate::event::{Host, ScheduledEvent};
use crate::event_type::EventType;
use crate::invitee::Invitee;
use crate::location::Place;
use jiff::{SignedDuration, Timestamp};
use past::Past;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a webhook will say, before it is addressed to a subscription.
#[derive(Debug)]
pub(crate) struct Message {
    pub event: &'static str,
    pub organization: String,
    /// Ids of the hosts, for subscriptions of one user.
    pub hosts: Vec<String>,
    pub event_uri: String,
    pub invitee_uri: String,
    pub payload: Value,
    pub at: Timestamp,
}

/// Why something can't be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was never there, or is no longer.
    #[error("there is no such thing")]
    NotFound,
    /// None of the event types is meant.
    #[error("eventType is no event type's id, URI or name")]
    UnknownEventType,
    /// None of the users is meant.
    #[error("no user has this id")]
    UnknownUser,
    /// What is canceled stays canceled.
    #[error("it is already canceled")]
    AlreadyCanceled,
    /// The mark is there.
    #[error("it is already marked as a no-show")]
    AlreadyMarked,
    /// There is no mark to take away.
    #[error("it is not marked as a no-show")]
    NotMarked,
    /// No conference link is on its way.
    #[error("it has no conference link that could become ready")]
    NoLink,
}

/// What is booked: the slot, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub organization: String,
    pub kind: EventType,
    pub hosts: Vec<Host>,
    pub start: Timestamp,
    pub place: Place,
    /// Whether the host has a calendar that it is entered in.
    pub in_calendar: bool,
}

/// Who cancels, and what they say.
#[derive(Debug, Clone)]
pub(crate) enum Canceler {
    Invitee,
    Host(String),
}

/// Every scheduled event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bookings {
    events: BTreeMap<String, ScheduledEvent>,
    /// Invitee id to event id.
    of_invitee: BTreeMap<String, String>,
    /// Events whose conference link is being made, by when it is there.
    links: BTreeSet<(Timestamp, String)>,
    past: Past,
    conference_delay: SignedDuration,
}

impl Bookings {
    /// `memory` is how far back [`Bookings::as_of`] can look.
    pub(crate) fn new(conference_delay: SignedDuration, memory: SignedDuration) -> Self {
        Self {
            conference_delay,
            past: Past::new(memory),
            ..Self::default()
        }
    }

    /// Every event, in the order of their ids.
    pub(crate) fn events(&self) -> impl ExactSizeIterator<Item = &ScheduledEvent> {
        self.events.values()
    }

    pub(crate) fn event(&self, id: &str) -> Option<&ScheduledEvent> {
        self.events.get(id)
    }

    pub(crate) fn event_of(&self, invitee: &str) -> Option<&ScheduledEvent> {
        self.events.get(self.of_invitee.get(invitee)?)
    }

    pub(crate) fn invitee(&self, id: &str) -> Option<&Invitee> {
        self.event_of(id)?.invitees.iter().find(|i| i.id == id)
    }

    /// An event to be changed: what it was is remembered.
    fn edit(&mut self, id: &str) -> Result<&mut ScheduledEvent, Refused> {
        let event = self.events.get_mut(id).ok_or(Refused::NotFound)?;
        self.past.keep(id, || Some(event.clone()));
        Ok(event)
    }

    fn edit_invitee(&mut self, id: &str) -> Result<&mut Invitee, Refused> {
        let event = self.of_invitee.get(id).ok_or(Refused::NotFound)?.clone();
        let invitees = &mut self.edit(&event)?.invitees;
        let invitee = invitees.iter_mut().find(|invitee| invitee.id == id);
        invitee.ok_or(Refused::NotFound)
    }

    fn insert(&mut self, event: ScheduledEvent) {
        self.past.keep(&event.id, || None);
        if let Some(ready) = event.location.ready_at() {
            self.links.insert((ready, event.id.clone()));
        }
        self.events.insert(event.id.clone(), event);
    }

    fn message(&self, event: &'static str, invitee: &str, at: Timestamp) -> Option<Message> {
        let meeting = self.event_of(invitee)?;
        let invitee = self.invitee(invitee)?;
        let mut payload = invitee.json();
        payload["scheduled_event"] = meeting.webhook_json();
        Some(Message {
            event,
            organization: meeting.organization.clone(),
            hosts: meeting.hosts.iter().map(|host| host.id.clone()).collect(),
            event_uri: meeting.uri(),
            invitee_uri: invitee.uri(),
            payload,
            at,
        })
    }
}
