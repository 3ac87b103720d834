//! No-show marks, and changes that no webhook tells of.

use super::{Bookings, Message, Refused};
use crate::clock::Clock;
use crate::event::Host;
use crate::ids;
use crate::invitee::{Invitee, NoShow, Person};
use crate::location::Location;
use jiff::Timestamp;
use serde_json::Value;

/// A quiet change: what is `None` stays as it is.
#[expect(
    clippy::option_option,
    reason = "a name or notes can be kept, changed or taken away"
)]
#[derive(Debug, Default)]
pub(crate) struct QuietChange {
    pub start: Option<Timestamp>,
    pub end: Option<Timestamp>,
    pub name: Option<Option<String>>,
    pub notes: Option<Option<String>>,
    pub location: Option<Value>,
    pub hosts: Option<Vec<Host>>,
}

impl QuietChange {
    /// `true` if it changes nothing.
    pub(crate) fn is_none(&self) -> bool {
        let Self {
            start,
            end,
            name,
            notes,
            location,
            hosts,
        } = self;
        let time = start.is_some() || end.is_some();
        let text = name.is_some() || notes.is_some();
        !time && !text && location.is_none() && hosts.is_none()
    }
}

impl Bookings {
    pub(crate) fn mark_no_show(
        &mut self,
        clock: &mut Clock,
        id: &str,
    ) -> Result<Vec<Message>, Refused> {
        if self.invitee(id).ok_or(Refused::NotFound)?.no_show.is_some() {
            return Err(Refused::AlreadyMarked);
        }
        let at = clock.next();
        let invitee = self.edit_invitee(id)?;
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
        if self.invitee(id).ok_or(Refused::NotFound)?.no_show.is_none() {
            return Err(Refused::NotMarked);
        }
        let at = clock.next();
        let invitee = self.edit_invitee(id)?;
        invitee.no_show = None;
        invitee.updated_at = at;
        let message = self.message("invitee_no_show.deleted", id, at);
        Ok(message.into_iter().collect())
    }

    /// The invitee with this no-show mark.
    pub(crate) fn marked(&self, no_show: &str) -> Option<&Invitee> {
        let is_it = |i: &&Invitee| i.no_show.as_ref().is_some_and(|mark| mark.id == no_show);
        self.events().flat_map(|event| &event.invitees).find(is_it)
    }

    /// Changes an event as a host can in their calendar: no webhook tells of it.
    pub(crate) fn change_quietly(
        &mut self,
        clock: &mut Clock,
        event: &str,
        change: QuietChange,
    ) -> Result<(), Refused> {
        let QuietChange {
            start,
            end,
            name,
            notes,
            location,
            hosts,
        } = change;
        let event = self.edit(event)?;
        if let Some(start) = start {
            let length = event.start.duration_until(event.end);
            event.start = start;
            event.end = start.saturating_add(length).unwrap_or(start);
        }
        event.end = end.unwrap_or(event.end);
        if let Some(name) = name {
            event.name = name;
        }
        if let Some(notes) = notes {
            event.notes = notes;
        }
        if let Some(location) = location {
            event.location = Location::fixed(location);
        }
        if let Some(hosts) = hosts {
            event.hosts = hosts;
        }
        event.updated_at = clock.next();
        Ok(())
    }

    /// Changes what an invitee is on record with: no webhook tells of it.
    pub(crate) fn change_person(
        &mut self,
        clock: &mut Clock,
        invitee: &str,
        change: impl FnOnce(&mut Person),
    ) -> Result<(), Refused> {
        let at = clock.next();
        let invitee = self.edit_invitee(invitee)?;
        change(&mut invitee.person);
        invitee.updated_at = at;
        Ok(())
    }

    /// The conference link of an event is there now; no webhook tells of it.
    pub(crate) fn make_link_ready(
        &mut self,
        clock: &mut Clock,
        event: &str,
    ) -> Result<(), Refused> {
        let at = clock.next();
        let event = self.edit(event)?;
        if !event.location.make_ready() {
            return Err(Refused::NoLink);
        }
        event.updated_at = at;
        Ok(())
    }

    /// Makes every conference link ready whose time has come: with that, as recorded, an event
    /// has been updated a little after it was made.
    pub(crate) fn let_links_come(&mut self, now: Timestamp) {
        while let Some((ready, id)) = self.links.first().cloned() {
            if ready > now {
                return;
            }
            self.links.pop_first();
            if let Ok(event) = self.edit(&id)
                && event.location.make_ready()
            {
                event.updated_at = event.updated_at.max(ready);
            }
        }
    }

    /// Takes an event away as if it had never been.
    pub(crate) fn vanish(&mut self, event: &str) -> Result<(), Refused> {
        self.edit(event)?;
        let event = self.events.remove(event).ok_or(Refused::NotFound)?;
        for invitee in &event.invitees {
            self.of_invitee.remove(&invitee.id);
        }
        Ok(())
    }
}
