//! Where an invitee or event stands: the word for it, and what is said of its cancellation.
//!
//! Four things can tell that something is canceled: the name of the webhook's event, the status, the
//! flag `canceled` that Calendly's first API had, and a `cancellation`. The first that says something
//! counts, in this order; where a later one says the opposite, that is noted. An object counts only for
//! what is in it: some relays send an empty one always.

use super::limits::{LINE, REASON, WORD};
use super::notes::Notes;
use super::part::Part;
use booking::Cancellation;
use serde_json::Value;

/// Whether something is canceled, and how that came.
pub(super) struct Standing {
    pub(super) canceled: bool,
    pub(super) cancellation: Option<Cancellation>,
}

/// Whether something says of itself that it is canceled.
pub(super) fn is_canceled(value: &Value) -> bool {
    // Whoever reads it tells what is odd about it.
    let notes = Notes::default();
    read(&Part::new(value, "", &notes), false).canceled
}

/// Reads where `part`, an invitee or an event, stands. `told`: the event's name says that it is
/// canceled.
pub(super) fn read(part: &Part<'_>, told: bool) -> Standing {
    let status = status(part);
    if told
        && status == Some(false)
        && let Some(status) = part.given("status")
    {
        status.note("is `active` though the event's name says that it is canceled, which counts");
    }
    let word = told.then_some(true).or(status);
    let flag = part.given("canceled").and_then(|part| {
        let flag = part.flag()?;
        if word.is_some_and(|word| word != flag) {
            part.note("says the opposite of what counts: left out");
        }
        Some(flag)
    });
    let word = word.or(flag);
    let said = part.given("cancellation");
    if word == Some(false) {
        if let Some(said) = said {
            said.note("stands beside a word that it is not canceled, which counts: left out");
        }
        return Standing {
            canceled: false,
            cancellation: None,
        };
    }
    let cancellation = said.and_then(|said| cancellation(&said, word.is_some()));
    Standing {
        canceled: word.is_some() || cancellation.is_some(),
        cancellation,
    }
}

/// Whether the status says `canceled`; nothing where it says neither that nor `active`.
fn status(part: &Part<'_>) -> Option<bool> {
    let status = part.given("status")?;
    let word = status.value.as_str().unwrap_or_default().trim();
    match word.to_ascii_lowercase().as_str() {
        "active" => Some(false),
        "canceled" | "cancelled" => Some(true),
        _ => {
            status.note("is neither `active` nor `canceled`: left out");
            None
        }
    }
}

/// What is said of a cancellation. Without a `word` that there was one, only the documented object
/// tells it.
fn cancellation(part: &Part<'_>, word: bool) -> Option<Cancellation> {
    if let Value::String(_) = part.value {
        let becomes = if word {
            "kept as the reason"
        } else {
            "left out"
        };
        part.note(&format!("is a text, and not an object: {becomes}"));
        return word.then(|| Cancellation {
            by: None,
            reason: part.text(REASON),
            by_type: None,
            at: None,
            inferred: false,
        });
    }
    let part = part.clone().object()?;
    let cancellation = Cancellation {
        by: part.text_of("canceled_by", LINE),
        // An empty one tells that none was given.
        reason: part.field("reason").and_then(|reason| reason.text(REASON)),
        by_type: part.word_of("canceler_type", WORD),
        at: part.time_of("created_at"),
        inferred: false,
    };
    let empty = cancellation.by.is_none()
        && cancellation
            .reason
            .as_deref()
            .is_none_or(|reason| reason.trim().is_empty())
        && cancellation.by_type.is_none()
        && cancellation.at.is_none();
    if empty {
        part.note("has none of its documented fields: left out");
        return None;
    }
    Some(cancellation)
}
