//! One person's booking.

use crate::{clock, ids};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Who canceled, and why.
#[derive(Debug, Clone)]
pub(crate) struct Cancellation {
    pub by: String,
    pub by_host: bool,
    pub reason: Option<String>,
    pub at: Timestamp,
}

impl Cancellation {
    pub(crate) fn json(&self) -> Value {
        json!({
            "canceled_by": self.by,
            "reason": self.reason,
            "canceler_type": if self.by_host { "host" } else { "invitee" },
            "created_at": clock::text(self.at),
        })
    }
}

/// A mark that the invitee did not come.
#[derive(Debug, Clone)]
pub(crate) struct NoShow {
    pub id: String,
    pub at: Timestamp,
}

impl NoShow {
    pub(crate) fn uri(&self) -> String {
        ids::uri("invitee_no_shows", &self.id)
    }
}

/// What a booker fills in, and what the booking brings along.
#[derive(Debug, Clone, Default)]
pub(crate) struct Person {
    pub name: String,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub email: String,
    pub timezone: Option<String>,
    pub phone: Option<String>,
    pub answers: Vec<(String, String)>,
    /// Pairs such as `utm_source` and its value.
    pub tracking: Vec<(String, String)>,
    /// Calendly's payment object, or null.
    pub payment: Value,
    /// Calendly's reconfirmation object, or null.
    pub reconfirmation: Value,
    /// URI of the form that led here.
    pub routing_form_submission: Option<String>,
    /// How it was booked, such as `instant_book`.
    pub scheduling_method: Option<String>,
    /// URI of the host who booked for the invitee.
    pub scheduled_by: Option<String>,
}

/// One person's booking.
#[derive(Debug, Clone)]
pub(crate) struct Invitee {
    pub id: String,
    pub event: String,
    pub person: Person,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub cancellation: Option<Cancellation>,
    /// URI of the old booking.
    pub moved_from: Option<String>,
    /// It was moved, or a host asked for another time: set on the old half, and only there.
    pub rescheduled: bool,
    /// URI of the new booking, once there is one.
    pub moved_to: Option<String>,
    pub no_show: Option<NoShow>,
}

impl Invitee {
    pub(crate) fn new(event: &str, person: Person, at: Timestamp) -> Self {
        Self {
            id: ids::new_uuid(),
            event: event.to_owned(),
            person,
            created_at: at,
            updated_at: at,
            cancellation: None,
            moved_from: None,
            rescheduled: false,
            moved_to: None,
            no_show: None,
        }
    }

    pub(crate) fn uri(&self) -> String {
        ids::invitee(&self.event, &self.id)
    }

    pub(crate) fn is_active(&self) -> bool {
        self.cancellation.is_none()
    }

    pub(crate) fn status(&self) -> &'static str {
        if self.is_active() {
            "active"
        } else {
            "canceled"
        }
    }

    /// As the REST API answers it: without its scheduled event.
    pub(crate) fn json(&self) -> Value {
        let mut json = json!({
            "uri": self.uri(),
            "email": self.person.email,
            "first_name": self.person.first_name,
            "last_name": self.person.last_name,
            "name": self.person.name,
            "status": self.status(),
            "questions_and_answers": self.answers(),
            "timezone": self.person.timezone,
            "event": ids::event(&self.event),
            "created_at": clock::text(self.created_at),
            "updated_at": clock::text(self.updated_at),
            "tracking": ids::tracking(&self.person.tracking),
            "text_reminder_number": self.person.phone,
            "rescheduled": self.rescheduled,
            "old_invitee": self.moved_from,
            "new_invitee": self.moved_to,
            "cancel_url": format!("https://calendly.com/cancellations/{}", self.id),
            "reschedule_url": format!("https://calendly.com/reschedulings/{}", self.id),
            "routing_form_submission": self.person.routing_form_submission,
            "payment": self.person.payment,
            "no_show": self.no_show.as_ref().map(|mark| json!({
                "uri": mark.uri(), "created_at": clock::text(mark.at),
            })),
            "reconfirmation": self.person.reconfirmation,
            "scheduling_method": self.person.scheduling_method,
            "invitee_scheduled_by": self.person.scheduled_by,
        });
        if let Some(cancellation) = &self.cancellation {
            json["cancellation"] = cancellation.json();
        }
        json
    }

    fn answers(&self) -> Vec<Value> {
        let answers = self.person.answers.iter().enumerate();
        answers
            .map(|(position, (question, answer))| {
                json!({"question": question, "answer": answer, "position": position})
            })
            .collect()
    }
}
