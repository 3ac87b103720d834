//! Pauses between attempts: exponential, capped, with full jitter.

use rand::Rng;
use std::time::Duration;

/// How often a call is tried.
pub(super) const MAX_ATTEMPTS: u32 = 4;
const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(4);
/// A rate limit that restarts within this time is waited for; a longer one is the caller's matter.
pub(super) const MAX_RATE_WAIT: Duration = Duration::from_secs(3);

/// A random part of a span that doubles with each attempt: callers that failed together must not
/// come back together.
pub(super) fn pause(attempt: u32) -> Duration {
    let span = FIRST.saturating_mul(1 << attempt.min(8)).min(LONGEST);
    span.mul_f64(ambient::rng().random::<f64>())
}
