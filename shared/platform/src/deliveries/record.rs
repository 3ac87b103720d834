//! A delivery as it is kept and shown.

use super::about::About;
use super::failure::ErrorKind;
use crate::item::{Item, Read};
use crate::{Error, Result};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// Names a delivery: the SHA-256 of its raw body in hex, so that the same body is the same
/// delivery however often and by whichever subscription it comes.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9a-f]{64}$"))]
pub struct DeliveryId(String);

/// The fewest digits of an id that are looked for.
pub const MIN_PREFIX: usize = 8;

/// A text that is no delivery id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a delivery id: 64 characters of 0-9 and a-f")]
pub struct InvalidDeliveryId;

impl DeliveryId {
    /// The id of the delivery with this body.
    pub fn of(body: &[u8]) -> Self {
        Self(hex::encode(Sha256::digest(body)))
    }

    /// Reads an id.
    pub fn parse(id: &str) -> Result<Self, InvalidDeliveryId> {
        let digits = id.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        if id.len() == 64 && digits {
            Ok(Self(id.to_owned()))
        } else {
            Err(InvalidDeliveryId)
        }
    }

    /// Whether this begins an id: some of its digits, at least [`MIN_PREFIX`].
    pub fn is_prefix(prefix: &str) -> bool {
        let digits = prefix
            .bytes()
            .all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'));
        (MIN_PREFIX..=64).contains(&prefix.len()) && digits
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = InvalidDeliveryId;
    fn try_from(id: String) -> Result<Self, InvalidDeliveryId> {
        Self::parse(&id)
    }
}

impl From<DeliveryId> for String {
    fn from(id: DeliveryId) -> Self {
        id.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a delivery stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Logged, and queued or about to be.
    Received,
    /// Applied to the bookings.
    Processed,
    /// Failed, and to be tried again.
    Failed,
    /// Given up; in the dead letter queue.
    Dead,
    /// An event that this service does nothing with.
    Ignored,
    /// Signed, but it can't be read.
    Unprocessable,
    /// Given up, and put away by somebody: nothing can mend it.
    Discarded,
}

impl Status {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Processed => "processed",
            Self::Failed => "failed",
            Self::Dead => "dead",
            Self::Ignored => "ignored",
            Self::Unprocessable => "unprocessable",
            Self::Discarded => "discarded",
        }
    }

    /// Whether nothing more is to be done with such a delivery.
    pub fn is_settled(self) -> bool {
        match self {
            Self::Processed | Self::Ignored | Self::Unprocessable | Self::Discarded => true,
            Self::Received | Self::Failed | Self::Dead => false,
        }
    }

    /// Whether it waits for something: for its first or its next attempt, or for somebody.
    pub fn is_open(self) -> bool {
        match self {
            Self::Received | Self::Failed | Self::Dead => true,
            Self::Processed | Self::Ignored | Self::Unprocessable | Self::Discarded => false,
        }
    }
}

impl std::str::FromStr for Status {
    type Err = Error;
    fn from_str(word: &str) -> Result<Self> {
        [
            Self::Received,
            Self::Processed,
            Self::Failed,
            Self::Dead,
            Self::Ignored,
            Self::Unprocessable,
            Self::Discarded,
        ]
        .into_iter()
        .find(|status| status.as_str() == word)
        .ok_or_else(|| Error::corrupt("a delivery's status", "unknown word"))
    }
}

/// A delivery to be logged.
#[derive(Debug, Clone)]
pub struct NewDelivery<'a> {
    /// Its id.
    pub id: &'a DeliveryId,
    /// The tracking id of the request that brought it.
    pub tracking_id: &'a str,
    /// `calendly`.
    pub provider: &'a str,
    /// Name of its event, if it can be read.
    pub event: Option<&'a str>,
    /// `Received`, `Ignored` or `Unprocessable`.
    pub status: Status,
    /// Why it is not to be processed.
    pub reason: Option<&'a str>,
    /// URI of the scheduled event that it is about.
    pub event_uri: Option<&'a str>,
    /// URI of the invitee whom it is about.
    pub invitee_uri: Option<&'a str>,
    /// What in it was not understood.
    pub warnings: &'a [String],
    /// What it is about, for the list of what was told about one thing.
    pub about: Option<&'a About>,
    /// When its provider made it.
    pub occurred_at: Option<Timestamp>,
    /// When it came.
    pub received_at: Timestamp,
    /// The raw body.
    pub body: &'a [u8],
}

/// What logging a delivery found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It is new.
    New,
    /// The same body came before.
    Duplicate {
        /// What became of it so far.
        status: Status,
        /// The tracking id under which it was first logged.
        tracking_id: String,
    },
}

/// That a dead delivery was put away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Discard {
    /// Name of the API key with which it was.
    pub by: String,
    /// Why. Null once the delivery was erased.
    pub reason: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
}

/// A delivery as the API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The tracking id of the request that brought it.
    pub tracking_id: String,
    /// `calendly`.
    pub provider: String,
    /// Name of its event.
    pub event: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// When its provider made it; null where the body doesn't say. How late it came is the time from
    /// then to `receivedAt`.
    pub occurred_at: Option<Timestamp>,
    /// When it came.
    pub received_at: Option<Timestamp>,
    /// When it was applied.
    pub processed_at: Option<Timestamp>,
    /// How often it was tried.
    pub attempts: u64,
    /// When it will be tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed, or why it is not processed at all.
    pub last_error: Option<String>,
    /// What kind of error that is.
    pub error_kind: Option<ErrorKind>,
    /// False where no attempt can mend it, as things are: its error lasts, its body can't be read or
    /// was erased.
    pub retryable: bool,
    /// Who put it away and why, while it is `discarded`.
    pub discarded: Option<Discard>,
    /// URI of the scheduled event that it is about.
    pub event_uri: Option<String>,
    /// URI of the invitee whom it is about.
    pub invitee_uri: Option<String>,
    /// The transitions that applying it made; none if the bookings knew it all already. Null while it
    /// isn't applied, where it isn't known (an attempt that was stopped may have made some), and where
    /// there were more than a thousand.
    pub changes: Option<Vec<String>>,
    /// What in it was not understood, or could not be kept whole, though the rest was applied. Each
    /// names a field by its path and nothing of what stands there but a time that can't be; at most 21.
    pub warnings: Vec<String>,
    /// When its body was erased.
    pub erased_at: Option<Timestamp>,
    /// More than one message was sent for it, each of which may be the one that changes something.
    /// Lists don't know.
    #[serde(skip)]
    pub sent_again: bool,
}

impl Delivery {
    pub(super) fn from_item(item: &Item) -> Result<Self> {
        let id = DeliveryId::parse(item.must("id")?)
            .map_err(|error| Error::corrupt("a delivery", error))?;
        let status: Status = item.must("status")?.parse()?;
        let error_kind = item.text("errorKind").and_then(ErrorKind::parse);
        let erased_at = item.time("erasedAt");
        let lasts = error_kind.is_some_and(|kind| !kind.is_passing());
        let given_up = matches!(
            status,
            Status::Dead | Status::Unprocessable | Status::Discarded
        );
        Ok(Self {
            id,
            tracking_id: item.must("trackingId")?.to_owned(),
            provider: item.must("provider")?.to_owned(),
            event: item.text("event").map(str::to_owned),
            status,
            occurred_at: item.time("occurredAt"),
            received_at: item.time("receivedAt"),
            processed_at: item.time("processedAt"),
            attempts: item.number("attempts").unwrap_or(0),
            next_attempt_at: item.time("nextAttemptAt"),
            last_error: item.text("lastError").map(str::to_owned),
            error_kind,
            retryable: erased_at.is_none() && !(given_up && lasts),
            discarded: item
                .text("discardedBy")
                .filter(|_| status == Status::Discarded)
                .map(|by| Discard {
                    by: by.to_owned(),
                    reason: item.text("discardReason").map(str::to_owned),
                    at: item.time("discardedAt"),
                }),
            event_uri: item.text("eventUri").map(str::to_owned),
            invitee_uri: item.text("inviteeUri").map(str::to_owned),
            changes: item.contains_key("changes").then(|| item.texts("changes")),
            warnings: item.texts("warnings"),
            erased_at,
            sent_again: item.contains_key("sentAgain"),
        })
    }
}

/// A page of a list, and where the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The items.
    pub items: Vec<T>,
    /// Where to go on; nothing at the end.
    pub next: Option<C>,
}
