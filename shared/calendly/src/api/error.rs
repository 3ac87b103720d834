//! What Calendly's API answers when it doesn't do what it was asked.

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// A call that failed. Its text says what to do and holds no token and nothing of a booking.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No answer: connection, TLS, time-out.
    #[error("Calendly could not be reached while trying to {action}: {cause}")]
    Unreachable {
        /// What was tried.
        action: &'static str,
        /// How it failed.
        cause: &'static str,
    },
    /// 401, after a fresh token too.
    #[error(
        "Calendly refused the access token while trying to {action}; authorize the account again"
    )]
    Unauthenticated {
        /// What was tried.
        action: &'static str,
    },
    /// 403 for a missing scope.
    #[error("the connection lacks a scope to {action}: {scopes}; authorize again with it")]
    MissingScope {
        /// What was tried.
        action: &'static str,
        /// The scopes, separated by spaces.
        scopes: String,
    },
    /// 403 otherwise: a plan, a role, a state.
    #[error("Calendly did not permit to {action}: {message}")]
    Forbidden {
        /// What was tried.
        action: &'static str,
        /// Calendly's own words.
        message: String,
    },
    /// 404.
    #[error("Calendly knows no such thing: {action}")]
    NotFound {
        /// What was tried.
        action: &'static str,
    },
    /// 409: a webhook subscription with this URL is there already.
    #[error("Calendly has this already: {action}")]
    AlreadyExists {
        /// What was tried.
        action: &'static str,
    },
    /// The rate limit is used up, or so nearly that the rest is kept for what people wait for.
    #[error("Calendly's rate limit is used up; it restarts in {} s", .retry_after.as_secs())]
    RateLimited {
        /// When it restarts.
        retry_after: Duration,
    },
    /// Another status.
    #[error("Calendly answered {status} while trying to {action}: {message}")]
    Status {
        /// What was tried.
        action: &'static str,
        /// HTTP status.
        status: u16,
        /// Calendly's own words, or none if the body was not of its form.
        message: String,
    },
    /// A success whose body is not what is documented.
    #[error("Calendly's answer can't be read while trying to {action}: {field}")]
    Unreadable {
        /// What was tried.
        action: &'static str,
        /// What is missing.
        field: &'static str,
    },
    /// A refusal that isn't of Calendly's own form: its content network answered, or something on
    /// the way. It says nothing about what was asked for.
    #[error("something before Calendly answered {status} while trying to {action}")]
    Gateway {
        /// What was tried.
        action: &'static str,
        /// HTTP status.
        status: u16,
    },
    /// A list that can't be read to its end.
    #[error("the list can't be read to its end while trying to {action}: {cause}")]
    Endless {
        /// What was tried.
        action: &'static str,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// The call was not begun, as it could not have ended in time.
    #[error("there was no time left to {action}")]
    OutOfTime {
        /// What was to be tried.
        action: &'static str,
    },
    /// No access token could be had; the text says why.
    #[error("{message}")]
    NoToken {
        /// Why, and what to do.
        message: String,
        /// Whether a later try may get one.
        transient: bool,
    },
}

impl ApiError {
    /// Whether a later try may succeed without anybody doing something.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::RateLimited { .. }
            | Self::Gateway { .. }
            | Self::OutOfTime { .. } => true,
            // 424: the external calendar failed.
            Self::Status { status, .. } => *status >= 500 || *status == 424,
            Self::NoToken { transient, .. } => *transient,
            _ => false,
        }
    }
}

/// Calendly's own words are kept short: they are shown to people and logged.
const MAX_MESSAGE: usize = 200;

/// The form of an error. Titles and texts changed over time, so the status says what it is.
#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    title: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    required_scopes: Value,
}

impl ErrorBody {
    /// The error in an answer, if Calendly's API wrote it: JSON with a title or a message.
    fn read(bytes: &[u8]) -> Option<Self> {
        let body: Self = serde_json::from_slice(bytes).ok()?;
        (body.title.is_string() || body.message.is_string()).then_some(body)
    }

    fn scopes(&self) -> String {
        let scopes = self.required_scopes.as_array().into_iter().flatten();
        let scopes: Vec<_> = scopes.filter_map(Value::as_str).collect();
        scopes.join(" ")
    }
}

impl ApiError {
    /// The error that an answer is. A refusal counts as Calendly's only when it is of its form: a
    /// page of HTML with 403 or 404 comes from somewhere before it, and is over soon.
    pub(super) fn of(
        action: &'static str,
        status: StatusCode,
        wait: Duration,
        bytes: &[u8],
    ) -> Self {
        let body = ErrorBody::read(bytes);
        let message = body.as_ref().and_then(|body| body.message.as_str());
        let message = message.unwrap_or_default();
        let message: String = message.chars().take(MAX_MESSAGE).collect();
        let scopes = body.as_ref().map(|body| body.scopes());
        match status {
            StatusCode::TOO_MANY_REQUESTS => Self::RateLimited { retry_after: wait },
            StatusCode::UNAUTHORIZED if body.is_some() || bytes.is_empty() => {
                Self::Unauthenticated { action }
            }
            status if status.is_client_error() && body.is_none() => Self::Gateway {
                action,
                status: status.as_u16(),
            },
            StatusCode::FORBIDDEN => match scopes.filter(|scopes| !scopes.is_empty()) {
                Some(scopes) => Self::MissingScope { action, scopes },
                None => Self::Forbidden { action, message },
            },
            StatusCode::NOT_FOUND => Self::NotFound { action },
            StatusCode::CONFLICT => Self::AlreadyExists { action },
            status => Self::Status {
                action,
                status: status.as_u16(),
                message,
            },
        }
    }
}
