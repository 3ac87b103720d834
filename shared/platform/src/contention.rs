//! Others write to the same items at the same time. DynamoDB refuses all of them but one, and at times
//! that one too; so whoever is refused waits a moment, by chance, and tries again.

use crate::race::{canceled, lost};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::CancellationReason;

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
