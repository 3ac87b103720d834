//! How often one address is told why it is refused.

use lambda_http::Request;
use platform::http::{Problem, TrackingId, source_address};
use platform::limits::{Limit, Limiter, Standing};
use std::time::Duration;

/// For webhooks: 100 refused requests in 15 minutes.
pub const WEBHOOKS: Limit = Limit {
    name: "webhooks",
    most: 100,
    window: Duration::from_secs(15 * 60),
};

/// For tests, which are made by hand: 10 refused requests in 5 minutes.
pub const TESTS: Limit = Limit {
    name: "tests",
    most: 10,
    window: Duration::from_secs(5 * 60),
};

/// What a request that `problem` refuses is answered: that problem or, where its address is over
/// `limit`, 429 `RATE_LIMITED`.
///
/// Only what the caller did wrong is counted. What can't be counted is answered as if there were no
/// limit.
pub async fn limited(
    problem: Problem,
    limit: &Limit,
    limiter: &Limiter,
    request: &Request,
    tracking_id: &TrackingId,
) -> Problem {
    if !problem.status.is_client_error() {
        return problem;
    }
    let Some(address) = source_address(request) else {
        return problem;
    };
    match limiter.refused(limit, address, ambient::now()).await {
        Ok(Standing::Within) => problem,
        Ok(Standing::Over { retry_after }) => Problem::rate_limited(retry_after),
        Err(error) => {
            tracing::warn!(trackingId = %tracking_id, %error, "refused request not counted");
            problem
        }
    }
}
