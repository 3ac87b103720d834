//! Times as Calendly writes them: microseconds, UTC. No two things happen at the same time.

use jiff::{SignedDuration, Timestamp};

/// Calendly's clock: the machine's, and as far ahead of it as was set. It yields times that only
/// grow.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: Timestamp,
    /// Negative when it is behind.
    pub ahead: SignedDuration,
}

impl Clock {
    /// The present time.
    pub(crate) fn now(&self) -> Timestamp {
        let now = ambient::now();
        let now = now.saturating_add(self.ahead).unwrap_or(now);
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    /// The present time, or a microsecond after the last one that was given.
    pub(crate) fn next(&mut self) -> Timestamp {
        self.last = self.now().max(plus_micros(self.last, 1));
        self.last
    }
}

fn plus_micros(at: Timestamp, micros: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_micros(micros))
        .unwrap_or(at)
}

/// `2026-12-01T15:00:00.000000Z`.
pub(crate) fn text(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// The same, cut to the whole second: so Calendly writes an envelope's `created_at`.
pub(crate) fn whole_second(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).map_or_else(|_| text(at), text)
}

/// `at` and `minutes` more.
pub(crate) fn plus_minutes(at: Timestamp, minutes: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_mins(minutes))
        .unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_comes_twice_and_none_is_finer_than_a_microsecond() {
        let mut clock = Clock::default();
        let times: Vec<_> = (0..1000).map(|_| clock.next()).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(times.iter().all(|at| at.as_nanosecond() % 1000 == 0));
    }

    #[test]
    fn a_clock_that_is_set_back_yields_no_earlier_times() {
        let mut clock = Clock::default();
        let before = clock.next();
        clock.ahead = SignedDuration::from_secs(-2);
        assert!(clock.now() < before);
        assert!(clock.next() > before);
    }

    #[test]
    fn times_are_written_with_six_digits() {
        let at: Timestamp = "2026-12-01T15:00:00.5Z".parse().unwrap();
        assert_eq!(text(at), "2026-12-01T15:00:00.500000Z");
        assert_eq!(whole_second(at), "2026-12-01T15:00:00.000000Z");
    }
}
