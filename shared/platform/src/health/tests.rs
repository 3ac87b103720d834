//! Each reason: there when it should be, gone when it should be, and whatever is seen at all.

mod cases;

use super::observed::{Group, Log};
use super::*;
use crate::connections::{Named, Survey};
use crate::metrics::Metric;
use crate::ticks::Ticks;
use crate::traffic::{Outcome, Traffic, hour_of};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn now() -> Timestamp {
    // A Wednesday.
    "2026-11-25T10:20:00Z".parse().unwrap()
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn ago(past: i64) -> Timestamp {
    now() - minutes(past)
}

/// A stack on which all is well, and webhooks come.
fn well() -> Observed {
    Observed {
        now: now(),
        settings: Settings {
            sync_overdue: SignedDuration::from_hours(1),
            quiet: None,
            every_gauge: true,
        },
        log: Ok(Log::default()),
        connections: Ok(Survey {
            active: 3,
            ..Survey::default()
        }),
        traffic: Ok(told(Outcome::Verified, 1, 5)),
        ticks: Ok(Ticks {
            first_at: Some(ago(100_000)),
            planned_at: Some(ago(12)),
            watched_at: Some(ago(4)),
        }),
        dead_letters: Some(Ok(0)),
    }
}

fn told(outcome: Outcome, times: u64, minutes: i64) -> Traffic {
    let mut traffic = Traffic::default();
    add(&mut traffic, outcome, times, minutes);
    traffic
}

fn add(traffic: &mut Traffic, outcome: Outcome, times: u64, minutes: i64) {
    traffic.add(outcome, hour_of(ago(minutes)), times);
    traffic.saw(outcome, ago(minutes));
}

/// The same with webhooks as well as these.
fn with(outcomes: &[(Outcome, u64, i64)]) -> Observed {
    let mut traffic = Traffic::default();
    for (outcome, times, minutes) in outcomes {
        add(&mut traffic, *outcome, *times, *minutes);
    }
    Observed {
        traffic: Ok(traffic),
        ..well()
    }
}

fn group(count: usize, minutes: i64) -> Group {
    Group {
        count,
        more: false,
        since: Some(ago(minutes)),
        received: Some(ago(minutes)),
        ids: vec!["d1".to_owned()],
        error: Some("the table is not there".to_owned()),
    }
}

fn named(count: usize, minutes: i64) -> Named {
    Named {
        count,
        since: Some(ago(minutes)),
        ids: vec!["c1".to_owned()],
        error: Some("Calendly answered 500".to_owned()),
    }
}

fn log(change: impl FnOnce(&mut Log)) -> Observed {
    let mut log = Log::default();
    change(&mut log);
    Observed {
        log: Ok(log),
        ..well()
    }
}

fn survey(change: impl FnOnce(&mut Survey)) -> Observed {
    let mut survey = Survey {
        active: 3,
        ..Survey::default()
    };
    change(&mut survey);
    Observed {
        connections: Ok(survey),
        ..well()
    }
}

fn ticks(planned: i64, watched: i64) -> Observed {
    Observed {
        ticks: Ok(Ticks {
            first_at: Some(ago(100_000)),
            planned_at: Some(ago(planned)),
            watched_at: Some(ago(watched)),
        }),
        ..well()
    }
}

/// The reasons that there are, with their severities.
fn reasons(seen: &Observed) -> Vec<(Code, Severity)> {
    let report = decide(seen);
    let reasons = report.reasons.iter();
    reasons
        .map(|reason| (reason.code, reason.severity))
        .collect()
}

#[test]
fn what_is_well_has_no_reason_and_says_what_was_looked_at() {
    let report = decide(&well());
    assert!(report.well && report.reasons.is_empty(), "{report:?}");
    let names: Vec<_> = report.looked_at.iter().map(|look| look.name).collect();
    assert_eq!(
        names,
        [
            "webhooks",
            "deliveries",
            "dead letters",
            "connections",
            "subscriptions",
            "schedules"
        ]
    );
    assert!(report.looked_at.iter().all(|look| look.state == State::Ok));
    assert!(!report.not_seen.is_empty());
}

#[test]
fn a_new_stack_is_well() {
    let seen = Observed {
        connections: Ok(Survey::default()),
        traffic: Ok(Traffic::default()),
        ticks: Ok(Ticks {
            first_at: Some(ago(1)),
            planned_at: None,
            watched_at: Some(ago(1)),
        }),
        ..well()
    };
    assert_eq!(reasons(&seen), []);
}

/// Each reason is there when it should be, and gone when it should be.
#[test]
fn each_reason_comes_and_goes() {
    let mut seen_codes = Vec::new();
    for (case, seen, expected) in cases::all() {
        assert_eq!(reasons(&seen), expected, "{case}");
        let report = decide(&seen);
        assert_eq!(
            report.well,
            expected
                .iter()
                .all(|(_, severity)| *severity == Severity::Later),
            "{case}"
        );
        seen_codes.extend(expected.iter().map(|(code, _)| *code));
        for reason in &report.reasons {
            assert!(!reason.next.is_empty() && reason.count > 0, "{case}");
        }
    }
    seen_codes.extend([Code::NoWebhooks, Code::SourceUnreadable]); // below
    for code in Code::ALL {
        assert!(seen_codes.contains(code), "{code:?} has no case");
    }
}

#[test]
fn refused_webhooks_wake_somebody_only_where_more_speaks_for_them_than_their_form() {
    let refused = [(Outcome::Verified, 9, 300), (Outcome::Mismatch, 3, 5)];
    let mut seen = with(&refused);
    let wakes = |seen: &Observed| reasons(seen).contains(&(Code::WebhooksRefused, Severity::Now));
    assert!(!wakes(&seen));
    // Calendly itself says that its webhooks fail.
    let retried = survey(|all| all.retrying = named(1, 4));
    assert!(wakes(&Observed {
        connections: retried.connections,
        ..with(&refused)
    }));
    // Or those are missing that come in these hours of other weeks.
    if let Ok(traffic) = &mut seen.traffic {
        for week in 1..=2 {
            let then = week * 7 * 24 * 60 + 120;
            traffic.add(Outcome::Verified, hour_of(ago(then)), 4);
        }
    }
    assert!(wakes(&seen));
}

/// A stack that got its last webhook so many minutes ago, and in the hours since in some of the last
/// weeks so many.
fn silent_for(minutes: i64, weeks: &[u64]) -> Observed {
    let mut traffic = told(Outcome::Verified, 5, minutes);
    for (week, times) in (1..).zip(weeks) {
        let then = week * 7 * 24 * 60 + 90;
        traffic.add(Outcome::Verified, hour_of(ago(then)), *times);
    }
    Observed {
        traffic: Ok(traffic),
        ..well()
    }
}

#[test]
fn a_silence_is_a_reason_where_it_is_not_usual_or_too_long() {
    let quiet = |hours| Settings {
        quiet: Some(SignedDuration::from_hours(hours)),
        ..well().settings
    };
    let reason = [(Code::NoWebhooks, Severity::Today)];
    assert_eq!(reasons(&silent_for(180, &[3, 9, 0, 0])), reason);
    assert_eq!(reasons(&silent_for(180, &[9, 2, 2, 2])), []);
    assert_eq!(reasons(&silent_for(180, &[])), []);
    // Not a whole hour.
    assert_eq!(reasons(&silent_for(50, &[3, 9, 9, 9])), []);
    let of_quiet = |minutes, hours| Observed {
        settings: quiet(hours),
        ..silent_for(minutes, &[])
    };
    assert_eq!(reasons(&of_quiet(180, 3)), reason);
    assert_eq!(reasons(&of_quiet(179, 3)), []);
    // Where none ever came, from the stack's first tick on.
    let never = Observed {
        traffic: Ok(Traffic::default()),
        settings: quiet(3),
        ..well()
    };
    assert_eq!(reasons(&never), reason);
}

#[test]
fn one_source_that_cannot_be_read_hides_no_other() {
    let error = || Err("could not read it".to_owned());
    let lost = survey(|all| all.lost = named(1, 1)).connections;
    let dead = log(|log| log.dead = group(1, 1)).log;
    let refused = with(&[(Outcome::Stale, 1, 5)]).traffic;
    let all = Observed {
        connections: lost,
        log: dead,
        traffic: refused,
        ..ticks(76, 16)
    };
    let whole = reasons(&all);
    assert_eq!(whole.len(), 5);
    let blind: [(&str, Observed, usize); 5] = [
        (
            "webhooks",
            Observed {
                traffic: Err("e".to_owned()),
                ..all.clone()
            },
            1,
        ),
        (
            "deliveries",
            Observed {
                log: error().map(|()| Log::default()),
                ..all.clone()
            },
            1,
        ),
        (
            "connections",
            Observed {
                connections: Err("e".to_owned()),
                ..all.clone()
            },
            1,
        ),
        (
            "schedules",
            Observed {
                ticks: Err("e".to_owned()),
                ..all.clone()
            },
            2,
        ),
        (
            "dead letter queue",
            Observed {
                dead_letters: Some(Err("e".to_owned())),
                ..all.clone()
            },
            0,
        ),
    ];
    for (name, seen, hidden) in blind {
        let report = decide(&seen);
        let unknown: Vec<_> = report
            .looked_at
            .iter()
            .filter(|look| look.state == State::Unknown)
            .map(|look| look.name)
            .collect();
        assert_eq!(unknown, [name]);
        assert!(!report.well && !is_whole(&report));
        assert_eq!(report.reasons.len(), whole.len() + 1 - hidden, "{name}");
    }
    assert!(is_whole(&decide(&all)));
}

#[test]
fn gauges_are_zero_unless_somebody_is_needed_and_count_what_for() {
    let zero = |seen: &Observed| -> Vec<(Metric, u64)> {
        let plain = [Metric::SubscriptionHoursLeft, Metric::HoursWithoutWebhook];
        let all = gauges(seen, &decide(seen)).into_iter();
        all.filter(|(metric, value)| *value > 0 && !plain.contains(metric))
            .collect()
    };
    assert_eq!(zero(&well()), []);
    assert_eq!(zero(&log(|log| log.failing = group(1, 6))), []);
    assert_eq!(
        zero(&log(|log| log.failing = group(1, 61))),
        [
            (Metric::FailingDeliveries, 1),
            (Metric::NeedsSomebodyToday, 1)
        ]
    );
    let both = survey(|all| {
        all.failing = named(2, 60);
        all.overdue = named(1, 300);
    });
    assert_eq!(
        zero(&both),
        [
            (Metric::UncomparedConnections, 3),
            (Metric::NeedsSomebodyToday, 2)
        ]
    );
    // Where little is watched, these two are all that is paid for.
    let little = Observed {
        settings: Settings {
            every_gauge: false,
            ..well().settings
        },
        ..both
    };
    let two = [
        (Metric::NeedsSomebodyNow, 0),
        (Metric::NeedsSomebodyToday, 2),
    ];
    assert_eq!(gauges(&little, &decide(&little)), two);
    let hours = |seen: &Observed| {
        let all = gauges(seen, &decide(seen));
        let found = all
            .into_iter()
            .find(|(metric, _)| *metric == Metric::SubscriptionHoursLeft);
        found.map(|(_, hours)| hours)
    };
    assert_eq!(hours(&well()), Some(24));
    let retried = |minutes| survey(|all| all.retrying = named(1, minutes));
    assert_eq!(hours(&retried(60 * 5 + 1)), Some(19));
    assert_eq!(hours(&retried(30)), Some(24), "all is well again");
}

prop_compose! {
    fn any_traffic()(
        told in prop::collection::vec((0..7_usize, 0..50_000_i64, 1..20_u64), 0..30),
    ) -> Traffic {
        let mut traffic = Traffic::default();
        for (outcome, minutes, times) in told {
            add(&mut traffic, Outcome::ALL[outcome], times, minutes);
        }
        traffic
    }
}

prop_compose! {
    fn any_group()(count in 0..5_usize, minutes in 0..5_000_i64, more: bool) -> Group {
        if count == 0 { Group::default() } else { Group { more, ..group(count, minutes) } }
    }
}

prop_compose! {
    fn any_named()(count in 0..4_usize, minutes in 0..5_000_i64, known: bool) -> Named {
        let mut some = named(count, minutes);
        if count == 0 || !known { some.since = None; some.error = None; }
        some
    }
}

prop_compose! {
    fn anything()(
        traffic in prop::result::maybe_err(any_traffic(), "e"),
        groups in prop::array::uniform3(any_group()),
        stuck in 0..3_usize,
        all in prop::array::uniform5(any_named()),
        active in 0..5_usize,
        planned in prop::option::of(0..10_000_i64),
        watched in prop::option::of(0..10_000_i64),
        quiet in prop::option::of(1..100_i64),
        queue in prop::option::of(0..3_u64),
    ) -> Observed {
        let [waiting, failing, dead] = groups;
        let [lost, failing_syncs, overdue, unsubscribed, retrying] = all;
        Observed {
            now: now(),
            settings: Settings {
                sync_overdue: SignedDuration::from_hours(1),
                quiet: quiet.map(SignedDuration::from_hours),
                every_gauge: true,
            },
            log: Ok(Log { fresh: 1, waiting, failing, stuck, dead }),
            connections: Ok(Survey {
                active, lost, failing: failing_syncs, overdue, unsubscribed, retrying, more: false,
            }),
            traffic,
            ticks: Ok(Ticks {
                first_at: None,
                planned_at: planned.map(ago),
                watched_at: watched.map(ago),
            }),
            dead_letters: queue.map(Ok),
        }
    }
}

proptest! {
    /// Whatever is seen: it is well exactly when nobody is needed today, each thing is looked at once, and
    /// what alarms read says the same.
    #[test]
    fn what_is_said_agrees_with_itself(seen in anything()) {
        let report = decide(&seen);
        let needed = report.reasons.iter().filter(|one| one.severity != Severity::Later);
        prop_assert_eq!(report.well, needed.clone().count() == 0);
        let mut names: Vec<_> = report.looked_at.iter().map(|look| look.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        prop_assert_eq!(names.len(), all);
        let codes: std::collections::BTreeSet<_> = report.reasons.iter().map(|one| one.code).collect();
        prop_assert_eq!(codes.len(), report.reasons.len(), "each reason once");
        let attention = report.looked_at.iter().any(|look| look.state != State::Ok);
        prop_assert_eq!(attention, !report.well);
        prop_assert!(report.reasons.is_sorted_by_key(|one| one.severity));
        if is_whole(&report) {
            let gauges = gauges(&seen, &report);
            let value = |metric| {
                gauges.iter().find(|(known, _)| *known == metric).map(|(_, value)| *value)
            };
            let today = u64::try_from(needed.count()).unwrap();
            prop_assert_eq!(value(Metric::NeedsSomebodyToday), Some(today));
            prop_assert!(value(Metric::NeedsSomebodyNow) <= Some(today));
        }
    }

    /// A webhook that is accepted now ends every reason that says that none is.
    #[test]
    fn an_accepted_webhook_ends_what_only_its_lack_tells(seen in anything()) {
        let mut seen = seen;
        if let Ok(traffic) = &mut seen.traffic {
            add(traffic, Outcome::Verified, 1, 0);
        }
        let reasons = reasons(&seen);
        let ended = [Code::NoWebhooks, Code::WebhooksRefused, Code::SigningKeyUnavailable];
        let stands = |(code, severity): &(Code, Severity)| {
            ended.contains(code) && *severity != Severity::Later
        };
        prop_assert!(!reasons.iter().any(stands), "{reasons:?}");
    }
}
