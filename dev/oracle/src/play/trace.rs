//! What a play did, call by call: a digest of it, to compare two plays, and its lines on demand.

use sha2::{Digest, Sha256};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The calls that write records of bookings; connections and deliveries are updated.
const WRITES: [&str; 3] = ["TransactWriteItems", "PutItem", "DeleteItem"];

#[derive(Default)]
struct Inner {
    digest: Sha256,
    calls: u64,
    writes: u64,
    /// Kept only where somebody will read them.
    lines: Option<Vec<String>>,
}

/// The trace of a play.
#[derive(Default)]
pub(crate) struct Trace(Mutex<Inner>);

impl Trace {
    /// One that keeps its lines, or only their digest.
    pub(crate) fn new(keep: bool) -> Self {
        let lines = keep.then(Vec::new);
        Self(Mutex::new(Inner {
            lines,
            ..Inner::default()
        }))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process made a call. Answers which write of bookings it is, if it is one.
    pub(crate) fn call(&self, process: u32, call: u32, what: &str) -> Option<u64> {
        let is_write = WRITES.contains(&what);
        let mut inner = self.inner();
        inner.calls += 1;
        inner.writes += u64::from(is_write);
        let write = is_write.then_some(inner.writes);
        drop(inner);
        self.line(|| format!("  run {process} call {call}: {what}"));
        write
    }

    /// Something else happened.
    pub(crate) fn line(&self, text: impl FnOnce() -> String) {
        let line = format!("{:.3} {}", ambient::now(), text());
        let mut inner = self.inner();
        inner.digest.update(line.as_bytes());
        if let Some(lines) = &mut inner.lines {
            lines.push(line);
        }
    }

    /// How many calls were made.
    pub(crate) fn calls(&self) -> u64 {
        self.inner().calls
    }

    /// How many of them wrote records of bookings.
    pub(crate) fn writes(&self) -> u64 {
        self.inner().writes
    }

    /// A digest of all lines so far.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.inner().digest.clone().finalize().into()
    }

    /// The lines that were kept.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.inner().lines.clone().unwrap_or_default()
    }
}
