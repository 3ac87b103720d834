//! One event, read with its invitees and merged.

use crate::reconcile::Run;
use crate::trouble::Trouble;
use calendly::api::Access;
use calendly::webhook::resource;
use jiff::Timestamp;
use serde_json::Value;
use std::slice;

/// Invitees that are merged at a time: a step is one transaction, of at most 100 items, and takes an
/// event, these people and those they were moved from and to.
const IN_A_STEP: usize = 10;

/// What came of reading an event.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Records that were written.
    pub(crate) written: usize,
    /// What of it could not be read.
    pub(crate) problems: Vec<String>,
}

impl Outcome {
    /// Nothing was written, as this kept it from being read.
    pub(crate) fn problem(problem: &str) -> Self {
        Self {
            written: 0,
            problems: vec![problem.to_owned()],
        }
    }
}

impl<A: Access> Run<'_, A> {
    /// Reads one event by its id and merges it. Answers whether its conference link still isn't
    /// ready.
    pub(crate) async fn event(&self, event_id: &str) -> Result<bool, Trouble> {
        let read_at = ambient::now();
        let event = self.client.event(event_id).await?;
        for problem in self.read(&event, read_at).await?.problems {
            tracing::warn!(event = event_id, problem, "an event was not read whole");
        }
        Ok(resource::link_pending(&event))
    }

    /// Reads a listed event's invitees and merges it all, as far as it can be read.
    pub(crate) async fn read(&self, event: &Value, read_at: Timestamp) -> Result<Outcome, Trouble> {
        let connection = &self.connection.id;
        let mut outcome = Outcome::default();
        let uri = match resource::event_uri(event) {
            Ok(uri) => uri,
            Err(error) => {
                outcome.problems.push(error.to_string());
                return Ok(outcome);
            }
        };
        let listed = self.client.invitees(uri.id()).await;
        let stopped = listed.stopped.map(Trouble::from);
        // Another try reads it whole. What was read until then is merged all the same.
        let (again, lasting) = match stopped {
            Some(trouble) if trouble.is_passing() || trouble.is_everywhere() => {
                (Some(trouble), None)
            }
            lasting => (None, lasting),
        };
        if let Some(trouble) = lasting {
            let problem = format!("its invitees could not all be read: {trouble}");
            outcome.problems.push(problem);
        }
        // Each on its own first: one that can't be read doesn't take the others with it.
        let mut invitees = Vec::new();
        for invitee in listed.items {
            match resource::facts(event, slice::from_ref(&invitee), connection, read_at) {
                Ok(_) => invitees.push(invitee),
                Err(error) => outcome.problems.push(format!("an invitee: {error}")),
            }
        }
        let groups: Vec<&[Value]> = match (invitees.as_slice(), &again) {
            ([], Some(_)) => Vec::new(),
            ([], None) => vec![&[]],
            (some, _) => some.chunks(IN_A_STEP).collect(),
        };
        for group in groups {
            match resource::facts(event, group, connection, read_at) {
                Ok(facts) => match self.merge(facts).await {
                    Ok(written) => outcome.written += written,
                    Err(error) if error.is_transient() => return Err(error.into()),
                    Err(error) => outcome.problems.push(error.to_string()),
                },
                Err(error) => {
                    outcome.problems.push(error.to_string());
                    break;
                }
            }
        }
        match again {
            Some(trouble) => Err(trouble),
            None => Ok(outcome),
        }
    }
}
