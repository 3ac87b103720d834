//! Routing forms: what a visitor is asked before they book.

use crate::{clock, ids};
use jiff::Timestamp;
use serde_json::{Value, json};

/// One question of a form.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub id: String,
    pub name: String,
    pub kind: &'static str,
}

/// A routing form.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    pub id: String,
    pub organization: String,
    pub name: String,
    pub questions: Vec<Question>,
    pub created_at: Timestamp,
}

impl Form {
    pub(crate) fn json(&self) -> Value {
        let questions = self.questions.iter().map(|question| {
            json!({
                "uuid": question.id, "name": question.name, "type": question.kind,
                "required": true, "answer_choices": null,
            })
        });
        json!({
            "uri": ids::uri("routing_forms", &self.id),
            "organization": ids::organization(&self.organization),
            "name": self.name,
            "status": "published",
            "questions": questions.collect::<Vec<_>>(),
            "created_at": clock::text(self.created_at),
            "updated_at": clock::text(self.created_at),
        })
    }
}

/// A form that somebody filled in.
#[derive(Debug, Clone)]
pub(crate) struct Submission {
    pub id: String,
    /// Id of the form.
    pub form: String,
    /// Each question with its answer, in the form's order.
    pub answers: Vec<(Question, Option<String>)>,
    pub tracking: Vec<(String, String)>,
    /// URI of the event type that it led to.
    pub event_type: String,
    /// URI of the invitee that came of it.
    pub submitter: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl Submission {
    pub(crate) fn uri(&self) -> String {
        ids::uri("routing_form_submissions", &self.id)
    }

    pub(crate) fn json(&self) -> Value {
        let answers = self.answers.iter().map(|(question, answer)| {
            json!({
                "question_uuid": question.id, "question": question.name, "answer": answer,
            })
        });
        json!({
            "uri": self.uri(),
            "routing_form": ids::uri("routing_forms", &self.form),
            "questions_and_answers": answers.collect::<Vec<_>>(),
            "tracking": ids::tracking(&self.tracking),
            "result": {"type": "event_type", "value": self.event_type},
            "submitter": self.submitter,
            "submitter_type": self.submitter.as_ref().map(|_| "Invitee"),
            "created_at": clock::text(self.created_at),
            "updated_at": clock::text(self.updated_at),
        })
    }
}

/// Every form and what was filled in.
#[derive(Debug)]
pub(crate) struct Forms {
    pub forms: Vec<Form>,
    pub submissions: Vec<Submission>,
}

impl Forms {
    /// The first organization has one form.
    pub(crate) fn sample(organization: &str, now: Timestamp) -> Self {
        let question = |name: &str, kind| Question {
            id: ids::new_uuid(),
            name: name.to_owned(),
            kind,
        };
        let form = Form {
            id: ids::new_uuid(),
            organization: organization.to_owned(),
            name: "Find your host".to_owned(),
            questions: vec![
                question("Work email", "email"),
                question("Team size", "text"),
            ],
            created_at: now,
        };
        Self {
            forms: vec![form],
            submissions: Vec::new(),
        }
    }

    pub(crate) fn form(&self, id: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.id == id)
    }

    pub(crate) fn submission(&self, id: &str) -> Option<&Submission> {
        self.submissions.iter().find(|known| known.id == id)
    }

    /// Notes which invitee came of a submission. Calendly names them by its own pages' host, not
    /// by the API's.
    pub(crate) fn led_to(&mut self, submission: &str, invitee: &str, at: Timestamp) {
        let is_it = |known: &&mut Submission| known.id == ids::last_part(submission);
        if let Some(known) = self.submissions.iter_mut().find(is_it) {
            known.submitter = Some(invitee.replacen("//api.", "//", 1));
            known.updated_at = at;
        }
    }
}
