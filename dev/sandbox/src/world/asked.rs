//! What a booking, and a change of one, is asked for with.

use crate::ids;
use crate::invitee::Person;
use crate::location::Place;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
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

    pub(super) fn person(self) -> Person {
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
