//! Booked, and moved to another time.

use super::{Bookings, Canceler, Message, Refused, Slot};
use crate::clock::{Clock, plus_minutes};
use crate::event::{Location, ScheduledEvent};
use crate::ids;
use crate::invitee::{Invitee, Person};
use jiff::Timestamp;

impl Bookings {
    /// Books a slot; a group event that is there and has a seat left is joined. Answers the
    /// invitee's id.
    pub(crate) fn book(
        &mut self,
        clock: &mut Clock,
        slot: &Slot,
        person: Person,
    ) -> (String, Vec<Message>) {
        let id = self.seat(clock, slot, person, None);
        let message = self.message("invitee.created", &id, clock.next());
        (id, message.into_iter().collect())
    }

    fn seat(
        &mut self,
        clock: &mut Clock,
        slot: &Slot,
        person: Person,
        old: Option<String>,
    ) -> String {
        let event_id = self
            .open_group(slot)
            .unwrap_or_else(|| self.open(clock, slot));
        let at = clock.next();
        let mut invitee = Invitee::new(&event_id, person, at);
        invitee.moved_from = old;
        let id = invitee.id.clone();
        self.of_invitee.insert(id.clone(), event_id.clone());
        if let Some(event) = self.events.get_mut(&event_id) {
            let guests = slot.guests.iter().map(|email| (email.clone(), at));
            event.guests.extend(guests);
            event.updated_at = at;
            event.invitees.push(invitee);
        }
        id
    }

    fn open_group(&self, slot: &Slot) -> Option<String> {
        if !slot.kind.is_group() {
            return None;
        }
        let joinable = |event: &&ScheduledEvent| {
            event.organization == slot.organization
                && event.kind.id == slot.kind.id
                && event.start == slot.start
                && event.is_active()
                && event.active_invitees() < slot.kind.limit
        };
        Some(self.events.values().find(joinable)?.id.clone())
    }

    fn open(&mut self, clock: &mut Clock, slot: &Slot) -> String {
        let at = clock.next();
        let id = ids::new_uuid();
        let ready = at.saturating_add(self.conference_delay).unwrap_or(at);
        let event = ScheduledEvent {
            id: id.clone(),
            organization: slot.organization.clone(),
            name: slot.kind.name.clone(),
            start: slot.start,
            end: plus_minutes(slot.start, slot.kind.minutes),
            location: Location::new(slot.kind.place, &id, ready),
            hosts: slot.hosts.clone(),
            guests: Vec::new(),
            created_at: at,
            updated_at: at,
            cancellation: None,
            invitees: Vec::new(),
            kind: slot.kind.clone(),
        };
        self.events.insert(id.clone(), event);
        id
    }

    /// Moves an invitee: cancels the old booking and makes a new one, linked both ways. Answers
    /// the new invitee's id.
    pub(crate) fn reschedule(
        &mut self,
        clock: &mut Clock,
        old: &str,
        start: Timestamp,
        by: &Canceler,
        reason: Option<String>,
    ) -> Result<(String, Vec<Message>), Refused> {
        let event = self.event_of(old).ok_or(Refused::NotFound)?;
        let slot = Slot {
            organization: event.organization.clone(),
            kind: event.kind.clone(),
            hosts: event.hosts.clone(),
            start,
            guests: event
                .guests
                .iter()
                .map(|(email, _)| email.clone())
                .collect(),
        };
        let invitee = self.invitee(old).ok_or(Refused::NotFound)?;
        if !invitee.is_active() {
            return Err(Refused::AlreadyCanceled);
        }
        let (old_uri, person) = (invitee.uri(), invitee.person.clone());
        let new = self.seat(clock, &slot, person, Some(old_uri));
        let new_uri = self.invitee(&new).map(Invitee::uri);
        let at = self.mark_canceled(clock, old, by, reason, new_uri)?;
        let halves = [
            self.message("invitee.canceled", old, at),
            self.message("invitee.created", &new, at),
        ];
        Ok((new, halves.into_iter().flatten().collect()))
    }
}
