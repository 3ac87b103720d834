//! How often each route was called, and with what answer: tests count with it.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Counts since the start, or since they were last cleared.
#[derive(Debug, Default)]
pub(crate) struct Calls(BTreeMap<String, BTreeMap<u16, u64>>);

impl Calls {
    pub(crate) fn count(&mut self, route: String, status: u16) {
        let statuses = self.0.entry(route).or_default();
        *statuses.entry(status).or_default() += 1;
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// `{"total": n, "byStatus": {…}, "byRoute": {"GET /users/me": {"200": n}}}`.
    pub(crate) fn json(&self) -> Value {
        let mut by_status = BTreeMap::<u16, u64>::new();
        for (status, count) in self.0.values().flatten() {
            *by_status.entry(*status).or_default() += count;
        }
        json!({
            "total": by_status.values().sum::<u64>(),
            "byStatus": by_status,
            "byRoute": self.0,
        })
    }
}
