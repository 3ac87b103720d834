//! Where an invitee or event stands: the word for it, and what is said of its cancellation.
//!
//! Three things can tell that something is canceled: the name of the webhook's event, the status, and
//! a `cancellation`. The first that says something counts, in this order; where a later one says the
//! opposite, that is noted. An object counts only for what is in it: some relays send an empty one
//! always.

use super::limits::{LINE, REASON, WORD};
use super::part::Part;
use booking::Cancellation;
use serde_json::Value;

/// Whether something is canceled, and how that came.
pub(super) struct Standing {
    pub(super) canceled: bool,
    pub(super) cancellation: Option<Cancellation>,
}

/// Reads where `part`, an invitee or an event, stands. `told`: the event's name says that it is
/// canceled.
pub(super) fn read(part: &Part<'_>, told: bool) -> Standing {
    let status = status(part);
    let said = part.given("cancellation");
    let word = if told {
        if status == Some(false) {
            part.note("has the status `active` though the event's name says that it is canceled, which counts");
        }
        Some(true)
    } else {
        status
    };
    if word == Some(false) {
        if let Some(said) = said {
            said.note("stands beside the status `active`, which counts: left out");
        }
        return Standing {
            canceled: false,
            cancellation: None,
        };
    }
    let cancellation = said.as_ref().and_then(cancellation);
    // Without a word for it, only the documented object tells it.
    let shown = cancellation.is_some() && said.is_some_and(|said| said.value.is_object());
    let canceled = word.unwrap_or(shown);
    Standing {
        canceled,
        cancellation: cancellation.filter(|_| canceled),
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

fn cancellation(part: &Part<'_>) -> Option<Cancellation> {
    if let Value::String(_) = part.value {
        part.note("is a text, and not an object: kept as the reason");
        return Some(Cancellation {
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
