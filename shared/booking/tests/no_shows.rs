//! Of a no-show mark the later word counts, both ways: of a mark that is set, of one that is taken
//! back, and of a look at the invitee that finds one or none.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;
mod told;

use booking::{Facts, reduce};
use jiff::{SignedDuration, Timestamp};
use memory::Memory;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::fixture;
use told::{after, at, created, read, say};

fn mark(at: Timestamp) -> Value {
    let uri = format!(
        "https://api.calendly.com/invitee_no_shows/n{}",
        at.as_microsecond()
    );
    json!({ "uri": uri, "created_at": format!("{at:.6}") })
}

/// The booking with a mark, or without.
fn with(mark: Option<Timestamp>) -> Value {
    let mut body = created("a", "2026-11-20T00:00:00Z", 1);
    body["payload"]["no_show"] = json!(mark.map(self::mark));
    body
}

/// The webhook that tells of a mark set, or taken back, at `time`.
fn told(marked: bool, time: Timestamp, sent: Timestamp) -> Value {
    let mut body = with(marked.then_some(time));
    let word = if marked { "created" } else { "deleted" };
    body["event"] = json!(format!("invitee_no_show.{word}"));
    body["payload"]["updated_at"] = json!(format!("{time:.6}"));
    body["created_at"] = json!(format!("{sent:.6}"));
    body
}

fn is_marked(memory: &Memory) -> bool {
    memory.invitee("a").is_no_show()
}

#[test]
fn a_look_that_finds_the_mark_beats_an_earlier_one_that_did_not() {
    let marked_at = at("2026-12-01T15:20:00Z");
    let body = with(Some(marked_at));
    let mut memory = after(&[say(&with(None)), say(&told(true, marked_at, marked_at))]);
    memory.apply(read(&with(None), "2026-12-01T15:20:01Z"));
    assert!(!is_marked(&memory));
    let later = read(&body, "2026-12-01T16:00:00Z");
    let stored = memory.records.clone();
    let kept = reduce(&stored, &later).changes_since(&stored);
    assert_eq!(kept.records.invitees.len(), 1, "worth a write");
    memory.apply(later);
    assert!(is_marked(&memory));
    let stored = memory.records.clone();
    let again = reduce(&stored, &read(&body, "2026-12-01T17:00:00Z")).changes_since(&stored);
    assert_eq!(again.records.invitees.len(), 0, "and again is not");
}

#[test]
fn a_mark_set_again_within_the_second_of_its_rounded_end_stands() {
    // Taken back at .3, of which the message's time is rounded up; set again at .8.
    let sent = at("2026-12-01T15:40:01Z");
    let all = [
        say(&with(None)),
        say(&told(
            true,
            at("2026-12-01T15:20:00Z"),
            at("2026-12-01T15:20:00Z"),
        )),
        say(&told(false, at("2026-12-01T15:40:00.3Z"), sent)),
        say(&told(true, at("2026-12-01T15:40:00.8Z"), sent)),
    ];
    assert!(is_marked(&after(&all)));
    assert!(is_marked(&after(all.iter().rev())));
}

#[test]
fn the_samples_end_without_a_mark() {
    let bodies = [
        "invitee.created.json",
        "invitee_no_show.created.json",
        "invitee_no_show.deleted.json",
    ]
    .map(fixture);
    let memory = Memory::after(&bodies);
    assert!(
        !memory
            .records
            .invitees
            .values()
            .next()
            .unwrap()
            .is_no_show()
    );
}

/// What happens, and who notices it: nobody, a webhook, or a look at the invitee.
#[derive(Debug, Clone, Copy)]
struct Act {
    /// Set or take back the mark; else nothing happens.
    turns: bool,
    /// Since the act before, in milliseconds.
    pause: i64,
    told: bool,
    read: bool,
    /// How far our clock is ahead of Calendly's, in milliseconds.
    skew: i64,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = (
        any::<bool>(),
        1_i64..5_000,
        any::<bool>(),
        any::<bool>(),
        -2_000_i64..2_000,
    );
    let act = act.prop_map(|(turns, pause, told, read, skew)| Act {
        turns,
        pause,
        told,
        read,
        skew,
    });
    prop::collection::vec(act, 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Clocks differ by up to 2 s either way: what is read more than that later is what stays.
    #[test]
    fn whatever_was_told_and_read_a_later_look_settles_it(acts in acts(), seed in any::<prop::sample::Index>()) {
        let mut now = at("2026-12-01T15:00:00.123456Z");
        let mut mark = None;
        let mut all: Vec<Facts> = vec![say(&with(None))];
        let millis = SignedDuration::from_millis;
        for act in &acts {
            now += millis(act.pause);
            if act.turns {
                let marked = mark.is_none();
                mark = marked.then_some(now);
                if act.told {
                    let sent = Timestamp::from_second(now.as_second() + i64::from(act.skew > 0)).unwrap();
                    all.push(say(&told(marked, now, sent)));
                }
            }
            if act.read {
                let read_at = now + millis(act.skew);
                all.push(read(&with(mark), &read_at.to_string()));
            }
        }
        let turn = seed.index(all.len());
        all.rotate_left(turn);
        let mut memory = after(&all);
        let last = read(&with(mark), &(now + millis(5_000)).to_string());
        // As a sync does: written only where it makes a difference.
        let stored = memory.records.clone();
        let kept = reduce(&stored, &last).changes_since(&stored);
        memory.records.invitees.extend(kept.records.invitees);
        prop_assert_eq!(is_marked(&memory), mark.is_some());
    }
}
