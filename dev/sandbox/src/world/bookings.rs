//! What happens to bookings: each as Calendly would have it, with its webhooks.

use super::World;
use crate::accounts::Pooling;
use crate::bookings::{Bookings, Canceler, Message, QuietChange, Refused, Slot};
use crate::event::Host;
use crate::ids;
use crate::invitee::{Invitee, Person};
use crate::location::Place;
use crate::state::State;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Who does something to a booking.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The one who is booked.
    #[default]
    Invitee,
    /// The event's first host.
    Host,
}

/// A booking to be made.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewBooking {
    /// The booker's name.
    pub name: String,
    /// The booker's address.
    pub email: String,
    /// When it begins.
    pub start_time: Timestamp,
    /// Id, URI or name; the first one there is by default.
    pub event_type: Option<String>,
    /// Addresses of guests.
    #[serde(default)]
    pub guests: Vec<String>,
    /// Id or URI of a user who hosts it in place of the event type's own hosts.
    pub host: Option<String>,
    /// Where it takes place, if not where the event type has it.
    pub place: Option<Place>,
    /// The host has no calendar that it is entered in.
    #[serde(default)]
    pub no_calendar: bool,
    /// Of a form that asks for both names.
    pub first_name: Option<String>,
    /// Of the same.
    pub last_name: Option<String>,
    /// The booker's zone; `Europe/Berlin` by default.
    pub timezone: Option<String>,
    /// The booker's zone is not known.
    #[serde(default)]
    pub no_timezone: bool,
    /// Number for text reminders.
    pub phone: Option<String>,
    /// Answers to the form.
    #[serde(default)]
    pub answers: Vec<Answered>,
    /// Such as `utm_source`, and its value.
    #[serde(default)]
    pub tracking: BTreeMap<String, String>,
    /// Calendly's payment object.
    #[serde(default)]
    pub payment: Value,
    /// Calendly's reconfirmation object.
    #[serde(default)]
    pub reconfirmation: Value,
    /// URI of the routing form's submission that led here.
    pub routing_form_submission: Option<String>,
    /// How it was booked, such as `instant_book`.
    pub scheduling_method: Option<String>,
    /// Id or URI of a host who booked for the invitee.
    pub scheduled_by: Option<String>,
}

/// One answer of a booker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// What was asked.
    pub question: String,
    /// What was answered.
    pub answer: String,
}

/// A booking that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// Id of the scheduled event.
    pub event: String,
    /// Id of the invitee.
    pub invitee: String,
}

/// A change of an event that no webhook tells of; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct EventChange {
    /// Another start, with the same length.
    pub start_time: Option<Timestamp>,
    /// Another end.
    pub end_time: Option<Timestamp>,
    /// Another name, or none.
    #[serde(deserialize_with = "given")]
    pub name: Option<Option<String>>,
    /// The host's notes, or none.
    #[serde(deserialize_with = "given")]
    pub notes: Option<Option<String>>,
    /// Calendly's location object, the address of a place, or null.
    #[serde(deserialize_with = "given")]
    pub location: Option<Value>,
    /// Id or URI of the user who hosts it from now on.
    pub host: Option<String>,
    /// Ids or URIs of all who host it from now on.
    pub hosts: Option<Vec<String>>,
    /// Its conference link is there now.
    pub link_ready: bool,
    /// Whether reading it answers 403, whoever asks.
    pub forbidden: Option<bool>,
}

/// A change of what an invitee is on record with, which no webhook tells of; what is left out stays.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct InviteeChange {
    /// Another name.
    pub name: Option<String>,
    /// Another address.
    pub email: Option<String>,
    /// Calendly's payment object, or null.
    #[serde(deserialize_with = "given")]
    pub payment: Option<Value>,
    /// Calendly's reconfirmation object, or null.
    #[serde(deserialize_with = "given")]
    pub reconfirmation: Option<Value>,
}

/// Tells null, which is a change, from nothing at all, which is none.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl NewBooking {
    /// A booking of the first event type, with nothing but what every booking has.
    pub fn new(name: &str, email: &str, start_time: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            email: email.to_owned(),
            start_time,
            ..Self::default()
        }
    }

    fn person(self) -> Person {
        let zone = || "Europe/Berlin".to_owned();
        let answers = self.answers.into_iter().map(|a| (a.question, a.answer));
        Person {
            name: self.name,
            first_name: self.first_name,
            last_name: self.last_name,
            email: self.email,
            timezone: (!self.no_timezone).then(|| self.timezone.unwrap_or_else(zone)),
            phone: self.phone,
            answers: answers.collect(),
            tracking: self.tracking.into_iter().collect(),
            payment: self.payment,
            reconfirmation: self.reconfirmation,
            routing_form_submission: self.routing_form_submission,
            scheduling_method: self.scheduling_method,
            scheduled_by: self
                .scheduled_by
                .map(|user| ids::user(ids::last_part(&user))),
        }
    }
}

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
