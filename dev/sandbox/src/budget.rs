//! The rate limit: a fixed number of calls a user in each window, as `X-RateLimit-*` tells.

use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// What is left of a user's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    pub limit: u32,
    pub remaining: u32,
    /// The window's length in seconds, however much of it is over: all recorded answers have it
    /// so.
    pub reset: u64,
    /// This call was over the limit.
    pub exceeded: bool,
}

/// The windows of every user.
#[derive(Debug)]
pub(crate) struct Budget {
    pub limit: u32,
    pub window: Duration,
    windows: BTreeMap<String, (Instant, u32)>,
}

impl Budget {
    pub(crate) fn new(limit: u32, window: Duration) -> Self {
        Self {
            limit,
            window,
            windows: BTreeMap::new(),
        }
    }

    /// Takes one call from a user's window.
    pub(crate) fn take(&mut self, user: &str) -> Left {
        self.take_at(user, Instant::now())
    }

    fn take_at(&mut self, user: &str, now: Instant) -> Left {
        let (start, used) = self.windows.entry(user.to_owned()).or_insert((now, 0));
        if now.duration_since(*start) >= self.window {
            (*start, *used) = (now, 0);
        }
        let exceeded = *used >= self.limit;
        if !exceeded {
            *used += 1;
        }
        Left {
            limit: self.limit,
            remaining: self.limit - *used,
            reset: self.window.as_secs() + u64::from(self.window.subsec_nanos() > 0),
            exceeded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_used_up_and_starts_anew_for_each_user() {
        let mut budget = Budget::new(2, Duration::from_secs(10));
        let start = Instant::now();
        let later = start + Duration::from_millis(2500);
        assert_eq!(budget.take_at("a", start).remaining, 1);
        assert_eq!(budget.take_at("a", later).remaining, 0);
        let over = budget.take_at("a", later);
        assert!(over.exceeded);
        assert_eq!(over.reset, 10);
        assert!(!budget.take_at("b", later).exceeded);
        assert!(
            !budget
                .take_at("a", start + Duration::from_secs(10))
                .exceeded
        );
    }
}
