//! Where a delivery lies in the table's indexes.
//!
//! Each month is spread over 16 shards by the deliveries' ids, so that no partition takes all
//! writes, and a list of a month is 16 queries at once. What is open has no months: there is little of
//! it as a rule, and 16 queries tell all that there is, however long ago it came.
//!
//! | index | bucket | sorted by |
//! |---|---|---|
//! | `byStatus`: open ones | `open#{shard}` | `{status}#{since when it has this status}#{id}` |
//! | `byStatus`: set aside | `{status}#{month}#{shard}` | `{since when it has this status}#{id}` |
//! | `byTime`: all | `{month}#{shard}` | `{when it came}#{id}` |
//! | `byAbout`: those about something | `event#{id}` or `submission#{id}` | `{when it came}#{id}` |

use super::record::{DeliveryId, Status};
use jiff::civil::Date;
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

/// A delivery's shard is the first digit of its id: a digest in hex, so they fill evenly.
pub(super) const SHARDS: [&str; 16] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f",
];

/// Attributes of a delivery in `byStatus`.
pub(super) struct StatusKey {
    pub(super) bucket: String,
    pub(super) at: String,
}

impl StatusKey {
    /// Of a delivery that has `status` since `at`.
    pub(super) fn new(status: Status, at: Timestamp, id: &DeliveryId) -> Self {
        let place = place(at, id);
        if status.is_open() {
            Self {
                bucket: open_bucket(shard_of(id)),
                at: open_place(status, &place),
            }
        } else {
            Self {
                bucket: format!("{}#{}", status.as_str(), time_bucket(at, id)),
                at: place,
            }
        }
    }
}

/// The bucket in `byStatus` of a shard's open deliveries.
pub(super) fn open_bucket(shard: &str) -> String {
    format!("open#{shard}")
}

/// The place of an open delivery in its bucket: by status first.
pub(super) fn open_place(status: Status, place: &str) -> String {
    format!("{}#{place}", status.as_str())
}

fn shard_of(id: &DeliveryId) -> &str {
    id.as_str().get(..1).unwrap_or_default()
}

/// The bucket in `byTime` of a delivery that came at `at`.
pub(super) fn time_bucket(at: Timestamp, id: &DeliveryId) -> String {
    format!("{}#{}", month_of(&time(at)), shard_of(id))
}

/// The place of a delivery in the order of an index. No two deliveries share one.
pub(super) fn place(at: Timestamp, id: &DeliveryId) -> String {
    format!("{}#{id}", time(at))
}

/// A time as it is stored: in microseconds and always as long, so that text sorts as time does.
pub(super) fn time(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// What is stored as this text or a later one happened at `at` or later.
pub(super) fn bound(at: Timestamp) -> String {
    let whole = TimestampRound::new()
        .smallest(Unit::Microsecond)
        .mode(RoundMode::Ceil);
    time(at.round(whole).unwrap_or(at))
}

/// The greatest text that no place from `place` on can equal or precede: `BETWEEN`, the only
/// condition with two ends, takes its ends in.
pub(super) fn just_below(place: &str) -> String {
    let mut below = place.to_owned();
    // Places are ASCII.
    let before = below
        .pop()
        .and_then(|last| char::from_u32(u32::from(last).saturating_sub(1)));
    below.extend(before);
    below
}

/// The month of a place, as `2026-11`.
pub(super) fn month_of(place: &str) -> &str {
    place.get(..7).unwrap_or(place)
}

/// The first day of a place's month.
pub(super) fn first_day(place: &str) -> Option<Date> {
    format!("{}-01", month_of(place)).parse().ok()
}

/// Where a month begins: every place of it is greater, and those of the month before are smaller.
pub(super) fn month_start(first_day: Date) -> String {
    format!("{first_day}T00:00:00.000000Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_bound_separates_what_was_before_from_what_was_not() {
        let edge = at("2026-11-20T09:15:01.000001500Z");
        assert!(time(at("2026-11-20T09:15:01.000001Z")) < bound(edge));
        assert!(time(at("2026-11-20T09:15:01.000002Z")) >= bound(edge));
        let whole = at("2026-11-20T09:15:01Z");
        assert_eq!(bound(whole), time(whole));
        // Stored times are cut, never rounded up into a later month.
        assert_eq!(
            time(at("2026-11-30T23:59:59.9999999Z")),
            "2026-11-30T23:59:59.999999Z"
        );
    }

    #[test]
    fn just_below_a_place_are_all_places_before_it_and_no_other() {
        let moment = at("2026-11-01T00:00:00Z");
        let id = |last: char| DeliveryId::parse(&format!("{}{last}", "0".repeat(63))).unwrap();
        for (one, next) in [('0', '1'), ('9', 'a'), ('a', 'b')] {
            let (one, next) = (place(moment, &id(one)), place(moment, &id(next)));
            assert!(one <= just_below(&next) && next > just_below(&next));
            assert!(one > just_below(&one));
        }
        let start = month_start(first_day("2026-11-20T09:15:01.000001Z").unwrap());
        assert!(place(moment, &id('0')) > just_below(&start));
        let before = place(at("2026-10-31T23:59:59.999999Z"), &id('f'));
        assert!(before <= just_below(&start));
    }
}
