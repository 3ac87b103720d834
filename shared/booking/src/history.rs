//! What happened to a booking, told from the facts that are kept: whatever the order in which they
//! came, it is the same story.

use crate::{Cancellation, InviteeRecord, InviteeStatus, Transition};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// What an address is to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// They booked.
    Invitee,
    /// They were brought along.
    Guest,
    /// They hold the meeting.
    Host,
}

impl Role {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invitee => "invitee",
            Self::Guest => "guest",
            Self::Host => "host",
        }
    }
}

/// A transition of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// What happened.
    pub transition: Transition,
    /// When, by Calendly's clock; null where no fact tells.
    pub at: Option<Timestamp>,
    /// Why.
    pub cause: Cause,
}

/// What a transition came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Name of whoever canceled or moved the booking.
    pub by: Option<String>,
    /// `host` or `invitee`.
    pub by_type: Option<String>,
    /// The reason as given.
    pub reason: Option<String>,
    /// URI of the booking that this one replaced.
    pub rescheduled_from: Option<String>,
    /// URI of the booking that replaced this one.
    pub rescheduled_to: Option<String>,
    /// What was updated.
    pub detail: Option<&'static str>,
}

impl Cause {
    fn of(cancellation: Option<&Cancellation>) -> Self {
        Self {
            by: cancellation.and_then(|c| c.by.clone()),
            by_type: cancellation.and_then(|c| c.by_type.clone()),
            reason: cancellation.and_then(|c| c.reason.clone()),
            ..Self::default()
        }
    }
}

/// The transitions of a booking, the earliest first; what has no time comes last.
pub fn history(record: &InviteeRecord) -> Vec<HistoryEntry> {
    let mut entries = Vec::new();
    let mut add = |transition, at, cause| {
        entries.push(HistoryEntry {
            transition,
            at,
            cause,
        });
    };
    if let Some(from) = &record.moved_from {
        let cause = Cause {
            rescheduled_from: Some(from.to_string()),
            ..Cause::default()
        };
        add(Transition::Rescheduled, record.created_at, cause);
    } else if record.known {
        add(Transition::Scheduled, record.created_at, Cause::default());
    }
    let asked = record.reconfirmation.as_ref().map(|asked| &asked.value);
    if let Some(at) = asked.and_then(|asked| asked.created_at) {
        let cause = Cause {
            detail: Some("reconfirmation requested"),
            ..Cause::default()
        };
        add(Transition::Updated, Some(at), cause);
    }
    if let Some(at) = asked.and_then(|asked| asked.confirmed_at) {
        let cause = Cause {
            detail: Some("reconfirmation confirmed"),
            ..Cause::default()
        };
        add(Transition::Updated, Some(at), cause);
    }
    let canceled = record.cancellation.as_ref().map(|c| &c.value);
    let ended = canceled.and_then(|c| c.at).or(record.updated_at);
    match record.status() {
        InviteeStatus::Active => {}
        InviteeStatus::Canceled => add(Transition::Canceled, ended, Cause::of(canceled)),
        InviteeStatus::Rescheduled => {
            let cause = Cause {
                rescheduled_to: record.moved_to.last().map(ToString::to_string),
                ..Cause::of(canceled)
            };
            add(Transition::Rescheduled, ended, cause);
        }
    }
    let mut marked = false;
    for mark in &record.marks {
        if mark.set != marked {
            add(no_show(mark.set), Some(mark.at), Cause::default());
            marked = mark.set;
        }
    }
    // What only a comparison with Calendly found: the mark of which nobody told, or its end.
    if record.is_no_show() != marked {
        let at = record.no_show.as_ref().map(crate::Latest::at);
        add(no_show(!marked), at, Cause::default());
    }
    // The sort keeps the order of what happened at one time.
    entries.sort_by_key(|entry| (entry.at.is_none(), entry.at));
    entries
}

fn no_show(set: bool) -> Transition {
    if set {
        Transition::NoShowMarked
    } else {
        Transition::NoShowCleared
    }
}
