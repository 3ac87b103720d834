//! Routing forms that are filled in.

use super::World;
use crate::bookings::{Message, Refused};
use crate::forms::Submission;
use crate::ids;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A routing form, filled in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NewSubmission {
    /// Id or URI of the form; the first one by default.
    pub form: Option<String>,
    /// Answers in the order of the questions; what is missing was not answered.
    pub answers: Vec<String>,
    /// Such as `utm_source`, and its value.
    pub tracking: BTreeMap<String, String>,
    /// Id, URI or name of the event type that it leads to; the first one by default.
    pub event_type: Option<String>,
}

impl World {
    /// Somebody fills in a routing form; answers the submission's URI, for a booking to name.
    pub fn submit_form(&self, new: NewSubmission) -> Result<String, Refused> {
        let mut state = self.app.state();
        let state = &mut *state;
        let form = match &new.form {
            Some(named) => state.forms.form(ids::last_part(named)),
            None => state.forms.forms.first(),
        };
        let form = form.ok_or(Refused::NotFound)?;
        let kind = match &new.event_type {
            Some(named) => state.accounts.event_type(named),
            None => state.accounts.event_types.first(),
        };
        let at = state.clock.next();
        let mut given = new.answers.into_iter();
        let answers = form.questions.iter().cloned().map(|q| (q, given.next()));
        let submission = Submission {
            id: ids::new_uuid(),
            form: form.id.clone(),
            answers: answers.collect(),
            tracking: new.tracking.into_iter().collect(),
            event_type: kind.ok_or(Refused::UnknownEventType)?.uri(),
            submitter: None,
            created_at: at,
            updated_at: at,
        };
        let uri = submission.uri();
        let message = Message {
            event: "routing_form_submission.created",
            organization: form.organization.clone(),
            hosts: Vec::new(),
            event_uri: uri.clone(),
            invitee_uri: String::new(),
            payload: submission.json(),
            at,
        };
        state.forms.submissions.push(submission);
        self.app.announce(state, vec![message]);
        Ok(uri)
    }
}
