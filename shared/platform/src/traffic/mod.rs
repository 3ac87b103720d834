//! What became of the requests to the webhook routes, counted by the hour: what is refused is in no
//! other table, and without it nobody could tell a quiet day from one on which all is refused.
//!
//! One item a day in the table of limits, `traffic#{day}`, kept for five weeks:
//!
//! | attribute | |
//! |---|---|
//! | `{outcome}{hour}`, as `verified07` | how many in that hour (UTC) |
//! | `{outcome}At` | when the last one of that day was |
//!
//! The counts are good to the minute and to what a process had not written when it ended.

mod counter;
mod store;

pub use counter::{TrafficCounter, meanwhile};
pub use store::{DAYS, TrafficStore};

use jiff::Timestamp;
use std::collections::BTreeMap;
use std::ops::Range;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Its signature is right: it is logged, unless [`Outcome::NoStore`] says otherwise.
    Verified,
    /// The same, but its body can't be read. Counted as verified, too.
    Unreadable,
    /// Its signature has the right form, and is of another key: Calendly's where the stack has the
    /// wrong one, or somebody who knows the form.
    Mismatch,
    /// A right signature of another time. Only Calendly can make one; others can send it again.
    Stale,
    /// No signature, none of the right form, not JSON, or too large: not Calendly.
    Unsigned,
    /// The key could not be read, or there is none.
    NoKey,
    /// The log or the queue could not be reached.
    NoStore,
}

impl Outcome {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Verified,
        Self::Unreadable,
        Self::Mismatch,
        Self::Stale,
        Self::Unsigned,
        Self::NoKey,
        Self::NoStore,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Unreadable => "unreadable",
            Self::Mismatch => "mismatch",
            Self::Stale => "stale",
            Self::Unsigned => "unsigned",
            Self::NoKey => "noKey",
            Self::NoStore => "noStore",
        }
    }
}

/// An hour, counted from 1970 on.
pub fn hour_of(at: Timestamp) -> i64 {
    at.as_second().div_euclid(3600)
}

/// How many there were of each outcome in each hour, and when the last one was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traffic {
    counts: BTreeMap<(Outcome, i64), u64>,
    last: BTreeMap<Outcome, Timestamp>,
}

impl Traffic {
    /// Adds `many` of an hour.
    pub fn add(&mut self, outcome: Outcome, hour: i64, many: u64) {
        let count = self.counts.entry((outcome, hour)).or_default();
        *count = count.saturating_add(many);
    }

    /// There was one at `at`.
    pub fn saw(&mut self, outcome: Outcome, at: Timestamp) {
        let last = self.last.entry(outcome).or_insert(at);
        *last = at.max(*last);
    }

    /// When the last one was.
    pub fn last(&self, outcome: Outcome) -> Option<Timestamp> {
        self.last.get(&outcome).copied()
    }

    /// The end of the first hour in which there was any, of those that are known.
    pub fn began(&self) -> Option<Timestamp> {
        let hour = self.counts.keys().map(|(_, hour)| *hour).min()?;
        Timestamp::from_second((hour + 1) * 3600).ok()
    }

    /// How many there were in some hours.
    pub fn within(&self, outcome: Outcome, hours: Range<i64>) -> u64 {
        if hours.is_empty() {
            return 0;
        }
        let range = (outcome, hours.start)..(outcome, hours.end);
        self.counts.range(range).map(|(_, count)| count).sum()
    }

    /// How many there were from `from` on, counted from the beginning of its hour.
    pub fn since(&self, outcome: Outcome, from: Timestamp) -> u64 {
        self.within(outcome, hour_of(from)..i64::MAX)
    }

    /// Takes what `other` counted, too.
    fn join(&mut self, other: Self) {
        for ((outcome, hour), many) in other.counts {
            self.add(outcome, hour, many);
        }
        for (outcome, at) in other.last {
            self.saw(outcome, at);
        }
    }
}
