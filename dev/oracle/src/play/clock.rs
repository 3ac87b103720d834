//! Virtual time and seeded chance: what the whole process takes for its surroundings.

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use std::cell::RefCell;
use std::rc::Rc;
use tokio::time::Instant;

/// A clock that follows tokio's paused one from a given time on, and numbers from a seed.
pub(crate) struct Surroundings {
    start: Timestamp,
    began: Instant,
    numbers: RefCell<StdRng>,
}

impl Surroundings {
    /// From now on, for this thread.
    pub(crate) fn give(start: Timestamp, seed: u64) -> ambient::Given {
        ambient::give(Rc::new(Self {
            start,
            began: Instant::now(),
            numbers: RefCell::new(StdRng::seed_from_u64(seed)),
        }))
    }
}

impl ambient::Surroundings for Surroundings {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.began.elapsed()).unwrap_or_default();
        self.start.saturating_add(passed).unwrap_or(self.start)
    }

    fn fill(&self, bytes: &mut [u8]) {
        self.numbers.borrow_mut().fill_bytes(bytes);
    }
}
