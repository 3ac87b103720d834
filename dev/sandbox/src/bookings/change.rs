//! No-show marks, and changes that no webhook tells of.

use super::{Bookings, Message, QuietChange, Refused};
use crate::clock::Clock;
use crate::event::Location;
use crate::ids;
use crate::invitee::{Invitee, NoShow};

impl Bookings {
    pub(crate) fn mark_no_show(
        &mut self,
        clock: &mut Clock,
        id: &str,
    ) -> Result<Vec<Message>, Refused> {
        let at = clock.next();
        let invitee = self.invitee_mut(id)?;
        if invitee.no_show.is_some() {
            return Err(Refused::AlreadyMarked);
        }
        invitee.no_show = Some(NoShow {
            id: ids::new_uuid(),
            at,
        });
        invitee.updated_at = clock.next();
        let message = self.message("invitee_no_show.created", id, at);
        Ok(message.into_iter().collect())
    }

    pub(crate) fn clear_no_show(
        &mut self,
        clock: &mut Clock,
        id: &str,
    ) -> Result<Vec<Message>, Refused> {
        let at = clock.next();
        let invitee = self.invitee_mut(id)?;
        invitee.no_show.take().ok_or(Refused::NotMarked)?;
        invitee.updated_at = at;
        let message = self.message("invitee_no_show.deleted", id, at);
        Ok(message.into_iter().collect())
    }

    /// The invitee with this no-show mark.
    pub(crate) fn marked(&self, no_show: &str) -> Option<&Invitee> {
        let is_it = |i: &&Invitee| i.no_show.as_ref().is_some_and(|mark| mark.id == no_show);
        self.events
            .values()
            .flat_map(|event| &event.invitees)
            .find(is_it)
    }

    /// Changes an event as a host can in their calendar: no webhook tells of it.
    pub(crate) fn change_quietly(
        &mut self,
        clock: &mut Clock,
        event: &str,
        change: QuietChange,
    ) -> Result<(), Refused> {
        let event = self.events.get_mut(event).ok_or(Refused::NotFound)?;
        if let Some(start) = change.start {
            let length = event.start.duration_until(event.end);
            event.start = start;
            event.end = start.saturating_add(length).unwrap_or(start);
        }
        event.end = change.end.unwrap_or(event.end);
        if let Some(name) = change.name {
            event.name = name;
        }
        if let Some(location) = change.location {
            event.location = Location::fixed(location);
        }
        if let Some(hosts) = change.hosts {
            event.hosts = hosts;
        }
        event.updated_at = clock.next();
        Ok(())
    }

    /// Takes an event away as if it had never been.
    pub(crate) fn vanish(&mut self, event: &str) -> Result<(), Refused> {
        let event = self.events.remove(event).ok_or(Refused::NotFound)?;
        for invitee in &event.invitees {
            self.of_invitee.remove(&invitee.id);
        }
        Ok(())
    }
}
