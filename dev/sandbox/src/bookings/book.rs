//! Booked.

use super::{Bookings, Message, Slot};
use crate::clock::{Clock, plus_minutes};
use crate::event::{Guest, ScheduledEvent};
use crate::ids;
use crate::invitee::{Invitee, Person};
use crate::location::Location;
use jiff::Timestamp;

impl Bookings {
    /// Books a slot; a group event that is there and has a seat left is joined. Answers the
    /// invitee's id.
    pub(crate) fn book(
        &mut self,
        clock: &mut Clock,
        slot: &Slot,
        person: Person,
        guests: &[String],
    ) -> (String, Vec<Message>) {
        let event = self.place(clock, slot);
        let at = clock.next();
        let invitee = Invitee::new(&event, person, at);
        let id = invitee.id.clone();
        let guest = |email: &String| Guest {
            email: email.clone(),
            of: id.clone(),
            created_at: at,
            updated_at: at,
        };
        self.seat(invitee, guests.iter().map(guest).collect());
        let message = self.message("invitee.created", &id, clock.next());
        (id, message.into_iter().collect())
    }

    /// The event at a slot, made where there is none to join.
    pub(super) fn place(&mut self, clock: &mut Clock, slot: &Slot) -> String {
        self.open_group(slot).unwrap_or_else(|| {
            let at = clock.next();
            self.open(slot, at)
        })
    }

    /// Gives an invitee and their guests a seat at their event.
    pub(super) fn seat(&mut self, invitee: Invitee, guests: Vec<Guest>) {
        let (id, event_id) = (invitee.id.clone(), invitee.event.clone());
        self.of_invitee.insert(id, event_id.clone());
        if let Ok(event) = self.edit(&event_id) {
            event.updated_at = event.updated_at.max(invitee.created_at);
            event.guests.extend(guests);
            event.invitees.push(invitee);
        }
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

    fn open(&mut self, slot: &Slot, at: Timestamp) -> String {
        let id = ids::new_uuid();
        let ready = at.saturating_add(self.conference_delay).unwrap_or(at);
        self.insert(ScheduledEvent {
            id: id.clone(),
            organization: slot.organization.clone(),
            name: Some(slot.kind.name.clone()),
            notes: None,
            start: slot.start,
            end: plus_minutes(slot.start, slot.kind.minutes),
            location: Location::new(slot.place, &id, ready),
            hosts: slot.hosts.clone(),
            guests: Vec::new(),
            calendar_entry: slot.in_calendar.then(|| ids::new_uuid().replace('-', "")),
            created_at: at,
            updated_at: at,
            cancellation: None,
            invitees: Vec::new(),
            kind: slot.kind.clone(),
        });
        id
    }
}
