//! Every scheduled event, and what can happen to one. Each change that Calendly would tell of
//! answers its messages; a quiet change has none.

mod book;
mod cancel;
mod change;

use crate::accounts::EventType;
use crate::event::{Host, ScheduledEvent};
use crate::invitee::Invitee;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::HashMap;

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

/// Why something can't be done to a booking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    NotFound,
    AlreadyCanceled,
    AlreadyMarked,
    NotMarked,
}

/// What is booked: the slot, and by whom.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub organization: String,
    pub kind: EventType,
    pub hosts: Vec<Host>,
    pub start: Timestamp,
    pub guests: Vec<String>,
}

/// Who cancels, and what they say.
#[derive(Debug, Clone)]
pub(crate) enum Canceler {
    Invitee,
    Host(String),
}

/// A quiet change: what is `None` stays as it is.
#[derive(Debug, Default)]
pub(crate) struct QuietChange {
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub name: Option<String>,
    pub location: Option<Value>,
    pub hosts: Option<Vec<Host>>,
}

/// Every scheduled event.
#[derive(Debug, Default)]
pub(crate) struct Bookings {
    pub events: HashMap<String, ScheduledEvent>,
    /// Invitee id to event id.
    of_invitee: HashMap<String, String>,
    conference_delay: SignedDuration,
}

impl Bookings {
    pub(crate) fn new(conference_delay: SignedDuration) -> Self {
        Self {
            conference_delay,
            ..Self::default()
        }
    }

    pub(crate) fn event_of(&self, invitee: &str) -> Option<&ScheduledEvent> {
        self.events.get(self.of_invitee.get(invitee)?)
    }

    pub(crate) fn invitee(&self, id: &str) -> Option<&Invitee> {
        self.event_of(id)?.invitees.iter().find(|i| i.id == id)
    }

    fn invitee_mut(&mut self, id: &str) -> Result<&mut Invitee, Refused> {
        self.of_invitee
            .get(id)
            .and_then(|event| self.events.get_mut(event))
            .and_then(|event| event.invitees.iter_mut().find(|i| i.id == id))
            .ok_or(Refused::NotFound)
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
