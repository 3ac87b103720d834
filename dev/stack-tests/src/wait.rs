//! Waiting for what happens elsewhere, without guessing how long it takes.

use std::fmt::Debug;
use std::time::{Duration, Instant};

/// Asks again and again until `probe` is `Ok`, for `limit` at most. `Err` holds what was seen
/// instead; the last one is in the panic of a wait in vain.
pub async fn wait_until<T, E: Debug>(
    what: &str,
    limit: Duration,
    mut probe: impl AsyncFnMut() -> Result<T, E>,
) -> T {
    let began = Instant::now();
    loop {
        match probe().await {
            Ok(value) => return value,
            Err(seen) if began.elapsed() > limit => {
                panic!(
                    "not within {} s: {what}; last seen: {seen:?}",
                    limit.as_secs()
                )
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(30)).await,
        }
    }
}

/// [`wait_until`] with time enough for all but the last retries on a busy machine.
pub async fn eventually<T, E: Debug>(what: &str, probe: impl AsyncFnMut() -> Result<T, E>) -> T {
    wait_until(what, Duration::from_secs(30), probe).await
}
