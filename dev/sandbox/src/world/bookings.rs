//! What happens to bookings: each as Calendly would have it, with its webhooks.

use super::World;
use super::asked::{Booked, By, EventChange, InviteeChange, NewBooking};
use crate::bookings::{Bookings, Canceler, Message, QuietChange, Refused, Slot};
use crate::event::Host;
use crate::event_type::Pooling;
use crate::invitee::Invitee;
use crate::state::State;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The slot that a booking asks for.
fn slot(state: &mut State, new: &NewBooking) -> Result<Slot, Refused> {
    let accounts = &state.accounts;
    let kind = match new.event_type.as_deref().filter(|named| !named.is_empty()) {
        Some(named) => accounts.event_type(named),
        None => accounts.event_types.first(),
    };
    let kind = kind.ok_or(Refused::UnknownEventType)?.clone();
    let named: Vec<String> = match (&new.host, kind.pooling) {
        (Some(host), _) => vec![host.clone()],
        (None, Some(Pooling::RoundRobin)) => {
            let turn = state.turn(&kind.id, kind.hosts.len());
            kind.hosts.get(turn).cloned().into_iter().collect()
        }
        (None, Some(Pooling::Collective) | None) => kind.hosts.clone(),
    };
    let hosts = hosts(state, &named)?;
    let owner = hosts.first().and_then(|host| state.accounts.user(&host.id));
    Ok(Slot {
        organization: owner.ok_or(Refused::UnknownUser)?.organization.clone(),
        place: new.place.unwrap_or(kind.place),
        kind,
        hosts,
        start: new.start_time,
        in_calendar: !new.no_calendar,
    })
}

fn hosts(state: &State, named: &[String]) -> Result<Vec<Host>, Refused> {
    let user = |id: &String| state.accounts.user(id).map(Host::from);
    let hosts: Option<Vec<_>> = named.iter().map(user).collect();
    hosts.ok_or(Refused::UnknownUser)
}

fn canceler(state: &State, hosts: Option<&[Host]>, by: By) -> Canceler {
    match by {
        By::Invitee => Canceler::Invitee,
        By::Host => {
            let host = hosts.and_then(|hosts| state.accounts.user(&hosts.first()?.id));
            Canceler::Host(host.map_or_else(|| "Host".to_owned(), |user| user.name.clone()))
        }
    }
}

fn booked(bookings: &Bookings, invitee: &str) -> Result<Booked, Refused> {
    let event = bookings.event_of(invitee).ok_or(Refused::NotFound)?;
    Ok(Booked {
        event: event.id.clone(),
        invitee: invitee.to_owned(),
    })
}

impl World {
    /// Books; a group event with a seat left is joined.
    pub fn book(&self, new: NewBooking) -> Result<Booked, Refused> {
        self.book_quietly(new, true)
    }

    /// The same, and webhooks tell of it only if asked to.
    pub(crate) fn book_quietly(&self, new: NewBooking, told: bool) -> Result<Booked, Refused> {
        let mut state = self.app.state();
        let state = &mut *state;
        let slot = slot(state, &new)?;
        let guests = new.guests.clone();
        let form = new.routing_form_submission.clone();
        let (id, messages) = state
            .bookings
            .book(&mut state.clock, &slot, new.person(), &guests);
        if let (Some(form), Some(invitee)) = (form, state.bookings.invitee(&id)) {
            let (uri, at) = (invitee.uri(), invitee.created_at);
            state.forms.led_to(&form, &uri, at);
        }
        if told {
            self.app.announce(state, messages);
        }
        booked(&state.bookings, &id)
    }

    /// Moves an invitee to another time; answers the new booking. A group event there is joined.
    pub fn reschedule(
        &self,
        invitee: &str,
        start: Timestamp,
        by: By,
        reason: Option<String>,
    ) -> Result<Booked, Refused> {
        let mut state = self.app.state();
        let state = &mut *state;
        let slot = state.bookings.slot_of(invitee, start)?;
        let by = canceler(state, Some(&slot.hosts), by);
        let (new, messages) =
            state
                .bookings
                .reschedule(&mut state.clock, invitee, &slot, &by, reason)?;
        self.app.announce(state, messages);
        booked(&state.bookings, &new)
    }

    /// Does something to one invitee.
    fn to_invitee(
        &self,
        invitee: &str,
        by: By,
        change: impl FnOnce(&mut State, &Canceler) -> Result<Vec<Message>, Refused>,
    ) -> Result<Booked, Refused> {
        let mut state = self.app.state();
        let state = &mut *state;
        let event = state.bookings.event_of(invitee);
        let by = canceler(state, event.map(|event| event.hosts.as_slice()), by);
        let messages = change(state, &by)?;
        self.app.announce(state, messages);
        booked(&state.bookings, invitee)
    }

    /// A host asks an invitee for another time: their booking is canceled as rescheduled, without a
    /// new one until [`World::reschedule`].
    pub fn ask_for_another_time(
        &self,
        invitee: &str,
        reason: Option<String>,
    ) -> Result<Booked, Refused> {
        self.to_invitee(invitee, By::Host, |state, by| {
            let State {
                bookings, clock, ..
            } = state;
            bookings.ask_for_another_time(clock, invitee, by, reason)
        })
    }

    /// Cancels one invitee, and their event with its last one.
    pub fn cancel(&self, invitee: &str, by: By, reason: Option<String>) -> Result<Booked, Refused> {
        self.to_invitee(invitee, by, |state, by| {
            let State {
                bookings, clock, ..
            } = state;
            bookings.cancel(clock, invitee, by, reason)
        })
    }

    /// A host cancels an event with all who are still coming.
    pub fn cancel_event(&self, event: &str, reason: Option<String>) -> Result<(), Refused> {
        let mut state = self.app.state();
        let state = &mut *state;
        let hosts = state.bookings.event(event).ok_or(Refused::NotFound)?;
        let by = canceler(state, Some(&hosts.hosts), By::Host);
        let State {
            bookings, clock, ..
        } = state;
        let messages = bookings.cancel_event(clock, event, &by, reason)?;
        self.app.announce(state, messages);
        Ok(())
    }

    /// Marks an invitee as a no-show.
    pub fn mark_no_show(&self, invitee: &str) -> Result<Booked, Refused> {
        self.to_invitee(invitee, By::Host, |state, _| {
            let State {
                bookings, clock, ..
            } = state;
            bookings.mark_no_show(clock, invitee)
        })
    }

    /// Takes a no-show mark away.
    pub fn clear_no_show(&self, invitee: &str) -> Result<Booked, Refused> {
        self.to_invitee(invitee, By::Host, |state, _| {
            let State {
                bookings, clock, ..
            } = state;
            bookings.clear_no_show(clock, invitee)
        })
    }

    /// Changes an event as a host can in their calendar: no webhook tells of it.
    pub fn change_event(&self, event: &str, change: EventChange) -> Result<(), Refused> {
        let mut state = self.app.state();
        let state = &mut *state;
        let EventChange {
            start_time,
            end_time,
            name,
            notes,
            location,
            host,
            hosts: all,
            link_ready,
            forbidden,
        } = change;
        let named = all.or_else(|| host.map(|host| vec![host]));
        let place = |location| match location {
            Value::String(place) => json!({"type": "physical", "location": place}),
            other => other,
        };
        let quiet = QuietChange {
            start: start_time,
            end: end_time,
            name,
            notes,
            location: location.map(place),
            hosts: named.map(|named| hosts(state, &named)).transpose()?,
        };
        state.bookings.event(event).ok_or(Refused::NotFound)?;
        if forbidden == Some(true) {
            state.forbidden.insert(event.to_owned());
        } else if forbidden == Some(false) {
            state.forbidden.remove(event);
        }
        if !quiet.is_none() {
            let State {
                bookings, clock, ..
            } = state;
            bookings.change_quietly(clock, event, quiet)?;
        }
        if link_ready {
            state.bookings.make_link_ready(&mut state.clock, event)?;
        }
        Ok(())
    }

    /// Changes what an invitee is on record with: no webhook tells of it.
    pub fn change_invitee(&self, invitee: &str, change: InviteeChange) -> Result<(), Refused> {
        let mut state = self.app.state();
        let State {
            bookings, clock, ..
        } = &mut *state;
        bookings.change_person(clock, invitee, |person| {
            let InviteeChange {
                name,
                email,
                payment,
                reconfirmation,
            } = change;
            person.name = name.unwrap_or_else(|| std::mem::take(&mut person.name));
            person.email = email.unwrap_or_else(|| std::mem::take(&mut person.email));
            person.payment = payment.unwrap_or_else(|| person.payment.take());
            person.reconfirmation = reconfirmation.unwrap_or_else(|| person.reconfirmation.take());
        })
    }

    /// Takes an event with its data away as if it had never been; nothing tells of it.
    pub fn delete_event(&self, event: &str) -> Result<(), Refused> {
        self.app.state().bookings.vanish(event)
    }

    /// URIs of an invitee's event and of the invitee.
    pub(crate) fn uris(&self, invitee: &str) -> Option<(String, String)> {
        let state = self.app.state();
        let event = state.bookings.event_of(invitee)?.uri();
        Some((event, state.bookings.invitee(invitee).map(Invitee::uri)?))
    }
}
