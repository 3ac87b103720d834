//! What alarms read: for each state its number, zero where all is well.

use super::connections::hours_left;
use super::observed::Observed;
use super::report::{Code, Report, Severity};
use crate::metrics::Metric;
use crate::traffic::Outcome;

/// The gauge that counts a reason; those without are told by no alarm of their own.
fn gauge(code: Code) -> Option<Metric> {
    Some(match code {
        Code::WebhooksRefused | Code::WebhooksStale => Metric::RefusedWebhooks,
        Code::NoWebhooks => Metric::MissingWebhooks,
        Code::DeliveriesWaiting => Metric::WaitingDeliveries,
        Code::DeliveriesFailing => Metric::FailingDeliveries,
        Code::DeadLetters => Metric::DeadDeliveries,
        Code::ConnectionsLost => Metric::LostConnections,
        Code::SyncFailing | Code::SyncOverdue => Metric::UncomparedConnections,
        Code::SyncNotRunning => Metric::UnplannedSyncs,
        Code::SubscriptionsInactive => Metric::InactiveSubscriptions,
        // Events of their own, or the lack of gauges, ring for these.
        Code::SigningKeyUnavailable
        | Code::StoreUnavailable
        | Code::WebhooksUnreadable
        | Code::LettersLeft
        | Code::SubscriptionsRetrying
        | Code::WatchNotRunning
        | Code::SourceUnreadable => return None,
    })
}

/// Whether every source could be read: where one could not, its gauges would lie.
pub fn is_whole(report: &Report) -> bool {
    let mut reasons = report.reasons.iter();
    !reasons.any(|reason| reason.code == Code::SourceUnreadable)
}

/// The gauges: what nobody is needed for today counts as none. Whoever calls this has seen that the
/// report [`is_whole`].
pub fn gauges(seen: &Observed, report: &Report) -> Vec<(Metric, u64)> {
    let urgent = |least: Severity| {
        let reasons = report.reasons.iter();
        reasons.filter(move |reason| reason.severity <= least)
    };
    let mut gauges: Vec<(Metric, u64)> = Vec::new();
    for code in Code::ALL {
        let Some(metric) = gauge(*code) else {
            continue;
        };
        let of_code = urgent(Severity::Today).filter(|reason| reason.code == *code);
        let count: u64 = of_code.map(|reason| reason.count.max(1)).sum();
        match gauges.iter_mut().find(|(known, _)| *known == metric) {
            Some((_, sum)) => *sum += count,
            None => gauges.push((metric, count)),
        }
    }
    let retrying =
        urgent(Severity::Today).find(|reason| reason.code == Code::SubscriptionsRetrying);
    let retried = retrying.and_then(|reason| reason.since);
    let hours = retried.map_or(24, |since| hours_left(seen.now, since));
    gauges.push((
        Metric::SubscriptionHoursLeft,
        u64::try_from(hours).unwrap_or(0),
    ));
    let verified = seen.traffic.as_ref().ok();
    let verified = verified.and_then(|traffic| traffic.last(Outcome::Verified));
    if let Some(at) = verified {
        let hours = seen.now.duration_since(at).as_hours();
        gauges.push((
            Metric::HoursWithoutWebhook,
            u64::try_from(hours).unwrap_or(0),
        ));
    }
    if !seen.settings.every_gauge {
        gauges.clear();
    }
    let count = |least| u64::try_from(urgent(least).count()).unwrap_or(u64::MAX);
    gauges.push((Metric::NeedsSomebodyNow, count(Severity::Now)));
    gauges.push((Metric::NeedsSomebodyToday, count(Severity::Today)));
    gauges
}
