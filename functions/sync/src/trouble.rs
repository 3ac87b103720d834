//! Why a run, or the reading of one event, could not go on.

use calendly::api::ApiError;
use std::fmt;
use std::time::Duration;

/// Why it could not go on.
#[derive(Debug)]
pub enum Trouble {
    /// Time or the rate limit ran short: it may after this.
    Later(Duration),
    /// There is not enough time left for a call.
    OutOfTime,
    /// Calendly.
    Calendly(ApiError),
    /// The store.
    Store(platform::Error),
}

impl Trouble {
    /// Whether another try may end well.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Later(_) | Self::OutOfTime => true,
            Self::Calendly(error) => error.is_transient(),
            Self::Store(error) => error.is_transient(),
        }
    }

    /// Whether it would meet every other event as well, as it lies in the connection.
    pub fn is_everywhere(&self) -> bool {
        match self {
            Self::Calendly(error) => matches!(
                error,
                ApiError::Unauthenticated { .. }
                    | ApiError::MissingScope { .. }
                    | ApiError::NoToken { .. }
            ),
            Self::Later(_) | Self::OutOfTime | Self::Store(_) => false,
        }
    }
}

impl From<ApiError> for Trouble {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::RateLimited { retry_after } => Self::Later(retry_after),
            ApiError::OutOfTime { .. } => Self::OutOfTime,
            error => Self::Calendly(error),
        }
    }
}

impl From<platform::Error> for Trouble {
    fn from(error: platform::Error) -> Self {
        Self::Store(error)
    }
}

impl From<Trouble> for platform::Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Store(error) => error,
            other => Self::Aws {
                action: "sync with Calendly",
                cause: other.to_string(),
            },
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Later(after) => write!(f, "it goes on in {} s", after.as_secs()),
            Self::OutOfTime => f.write_str("there was no time left"),
            Self::Calendly(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}
