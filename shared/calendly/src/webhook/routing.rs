//! `routing_form_submission.created`.

use super::json;
use super::part::Part;
use super::{Envelope, Unreadable, answers, details, identity, new_facts};
use booking::{ByPart, Facts, FormAnswer, Latest, SubmissionRecord, SubmissionUri};

pub(super) fn submitted(payload: &Part<'_>, envelope: &Envelope) -> Result<Facts, Unreadable> {
    let uri = payload.field("uri");
    let uri = uri.and_then(|uri| json::uri(uri.value, "routing_form_submissions"));
    let uri = SubmissionUri::parse(&uri.unwrap_or_default()).map_err(|_| Unreadable::Field {
        field: "payload.uri",
        expected: "not the URI of a routing form submission (…/routing_form_submissions/{id})",
    })?;
    let created_at = envelope.created_at(payload);
    let own = envelope.updated_at(payload, created_at);
    let updated_at = envelope.changed_at(payload, own);
    let at = envelope.stamp(own, created_at, envelope.created_at.unwrap_or(updated_at));

    let mut submission = SubmissionRecord::about(uri);
    submission.connections.extend(envelope.connection.clone());
    submission.form = payload
        .uri_of("routing_form", "routing_forms")
        .map(|v| Latest::new(at, v));
    submission.answers = answers::read(payload).map(|list| {
        let list = list.into_iter().map(|read| FormAnswer {
            question_uuid: read.uuid,
            question: read.question,
            answer: read.answer,
            truncated: read.truncated,
        });
        Latest::new(at, list.collect())
    });
    submission.tracking = details::tracking(payload).map(|v| ByPart::new(at, v));
    submission.result = payload
        .given("result")
        .map(|result| Latest::new(at, details::as_it_is(&result)));
    if let Some(submitter) = payload.given("submitter") {
        submission.submitter = identity::invitee_of(submitter.value, None);
        if submission.submitter.is_none() {
            submitter.not("the URI of an invitee");
        }
    }
    submission.created_at = created_at;
    submission.updated_at = Some(updated_at);

    let mut facts = new_facts();
    facts.add_submission(submission);
    Ok(facts)
}
