//! Writes that another writer came before.

use aws_sdk_dynamodb::error::SdkError;
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
