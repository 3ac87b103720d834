//! What is usual at this time of the week.

use crate::traffic::{Outcome, Traffic, hour_of};
use jiff::Timestamp;

const HOURS_OF_A_WEEK: i64 = 7 * 24;
/// So many webhooks in a span are a few.
const A_FEW: u64 = 3;
/// In so many of the last four weeks there must have been a few.
const WEEKS: usize = 2;

/// How many webhooks usually come in the whole hours between `from` and `to`: the fewest of those
/// weeks that had a few, where at least two of the last four had. Nothing if it is usual that none come,
/// or if no whole hour has passed. Of a long silence only its last week counts.
pub(super) fn usual(traffic: &Traffic, from: Timestamp, to: Timestamp) -> Option<u64> {
    let end = hour_of(to);
    let start = (hour_of(from) + 1).max(end - HOURS_OF_A_WEEK);
    let weeks = (1..=4).map(|week| {
        let shift = week * HOURS_OF_A_WEEK;
        traffic.within(Outcome::Verified, start - shift..end - shift)
    });
    let busy: Vec<u64> = weeks.filter(|count| *count >= A_FEW).collect();
    busy.iter().min().copied().filter(|_| busy.len() >= WEEKS)
}
