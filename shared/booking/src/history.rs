//! What happened to a booking, derived from its record alone: the record converges, so this does.

use crate::{InviteeRecord, InviteeStatus, InviteeUri, Mark, NoShow, Transition};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// One transition of a booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// What happened.
    pub transition: Transition,
    /// When, where that is known.
    pub at: Option<Timestamp>,
    /// What is known of why.
    pub cause: Cause,
}

/// Why a transition happened; what does not apply or is not known is null.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Name of whoever canceled or moved the booking.
    pub by: Option<String>,
    /// `host` or `invitee`.
    pub by_type: Option<String>,
    /// The reason as given; may be empty.
    pub reason: Option<String>,
    /// The booking that this one replaced.
    pub rescheduled_from: Option<InviteeUri>,
    /// The booking that replaced this one.
    pub rescheduled_to: Option<InviteeUri>,
    /// What changed, of an update.
    pub detail: Option<&'static str>,
}

/// The transitions of one booking by time. Those without a time come last; of the same time, a
/// booking is made first and ends last.
pub fn history(record: &InviteeRecord) -> Vec<HistoryEntry> {
    let mut entries = Vec::new();
    entries.extend(made(record));
    entries.extend(reconfirmed(record));
    entries.extend(no_shows(record));
    entries.extend(ended(record));
    entries.sort_by_key(|entry| (entry.at.is_none(), entry.at));
    entries
}

/// How the booking came about. Of one that is known only as the old half of a move, nothing tells.
fn made(record: &InviteeRecord) -> Option<HistoryEntry> {
    let transition = match &record.moved_from {
        Some(_) => Transition::Rescheduled,
        None if record.known || record.created_at.is_some() => Transition::Scheduled,
        None => return None,
    };
    Some(HistoryEntry {
        transition,
        at: record.created_at,
        cause: Cause {
            rescheduled_from: record.moved_from.clone(),
            ..Cause::default()
        },
    })
}

fn reconfirmed(record: &InviteeRecord) -> impl Iterator<Item = HistoryEntry> {
    let asked = record.reconfirmation.as_ref();
    let asked = asked.and_then(|latest| latest.value.as_ref());
    let requested = asked.and_then(|asked| asked.created_at);
    let confirmed = asked.and_then(|asked| asked.confirmed_at);
    [
        (requested, "reconfirmation requested"),
        (confirmed, "reconfirmation confirmed"),
    ]
    .into_iter()
    .filter(|(at, _)| at.is_some())
    .map(|(at, detail)| HistoryEntry {
        transition: Transition::Updated,
        at,
        cause: Cause {
            detail: Some(detail),
            ..Cause::default()
        },
    })
}

/// No-show marks as they followed each other. Equal ones in a row are one: the later is a repeat,
/// or what lay between was never told. The last is always how it stands: a look at the invitee can
/// have found what no mark tells of.
fn no_shows(record: &InviteeRecord) -> Vec<HistoryEntry> {
    let mut marks: Vec<Mark> = record.marks.iter().cloned().collect();
    if let Some(now) = &record.no_show {
        let marked = record.is_no_show();
        let last = marks.last();
        if last.map_or(marked, |last| last.marked != marked) {
            let at = match &now.value {
                NoShow::Marked { at, .. } if last.is_none() => Some(*at),
                _ => now.time(),
            };
            let at = at.max(last.map(|last| last.at));
            marks.extend(at.map(|at| Mark { at, marked }));
        }
    }
    let mut entries: Vec<HistoryEntry> = Vec::new();
    for mark in marks {
        let transition = if mark.marked {
            Transition::NoShowMarked
        } else {
            Transition::NoShowCleared
        };
        if entries.last().map(|last| last.transition) != Some(transition) {
            entries.push(HistoryEntry {
                transition,
                at: Some(mark.at),
                cause: Cause::default(),
            });
        }
    }
    entries
}

/// How the booking ended, if it did.
fn ended(record: &InviteeRecord) -> Option<HistoryEntry> {
    let transition = match record.status() {
        InviteeStatus::Active => return None,
        InviteeStatus::Canceled => Transition::Canceled,
        InviteeStatus::Rescheduled => Transition::Rescheduled,
    };
    let cancellation = record.shown_cancellation();
    Some(HistoryEntry {
        transition,
        at: cancellation.and_then(|c| c.at).or(record.updated_at),
        cause: Cause {
            by: cancellation.and_then(|c| c.by.clone()),
            by_type: cancellation.and_then(|c| c.by_type.clone()),
            reason: cancellation.and_then(|c| c.reason.clone()),
            rescheduled_to: record.moved_to.last().cloned(),
            ..Cause::default()
        },
    })
}
