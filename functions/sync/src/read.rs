//! One event, read with its invitees and merged.

use crate::reconcile::Run;
use crate::trouble::Trouble;
use booking::EventUri;
use calendly::api::{Access, Pages};
use calendly::webhook::resource;
use jiff::Timestamp;
use platform::syncs::Place;
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

/// How far the reading of one event is.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Nothing of it is stored yet.
    pub(crate) is_new: bool,
    /// The pages of its invitees that are merged.
    pub(crate) pages: Pages,
}

impl Reading {
    /// As an earlier message of this run left it.
    pub(crate) fn begun(uri: &EventUri, is_new: bool, place: &mut Place) -> Self {
        let pages = place.begun.remove(uri.id()).unwrap_or_default();
        Self { is_new, pages }
    }

    /// Keeps for the next message what this one could not read to the end.
    pub(crate) fn keep(self, uri: &EventUri, read: &Result<Outcome, Trouble>, place: &mut Place) {
        if read.is_err() && self.pages.read() > 0 {
            place.begun.insert(uri.id().to_owned(), self.pages);
        }
    }
}

/// In which step an event's own facts are merged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    First,
    Last,
    /// In none.
    Never,
}

impl<A: Access> Run<'_, A> {
    /// Reads one event by its id and merges it. Answers whether its conference link still isn't
    /// ready.
    pub(crate) async fn event(&self, event_id: &str) -> Result<bool, Trouble> {
        let read_at = ambient::now();
        let event = self.client.event(event_id).await?;
        let mut reading = Reading::default();
        let outcome = self.read(&event, read_at, &mut reading).await?;
        for problem in outcome.problems {
            tracing::warn!(event = event_id, problem, "an event was not read whole");
        }
        Ok(resource::link_pending(&event))
    }

    /// Reads an event's invitees and merges it all, as far as it can be read.
    ///
    /// The people come first: an event that is called off takes those along of whom nothing else is
    /// known, and some of them may have been moved before. And the event's own facts come last, so that
    /// it differs from what is listed until all of it is merged.
    pub(crate) async fn read(
        &self,
        event: &Value,
        read_at: Timestamp,
        reading: &mut Reading,
    ) -> Result<Outcome, Trouble> {
        let connection = &self.connection.id;
        let mut outcome = Outcome::default();
        let uri = match resource::event_uri(event) {
            Ok(uri) => uri,
            Err(error) => {
                outcome.problems.push(error.to_string());
                return Ok(outcome);
            }
        };
        let goes_on = reading.pages.read() > 0;
        let before = reading.pages.clone();
        let listed = self
            .client
            .more_invitees(uri.id(), &mut reading.pages)
            .await;
        let stopped = listed.stopped.map(Trouble::from);
        // Another try reads it whole. What was read until then is merged all the same.
        let (again, lasting) = match stopped {
            Some(trouble) if trouble.is_passing() || trouble.is_everywhere() => {
                (Some(trouble), None)
            }
            lasting => (None, lasting),
        };
        let own = match (&again, &lasting) {
            (Some(_), _) if reading.is_new && !goes_on && !listed.items.is_empty() => Own::First,
            (Some(_), _) => Own::Never,
            // Nobody knows how they left, if they did.
            (None, Some(_)) if resource::is_canceled(event) => Own::Never,
            (None, _) => Own::Last,
        };
        if let Some(trouble) = lasting {
            let problem = format!("its invitees could not all be read: {trouble}");
            outcome.problems.push(problem);
        }
        // Each on its own first: one that can't be read doesn't take the others with it.
        let mut invitees = Vec::new();
        for invitee in listed.items {
            match resource::people(slice::from_ref(&invitee), connection, read_at) {
                Ok(_) => invitees.push(invitee),
                Err(error) => outcome.problems.push(format!("an invitee: {error}")),
            }
        }
        let mut groups: Vec<&[Value]> = invitees.chunks(IN_A_STEP).collect();
        if groups.is_empty() && own != Own::Never {
            groups.push(&[]);
        }
        let last = groups.len().saturating_sub(1);
        for (number, group) in groups.into_iter().enumerate() {
            let with_own = match own {
                Own::First => number == 0,
                Own::Last => number == last,
                Own::Never => false,
            };
            let facts = if with_own {
                resource::facts(event, group, connection, read_at)
            } else {
                resource::people(group, connection, read_at)
            };
            match facts {
                Ok(facts) => match self.merge(facts).await {
                    Ok(written) => outcome.written += written,
                    Err(error) if error.is_transient() => {
                        reading.pages = before;
                        return Err(error.into());
                    }
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
