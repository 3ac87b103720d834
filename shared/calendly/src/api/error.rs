//! What Calendly's API answers when it doesn't do what it was asked.

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
            Self::Unreachable { .. } | Self::RateLimited { .. } => true,
            // 424: the external calendar failed.
            Self::Status { status, .. } => *status >= 500 || *status == 424,
            Self::NoToken { transient, .. } => *transient,
            _ => false,
        }
    }
}
