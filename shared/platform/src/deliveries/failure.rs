//! Why a delivery was not applied: for people, and its kind for programs.

use crate::error::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of error kept a delivery from being applied. What to do depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// AWS did not do what it was asked for now.
    Aws,
    /// Others kept changing the same records, or the table was throttled.
    Contended,
    /// A secret can't be used.
    Secret,
    /// It took too long.
    Timeout,
    /// The process was stopped while it worked on it.
    Stopped,
    /// The code panicked on it.
    Panic,
    /// A stored record can't be read.
    Corrupt,
    /// More than the store holds in one item.
    TooLarge,
    /// AWS will never do what it was asked for.
    Refused,
    /// The delivery is not in the log any more.
    NotInLog,
    /// The body can't be read.
    Unreadable,
}

impl ErrorKind {
    const ALL: [Self; 11] = [
        Self::Aws,
        Self::Contended,
        Self::Secret,
        Self::Timeout,
        Self::Stopped,
        Self::Panic,
        Self::Corrupt,
        Self::TooLarge,
        Self::Refused,
        Self::NotInLog,
        Self::Unreadable,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Contended => "contended",
            Self::Secret => "secret",
            Self::Timeout => "timeout",
            Self::Stopped => "stopped",
            Self::Panic => "panic",
            Self::Corrupt => "corrupt",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
            Self::NotInLog => "not_in_log",
            Self::Unreadable => "unreadable",
        }
    }

    /// The kind that a word stands for.
    pub(super) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether another attempt may end well, with the same code and the same records.
    pub fn is_passing(self) -> bool {
        match self {
            Self::Aws
            | Self::Contended
            | Self::Secret
            | Self::Timeout
            | Self::Stopped
            | Self::Panic => true,
            Self::Corrupt | Self::TooLarge | Self::Refused | Self::NotInLog | Self::Unreadable => {
                false
            }
        }
    }
}

/// Why a delivery was not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of error it was.
    pub kind: ErrorKind,
    /// The error, for people. It is kept in the log and shown, so it quotes no body.
    pub error: String,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: ErrorKind, error: impl Into<String>) -> Self {
        Self {
            kind,
            error: error.into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_stored_and_shown_by_the_same_word() {
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::json!(kind), kind.as_str());
        }
        assert_eq!(ErrorKind::parse("odd"), None);
    }
}
