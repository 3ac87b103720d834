//! One HTTP call to Calendly, as a span named `call`, of which the program may trace what it likes:
//! the span says what was done and how it ended, and nothing of what was sent or answered.

use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, StatusCode};
use tracing::{Instrument, field};

/// An answer, read to its end.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is none.
pub(crate) enum NoReply {
    /// Nothing came in time.
    TimedOut,
    /// The connection was not made, or was lost.
    NotConnected,
    /// It began, and broke off.
    BrokenOff,
}

impl NoReply {
    /// The same in words.
    pub(crate) fn cause(&self) -> &'static str {
        match self {
            Self::TimedOut => "no answer in time",
            Self::NotConnected => "no connection",
            Self::BrokenOff => "the answer broke off",
        }
    }
}

/// Makes a call; `operation` says what for.
pub(crate) async fn call(
    operation: &'static str,
    request: RequestBuilder,
) -> Result<Reply, NoReply> {
    // At the level of errors, so that no log level leaves it out.
    let span = tracing::error_span!(
        "call",
        service = "Calendly",
        operation,
        status = field::Empty
    );
    let ended = span.clone();
    async move {
        let answer = request.send().await.map_err(|error| {
            if error.is_timeout() {
                NoReply::TimedOut
            } else {
                NoReply::NotConnected
            }
        })?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|_| NoReply::BrokenOff)?;
        ended.record("status", u64::from(status.as_u16()));
        Ok(Reply {
            status,
            headers,
            body: body.into(),
        })
    }
    .instrument(span)
    .await
}
