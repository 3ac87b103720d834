//! Whether what was accepted is applied.

use super::observed::{Group, Observed};
use super::report::{Code, Report, Said, Severity, ago, count};
use crate::traffic::Outcome;
use jiff::SignedDuration;

/// So many at once are no single odd one.
const SOME: usize = 3;
/// A single message may get lost: the next sync queues it again.
const ONE_LOST: SignedDuration = SignedDuration::from_mins(30);
/// By then the fourth attempt has failed.
const FAILS_FOR_LONG: SignedDuration = SignedDuration::from_hours(1);

pub(super) fn decide(seen: &Observed, report: &mut Report) {
    let log = match &seen.log {
        Ok(log) => log,
        Err(error) => {
            report.unknown("deliveries", error);
            return dead_letters(seen, None, report);
        }
    };
    let all = |group: &Group| count(group.count, group.more);
    report.looked(
        "deliveries",
        format!(
            "{} about to be tried, {} waiting, {} to be tried again",
            log.fresh,
            all(&log.waiting),
            all(&log.failing)
        ),
    );
    let age = |at| seen.now.duration_since(at);
    let waiting = &log.waiting;
    if let Some(since) = waiting.since {
        let lasts = age(since) >= ONE_LOST;
        let severity = if waiting.count >= SOME || lasts {
            Severity::Now
        } else {
            Severity::Later
        };
        let message = format!(
            "{} logged and not tried so far, the first one since {}",
            counted(waiting),
            ago(seen.now, since)
        );
        let next = "look whether the worker runs: its log, and the state of its event source mapping; \
                    `make deliveries STATUS=received` shows them";
        report.reason(
            severity,
            Code::DeliveriesWaiting,
            about(waiting, message, next),
        );
    }
    failing(seen, &log.failing, log.stuck, report);
    dead_letters(seen, Some(&log.dead), report);
}

fn failing(seen: &Observed, failing: &Group, stuck: usize, report: &mut Report) {
    let Some(received) = failing.received else {
        return;
    };
    // The better part of all that came since the first of them did.
    let came = seen.traffic.as_ref().ok();
    let came = came.map(|traffic| traffic.since(Outcome::Verified, received));
    let open = u64::try_from(failing.count).unwrap_or(u64::MAX);
    let most = came.is_none_or(|came| open.saturating_mul(2) >= came);
    let severity = if failing.count >= SOME && most {
        Severity::Now
    } else if seen.now.duration_since(received) >= FAILS_FOR_LONG || stuck > 0 {
        Severity::Today
    } else {
        Severity::Later
    };
    let because = failing.error.as_deref().unwrap_or("not known");
    let mut message = format!(
        "{} failed, and will be tried again; the first came {} ago; the last failed because of: {because}",
        counted(failing),
        ago(seen.now, received)
    );
    if stuck > 0 {
        message =
            format!("{message}. Nothing will try {stuck} of them again: their messages are gone");
    }
    let next = if severity == Severity::Later {
        "nothing yet: each is tried six times"
    } else {
        "mend the cause; `make deliveries STATUS=failed` shows them, `make replay ID=…` tries one at once"
    };
    report.reason(
        severity,
        Code::DeliveriesFailing,
        about(failing, message, next),
    );
}

fn dead_letters(seen: &Observed, dead: Option<&Group>, report: &mut Report) {
    let queue = match &seen.dead_letters {
        Some(Ok(queue)) => Some(*queue),
        Some(Err(error)) => {
            report.unknown("dead letter queue", error);
            None
        }
        None => None,
    };
    let Some(dead) = dead else {
        return;
    };
    let in_queue = queue.map(|queue| format!("; {queue} in the dead letter queue"));
    report.looked(
        "dead letters",
        format!(
            "{}{}",
            count(dead.count, dead.more),
            in_queue.unwrap_or_default()
        ),
    );
    if dead.count > 0 {
        let because = dead.error.as_deref().unwrap_or("not known");
        let message = format!(
            "{} given up; the newest of these because of: {because}",
            counted(dead)
        );
        let next = "mend the cause; then `make redrive DRY_RUN=1`, and without DRY_RUN";
        report.reason(
            Severity::Today,
            Code::DeadLetters,
            about(dead, message, next),
        );
    } else if let Some(left) = queue.filter(|left| *left > 0) {
        let said = Said {
            message: format!(
                "the dead letter queue holds {left} messages, but no delivery is dead: these were applied \
                 since, or can't be read"
            ),
            count: left,
            next: "`make redrive DRY_RUN=1` shows them; without DRY_RUN it clears those that were applied"
                .to_owned(),
            ..Said::default()
        };
        report.reason(Severity::Later, Code::LettersLeft, said);
    }
}

fn counted(group: &Group) -> String {
    let noun = if group.count == 1 && !group.more {
        "delivery was"
    } else {
        "deliveries were"
    };
    format!("{} {noun}", count(group.count, group.more))
}

fn about(group: &Group, message: String, next: &str) -> Said {
    Said {
        message,
        since: group.since,
        count: u64::try_from(group.count).unwrap_or(u64::MAX),
        about: group.ids.clone(),
        next: next.to_owned(),
    }
}
