//! The record of each webhook: what was sent, and how it was answered.

use crate::clock;
use jiff::Timestamp;
use serde_json::{Value, json};

/// How far a delivery has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Waiting,
    Retrying,
    Delivered,
    /// All retries are used up.
    Failed,
    /// A fault: it was never sent.
    Dropped,
    /// Its subscription was switched off or deleted first.
    Abandoned,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Retrying => "retrying",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
            Self::Abandoned => "abandoned",
        }
    }

    fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Retrying)
    }
}

/// One POST and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub at: Timestamp,
    /// The signed time, in seconds; `None` if nothing was signed.
    pub signed_at: Option<i64>,
    /// The answer's status, or why there was none.
    pub result: Result<u16, String>,
    /// The start of the answer's body.
    pub answer: String,
    pub millis: u128,
}

impl Attempt {
    fn json(&self) -> Value {
        json!({
            "at": clock::text(self.at),
            "signedAt": self.signed_at,
            "status": self.result.as_ref().ok(),
            "error": self.result.as_ref().err(),
            "answer": self.answer,
            "durationMs": u64::try_from(self.millis).unwrap_or(u64::MAX),
        })
    }
}

/// One webhook to one subscription.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub subscription: String,
    pub url: String,
    pub event: &'static str,
    pub event_uri: String,
    pub invitee_uri: String,
    pub body: String,
    pub at: Timestamp,
    /// It repeats the one before it.
    pub is_repeat: bool,
    pub stage: Stage,
    pub attempts: Vec<Attempt>,
}

/// Every delivery, by its number, and those that are held to be reordered.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    pub all: Vec<Delivery>,
    pub held: Vec<usize>,
    /// Grows with every one that is held.
    pub holds: u64,
    /// Those that wait to be fetched by the program around the sandbox.
    pub ready: Vec<usize>,
}

impl Deliveries {
    /// How many may still be sent.
    pub(crate) fn open(&self) -> usize {
        self.all.iter().filter(|d| d.stage.is_open()).count()
    }

    /// The latest `limit` that `keep` keeps, newest first.
    pub(crate) fn json(&self, limit: usize, event: Option<&str>, stage: Option<&str>) -> Value {
        self.all
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, d)| event.is_none_or(|event| d.event == event))
            .filter(|(_, d)| stage.is_none_or(|stage| d.stage.name() == stage))
            .take(limit)
            .map(|(number, delivery)| {
                json!({
                    "number": number,
                    "subscription": delivery.subscription,
                    "url": delivery.url,
                    "event": delivery.event,
                    "eventUri": delivery.event_uri,
                    "inviteeUri": delivery.invitee_uri,
                    "body": delivery.body,
                    "createdAt": clock::text(delivery.at),
                    "repeat": delivery.is_repeat,
                    "state": delivery.stage.name(),
                    "attempts": delivery.attempts.iter().map(Attempt::json).collect::<Vec<_>>(),
                })
            })
            .collect()
    }
}
