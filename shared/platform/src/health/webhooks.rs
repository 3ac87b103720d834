//! Whether webhooks come, and are let in.

use super::observed::Observed;
use super::report::{Code, Report, Said, Severity, ago, many};
use super::usual::usual;
use crate::traffic::{Outcome, Traffic};
use jiff::{SignedDuration, Timestamp};

/// A process writes what it counted once a minute: what is younger may not be known.
const SLACK: SignedDuration = SignedDuration::from_mins(2);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// So many refused ones are more than a stranger's single try.
const SOME: u64 = 3;

/// What is known of webhooks, at a time.
struct View<'a> {
    now: Timestamp,
    traffic: &'a Traffic,
    verified: Option<Timestamp>,
    /// Calendly itself says that its webhooks fail.
    retrying: bool,
}

impl View<'_> {
    /// So long ago.
    fn before(&self, age: SignedDuration) -> Timestamp {
        self.now.saturating_sub(age).unwrap_or(self.now)
    }

    /// The last one with this outcome, if that was within `age`.
    fn recent(&self, outcome: Outcome, age: SignedDuration) -> Option<Timestamp> {
        let last = self.traffic.last(outcome);
        last.filter(|at| self.now.duration_since(*at) < age)
    }

    /// Whether none was verified since `last`, or shortly before.
    fn none_since(&self, last: Timestamp) -> bool {
        self.verified
            .is_none_or(|at| last.duration_since(at) > SLACK)
    }

    /// How many there were since the last verified one, or within a day.
    fn count(&self, outcome: Outcome) -> u64 {
        let day_ago = self.before(DAY);
        let from = self.verified.map_or(day_ago, |at| at.max(day_ago));
        self.traffic.since(outcome, from)
    }

    fn last(&self) -> String {
        match self.verified {
            Some(at) => format!("the last accepted one came {} ago", ago(self.now, at)),
            None => "none was accepted in four weeks".to_owned(),
        }
    }
}

pub(super) fn decide(seen: &Observed, report: &mut Report) {
    let traffic = match &seen.traffic {
        Ok(traffic) => traffic,
        Err(error) => return report.unknown("webhooks", error),
    };
    let connections = seen.connections.as_ref().ok();
    let view = View {
        now: seen.now,
        traffic,
        verified: traffic.last(Outcome::Verified),
        retrying: connections.is_some_and(|all| all.retrying.count > 0),
    };
    let refused = [Outcome::Mismatch, Outcome::Stale].map(|outcome| {
        let day_ago = view.before(DAY);
        traffic.since(outcome, day_ago)
    });
    let hour_ago = view.before(HOUR);
    let accepted = traffic.since(Outcome::Verified, hour_ago);
    report.looked(
        "webhooks",
        format!(
            "{}; {accepted} accepted in the last hour or two, {} refused in a day",
            view.last(),
            refused[0] + refused[1]
        ),
    );
    key_and_store(&view, report);
    refusals(&view, report);
    unreadable(&view, report);
    silence(seen, &view, report);
}

fn key_and_store(view: &View<'_>, report: &mut Report) {
    if let Some(last) = view.recent(Outcome::NoKey, HOUR) {
        let severity = if view.none_since(last) {
            Severity::Now
        } else {
            Severity::Later
        };
        let count = view.count(Outcome::NoKey).max(1);
        let said = Said {
            message: format!(
                "{} could not be verified, as the signing key is missing or can't be read; {}",
                many(count, "webhook", "webhooks"),
                view.last()
            ),
            since: view.verified,
            count,
            next: "put the signing key into the Calendly secret".to_owned(),
            ..Said::default()
        };
        report.reason(severity, Code::SigningKeyUnavailable, said);
    }
    if let Some(last) = view.recent(Outcome::NoStore, HOUR) {
        let age = view.now.duration_since(last);
        let severity = if age < SignedDuration::from_mins(15) {
            Severity::Now
        } else {
            Severity::Later
        };
        let hour_ago = view.before(HOUR);
        let count = view.traffic.since(Outcome::NoStore, hour_ago).max(1);
        let said = Said {
            message: format!(
                "{} could not be logged or queued in the last hour or two, the last one {} ago",
                many(count, "webhook", "webhooks"),
                ago(view.now, last)
            ),
            since: None,
            count,
            next: "look at what failed in the log of the webhook function; Calendly sends again"
                .to_owned(),
            ..Said::default()
        };
        report.reason(severity, Code::StoreUnavailable, said);
    }
}

fn refusals(view: &View<'_>, report: &mut Report) {
    let key = "compare the signing key in the Calendly secret with the one that Calendly showed; \
               then `make sync`";
    if let Some(last) = view.recent(Outcome::Mismatch, DAY) {
        let all = view.none_since(last);
        let count = view.count(Outcome::Mismatch).max(1);
        let missed = view
            .verified
            .and_then(|at| usual(view.traffic, at, view.now));
        // What somebody sends who only knows the form is no reason to wake anybody.
        let severity = match (all, count >= SOME) {
            (true, true) if view.retrying || missed.is_some() => Severity::Now,
            (true, true) => Severity::Today,
            (true, false) if view.retrying => Severity::Today,
            _ => Severity::Later,
        };
        let message = format!(
            "{} refused for a wrong signature, the last one {} ago; {}",
            many(count, "webhook was", "webhooks were"),
            ago(view.now, last),
            view.last()
        );
        let since = view.verified.filter(|_| all);
        let next = if severity == Severity::Later {
            "nothing, if they are not Calendly's: webhooks are accepted, or these are very few"
        } else {
            key
        };
        let said = Said {
            message,
            since,
            count,
            next: next.to_owned(),
            ..Said::default()
        };
        report.reason(severity, Code::WebhooksRefused, said);
    }
    if let Some(last) = view.recent(Outcome::Stale, DAY) {
        let age = view.now.duration_since(last);
        let severity = if view.none_since(last) {
            Severity::Now
        } else if age < HOUR * 3 {
            Severity::Today
        } else {
            Severity::Later
        };
        let day_ago = view.before(DAY);
        let count = view.traffic.since(Outcome::Stale, day_ago).max(1);
        let said = Said {
            message: format!(
                "{} with a right signature refused for its time within a day, the last one {} ago; {}",
                many(count, "webhook was", "webhooks were"),
                ago(view.now, last),
                view.last()
            ),
            since: view.verified.filter(|_| severity == Severity::Now),
            count,
            next: "set SignatureToleranceSeconds=86400 and deploy; then `make sync`".to_owned(),
            ..Said::default()
        };
        report.reason(severity, Code::WebhooksStale, said);
    }
}

fn unreadable(view: &View<'_>, report: &mut Report) {
    let Some(last) = view.recent(Outcome::Unreadable, DAY) else {
        return;
    };
    let day_ago = view.before(DAY);
    let count = view.traffic.since(Outcome::Unreadable, day_ago).max(1);
    let severity = if count >= SOME {
        Severity::Today
    } else {
        Severity::Later
    };
    let said = Said {
        message: format!(
            "{} could not be read within a day, the last one {} ago",
            many(count, "signed webhook", "signed webhooks"),
            ago(view.now, last)
        ),
        since: None,
        count,
        next:
            "look at the reasons: `make deliveries STATUS=unprocessable`; what they told comes by \
               `make sync`"
                .to_owned(),
        ..Said::default()
    };
    report.reason(severity, Code::WebhooksUnreadable, said);
}

/// Nothing comes, though it should by the operators' own measure, or by that of the last weeks.
fn silence(seen: &Observed, view: &View<'_>, report: &mut Report) {
    let ticks = seen.ticks.as_ref().ok();
    let begun = view.verified.or(ticks.and_then(|ticks| ticks.first_at));
    let Some(begun) = begun else {
        return;
    };
    let age = view.now.duration_since(begun);
    let quiet = seen.settings.quiet.filter(|quiet| age >= *quiet);
    let missed = view
        .verified
        .and_then(|at| usual(view.traffic, at, view.now));
    let why = match (missed, quiet) {
        (Some(missed), _) => format!("at this time of the week {missed} or more are usual"),
        (None, Some(quiet)) => format!("QuietHours is {}", quiet.as_hours()),
        (None, None) => return,
    };
    let said = Said {
        message: format!(
            "no webhook was accepted for {}: {why}",
            ago(view.now, begun)
        ),
        since: Some(begun),
        count: missed.unwrap_or(1),
        next:
            "book a test meeting, and look whether its webhook comes; `make sync` looks after the \
               subscriptions"
                .to_owned(),
        ..Said::default()
    };
    report.reason(Severity::Today, Code::NoWebhooks, said);
}
