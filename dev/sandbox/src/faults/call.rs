//! Faults of single calls: which call, and what it gets instead of its answer.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// What a call gets instead of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Instead {
    /// An error of the API.
    Status(u16),
    /// The 403 of the content network before the API: a page of HTML, and no rate limit told.
    CdnPage,
    /// The 403 of a plan that lacks what was asked for.
    UpgradePlan,
    /// A gateway's page of HTML with this status.
    Page(u16),
    /// It takes effect, but its answer never comes.
    Lost,
    /// It takes no effect, and no answer comes.
    Hang,
    /// A read answers what was true so many milliseconds ago, as far back as is remembered.
    LagMs(u64),
}

/// What goes wrong with some calls of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CallFault {
    /// As in `GET /scheduled_events/{id}`; every route by default.
    #[serde(default)]
    pub route: Option<String>,
    /// A part of the path, such as an event's id; every path by default.
    #[serde(default)]
    pub path: Option<String>,
    /// How many such calls go well first.
    #[serde(default)]
    pub skip: u32,
    /// How many then don't; one by default.
    #[serde(default = "one")]
    pub times: u32,
    /// What those get.
    pub answer: Instead,
}

fn one() -> u32 {
    1
}

impl CallFault {
    /// The next call, whichever it is.
    pub fn next(answer: Instead) -> Self {
        Self {
            route: None,
            path: None,
            skip: 0,
            times: 1,
            answer,
        }
    }

    fn is_meant(&self, route: &str, path: &str) -> bool {
        let meant = self.route.as_deref().is_none_or(|meant| meant == route);
        meant && self.path.as_deref().is_none_or(|part| path.contains(part))
    }
}

/// Faults of single calls that are still to come, in the order in which they were asked for.
#[derive(Debug, Default)]
pub(crate) struct CallFaults(VecDeque<CallFault>);

impl CallFaults {
    pub(crate) fn add(&mut self, fault: CallFault) {
        self.0.push_back(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What this call gets instead of its answer: of the faults that mean it, the first one decides.
    pub(crate) fn take(&mut self, route: &str, path: &str) -> Option<Instead> {
        let place = self.0.iter().position(|fault| fault.is_meant(route, path));
        let place = place?;
        let fault = self.0.get_mut(place)?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        let answer = (fault.times > 0).then_some(fault.answer);
        fault.times = fault.times.saturating_sub(1);
        if fault.times == 0 {
            self.0.remove(place);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_lets_some_calls_pass_then_breaks_some_and_is_over() {
        let mut faults = CallFaults::default();
        faults.add(CallFault {
            route: Some("GET /users/me".to_owned()),
            skip: 1,
            times: 2,
            ..CallFault::next(Instead::CdnPage)
        });
        let mut take = |route| faults.take(route, "/users/me").is_some();
        assert!(!take("GET /users/{id}"));
        let taken: Vec<_> = (0..4).map(|_| take("GET /users/me")).collect();
        assert_eq!(taken, [false, true, true, false]);
    }
}
