//! What holds for the whole of an invocation: its id on every log line, its trace, and whether it is
//! the first of its process.

use crate::metrics::{self, Metric};
use lambda_http::Context;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use tokio::time::Instant;
use tracing::Instrument;

static STARTED: AtomicBool = AtomicBool::new(false);

/// Does the work of an invocation. Its log lines carry the invocation's `requestId` and
/// `xrayTraceId`, its outside calls belong to that trace.
pub fn invoked<T>(
    context: Option<&Context>,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    if !STARTED.swap(true, Ordering::Relaxed) {
        metrics::count_by_function(Metric::ColdStarts);
    }
    let request_id = context.map(|context| context.request_id.as_str());
    let trace = context.and_then(|context| context.xray_trace_id.as_deref());
    // Spans of this project have the level of errors: where only errors are logged, those lines
    // carry the ids, too.
    let span = tracing::error_span!("invocation", requestId = request_id, xrayTraceId = trace);
    // On the heap: the work of a request is large, and every future around it would carry it.
    Box::pin(work).instrument(span)
}

/// Kept free at the end of an invocation, for what nobody thought of.
pub const ROOM: Duration = Duration::from_secs(2);

/// When an invocation has to be over that Lambda stops at `deadline`; at once if it is not known.
pub fn over_by(deadline: Option<SystemTime>) -> Instant {
    let now = SystemTime::from(ambient::now());
    let left = deadline.and_then(|deadline| deadline.duration_since(now).ok());
    Instant::now() + left.unwrap_or_default().saturating_sub(ROOM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_invocation_is_over_before_lambda_stops_it() {
        let second = Duration::from_secs(1);
        let now = SystemTime::from(ambient::now());
        let left = |deadline| over_by(deadline) - Instant::now();
        let all = left(Some(now + 29 * second));
        assert!(all <= 27 * second && all > 26 * second, "{all:?}");
        for over in [Some(now + second), Some(now - second), None] {
            assert_eq!(left(over), Duration::ZERO);
        }
    }
}
