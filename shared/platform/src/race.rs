//! Others write to the same items at the same time. DynamoDB refuses all of them but one, and at times
//! that one too; so whoever is refused waits a moment, by chance, and tries again.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;
use rand::Rng;
use std::time::Duration;

/// How often something is written anew of which others were faster.
pub(crate) const MAX_TRIES: usize = 40;

/// Waits a little, by chance, before the attempt after `attempt`: another was faster.
pub(crate) async fn lost(attempt: usize) {
    let most = 10_u64 << attempt.min(6);
    let pause = ambient::rng().random_range(0..=most);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

/// Waits before the attempt after `attempt`, since the table is throttled: 50 ms to 100 ms at first,
/// and twice as long each time, up to 800 ms.
pub(crate) async fn throttled(attempt: usize) {
    let most = 100_u64 << attempt.min(3);
    let pause = ambient::rng().random_range(most / 2..=most);
    tokio::time::sleep(Duration::from_millis(pause)).await;
}

/// Why a transaction was canceled, write by write; nothing if it failed otherwise.
pub(crate) fn canceled<R>(
    error: &SdkError<TransactWriteItemsError, R>,
) -> Option<&[CancellationReason]> {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            Some(canceled.cancellation_reasons())
        }
        _ => None,
    }
}

/// How often a write to the delivery log is tried that others keep in conflict with. Together the
/// pauses take half a second at the most, which whoever waits for an answer can spare.
pub(crate) const TRIES: usize = 6;

/// Whether the condition of a transaction's write didn't hold.
pub(crate) fn is_unmet(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

fn is_conflict(reason: &CancellationReason) -> bool {
    reason.code() == Some("TransactionConflict")
}

/// Whether a transaction was refused because another one with the same items was under way, and not
/// for its conditions.
pub(crate) fn meets_another<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    let reasons = canceled(error).unwrap_or_default();
    reasons.iter().any(is_conflict) && !reasons.iter().any(is_unmet)
}

/// Whether a write of one item was refused because a transaction with it was under way.
pub(crate) fn meets_transaction<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("TransactionConflictException")
}

/// What `send` answers, once it is no conflict any more, or after [`TRIES`] times.
///
/// Of plain closures: the compiler can't tell of an async one, which borrows, that the future of a whole
/// function that holds it may move between threads.
pub(crate) async fn through<T, E, F: Future<Output = Result<T, E>>>(
    conflict: impl Fn(&E) -> bool,
    mut send: impl FnMut() -> F,
) -> Result<T, E> {
    for attempt in 0..TRIES - 1 {
        match send().await {
            Err(error) if conflict(&error) => lost(attempt).await,
            done => return done,
        }
    }
    send().await
}
