//! What can go wrong between a function and AWS.

use crate::deliveries::ErrorKind;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// Result of a platform call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A call that failed. Its text is kept in the delivery log and in logs, so it carries no part of
/// a request or an answer: those hold personal data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// AWS did not do what it was asked. Worth another try.
    #[error("could not {action}: {cause}")]
    Aws {
        /// What was tried, on what.
        action: &'static str,
        /// AWS's error code, or how the call failed to get there.
        cause: String,
    },
    /// Others kept changing the same records. Worth another try.
    #[error(
        "could not {action}: other writers were faster {tries} times, or the table was throttled"
    )]
    Contended {
        /// What was tried.
        action: &'static str,
        /// How often.
        tries: usize,
    },
    /// Something stored can't be read. Another try reads the same.
    #[error("{what} can't be read: {cause}")]
    Corrupt {
        /// What was read.
        what: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// More than DynamoDB can hold in one item. Another try is as large.
    #[error("{what} takes {bytes} bytes even compressed; DynamoDB items end at 400 KB")]
    TooLarge {
        /// What was to be written.
        what: &'static str,
        /// Its size.
        bytes: usize,
    },
    /// A secret that is there, but can't be used.
    #[error("the secret {name} can't be used: {cause}")]
    Secret {
        /// What the secret is for.
        name: &'static str,
        /// What to do about it.
        cause: &'static str,
    },
}

impl Error {
    /// Whether another try may succeed.
    pub fn is_transient(&self) -> bool {
        self.kind().is_passing()
    }

    /// What kind of error it is to a delivery that could not be applied for it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            // What DynamoDB or SQS won't take now (an item too large, say) they never will.
            Self::Aws { cause, .. } if cause == "ValidationException" => ErrorKind::Refused,
            Self::Aws { .. } => ErrorKind::Aws,
            Self::Contended { .. } => ErrorKind::Contended,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::TooLarge { .. } => ErrorKind::TooLarge,
            Self::Secret { .. } => ErrorKind::Secret,
        }
    }

    pub(crate) fn corrupt(what: &'static str, cause: impl ToString) -> Self {
        Self::Corrupt {
            what,
            cause: cause.to_string(),
        }
    }
}

/// Makes an [`Error`] of a failed SDK call, for `map_err`. Only the error's code is taken over: an
/// SDK error's own text and debug form can hold whole items.
pub(crate) fn failed<E, R>(action: &'static str) -> impl Fn(SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata,
{
    move |error| Error::Aws {
        action,
        cause: match &error {
            SdkError::TimeoutError(_) => "no answer in time".to_owned(),
            SdkError::DispatchFailure(_) => "no connection".to_owned(),
            SdkError::ServiceError(service) => {
                service.err().code().unwrap_or("unknown error").to_owned()
            }
            SdkError::ConstructionFailure(_) => "the request could not be built".to_owned(),
            _ => "the answer could not be read".to_owned(),
        },
    }
}

/// Whether a write was refused because its condition didn't hold.
pub(crate) fn condition_failed<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("ConditionalCheckFailedException")
}

/// Whether what was asked for isn't there.
pub(crate) fn not_found<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.code() == Some("ResourceNotFoundException")
}

/// Whether a secret can't be written because one of its name is being deleted. AWS says
/// `InvalidRequestException` while it is marked, and may say that it exists for some time after.
pub(crate) fn being_deleted<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    matches!(
        error.code(),
        Some("InvalidRequestException" | "ResourceExistsException")
    )
}
