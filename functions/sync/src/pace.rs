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
/// So many messages in a row may end for want of time at the same event before it is left out.
const MAX_SHORT: u32 = 3;

/// How a part of a run gets on.
pub(crate) struct Pace {
    deadline: Instant,
    /// Whether anything was done: no part ends before.
    got_on: bool,
    /// Whether what was begun last had no time of its own: others used it up.
    late: bool,
    /// The last events, if none of them could be read for now.
    failing: Vec<(String, Trouble)>,
}

impl Pace {
    /// A part that stops at `deadline`, but not before it has done something.
    pub(crate) fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            got_on: false,
            late: false,
            failing: Vec::new(),
        }
    }

    /// Whether there is time to go on.
    pub(crate) fn keep(&mut self) -> Result<(), Trouble> {
        self.late = Instant::now() >= self.deadline;
        if self.got_on && self.late {
            return Err(Trouble::Later(Duration::ZERO));
        }
        Ok(())
    }

    /// Notes that a page is done.
    pub(crate) fn turned(&mut self) {
        self.got_on = true;
    }

    /// Notes that all of an event is stored already. Nobody was asked, so it says nothing of those
    /// that could not be read.
    pub(crate) fn same(&mut self, event: &EventUri, place: &mut Place) {
        place.done.push(event.id().to_owned());
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
                if outcome.written > 0 {
                    tally.changes(&id);
                }
            }
            Err(later @ Trouble::Later(_)) => return Err(later),
            // Most often others used up the time, and it was not even asked for. Only one that had all
            // the time of some messages in a row would take it again.
            Err(trouble @ Trouble::OutOfTime) => {
                if self.got_on || self.late || place.idle < MAX_SHORT {
                    return Err(trouble);
                }
                tally.error(format!("event {id}: {trouble}"));
                place.done.push(id);
                self.got_on = true;
                return Ok(());
            }
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

    /// Whether events could not be read for now, and no other was since.
    pub(crate) fn in_doubt(&self) -> bool {
        !self.failing.is_empty()
    }

    /// Ends with what kept them.
    pub(crate) fn end(&mut self) -> Result<(), Trouble> {
        match self.failing.pop() {
            Some((_, trouble)) => Err(trouble),
            None => Ok(()),
        }
    }

    /// Gives up the events that could not be read for now, as others can: the next run sees them.
    pub(crate) fn forgive(&mut self, place: &mut Place, tally: &mut Tally) {
        for (id, trouble) in self.failing.drain(..) {
            tally.error(format!("event {id}: {trouble}"));
            place.done.push(id);
        }
    }
}
