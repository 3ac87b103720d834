//! One person's booking of a scheduled event, as it is kept.

use crate::event::Slot;
use crate::merge::{Latest, Stamp, latest, max_of, min_of};
use crate::{InviteeUri, SubmissionUri};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum InviteeStatus {
    /// It takes place.
    Active,
    /// It was canceled.
    Canceled,
    /// It was moved: another booking took its place.
    Rescheduled,
}

/// Who canceled, and why.
///
/// The order of the fields matters: of two that were true at the same time, bytes decide, and what
/// stays of an erased one has to decide before what goes. Else it would make a difference whether
/// somebody is erased before or after the two have met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// `host` or `invitee`.
    pub by_type: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// Name of whoever canceled.
    pub by: Option<String>,
    /// The reason as given; may be empty.
    pub reason: Option<String>,
}

/// Whether the invitee was marked as not having come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoShow {
    /// Marked.
    Marked {
        /// URI of the mark.
        uri: Option<String>,
        /// When it was set.
        at: Timestamp,
    },
    /// The mark was taken back.
    Cleared,
}

/// A no-show mark that was set or taken back at a time that the provider gave.
///
/// In the order of time; of the same time the one that is set comes last, as it does for the
/// present state ([`InviteeRecord::no_show`]).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// When.
    pub at: Timestamp,
    /// Set, or taken back.
    pub marked: bool,
}

/// An answer to a question of the booking page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answer {
    /// The question.
    pub question: String,
    /// The answer; several choices are joined by new lines.
    pub answer: String,
    /// Place on the page.
    pub position: Option<i64>,
}

/// Where the invitee came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tracking {
    /// `utm_campaign`
    pub utm_campaign: Option<String>,
    /// `utm_source`
    pub utm_source: Option<String>,
    /// `utm_medium`
    pub utm_medium: Option<String>,
    /// `utm_content`
    pub utm_content: Option<String>,
    /// `utm_term`
    pub utm_term: Option<String>,
    /// Salesforce record id.
    pub salesforce_uuid: Option<String>,
}

/// What was paid on booking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The payment provider's id, such as a Stripe charge.
    pub external_id: Option<String>,
    /// `stripe` or `paypal`.
    pub provider: Option<String>,
    /// Amount in major units (249.99), as the provider wrote it.
    pub amount: Option<serde_json::Number>,
    /// ISO 4217 code.
    pub currency: Option<String>,
    /// Terms shown to the payer.
    pub terms: Option<String>,
    /// Whether it went through.
    pub successful: Option<bool>,
}

/// A reminder to confirm the booking, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconfirmation {
    /// When it was asked.
    pub created_at: Option<Timestamp>,
    /// When it was confirmed.
    pub confirmed_at: Option<Timestamp>,
}

/// The first booking of a chain of reschedules. Of two, the deeper one knows more ancestors.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lineage {
    /// How many reschedules lie between the root and this booking.
    pub depth: u32,
    /// The first booking that is known.
    pub root: InviteeUri,
}

/// One invitee: what is known, each part with the time it was true.
///
/// Details that Calendly never unsets (answers, tracking, payment, names) are only merged where a
/// message has them: a shorter message must not erase them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools)] // each merges on its own
pub struct InviteeRecord {
    /// The invitee's URI, its identity.
    pub uri: InviteeUri,
    /// A message about this very invitee was seen; otherwise only links to it. Join: or.
    pub known: bool,
    /// The person was erased: what tells who it was is gone, and what says it again is dropped.
    /// Join: or.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub erased: bool,
    /// E-mail address. Join: latest.
    pub email: Option<Latest<String>>,
    /// Full name. Join: latest.
    pub name: Option<Latest<String>>,
    /// First name. Join: latest.
    pub first_name: Option<Latest<String>>,
    /// Last name. Join: latest.
    pub last_name: Option<Latest<String>>,
    /// IANA time zone. Join: latest.
    pub timezone: Option<Latest<String>>,
    /// Phone number for text reminders. Join: latest.
    pub phone: Option<Latest<String>>,
    /// Answers. Join: latest.
    pub answers: Option<Latest<Vec<Answer>>>,
    /// Tracking. Join: latest.
    pub tracking: Option<Latest<Tracking>>,
    /// Payment. Join: latest.
    pub payment: Option<Latest<Payment>>,
    /// Reconfirmation. Join: latest.
    pub reconfirmation: Option<Latest<Reconfirmation>>,
    /// How it was booked; an open list. Join: latest.
    pub scheduling_method: Option<Latest<String>>,
    /// URI of the user who booked for the invitee. Join: latest.
    pub scheduled_by: Option<Latest<String>>,
    /// Link that cancels the booking: whoever has it can. Join: latest.
    pub cancel_url: Option<Latest<String>>,
    /// Link that moves the booking: whoever has it can. Join: latest.
    pub reschedule_url: Option<Latest<String>>,
    /// The routing form submission that led here. Join: latest by URI.
    pub submission: Option<SubmissionUri>,
    /// Canceled or moved; never undone. Join: or.
    pub canceled: bool,
    /// Moved. Join: or.
    pub rescheduled: bool,
    /// Who canceled or moved it and why. Join: latest.
    pub cancellation: Option<Latest<Cancellation>>,
    /// No-show mark. Join: latest.
    pub no_show: Option<Latest<NoShow>>,
    /// Every no-show mark that a message told of, set or taken back. Join: union.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub marks: BTreeSet<Mark>,
    /// Start and end as messages about this very invitee told them: its place in a person's list.
    /// Join: latest.
    #[serde(default)]
    pub slot: Option<Latest<Slot>>,
    /// The booking that this one replaced. Join: greatest.
    pub moved_from: Option<InviteeUri>,
    /// The bookings that replaced this one: one, but for a history that can't be. Join: union.
    #[serde(default)]
    pub moved_to: BTreeSet<InviteeUri>,
    /// The root of the chain. Join: deepest.
    pub lineage: Option<Lineage>,
    /// When the booking was made. Join: earliest.
    pub created_at: Option<Timestamp>,
    /// The latest time that any fact about it speaks of. Join: latest.
    pub updated_at: Option<Timestamp>,
}

impl InviteeRecord {
    /// A record that knows nothing but the invitee's name.
    pub fn about(uri: InviteeUri) -> Self {
        Self {
            uri,
            known: false,
            erased: false,
            email: None,
            name: None,
            first_name: None,
            last_name: None,
            timezone: None,
            phone: None,
            answers: None,
            tracking: None,
            payment: None,
            reconfirmation: None,
            scheduling_method: None,
            scheduled_by: None,
            cancel_url: None,
            reschedule_url: None,
            submission: None,
            canceled: false,
            rescheduled: false,
            cancellation: None,
            no_show: None,
            marks: BTreeSet::new(),
            slot: None,
            moved_from: None,
            moved_to: BTreeSet::new(),
            lineage: None,
            created_at: None,
            updated_at: None,
        }
    }

    /// Joins what `other` knows of the same invitee.
    pub fn merge(&mut self, other: &Self) {
        self.known |= other.known;
        self.erased |= other.erased;
        latest(&mut self.email, &other.email);
        latest(&mut self.name, &other.name);
        latest(&mut self.first_name, &other.first_name);
        latest(&mut self.last_name, &other.last_name);
        latest(&mut self.timezone, &other.timezone);
        latest(&mut self.phone, &other.phone);
        latest(&mut self.answers, &other.answers);
        latest(&mut self.tracking, &other.tracking);
        latest(&mut self.payment, &other.payment);
        latest(&mut self.reconfirmation, &other.reconfirmation);
        latest(&mut self.scheduling_method, &other.scheduling_method);
        latest(&mut self.scheduled_by, &other.scheduled_by);
        latest(&mut self.cancel_url, &other.cancel_url);
        latest(&mut self.reschedule_url, &other.reschedule_url);
        max_of(&mut self.submission, &other.submission);
        self.canceled |= other.canceled;
        self.rescheduled |= other.rescheduled;
        latest(&mut self.cancellation, &other.cancellation);
        latest(&mut self.no_show, &other.no_show);
        self.marks.extend(other.marks.iter().cloned());
        latest(&mut self.slot, &other.slot);
        max_of(&mut self.moved_from, &other.moved_from);
        self.moved_to.extend(other.moved_to.iter().cloned());
        max_of(&mut self.lineage, &other.lineage);
        min_of(&mut self.created_at, &other.created_at);
        max_of(&mut self.updated_at, &other.updated_at);
        if self.erased {
            self.forget();
        }
    }

    /// Where the booking stands. A move is not a cancellation, whichever half of it came.
    pub fn status(&self) -> InviteeStatus {
        if self.rescheduled || !self.moved_to.is_empty() {
            InviteeStatus::Rescheduled
        } else if self.canceled {
            InviteeStatus::Canceled
        } else {
            InviteeStatus::Active
        }
    }

    /// Takes over a mark, or its end, of which the provider says when that was. That a mark is gone
    /// which only a later look found has no such time: it is no [`Mark`], or each look would add one.
    pub fn set_no_show(&mut self, at: Timestamp, no_show: NoShow) {
        let marked = matches!(no_show, NoShow::Marked { .. });
        self.marks.insert(Mark { at, marked });
        self.no_show = Some(Latest::new(Stamp::new(at, at), no_show));
    }

    /// When the meeting starts, as messages about this very invitee told it.
    pub fn start(&self) -> Option<Timestamp> {
        self.slot.as_ref().map(|slot| slot.value.start)
    }

    /// Whether a no-show mark is set.
    pub fn is_no_show(&self) -> bool {
        matches!(
            self.no_show.as_ref().map(|no_show| &no_show.value),
            Some(NoShow::Marked { .. })
        )
    }

    /// The lineage that a booking which replaces this one has.
    pub(crate) fn passes_on(&self) -> Lineage {
        match &self.lineage {
            Some(lineage) => Lineage {
                depth: lineage.depth.saturating_add(1),
                root: lineage.root.clone(),
            },
            None => Lineage {
                depth: 1,
                root: self.uri.clone(),
            },
        }
    }
}
