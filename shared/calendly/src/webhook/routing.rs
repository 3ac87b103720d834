//! `routing_form_submission.created`.

use super::json::Json;
use super::{Envelope, Unreadable, invitee, new_facts, said_at};
use booking::{Facts, FormAnswer, InviteeUri, Latest, Stamp, SubmissionRecord, SubmissionUri};
use serde_json::Value;

pub(super) fn submitted(payload: &Value, envelope: &Envelope) -> Result<Facts, Unreadable> {
    let uri = SubmissionUri::parse(&payload.uri("uri").unwrap_or_default()).map_err(|_| {
        Unreadable::Field {
            field: "payload.uri",
            expected: "not the URI of a routing form submission (…/routing_form_submissions/{id})",
        }
    })?;
    let created_at = payload.time("created_at");
    let updated_at = said_at(payload, envelope)?;
    let at = Stamp::new(updated_at, envelope.created_at.unwrap_or(updated_at));

    let mut submission = SubmissionRecord::about(uri);
    submission.connections.extend(envelope.connection.clone());
    submission.form = payload.uri("routing_form").map(|v| Latest::new(at, v));
    submission.answers = payload
        .array("questions_and_answers")
        .map(|list| Latest::new(at, list.iter().filter_map(answer).collect()));
    submission.tracking = invitee::tracking(payload).map(|v| Latest::new(at, v));
    submission.result = payload.object("result").map(|v| Latest::new(at, v.clone()));
    submission.submitter = payload
        .uri("submitter")
        .and_then(|uri| InviteeUri::parse(&uri).ok());
    submission.created_at = created_at;
    submission.updated_at = Some(updated_at);

    let mut facts = new_facts();
    facts.add_submission(submission);
    Ok(facts)
}

fn answer(json: &Value) -> Option<FormAnswer> {
    Some(FormAnswer {
        question_uuid: json.text("question_uuid"),
        question: json.text("question")?,
        answer: json.text("answer"),
    })
}
