//! What a webhook's body says, as [`Facts`].
//!
//! Reading is lenient: a field that is missing, null or of another type than documented is not
//! known, and never a failure. Only what names the thing (event, URIs, one time) must be there.

mod invitee;
mod json;
pub mod resource;
mod routing;
mod scheduled_event;
pub mod simple;

use booking::{ConnectionId, EventUri, Facts, InviteeUri, Provider, SubmissionUri};
use jiff::{SignedDuration, Timestamp};
use json::Json;
use serde_json::Value;

/// A body that was read.
#[derive(Debug, Clone)]
pub enum Webhook {
    /// It changes bookings.
    Booking(Box<BookingWebhook>),
    /// A well-formed event that this service does nothing with.
    NotHandled {
        /// Name of the event.
        event: String,
    },
}

/// A body that changes bookings.
#[derive(Debug, Clone)]
pub struct BookingWebhook {
    /// Name of the event.
    pub event: String,
    /// What it says.
    pub facts: Facts,
    /// The invitee that it is about.
    pub invitee: Option<InviteeUri>,
    /// The scheduled event that it is about.
    pub scheduled_event: Option<EventUri>,
    /// The routing form submission that it is about.
    pub submission: Option<SubmissionUri>,
    /// The connection that it was sent for.
    pub connection: Option<ConnectionId>,
    /// When Calendly made the webhook.
    pub created_at: Option<Timestamp>,
    /// The conference link isn't ready, and no webhook will tell when it is.
    pub link_pending: bool,
}

/// Why a body can't be read. Never holds a part of the body.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON.
    #[error("the body is not JSON (line {line}, column {column})")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// No webhook of Calendly's.
    #[error("the body has no `event` name")]
    NoEvent,
    /// A part is missing without which nothing can be done.
    #[error("`{field}` is missing or is {expected}")]
    Field {
        /// Path of the field.
        field: &'static str,
        /// What it should have been.
        expected: &'static str,
    },
}

/// The longest event name that is kept; Calendly's are about 30 characters.
const MAX_EVENT_NAME: usize = 100;

/// What every part of a body may need of its envelope.
struct Envelope {
    connection: Option<ConnectionId>,
    created_at: Option<Timestamp>,
}

/// How far a time may lie after the message that tells of it: Calendly cuts the message's own to
/// whole seconds, and our clock, by which reads are dated, may be behind.
const LEEWAY: SignedDuration = SignedDuration::from_mins(1);

impl Envelope {
    /// A time of a message, if it can be: one that lies far after the message would beat everything
    /// that is told later.
    fn believed(&self, time: Timestamp) -> Option<Timestamp> {
        let latest = self.created_at.map(|sent| sent.saturating_add(LEEWAY));
        match latest {
            Some(Ok(latest)) => (time <= latest).then_some(time),
            _ => Some(time),
        }
    }
}

/// Reads a webhook's body.
pub fn read(body: &[u8]) -> Result<Webhook, Unreadable> {
    let json: Value = serde_json::from_slice(body).map_err(|error| Unreadable::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    let event = json
        .text("event")
        .filter(|event| !event.is_empty() && event.len() <= MAX_EVENT_NAME)
        .ok_or(Unreadable::NoEvent)?;
    let envelope = Envelope {
        connection: json
            .text("created_by")
            .and_then(|uri| ConnectionId::from_user_uri(&uri).ok()),
        created_at: json.time("created_at"),
    };
    let Some(reader) = reader(&event) else {
        return Ok(Webhook::NotHandled { event });
    };
    let payload = json
        .get("payload")
        .filter(|payload| payload.is_object())
        .ok_or(Unreadable::Field {
            field: "payload",
            expected: "not an object",
        })?;
    let facts = reader(payload, &envelope)?;
    Ok(Webhook::Booking(Box::new(BookingWebhook {
        link_pending: payload
            .object("scheduled_event")
            .is_some_and(resource::link_pending),
        connection: envelope.connection,
        created_at: envelope.created_at,
        invitee: facts.main_invitee().cloned(),
        scheduled_event: facts.main_event(),
        submission: facts.keys().submission,
        event,
        facts,
    })))
}

/// When what a payload says was true, by the best of the times that it has.
fn said_at(payload: &Value, envelope: &Envelope) -> Result<Timestamp, Unreadable> {
    let updated_at = match payload.time("updated_at") {
        Some(time) => envelope.believed(time),
        None => payload.time("created_at"),
    };
    updated_at.or(envelope.created_at).ok_or(Unreadable::Field {
        field: "payload.updated_at",
        expected: "not a time",
    })
}

type Reader = fn(&Value, &Envelope) -> Result<Facts, Unreadable>;

/// Who reads an event. The names in the last column of each group aren't Calendly's own; relays
/// send them.
fn reader(event: &str) -> Option<Reader> {
    Some(match event {
        "invitee.created" | "invitee.rescheduled" => invitee::booked,
        "invitee.canceled" => invitee::canceled,
        "invitee_no_show.created" | "invitee.no_show" | "invitee.no_show.created" => {
            invitee::no_show_marked
        }
        "invitee_no_show.deleted" | "invitee.no_show.deleted" => invitee::no_show_cleared,
        "routing_form_submission.created" => routing::submitted,
        _ => return None,
    })
}

fn new_facts() -> Facts {
    Facts::new(Provider::Calendly)
}

#[cfg(test)]
mod tests;
