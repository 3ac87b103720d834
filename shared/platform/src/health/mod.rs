//! Is it well, and if not, what needs somebody?
//!
//! [`Observed`] is what was seen, [`decide`] what follows from it, without any call: so what `make
//! status`, the alarms and the console say is one thing. Each alarm on a state reads a gauge, and each
//! gauge is the count of a reason (see [`gauges`]).

mod connections;
mod deliveries;
mod gauges;
mod look;
mod observed;
mod report;
mod usual;
mod webhooks;

pub use gauges::{gauges, is_whole};
pub use look::Sources;
pub use observed::{Group, Log, Looked, Observed, Settings};
pub use report::{Code, Look, Reason, Report, Severity, State};

/// What follows from what was seen.
pub fn decide(seen: &Observed) -> Report {
    let mut report = Report::at(seen.now);
    webhooks::decide(seen, &mut report);
    deliveries::decide(seen, &mut report);
    connections::decide(seen, &mut report);
    report.finished()
}

#[cfg(test)]
mod tests;
