//! When a part of a run stops: out of time, out of calls, or because nothing works any more.

use crate::read::Outcome;
use crate::trouble::Trouble;
use booking::EventUri;
use platform::syncs::{Place, Tally};
use std::time::Duration;
use tokio::time::Instant;

/// So many events in a row that meet passing trouble are no longer theirs but Calendly's, or the
/// store's: the run stops there and tries them again.
const MAX_FAILING: usize = 8;

/// How a part of a run gets on.
pub(crate) struct Pace {
    deadline: Instant,
    /// Whether anything was done: no part ends before.
    got_on: bool,
    /// The last events, if none of them could be read for now.
    failing: Vec<(String, Trouble)>,
}

impl Pace {
    /// A part that stops at `deadline`, but not before it has done something.
    pub(crate) fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            got_on: false,
            failing: Vec::new(),
        }
    }

    /// Whether there is time to go on.
    pub(crate) fn keep(&self) -> Result<(), Trouble> {
        if self.got_on && Instant::now() >= self.deadline {
            return Err(Trouble::Later(Duration::ZERO));
        }
        Ok(())
    }

    /// Notes that a page is done.
    pub(crate) fn turned(&mut self) {
        self.got_on = true;
    }

    /// Notes what became of one event of this page. An error stops the part; everything else is
    /// counted, and the event is done with.
    pub(crate) fn done(
        &mut self,
        event: &EventUri,
        result: Result<Outcome, Trouble>,
        place: &mut Place,
        tally: &mut Tally,
    ) -> Result<(), Trouble> {
        let id = event.id().to_owned();
        match result {
            Ok(outcome) => {
                for problem in outcome.problems {
                    tally.error(format!("event {id}: {problem}"));
                }
                tally.changed += usize::from(outcome.written > 0);
            }
            Err(later @ Trouble::Later(_)) => return Err(later),
            // It took all the time that there was; given as much again, it would again.
            Err(Trouble::OutOfTime) if !self.got_on => {
                self.failing.push((id, Trouble::OutOfTime));
                return Ok(());
            }
            Err(trouble @ Trouble::OutOfTime) => return Err(trouble),
            Err(trouble) if trouble.is_everywhere() => return Err(trouble),
            Err(trouble) if trouble.is_passing() => {
                if self.failing.len() + 1 >= MAX_FAILING {
                    return Err(trouble);
                }
                self.failing.push((id, trouble));
                return Ok(());
            }
            Err(trouble) => tally.error(format!("event {id}: {trouble}")),
        }
        self.forgive(place, tally);
        place.done.push(id);
        self.got_on = true;
        Ok(())
    }

    /// Gives up the events that could not be read for now, as others can: the next run sees them.
    pub(crate) fn forgive(&mut self, place: &mut Place, tally: &mut Tally) {
        for (id, trouble) in self.failing.drain(..) {
            tally.error(format!("event {id}: {trouble}"));
            place.done.push(id);
        }
    }
}
