//! Moved to another time, by the invitee or on a host's word.

use super::{Bookings, Canceler, Message, Refused, Slot};
use crate::clock::Clock;
use crate::event::Guest;
use crate::invitee::Invitee;
use jiff::Timestamp;

impl Bookings {
    /// Moves an invitee: cancels the old booking and makes a new one, linked both ways, in the
    /// order of times that recordings have. Their guests move along and keep when they were first
    /// asked; the calendar's entry stays the same. Answers the new invitee's id.
    ///
    /// Where a host has asked for another time, the old booking is canceled and told already: then
    /// only the new one is made and told.
    pub(crate) fn reschedule(
        &mut self,
        clock: &mut Clock,
        old: &str,
        slot: &Slot,
        by: &Canceler,
        reason: Option<String>,
    ) -> Result<(String, Vec<Message>), Refused> {
        let invitee = self.invitee(old).ok_or(Refused::NotFound)?;
        let is_asked = invitee.rescheduled && invitee.moved_to.is_none();
        let (old_uri, person) = (invitee.uri(), invitee.person.clone());
        let old_event = invitee.event.clone();
        let canceled_at = if is_asked {
            None
        } else {
            Some(self.mark_canceled(clock, old, by, reason, true)?)
        };
        let guests = self.take_guests(&old_event, old)?;
        let place = self.place(clock, slot);
        if let (false, Ok(entry)) = (slot.kind.is_group(), self.entry_of(&old_event))
            && let Ok(event) = self.edit(&place)
        {
            event.calendar_entry = entry;
        }
        let at = clock.next();
        let mut invitee = Invitee::new(&place, person, at);
        invitee.moved_from = Some(old_uri);
        let (new, new_uri) = (invitee.id.clone(), invitee.uri());
        let moved = |guest: Guest| Guest {
            of: new.clone(),
            updated_at: at,
            ..guest
        };
        self.seat(invitee, guests.into_iter().map(moved).collect());
        let old_half = self.edit_invitee(old)?;
        old_half.moved_to = Some(new_uri);
        old_half.updated_at = clock.next();
        let halves = [
            canceled_at.and_then(|at| self.message("invitee.canceled", old, at)),
            self.message("invitee.created", &new, clock.next()),
        ];
        Ok((new, halves.into_iter().flatten().collect()))
    }

    /// A host asks an invitee for another time: the booking is canceled as rescheduled, and there
    /// is no new one until the invitee picks it.
    pub(crate) fn ask_for_another_time(
        &mut self,
        clock: &mut Clock,
        invitee: &str,
        by: &Canceler,
        reason: Option<String>,
    ) -> Result<Vec<Message>, Refused> {
        let at = self.mark_canceled(clock, invitee, by, reason, true)?;
        let message = self.message("invitee.canceled", invitee, at);
        Ok(message.into_iter().collect())
    }

    /// The slot of an invitee's event, at another time.
    pub(crate) fn slot_of(&self, invitee: &str, start: Timestamp) -> Result<Slot, Refused> {
        let event = self.event_of(invitee).ok_or(Refused::NotFound)?;
        Ok(Slot {
            organization: event.organization.clone(),
            kind: event.kind.clone(),
            hosts: event.hosts.clone(),
            start,
            place: event.kind.place,
            in_calendar: event.calendar_entry.is_some(),
        })
    }

    fn take_guests(&mut self, event: &str, invitee: &str) -> Result<Vec<Guest>, Refused> {
        let guests = &mut self.edit(event)?.guests;
        Ok(guests.extract_if(.., |guest| guest.of == invitee).collect())
    }

    fn entry_of(&self, event: &str) -> Result<Option<String>, Refused> {
        let event = self.event(event).ok_or(Refused::NotFound)?;
        Ok(event.calendar_entry.clone())
    }
}
