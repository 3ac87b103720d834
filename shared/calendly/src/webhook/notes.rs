//! What was not understood while a body was read.

use std::cell::{Cell, RefCell};

/// How many warnings are kept of one body; a last one tells how many more there were.
pub const MAX_WARNINGS: usize = 20;

/// Warnings, as they come up. Each names a field by its path and says what is wrong with it, and
/// holds nothing of what the body says but a time that can't be: they are shown and logged.
#[derive(Debug, Default)]
pub(super) struct Notes {
    first: RefCell<Vec<String>>,
    more: Cell<usize>,
}

impl Notes {
    /// `place` is a field's path, made of names that this code knows and of numbers.
    pub(super) fn add(&self, place: &str, what: &str) {
        let mut first = self.first.borrow_mut();
        if first.len() < MAX_WARNINGS {
            first.push(format!("`{place}` {what}"));
        } else {
            self.more.set(self.more.get() + 1);
        }
    }

    /// All of them.
    pub(super) fn into_warnings(self) -> Vec<String> {
        let mut warnings = self.first.into_inner();
        let more = self.more.get();
        if more > 0 {
            warnings.push(format!("and {more} more"));
        }
        warnings
    }
}
