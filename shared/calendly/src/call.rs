//! One HTTP call to Calendly, as a span named `call`, of which the program may trace what it likes:
//! the span says what was done and how it ended, and nothing of what was sent or answered.

use reqwest::header::HeaderMap;
use reqwest::{IntoUrl, Method, Request, RequestBuilder, StatusCode};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tracing::{Instrument, field};

/// How long a call may take, from its beginning to the last byte of its answer.
pub const TIMEOUT: Duration = Duration::from_secs(8);

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its whole body.
    pub body: Vec<u8>,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReply {
    /// Nothing came in time.
    TimedOut,
    /// The connection was not made, or was lost.
    NotConnected,
    /// It began, and broke off.
    BrokenOff,
}

impl NoReply {
    /// The same in words.
    pub(crate) fn cause(self) -> &'static str {
        match self {
            Self::TimedOut => "no answer in time",
            Self::NotConnected => "no connection",
            Self::BrokenOff => "the answer broke off",
        }
    }
}

/// What a [`Wire`] answers, in the end.
pub type Answer = Pin<Box<dyn Future<Output = Result<Reply, NoReply>> + Send>>;

/// A Calendly that is reached without a network: a simulator has one in its own process.
pub trait Wire: Send + Sync {
    /// Has a request answered.
    fn send(&self, request: Request) -> Answer;
}

/// How calls leave the process.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    wire: Option<Arc<dyn Wire>>,
}

impl From<reqwest::Client> for Http {
    /// Over the network. `client` must have time-outs.
    fn from(client: reqwest::Client) -> Self {
        Self { client, wire: None }
    }
}

impl Http {
    /// By `wire`; `client` only builds the requests.
    pub fn by(wire: Arc<dyn Wire>, client: reqwest::Client) -> Self {
        let wire = Some(wire);
        Self { client, wire }
    }

    pub(crate) fn request(&self, method: Method, url: impl IntoUrl) -> RequestBuilder {
        self.client.request(method, url)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Reply, NoReply> {
        if let Some(wire) = &self.wire {
            let request = request.build().map_err(|_| NoReply::NotConnected)?;
            return wire.send(request).await;
        }
        let answer = request.send().await.map_err(|error| {
            if error.is_timeout() {
                NoReply::TimedOut
            } else {
                NoReply::NotConnected
            }
        })?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.map_err(|_| NoReply::BrokenOff)?;
        Ok(Reply {
            status,
            headers,
            body: body.into(),
        })
    }

    /// Makes a call; `operation` says what for.
    pub(crate) async fn call(
        &self,
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
            let reply = self.send(request).await?;
            ended.record("status", u64::from(reply.status.as_u16()));
            Ok(reply)
        }
        .instrument(span)
        .await
    }
}
