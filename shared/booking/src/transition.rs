//! What a step changed, in the words that consumers hear.

use crate::{EventRecord, EventView, InviteeRecord, InviteeStatus, InviteeView, Meeting};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A change of one invitee's booking.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// A booking was made.
    Scheduled,
    /// A booking took the place of another; told of the new one, once.
    Rescheduled,
    /// A booking was canceled.
    Canceled,
    /// The invitee was marked as a no-show.
    NoShowMarked,
    /// The no-show mark was taken back.
    NoShowCleared,
    /// Something else about it changed.
    Updated,
}

impl Transition {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Rescheduled => "rescheduled",
            Self::Canceled => "canceled",
            Self::NoShowMarked => "no_show_marked",
            Self::NoShowCleared => "no_show_cleared",
            Self::Updated => "updated",
        }
    }

    /// What lies between two states of one invitee; `around` says that something which is shown of
    /// its event changed, too. A link that arrives before its booking, and the canceled half of a
    /// move, are no transitions of their own.
    pub fn between(
        before: Option<&InviteeRecord>,
        after: &InviteeRecord,
        around: bool,
    ) -> Vec<Self> {
        let mut made = Vec::new();
        if !after.known {
            return made;
        }
        let was_known = before.is_some_and(|b| b.known);
        let was_moved = before.is_some_and(|b| b.known && b.moved_from.is_some());
        if after.moved_from.is_some() && !was_moved {
            made.push(Self::Rescheduled);
        } else if !was_known {
            made.push(Self::Scheduled);
        }
        let was_canceled = before.is_some_and(|b| b.known && b.status() == InviteeStatus::Canceled);
        if after.status() == InviteeStatus::Canceled && !was_canceled {
            made.push(Self::Canceled);
        }
        let was_no_show = before.is_some_and(InviteeRecord::is_no_show);
        match (was_no_show, after.is_no_show()) {
            (false, true) => made.push(Self::NoShowMarked),
            (true, false) => made.push(Self::NoShowCleared),
            _ => {}
        }
        if made.is_empty() && (around || before.is_none_or(|before| shown(before) != shown(after)))
        {
            made.push(Self::Updated);
        }
        made
    }

    /// Whether more is shown of an event than before, its people apart: the same thing told by
    /// another connection, or told again, is no change.
    pub(crate) fn shows_more(before: &EventRecord, after: &EventRecord) -> bool {
        let shown = |event: &EventRecord| EventView::<()> {
            connection: None,
            created_at: None,
            updated_at: None,
            // Of these each invitee's own transition tells.
            invitees_counter: None,
            timezone: None,
            ..EventView::of(event, Vec::new())
        };
        shown(before) != shown(after)
    }
}

/// What is shown of an invitee, but for the times of its messages.
fn shown(record: &InviteeRecord) -> (InviteeView, &Meeting) {
    let mut view = InviteeView::of(record, None);
    view.summary.created_at = None;
    view.summary.updated_at = None;
    (view, &record.meeting)
}

impl fmt::Display for Transition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
