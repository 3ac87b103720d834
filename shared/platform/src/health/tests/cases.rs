//! Cases: what is seen, and the reason for it.

use super::*;
use Code::*;
use Outcome::{Mismatch, NoKey, NoStore, Stale, Unreadable, Unsigned, Verified};
use Severity::{Later, Now, Today};

/// What is seen.
pub(super) type Case = (&'static str, Observed, Reasons);
/// The reasons for it; none where all is well.
pub(super) type Reasons = Vec<(Code, Severity)>;

fn one(code: Code, severity: Severity) -> Reasons {
    vec![(code, severity)]
}

/// No schedule ran so far, and the first webhook came `minutes` ago.
fn never_ticked(minutes: i64) -> Observed {
    let mut traffic = Traffic::default();
    let first = ago(minutes);
    traffic.add(Verified, hour_of(first), 1);
    for at in [first, ago(3)] {
        traffic.saw(Verified, at);
    }
    Observed {
        ticks: Ok(Ticks::default()),
        traffic: Ok(traffic),
        ..well()
    }
}

pub(super) fn all() -> Vec<Case> {
    [
        of_webhooks(),
        of_deliveries(),
        of_connections_and_schedules(),
    ]
    .concat()
}

#[allow(clippy::too_many_lines)] // a table
fn of_webhooks() -> Vec<Case> {
    vec![
        // Another key than Calendly's.
        (
            "all refused",
            with(&[(Verified, 9, 300), (Mismatch, 3, 5)]),
            one(WebhooksRefused, Today),
        ),
        (
            "never any accepted",
            with(&[(Mismatch, 3, 5)]),
            one(WebhooksRefused, Today),
        ),
        (
            "very few",
            with(&[(Verified, 9, 300), (Mismatch, 2, 5)]),
            one(WebhooksRefused, Later),
        ),
        (
            "accepted beside them",
            with(&[(Mismatch, 500, 5), (Verified, 1, 4)]),
            one(WebhooksRefused, Later),
        ),
        (
            "accepted a minute before, so that may not be written",
            with(&[(Verified, 1, 6), (Mismatch, 500, 5)]),
            one(WebhooksRefused, Later),
        ),
        (
            "long ago",
            with(&[(Verified, 1, 1600), (Mismatch, 500, 1500)]),
            vec![],
        ),
        (
            "what only a stranger sends",
            with(&[(Unsigned, 5000, 5)]),
            vec![],
        ),
        // A true signature of another time.
        (
            "stale and no other",
            with(&[(Verified, 9, 300), (Stale, 1, 5)]),
            one(WebhooksStale, Now),
        ),
        (
            "stale beside others",
            with(&[(Stale, 1, 30), (Verified, 9, 5)]),
            one(WebhooksStale, Today),
        ),
        (
            "stale this morning",
            with(&[(Stale, 1, 300), (Verified, 9, 5)]),
            one(WebhooksStale, Later),
        ),
        // Ours.
        (
            "no key",
            with(&[(Verified, 9, 300), (NoKey, 1, 5)]),
            one(SigningKeyUnavailable, Now),
        ),
        (
            "a key again",
            with(&[(NoKey, 1, 25), (Verified, 9, 5)]),
            one(SigningKeyUnavailable, Later),
        ),
        (
            "no store",
            with(&[(Verified, 9, 5), (NoStore, 1, 5)]),
            one(StoreUnavailable, Now),
        ),
        (
            "a store again",
            with(&[(NoStore, 1, 40), (Verified, 9, 5)]),
            one(StoreUnavailable, Later),
        ),
        (
            "unreadable",
            with(&[(Verified, 9, 5), (Unreadable, 1, 5)]),
            one(WebhooksUnreadable, Later),
        ),
        (
            "many unreadable",
            with(&[(Verified, 9, 5), (Unreadable, 3, 5)]),
            one(WebhooksUnreadable, Today),
        ),
    ]
}

#[allow(clippy::too_many_lines)] // a table
fn of_deliveries() -> Vec<Case> {
    vec![
        // Deliveries.
        ("about to be tried", log(|log| log.fresh = 50), vec![]),
        (
            "one may have lost its message",
            log(|log| log.waiting = group(1, 12)),
            one(DeliveriesWaiting, Later),
        ),
        (
            "it still waits",
            log(|log| log.waiting = group(1, 31)),
            one(DeliveriesWaiting, Now),
        ),
        (
            "several wait",
            log(|log| log.waiting = group(3, 6)),
            one(DeliveriesWaiting, Now),
        ),
        (
            "one fails",
            log(|log| log.failing = group(1, 6)),
            one(DeliveriesFailing, Later),
        ),
        (
            "it fails for long",
            log(|log| log.failing = group(1, 61)),
            one(DeliveriesFailing, Today),
        ),
        (
            "all fail",
            Observed {
                traffic: Ok(told(Verified, 3, 6)),
                ..log(|log| log.failing = group(3, 6))
            },
            one(DeliveriesFailing, Now),
        ),
        (
            "few of many fail",
            Observed {
                traffic: Ok(told(Verified, 100, 6)),
                ..log(|log| log.failing = group(3, 6))
            },
            one(DeliveriesFailing, Later),
        ),
        (
            "nothing tries it again",
            log(|log| {
                log.failing = group(1, 6);
                log.stuck = 1;
            }),
            one(DeliveriesFailing, Today),
        ),
        (
            "dead",
            log(|log| log.dead = group(1, 1)),
            one(DeadLetters, Today),
        ),
        (
            "letters of what is applied",
            Observed {
                dead_letters: Some(Ok(2)),
                ..well()
            },
            one(LettersLeft, Later),
        ),
    ]
}

#[allow(clippy::too_many_lines)] // a table
fn of_connections_and_schedules() -> Vec<Case> {
    vec![
        // Connections.
        (
            "lost",
            survey(|all| all.lost = named(1, 1)),
            one(ConnectionsLost, Today),
        ),
        (
            "one of several fails",
            survey(|all| all.failing = named(1, 6)),
            one(SyncFailing, Later),
        ),
        (
            "it fails for long",
            survey(|all| all.failing = named(1, 30)),
            one(SyncFailing, Today),
        ),
        (
            "all fail",
            survey(|all| all.failing = named(3, 0)),
            one(SyncFailing, Today),
        ),
        (
            "not compared",
            survey(|all| all.overdue = named(1, 300)),
            one(SyncOverdue, Today),
        ),
        (
            "without a subscription",
            survey(|all| all.unsubscribed = named(1, 1)),
            one(SubscriptionsInactive, Today),
        ),
        (
            "Calendly began to retry, and nothing came since",
            survey(|all| all.retrying = named(1, 2)),
            one(SubscriptionsRetrying, Today),
        ),
        (
            "something came since",
            survey(|all| all.retrying = named(1, 30)),
            one(SubscriptionsRetrying, Later),
        ),
        (
            "it goes on for long beside others that come",
            survey(|all| all.retrying = named(1, 60 * 5)),
            one(SubscriptionsRetrying, Today),
        ),
        (
            "it may soon be switched off",
            Observed {
                traffic: Ok(told(Verified, 1, 60 * 20)),
                ..survey(|all| all.retrying = named(1, 60 * 19))
            },
            one(SubscriptionsRetrying, Now),
        ),
        // Schedules.
        ("planned in time", ticks(74, 4), vec![]),
        ("not planned", ticks(76, 4), one(SyncNotRunning, Today)),
        ("watched in time", ticks(12, 14), vec![]),
        ("not watched", ticks(12, 16), one(WatchNotRunning, Today)),
        (
            "a new stack, to which a webhook came",
            never_ticked(10),
            one(WatchNotRunning, Later),
        ),
        (
            "schedules that never ran since",
            never_ticked(60 * 4),
            vec![(SyncNotRunning, Today), (WatchNotRunning, Today)],
        ),
    ]
}
