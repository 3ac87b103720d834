//! Metrics, as lines in CloudWatch's embedded metric format: no call, and no cost that grows with
//! the number of connections, which are no dimension.

mod line;
mod names;
mod out;

pub use names::{ALL, Metric, Unit};
pub use out::{Captured, capture};

use jiff::Timestamp;
use std::collections::BTreeMap;

/// Collects what one invocation, or one record of it, has to count, and writes it as one line when
/// it is dropped: also where the work is stopped halfway.
#[derive(Debug, Default)]
pub struct Metrics {
    values: BTreeMap<Metric, Vec<u64>>,
}

impl Metrics {
    /// Adds one.
    pub fn count(&mut self, metric: Metric) {
        self.add(metric, 1);
    }

    /// Adds `many` to a count; nothing if there are none.
    pub fn add(&mut self, metric: Metric, many: usize) {
        if many == 0 {
            return;
        }
        // Counts are looked at by their sum, for which one value does.
        let values = self.values.entry(metric).or_insert_with(|| vec![0]);
        if let Some(sum) = values.first_mut() {
            *sum = sum.saturating_add(u64::try_from(many).unwrap_or(u64::MAX));
        }
    }

    /// Adds a measured value, beside those that there are.
    pub fn measure(&mut self, metric: Metric, value: u64) {
        self.values.entry(metric).or_default().push(value);
    }

    /// Adds the time between two points in milliseconds; none where clocks disagree.
    pub fn lag(&mut self, metric: Metric, from: Timestamp, to: Timestamp) {
        let millis = to.as_millisecond() - from.as_millisecond();
        self.measure(metric, u64::try_from(millis).unwrap_or(0));
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        out::write(&line::lines(values, ambient::now()));
    }
}

/// Counts one thing that happened.
pub fn count(metric: Metric) {
    Metrics::default().count(metric);
}

/// Writes one measured value.
pub fn measure(metric: Metric, value: u64) {
    Metrics::default().measure(metric, value);
}

/// Counts one thing that happened, for all functions together and for this one.
pub(crate) fn count_by_function(metric: Metric) {
    let function = crate::logs::function();
    out::write(&[line::of_function(metric, function, ambient::now())]);
}
