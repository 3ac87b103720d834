//! Whether connections are compared, and their subscriptions looked after.

use super::observed::Observed;
use super::report::{Code, Report, Said, Severity, ago, count, many};
use crate::connections::{Named, Survey};
use crate::traffic::{Outcome, Traffic};
use jiff::{SignedDuration, Timestamp};

/// A run that fails is tried again for half an hour.
const FAILS_FOR_LONG: SignedDuration = SignedDuration::from_mins(30);
/// The schedule's window, and what its function takes.
const LATE: SignedDuration = SignedDuration::from_mins(15);
/// Of 24 hours in which Calendly retries.
const LITTLE_LEFT: i64 = 6;
const RETRIES_FOR: i64 = 24;

pub(super) fn decide(seen: &Observed, report: &mut Report) {
    match &seen.connections {
        Ok(survey) => {
            connections(seen, survey, report);
            subscriptions(seen, survey, report);
        }
        Err(error) => report.unknown("connections", error),
    }
    schedules(seen, report);
}

fn connections(seen: &Observed, survey: &Survey, report: &mut Report) {
    let detail = if survey.active + survey.lost.count == 0 {
        "none; webhooks alone bring bookings here".to_owned()
    } else {
        let lost = match survey.lost.count {
            0 => String::new(),
            lost => format!(", {lost} need a new authorization"),
        };
        format!("{} active{lost}", count(survey.active, survey.more))
    };
    report.looked("connections", detail);
    let lost = &survey.lost;
    if lost.count > 0 {
        let message = format!(
            "{} a new authorization: nothing of {} is read until then",
            named(lost, "connection needs", "connections need"),
            if lost.count == 1 { "it" } else { "them" }
        );
        let next =
            "ask for a start link (GET /v1/auth/authorize) and send it to the account's owner";
        report.reason(
            Severity::Today,
            Code::ConnectionsLost,
            about(lost, message, next),
        );
    }
    let failing = &survey.failing;
    if let Some(since) = failing.since {
        let all = failing.count == survey.active;
        let severity = if all || seen.now.duration_since(since) >= FAILS_FOR_LONG {
            Severity::Today
        } else {
            Severity::Later
        };
        let because = failing.error.as_deref().unwrap_or("not known");
        let message = format!(
            "syncs of {} fail, the first since {}: {because}",
            named(failing, "connection", "connections"),
            ago(seen.now, since)
        );
        let next = "mend the cause; `make sync` compares at once, and says why where it can't";
        report.reason(severity, Code::SyncFailing, about(failing, message, next));
    }
    let overdue = &survey.overdue;
    if overdue.count > 0 {
        let last = overdue.since.map(|at| ago(seen.now, at));
        let message = format!(
            "{} not compared with Calendly for {}",
            named(overdue, "connection was", "connections were"),
            last.unwrap_or_else(|| "too long".to_owned())
        );
        let next = "`make sync` compares at once, and says why where it can't";
        report.reason(
            Severity::Today,
            Code::SyncOverdue,
            about(overdue, message, next),
        );
    }
}

fn subscriptions(seen: &Observed, survey: &Survey, report: &mut Report) {
    let (off, retrying) = (&survey.unsubscribed, &survey.retrying);
    let works = survey.active.saturating_sub(off.count);
    report.looked(
        "subscriptions",
        format!(
            "{} active, {} not, {} that Calendly retries",
            count(works, survey.more),
            off.count,
            retrying.count
        ),
    );
    if off.count > 0 {
        let because = off.error.as_deref();
        let message = format!(
            "{} no webhook subscription that works: {}",
            named(off, "connection has", "connections have"),
            because.unwrap_or("no sync has made one so far")
        );
        let next = "`make sync` makes one, or says why Calendly does not permit it";
        report.reason(
            Severity::Today,
            Code::SubscriptionsInactive,
            about(off, message, next),
        );
    }
    if let Some(since) = retrying.since {
        let hours = hours_left(seen.now, since);
        let verified = seen.traffic.as_ref().ok();
        let verified = verified.and_then(|traffic| traffic.last(Outcome::Verified));
        // The time may stay set after all is well again; webhooks of others may be accepted meanwhile.
        let severity = match verified.is_some_and(|at| at > since) {
            false if hours < LITTLE_LEFT => Severity::Now,
            true if hours > RETRIES_FOR - 4 => Severity::Later,
            _ => Severity::Today,
        };
        let message = format!(
            "Calendly has been sending again for {} what {} did not take: {} until it may switch the \
             subscription off",
            ago(seen.now, since),
            named(retrying, "connection's subscription", "subscriptions"),
            many(u64::try_from(hours).unwrap_or(0), "hour", "hours")
        );
        let next = "find out what its webhooks are answered: the log of the webhook function, and the \
                    reasons beside this one";
        report.reason(
            severity,
            Code::SubscriptionsRetrying,
            about(retrying, message, next),
        );
    }
}

/// Hours until Calendly may switch a subscription off that it began to retry at `since`.
pub(super) fn hours_left(now: Timestamp, since: Timestamp) -> i64 {
    (RETRIES_FOR - now.duration_since(since).as_hours()).clamp(0, RETRIES_FOR)
}

fn schedules(seen: &Observed, report: &mut Report) {
    let ticks = match &seen.ticks {
        Ok(ticks) => ticks,
        Err(error) => return report.unknown("schedules", error),
    };
    let last = |at: Option<Timestamp>| match at {
        Some(at) => format!("{} ago", ago(seen.now, at)),
        None => "never".to_owned(),
    };
    report.looked(
        "schedules",
        format!(
            "syncs planned {}, watched {}",
            last(ticks.planned_at),
            last(ticks.watched_at)
        ),
    );
    // A stack without a tick so far is new, unless webhooks came to it long ago.
    let traffic = seen.traffic.as_ref().ok();
    let begun = ticks.first_at.or(traffic.and_then(Traffic::began));
    let late = |at: Option<Timestamp>, most: SignedDuration| {
        let at = at.or(begun);
        at.is_some_and(|at| seen.now.duration_since(at) > most)
    };
    if late(ticks.planned_at, seen.settings.sync_overdue + LATE) {
        let said = Said {
            message: format!(
                "no sync was planned for longer than SyncOverdueHours; the last: {}",
                last(ticks.planned_at)
            ),
            since: ticks.planned_at,
            count: 1,
            next: "deploy again, which restores the schedule; `make sync` compares at once"
                .to_owned(),
            ..Said::default()
        };
        report.reason(Severity::Today, Code::SyncNotRunning, said);
    }
    if late(ticks.watched_at, LATE) {
        let said = Said {
            message: format!(
                "nothing has looked whether all is well, so the alarms on states are blind; the last: {}",
                last(ticks.watched_at)
            ),
            since: ticks.watched_at,
            count: 1,
            next: "look at the log of the sync function; deploying again restores the schedule"
                .to_owned(),
            ..Said::default()
        };
        report.reason(Severity::Today, Code::WatchNotRunning, said);
    } else if ticks.first_at.is_none() {
        let said = Said {
            message: "nothing has looked whether all is well so far".to_owned(),
            since: None,
            count: 1,
            next: "look again in some minutes: a new stack has its first look within ten; if it stays \
                   so, look whether its schedules are there"
                .to_owned(),
            ..Said::default()
        };
        report.reason(Severity::Later, Code::WatchNotRunning, said);
    }
}

fn named(some: &Named, one: &str, more: &str) -> String {
    many(u64::try_from(some.count).unwrap_or(u64::MAX), one, more)
}

fn about(some: &Named, message: String, next: &str) -> Said {
    Said {
        message,
        since: some.since,
        count: u64::try_from(some.count).unwrap_or(u64::MAX),
        about: some.ids.clone(),
        next: next.to_owned(),
    }
}
