//! Making ready at the start what the first invocation would otherwise wait for: connections to AWS,
//! most of whose cost is TLS, and keys. While a function starts it has a whole processor, and after
//! that a share of one by its memory.

use crate::{Result, millis_since};
use futures::future::{BoxFuture, FutureExt, join_all};
use std::time::Duration;
use tokio::time::Instant;

/// The longest that a start waits. Whoever calls waits, too, and what isn't there by then is had by the
/// first invocation that needs it.
const LIMIT: Duration = Duration::from_secs(2);

/// Something to make ready: what it is, for the log, and how.
pub struct Step<'a> {
    what: &'static str,
    work: BoxFuture<'a, Result<()>>,
}

/// A step whose result nobody needs: a connection, say, that stays open.
pub fn step<'a, T>(
    what: &'static str,
    work: impl Future<Output = Result<T>> + Send + 'a,
) -> Step<'a> {
    let work = work.map(|done| done.map(drop)).boxed();
    Step { what, work }
}

/// Does all steps at once. What fails, or isn't done in time, is logged and stops nothing: each is tried
/// again by the invocation that needs it, which can say what is wrong.
pub async fn make(steps: impl IntoIterator<Item = Step<'_>>) {
    let began = Instant::now();
    let all = steps.into_iter().map(|Step { what, work }| async move {
        match tokio::time::timeout(LIMIT, work).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(what, %error, "not made ready"),
            Err(_) => tracing::warn!(what, error = "no answer in time", "not made ready"),
        }
    });
    join_all(all).await;
    tracing::debug!(durationMs = millis_since(began), "made ready");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use std::sync::atomic::{AtomicBool, Ordering};

    const SECOND: Duration = Duration::from_secs(1);

    async fn wait(time: Duration) -> Result<()> {
        tokio::time::sleep(time).await;
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn all_is_made_ready_at_once() {
        let began = Instant::now();
        make(["key", "table", "queue"].map(|what| step(what, wait(SECOND)))).await;
        assert_eq!(began.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_or_hangs_stops_neither_the_start_nor_the_others() {
        let began = Instant::now();
        let made = AtomicBool::new(false);
        let fails = async { Err::<(), _>(Error::corrupt("a key", "not now")) };
        let late = async {
            wait(SECOND).await?;
            made.store(true, Ordering::Relaxed);
            Ok(())
        };
        let steps = [
            step("key", fails),
            step("table", std::future::pending::<Result<()>>()),
            step("queue", late),
        ];
        make(steps).await;
        assert!(made.load(Ordering::Relaxed));
        assert_eq!(began.elapsed(), LIMIT);
    }
}
