//! `GET /v1/status`.

use crate::handler::{Answer, Api, Call, ok};
use platform::health::decide;
use std::time::Duration;
use tokio::time::Instant;

/// Of very many connections, as many are looked at as this allows: an HTTP API waits for 30 s.
const TIME_LIMIT: Duration = Duration::from_secs(10);

impl Api {
    pub(crate) async fn status(&self, _: &Call<'_>) -> Answer {
        let until = Instant::now() + TIME_LIMIT;
        let (mut seen, letters) = tokio::join!(
            Box::pin(self.sources.look(until)),
            self.dead_letters.depth()
        );
        seen.dead_letters = Some(letters.map_err(|error| {
            tracing::error!(%error, "the dead letter queue could not be looked at");
            error.to_string()
        }));
        ok(decide(&seen))
    }
}
