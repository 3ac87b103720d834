//! The time that an invocation has, and what of it is kept free for its end.

use platform::invocation::ROOM;
use std::time::Duration;
use tokio::time::Instant;

/// For ending: the place is written down, the lease given back, the next message sent. Each takes
/// milliseconds, and 5 s at worst; should all take that long, the message comes back by itself.
const TO_END: Duration = Duration::from_secs(10);
/// For an event that was begun just before: a call to Calendly that hangs, and some that don't.
const FOR_AN_EVENT: Duration = calendly::TIMEOUT.saturating_add(Duration::from_secs(4));

/// When to stop what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    /// Nothing new is begun: the place is saved.
    pub(crate) work: Instant,
    /// Calls to Calendly are over.
    pub(crate) calls: Instant,
    /// The process may be stopped: a refresh of tokens is over.
    pub(crate) end: Instant,
}

impl Deadlines {
    /// Those of an invocation that ends after `left`.
    pub(crate) fn after(left: Duration) -> Self {
        let now = Instant::now();
        let but = |kept: Duration| now + left.saturating_sub(kept);
        Self {
            work: but(FOR_AN_EVENT + TO_END),
            calls: but(TO_END),
            end: but(ROOM),
        }
    }
}

/// As much as is kept free: an invocation that has no more stops as soon as it did something.
#[cfg(test)]
pub(crate) const NONE_TO_WORK: Duration = FOR_AN_EVENT.saturating_add(TO_END);

#[cfg(test)]
mod tests {
    use super::*;
    use platform::connections::REFRESH;

    #[test]
    fn a_part_has_most_of_its_time_for_work_and_a_refresh_begun_in_it_is_over_in_time() {
        let (now, all) = (Instant::now(), Duration::from_secs(60));
        let deadlines = Deadlines::after(all);
        assert!(deadlines.work - now > all / 2);
        assert!(deadlines.work < deadlines.calls && deadlines.calls < deadlines.end);
        assert!(deadlines.work + REFRESH <= deadlines.end);
    }
}
