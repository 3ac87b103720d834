//! What holds for the whole of an invocation: its id on every log line, its trace, and whether it is
//! the first of its process.

use crate::{logs, metrics};
use lambda_http::Context;
use std::sync::atomic::{AtomicBool, Ordering};
use tracing::Instrument;

static STARTED: AtomicBool = AtomicBool::new(false);

/// Does the work of an invocation. Its log lines carry the invocation's `requestId` and
/// `xrayTraceId`, its outside calls belong to that trace.
pub fn invoked<T>(
    context: Option<&Context>,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    if !STARTED.swap(true, Ordering::Relaxed) {
        metrics::cold_start(logs::function());
    }
    let request_id = context.map(|context| context.request_id.as_str());
    let trace = context.and_then(|context| context.xray_trace_id.as_deref());
    // Spans of this project have the level of errors: where only errors are logged, those lines
    // carry the ids, too.
    let span = tracing::error_span!("invocation", requestId = request_id, xrayTraceId = trace);
    // On the heap: the work of a request is large, and every future around it would carry it.
    Box::pin(work).instrument(span)
}
