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

/// What a booker fills in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub name: String,
    pub email: String,
    pub timezone: String,
    pub phone: Option<String>,
    pub answers: Vec<(String, String)>,
    /// Pairs such as `utm_source` and its value.
    pub tracking: Vec<(String, String)>,
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
    /// URI of the new booking; set on the old half of a reschedule, and only there.
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
            "first_name": null,
            "last_name": null,
            "name": self.person.name,
            "status": self.status(),
            "questions_and_answers": self.answers(),
            "timezone": self.person.timezone,
            "event": ids::event(&self.event),
            "created_at": clock::text(self.created_at),
            "updated_at": clock::text(self.updated_at),
            "tracking": self.tracking(),
            "text_reminder_number": self.person.phone,
            "rescheduled": self.moved_to.is_some(),
            "old_invitee": self.moved_from,
            "new_invitee": self.moved_to,
            "cancel_url": format!("https://calendly.com/cancellations/{}", self.id),
            "reschedule_url": format!("https://calendly.com/reschedulings/{}", self.id),
            "routing_form_submission": null,
            "payment": null,
            "no_show": self.no_show.as_ref().map(|mark| json!({
                "uri": mark.uri(), "created_at": clock::text(mark.at),
            })),
            "reconfirmation": null,
            "scheduling_method": null,
            "invitee_scheduled_by": null,
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

    fn tracking(&self) -> Value {
        let mut tracking = json!({
            "utm_campaign": null, "utm_source": null, "utm_medium": null,
            "utm_content": null, "utm_term": null, "salesforce_uuid": null,
        });
        for (name, value) in &self.person.tracking {
            tracking[name] = value.as_str().into();
        }
        tracking
    }
}
