//! One person's booking of a scheduled event, as it is kept.

use crate::meeting::Meeting;
use crate::merge::{Latest, Removable, Stamp, latest, max_of, min_of};
use crate::parts::{ByPart, Parts, bits, by_part, fill, is_same};
use crate::{InviteeUri, Lineage, SubmissionUri};
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
    /// Nobody told of it: the event is no longer at Calendly.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
}

impl Cancellation {
    /// What is said of an event that was looked for in vain since `at`.
    pub(crate) fn inferred(at: Timestamp) -> Self {
        Self {
            by_type: None,
            at: Some(at),
            by: None,
            reason: Some("no longer at Calendly".to_owned()),
            inferred: true,
        }
    }
}

/// Two who canceled at the same end are one: a cancellation is for good, and told again and again.
impl Parts for Cancellation {
    fn told(&self) -> u8 {
        let Self {
            by_type,
            at,
            by,
            reason,
            inferred: _,
        } = self;
        bits([
            by_type.is_some(),
            at.is_some(),
            by.is_some(),
            reason.is_some(),
        ])
    }

    fn fill(&mut self, older: &Self) {
        if is_same(&self.by_type, &older.by_type) {
            fill(&mut self.by_type, &older.by_type);
            fill(&mut self.at, &older.at);
            fill(&mut self.by, &older.by);
            fill(&mut self.reason, &older.reason);
        }
    }
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
    /// The answer was too long to be kept whole; the delivery has all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
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

impl Parts for Tracking {
    fn told(&self) -> u8 {
        let Self {
            utm_campaign,
            utm_source,
            utm_medium,
            utm_content,
            utm_term,
            salesforce_uuid,
        } = self;
        bits([
            utm_campaign.is_some(),
            utm_source.is_some(),
            utm_medium.is_some(),
            utm_content.is_some(),
            utm_term.is_some(),
            salesforce_uuid.is_some(),
        ])
    }

    fn fill(&mut self, older: &Self) {
        fill(&mut self.utm_campaign, &older.utm_campaign);
        fill(&mut self.utm_source, &older.utm_source);
        fill(&mut self.utm_medium, &older.utm_medium);
        fill(&mut self.utm_content, &older.utm_content);
        fill(&mut self.utm_term, &older.utm_term);
        fill(&mut self.salesforce_uuid, &older.salesforce_uuid);
    }
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

/// Another charge is another payment: nothing of the one is said of the other.
impl Parts for Payment {
    fn told(&self) -> u8 {
        let Self {
            external_id,
            provider,
            amount,
            currency,
            terms,
            successful,
        } = self;
        bits([
            external_id.is_some(),
            provider.is_some(),
            amount.is_some(),
            currency.is_some(),
            terms.is_some(),
            successful.is_some(),
        ])
    }

    fn fill(&mut self, older: &Self) {
        if is_same(&self.external_id, &older.external_id) {
            fill(&mut self.external_id, &older.external_id);
            fill(&mut self.provider, &older.provider);
            fill(&mut self.amount, &older.amount);
            fill(&mut self.currency, &older.currency);
            fill(&mut self.terms, &older.terms);
            fill(&mut self.successful, &older.successful);
        }
    }
}

/// A reminder to confirm the booking, and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconfirmation {
    /// When it was asked.
    pub created_at: Option<Timestamp>,
    /// When it was confirmed.
    pub confirmed_at: Option<Timestamp>,
}

/// One invitee: what is known, each part with the time it was true.
///
/// What may be taken away again, and what stays until something newer takes its place, is in one
/// table ([`crate::absence`]).
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
    pub phone: Removable<String>,
    /// Answers. Join: latest.
    pub answers: Option<Latest<Vec<Answer>>>,
    /// Tracking. Join: latest.
    pub tracking: Option<ByPart<Tracking>>,
    /// Payment. Join: latest.
    pub payment: Option<ByPart<Payment>>,
    /// Reconfirmation. Join: latest.
    pub reconfirmation: Removable<Reconfirmation>,
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
    /// Who canceled or moved it and why. Join: latest, by part.
    pub cancellation: Option<ByPart<Cancellation>>,
    /// No-show mark. Join: latest.
    pub no_show: Option<Latest<NoShow>>,
    /// Every no-show mark that a message told of, set or taken back. Join: union.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub marks: BTreeSet<Mark>,
    /// What its event says of the meeting: a copy, never merged.
    #[serde(default)]
    pub meeting: Meeting,
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
            meeting: Meeting::default(),
            moved_from: None,
            moved_to: BTreeSet::new(),
            lineage: None,
            created_at: None,
            updated_at: None,
        }
    }

    /// Joins what `other` knows of the same invitee.
    pub fn merge(&mut self, other: &Self) {
        // Every field, so that none can be forgotten.
        let Self {
            uri: _,
            known,
            erased,
            email,
            name,
            first_name,
            last_name,
            timezone,
            phone,
            answers,
            tracking,
            payment,
            reconfirmation,
            scheduling_method,
            scheduled_by,
            cancel_url,
            reschedule_url,
            submission,
            canceled,
            rescheduled,
            cancellation,
            no_show,
            marks,
            meeting: _,
            moved_from,
            moved_to,
            lineage,
            created_at,
            updated_at,
        } = other;
        self.known |= known;
        self.erased |= erased;
        latest(&mut self.email, email);
        latest(&mut self.name, name);
        latest(&mut self.first_name, first_name);
        latest(&mut self.last_name, last_name);
        latest(&mut self.timezone, timezone);
        latest(&mut self.phone, phone);
        latest(&mut self.answers, answers);
        by_part(&mut self.tracking, tracking);
        by_part(&mut self.payment, payment);
        latest(&mut self.reconfirmation, reconfirmation);
        latest(&mut self.scheduling_method, scheduling_method);
        latest(&mut self.scheduled_by, scheduled_by);
        latest(&mut self.cancel_url, cancel_url);
        latest(&mut self.reschedule_url, reschedule_url);
        max_of(&mut self.submission, submission);
        self.canceled |= canceled;
        self.rescheduled |= rescheduled;
        by_part(&mut self.cancellation, cancellation);
        latest(&mut self.no_show, no_show);
        self.marks.extend(marks.iter().cloned());
        max_of(&mut self.moved_from, moved_from);
        self.moved_to.extend(moved_to.iter().cloned());
        max_of(&mut self.lineage, lineage);
        min_of(&mut self.created_at, created_at);
        max_of(&mut self.updated_at, updated_at);
        if self.erased {
            self.forget();
        }
    }

    /// Where the booking stands. A move is not a cancellation, whichever half of it came; nor is
    /// one whose new half never came, such as when the host asks for another time.
    pub fn status(&self) -> InviteeStatus {
        match self.own_status() {
            InviteeStatus::Active if self.meeting.canceled => InviteeStatus::Canceled,
            own => own,
        }
    }

    /// As [`Self::status`], by what messages about this very invitee say alone.
    pub(crate) fn own_status(&self) -> InviteeStatus {
        if self.rescheduled || !self.moved_to.is_empty() {
            InviteeStatus::Rescheduled
        } else if self.canceled {
            InviteeStatus::Canceled
        } else {
            InviteeStatus::Active
        }
    }

    /// Who canceled or moved it and why: its own word before its event's.
    pub fn shown_cancellation(&self) -> Option<&Cancellation> {
        let own = self.cancellation.as_ref().map(|told| &told.value);
        own.or(self.meeting.cancellation.as_ref())
    }

    /// Takes over a mark, or its end, of which the provider says when that was. That a mark is gone
    /// which only a later look found has no such time: it is no [`Mark`], or each look would add one.
    pub fn set_no_show(&mut self, at: Timestamp, no_show: NoShow) {
        let marked = matches!(no_show, NoShow::Marked { .. });
        self.marks.insert(Mark { at, marked });
        self.no_show = Some(Latest::new(Stamp::new(at, at), no_show));
    }

    /// When the meeting starts.
    pub fn start(&self) -> Option<Timestamp> {
        self.meeting.slot.as_ref().map(|slot| slot.start)
    }

    /// Whether a no-show mark is set.
    pub fn is_no_show(&self) -> bool {
        matches!(
            self.no_show.as_ref().map(|no_show| &no_show.value),
            Some(NoShow::Marked { .. })
        )
    }
}
