//! The world as it is, whoever may see what of it.

use super::World;
use crate::event::ScheduledEvent;
use crate::ids;
use crate::invitee::Invitee;
use jiff::Timestamp;
use serde_json::Value;

/// A scheduled event as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenEvent {
    /// Last part of its URI.
    pub id: String,
    /// URI of the organization that it was booked with.
    pub organization: String,
    /// URIs of its hosts.
    pub hosts: Vec<String>,
    /// It is not canceled.
    pub is_active: bool,
    /// When it begins.
    pub start: Timestamp,
    /// When it ends.
    pub end: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Reading it answers 403, whoever asks.
    pub is_forbidden: bool,
    /// As `GET /scheduled_events/{id}` answers it.
    pub json: Value,
    /// Everybody who booked it, in the order of their bookings.
    pub invitees: Vec<SeenInvitee>,
}

/// One person's booking as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenInvitee {
    /// Last part of its URI.
    pub id: String,
    /// It is not canceled.
    pub is_active: bool,
    /// It was moved, or a host asked for another time.
    pub is_rescheduled: bool,
    /// URI of the booking that it was moved from.
    pub moved_from: Option<String>,
    /// URI of the booking that it was moved to.
    pub moved_to: Option<String>,
    /// It is marked as a no-show.
    pub is_no_show: bool,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// As `GET /scheduled_events/{id}/invitees/{id}` answers it.
    pub json: Value,
}

impl From<&Invitee> for SeenInvitee {
    fn from(invitee: &Invitee) -> Self {
        Self {
            id: invitee.id.clone(),
            is_active: invitee.is_active(),
            is_rescheduled: invitee.rescheduled,
            moved_from: invitee.moved_from.clone(),
            moved_to: invitee.moved_to.clone(),
            is_no_show: invitee.no_show.is_some(),
            updated_at: invitee.updated_at,
            json: invitee.json(),
        }
    }
}

fn seen(event: &ScheduledEvent, is_forbidden: bool) -> SeenEvent {
    SeenEvent {
        id: event.id.clone(),
        organization: ids::organization(&event.organization),
        hosts: event.hosts.iter().map(|host| ids::user(&host.id)).collect(),
        is_active: event.is_active(),
        start: event.start,
        end: event.end,
        updated_at: event.updated_at,
        is_forbidden,
        json: event.json(),
        invitees: event.invitees.iter().map(SeenInvitee::from).collect(),
    }
}

impl World {
    /// Every scheduled event with its invitees, by when it was made.
    pub fn events(&self) -> Vec<SeenEvent> {
        let state = self.app.state();
        let mut events: Vec<_> = state.bookings.events().collect();
        events.sort_by_key(|event| event.created_at);
        let is_forbidden = |event: &ScheduledEvent| state.forbidden.contains(&event.id);
        events
            .into_iter()
            .map(|event| seen(event, is_forbidden(event)))
            .collect()
    }

    /// One scheduled event, by its id.
    pub fn event(&self, id: &str) -> Option<SeenEvent> {
        let state = self.app.state();
        let event = state.bookings.event(id)?;
        Some(seen(event, state.forbidden.contains(id)))
    }
}
