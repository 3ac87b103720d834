//! What a webhook's body says, as [`Facts`].
//!
//! Reading is lenient: a field that is missing or null is not known, and never a failure. One of
//! another type than documented is read where that can mean only one thing; of the rest as much is
//! kept as can be, and a warning names the field. Only what names the thing (event and URIs) must be
//! there.

mod answers;
mod details;
mod envelope;
mod identity;
mod invitee;
mod json;
mod limits;
mod no_show;
mod notes;
mod part;
mod people;
pub mod resource;
mod routing;
mod scheduled_event;
pub mod simple;
mod standing;
mod without;

pub use notes::MAX_WARNINGS;

use booking::{ConnectionId, EventUri, Facts, InviteeUri, Provider, SubmissionUri};
use envelope::Envelope;
use jiff::Timestamp;
use json::Json;
use notes::Notes;
use part::Part;
use serde_json::Value;
pub use without::without;

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
    /// When Calendly made the webhook; when it came, where it tells a time after that.
    pub created_at: Option<Timestamp>,
    /// The conference link isn't ready, and no webhook will tell when it is.
    pub link_pending: bool,
    /// What in it was not understood, or could not be kept whole: each names a field by its path, and
    /// nothing of what stands there but a time that can't be. At most [`MAX_WARNINGS`], and one that
    /// counts the rest.
    pub warnings: Vec<String>,
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

/// Reads a webhook's body, which came at `received_at`: that counts where the body tells no time itself,
/// or only such that lie after it.
pub fn read(body: &[u8], received_at: Timestamp) -> Result<Webhook, Unreadable> {
    let parsed = crate::json::parse::<Value>(body).map_err(|error| Unreadable::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    let json = parsed.value;
    let event = json.field("event").and_then(Value::as_str);
    let event = event
        .map(str::trim)
        .filter(|event| !event.is_empty() && event.len() <= MAX_EVENT_NAME)
        .ok_or(Unreadable::NoEvent)?
        .to_owned();
    let Some(reader) = reader(&event) else {
        return Ok(Webhook::NotHandled { event });
    };
    let notes = Notes::default();
    if parsed.lossy {
        notes.add("body", "has characters that can't be: read as U+FFFD");
    }
    let whole = Part::new(&json, "", &notes);
    let envelope = Envelope::of_message(&whole, received_at);
    let payload = whole.field("payload").filter(|it| it.value.is_object());
    let payload = payload.ok_or(Unreadable::Field {
        field: "payload",
        expected: "not an object",
    })?;
    let facts = reader(&payload, &envelope)?;
    let own = facts.main_event();
    let meeting = payload.value.object("scheduled_event").filter(|_| {
        own.as_ref()
            .is_some_and(|own| !identity::tells_of_another(payload.value, own))
    });
    Ok(Webhook::Booking(Box::new(BookingWebhook {
        link_pending: meeting.is_some_and(resource::link_pending),
        created_at: envelope.sent_at(),
        connection: envelope.connection,
        invitee: facts.main_invitee().cloned(),
        scheduled_event: own,
        submission: facts.keys().submission,
        event,
        facts,
        warnings: notes.into_warnings(),
    })))
}

type Reader = fn(&Part<'_>, &Envelope) -> Result<Facts, Unreadable>;

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

/// Every event that Calendly can be asked to tell of, and the names that relays have for some.
const KNOWN: [&str; 18] = [
    "invitee.created",
    "invitee.canceled",
    "invitee.rescheduled",
    "invitee_no_show.created",
    "invitee_no_show.deleted",
    "invitee.no_show",
    "invitee.no_show.created",
    "invitee.no_show.deleted",
    "routing_form_submission.created",
    // Not handled.
    "contact.created",
    "contact.updated",
    "contact.deleted",
    "event_type.created",
    "event_type.updated",
    "event_type.deleted",
    "meeting_recap.created",
    "meeting_recap.updated",
    "meeting_recap.deleted",
];

/// The word for an event in logs: its name where that is a known one, and else `other`. Whoever sends
/// a body can write anything there, an address of somebody's too.
pub fn word(event: &str) -> &'static str {
    let known = KNOWN.into_iter().find(|known| *known == event);
    known.unwrap_or("other")
}

fn new_facts() -> Facts {
    Facts::new(Provider::Calendly)
}

#[cfg(test)]
mod tests;
