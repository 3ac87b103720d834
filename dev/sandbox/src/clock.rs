//! Times as Calendly writes them: microseconds, UTC. No two things happen at the same time.

use jiff::{SignedDuration, Timestamp};

/// Yields times that only grow.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    last: Timestamp,
}

impl Clock {
    /// The present time, or a microsecond after the last one that was given.
    pub(crate) fn next(&mut self) -> Timestamp {
        let now = Timestamp::from_microsecond(Timestamp::now().as_microsecond());
        let least = self.last.saturating_add(SignedDuration::from_micros(1));
        self.last = match (now, least) {
            (Ok(now), Ok(least)) => now.max(least),
            (Ok(now), Err(_)) => now,
            (Err(_), _) => self.last,
        };
        self.last
    }
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
    fn times_are_written_with_six_digits() {
        let at: Timestamp = "2026-12-01T15:00:00.5Z".parse().unwrap();
        assert_eq!(text(at), "2026-12-01T15:00:00.500000Z");
        assert_eq!(whole_second(at), "2026-12-01T15:00:00.000000Z");
    }
}
