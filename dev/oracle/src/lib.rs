//! The whole service in one process on virtual time, held against the world that it copies.
//!
//! Three parts that know nothing of each other: [`history`] makes, from a seed, what happens and what
//! goes wrong; [`play`] has it happen, with the functions' own code, an embedded DynamoDB, queues with
//! SQS's semantics and the sandbox's Calendly; [`reference`] says from the world alone what must be
//! stored in the end, but for a written list of what Calendly can't tell. The same seed gives the same
//! play. A history that fails is made smaller and told as a story.

pub mod history;
pub mod play;
pub mod reference;

pub use history::{History, make, shrink, tell};
pub use play::{Failure, Outcome, play};

/// A seed whose history failed.
#[derive(Debug, Clone)]
pub struct Found {
    /// The history, made small.
    pub history: History,
    /// What was wrong with it.
    pub failure: Failure,
}

/// How many plays making a history smaller may take.
const SHRINKS: usize = 600;

/// Plays the history of a seed; answers what was wrong with it.
pub fn try_seed(seed: u64) -> Option<Failure> {
    play(&make(seed), false).failure
}

/// Makes the history of a seed small that failed so.
pub fn make_small(seed: u64, failure: Failure) -> Found {
    let kinds = failure.kinds();
    // Not any failure counts, but one of the same kind: else one fault would hide another.
    let same = |failure: &Failure| failure.kinds().iter().any(|kind| kinds.contains(kind));
    let history = shrink(make(seed), SHRINKS, |history| {
        play(history, false).failure.as_ref().is_some_and(same)
    });
    let failure = play(&history, false).failure.unwrap_or(failure);
    Found { history, failure }
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", tell(&self.history))?;
        writeln!(f, "{}, at {}:", self.failure.when, self.failure.at)?;
        for difference in &self.failure.found {
            writeln!(f, "  {difference}")?;
        }
        let seed = self.history.seed;
        write!(f, "again: make oracle SEED={seed} HISTORIES=1")
    }
}
