//! Where the lines go: standard output, or what a test captures.

use super::names::Metric;
use serde_json::Value;
use std::cell::RefCell;
use std::io::Write;
use std::marker::PhantomData;

thread_local! {
    static CAPTURED: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
}

/// Writes lines. The format wants the JSON alone on its line, so they don't go through the log.
pub(super) fn write(lines: &[Value]) {
    let kept = CAPTURED.with_borrow_mut(|captured| match captured {
        Some(captured) => {
            captured.extend_from_slice(lines);
            true
        }
        None => false,
    });
    if kept || lines.is_empty() {
        return;
    }
    // One write for all, so that no other line gets in between.
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.to_string());
        text.push('\n');
    }
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        tracing::warn!(%error, "a metric was not written");
    }
}

/// What this thread writes, for as long as this lives.
pub struct Captured {
    /// It belongs to its thread.
    not_send: PhantomData<*const ()>,
}

/// From now on, what this thread writes is kept for a test to look at, instead of being written.
#[must_use]
pub fn capture() -> Captured {
    CAPTURED.set(Some(Vec::new()));
    Captured {
        not_send: PhantomData,
    }
}

impl Captured {
    /// The lines so far.
    pub fn lines(&self) -> Vec<Value> {
        CAPTURED.with_borrow(|captured| captured.clone().unwrap_or_default())
    }

    /// Every value of a metric so far.
    pub fn values(&self, metric: Metric) -> Vec<u64> {
        let lines = self.lines();
        let values = lines.iter().filter_map(|line| line.get(metric.name()));
        values
            .flat_map(|value| match value {
                Value::Array(many) => many.iter().filter_map(Value::as_u64).collect(),
                one => one.as_u64().into_iter().collect::<Vec<_>>(),
            })
            .collect()
    }

    /// The sum of a metric's values so far.
    pub fn sum(&self, metric: Metric) -> u64 {
        self.values(metric).iter().sum()
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        CAPTURED.set(None);
    }
}
