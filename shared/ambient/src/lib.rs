//! What a program takes from its surroundings without being handed it: the time of day, and
//! random numbers.
//!
//! Code asks here and nowhere else, so that a test can run the whole system on a clock and a seed
//! of its own, and twice the same ([`give`]). How long something takes is measured by tokio's
//! `Instant` and waited for by its `sleep`, which a test can pause.

use jiff::Timestamp;
use rand::RngCore;
use std::cell::RefCell;
use std::rc::Rc;

/// Where a test takes time and random numbers from.
pub trait Surroundings {
    /// The time of day.
    fn now(&self) -> Timestamp;
    /// Fills `bytes` with random ones.
    fn fill(&self, bytes: &mut [u8]);
}

thread_local! {
    static GIVEN: RefCell<Option<Rc<dyn Surroundings>>> = const { RefCell::new(None) };
}

/// From now on, and until what this returns is dropped, this thread takes time and random numbers
/// from `surroundings`.
#[must_use]
pub fn give(surroundings: Rc<dyn Surroundings>) -> Given {
    Given {
        before: GIVEN.with(|given| given.replace(Some(surroundings))),
    }
}

/// Surroundings that were given to a thread; dropped, they are what they were before.
pub struct Given {
    before: Option<Rc<dyn Surroundings>>,
}

impl Drop for Given {
    fn drop(&mut self) {
        let before = self.before.take();
        GIVEN.with(|given| given.replace(before));
    }
}

/// The time of day.
pub fn now() -> Timestamp {
    match given() {
        Some(surroundings) => surroundings.now(),
        None => Timestamp::now(),
    }
}

/// Random numbers: the operating system's, or those that a test gave.
pub fn rng() -> impl RngCore {
    Random
}

/// A random UUID (version 4), as text.
pub fn uuid() -> String {
    let mut bytes = [0; 16];
    Random.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn given() -> Option<Rc<dyn Surroundings>> {
    GIVEN.with(|given| given.borrow().clone())
}

struct Random;

impl RngCore for Random {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        match given() {
            Some(surroundings) => surroundings.fill(bytes),
            None => rand::rng().fill_bytes(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    struct Fixed;

    impl Surroundings for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn what_a_test_gives_is_what_this_thread_gets_until_it_is_dropped() {
        let given = give(Rc::new(Fixed));
        assert_eq!(now(), Timestamp::UNIX_EPOCH);
        assert_eq!(rng().random::<u16>(), 0x0707);
        assert_eq!(uuid(), "07070707-0707-4707-8707-070707070707");
        drop(given);
        assert!(now() > Timestamp::UNIX_EPOCH);
        assert_ne!(uuid(), uuid());
    }
}
