//! The rate limit as the answers' headers tell it.

use std::time::Duration;

/// The longest wait that is believed; the window is a minute.
const MAX_WAIT: Duration = Duration::from_secs(120);
/// The wait after a 429 that names none.
const DEFAULT_WAIT: Duration = Duration::from_secs(60);

/// What an answer said of the limit, which is per user and minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls in a window.
    pub limit: u32,
    /// Calls left in this one.
    pub remaining: u32,
    /// Time until the next one.
    pub reset: Duration,
}

impl RateLimit {
    /// Reads `X-RateLimit-Limit`, `-Remaining` and `-Reset`, the last in seconds from now.
    pub(super) fn read(headers: &reqwest::header::HeaderMap) -> Option<Self> {
        Some(Self {
            limit: number(headers, "x-ratelimit-limit")?,
            remaining: number(headers, "x-ratelimit-remaining")?,
            reset: Duration::from_secs(number(headers, "x-ratelimit-reset")?).min(MAX_WAIT),
        })
    }

    /// Whether less than a fifth is left: that is kept for calls that somebody waits for.
    pub fn is_reserve(&self) -> bool {
        u64::from(self.remaining) * 5 < u64::from(self.limit)
    }
}

/// How long to wait after a 429. `Retry-After` isn't documented, but heeded if it comes.
pub(super) fn wait(headers: &reqwest::header::HeaderMap) -> Duration {
    number(headers, "retry-after")
        .or_else(|| number(headers, "x-ratelimit-reset"))
        .map_or(DEFAULT_WAIT, Duration::from_secs)
        .min(MAX_WAIT)
}

fn number<T: std::str::FromStr>(
    headers: &reqwest::header::HeaderMap,
    name: &'static str,
) -> Option<T> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}
