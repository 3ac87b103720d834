//! How bookings are shown: the shapes of the HTTP contract.

use crate::invitee::{Answer, Cancellation, InviteeRecord, InviteeStatus, NoShow};
use crate::{EventRecord, Latest, Meeting, Provider, SubmissionRecord, cut};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who canceled or moved a booking, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancellationView {
    /// Name.
    pub by: Option<String>,
    /// Reason; may be empty. Lists of events show its first 500 bytes.
    pub reason: Option<String>,
    /// `host` or `invitee`.
    pub by_type: Option<String>,
    /// When.
    pub at: Option<Timestamp>,
    /// Nobody told of it: the event is no longer at Calendly, and `at` is when that was first found.
    /// It is taken back when the event is seen again.
    #[serde(default)]
    pub inferred: bool,
}

impl From<&Cancellation> for CancellationView {
    fn from(c: &Cancellation) -> Self {
        Self {
            by: c.by.clone(),
            reason: c.reason.clone(),
            by_type: c.by_type.clone(),
            at: c.at,
            inferred: c.inferred,
        }
    }
}

/// How much of a reason lists of events show, in bytes.
const MAX_REASON_IN_LISTS: usize = 500;

/// An invitee as lists show it. Events carry these for their first invitees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::struct_excessive_bools)] // the fields of the contract
pub struct InviteeSummary {
    /// Last part of the URI.
    pub id: String,
    /// The invitee's URI.
    pub uri: String,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// IANA time zone.
    pub timezone: Option<String>,
    /// Where the booking stands.
    pub status: InviteeStatus,
    /// The status is `canceled`; a moved booking is not.
    pub canceled: bool,
    /// The status is `rescheduled`.
    pub rescheduled: bool,
    /// Marked as a no-show.
    pub no_show: bool,
    /// The person was erased: what told who it was is null.
    #[serde(default)]
    pub erased: bool,
    /// Who canceled or moved it, and why.
    pub cancellation: Option<CancellationView>,
    /// URI of the booking that this one replaced.
    pub rescheduled_from: Option<String>,
    /// URI of the booking that replaced this one.
    pub rescheduled_to: Option<String>,
    /// URI of the first booking of the chain, for one that replaced another.
    pub root: Option<String>,
    /// When the booking was made.
    pub created_at: Option<Timestamp>,
    /// The latest time that any fact about it speaks of.
    pub updated_at: Option<Timestamp>,
}

fn value<T: Clone>(field: Option<&Latest<T>>) -> Option<T> {
    field.map(|latest| latest.value.clone())
}

fn removable<T: Clone>(field: Option<&Latest<Option<T>>>) -> Option<T> {
    field.and_then(|latest| latest.value.clone())
}

fn root_of(record: &InviteeRecord) -> Option<String> {
    let root = record.lineage.as_ref()?.root.as_ref()?;
    Some(root.to_string())
}

impl InviteeSummary {
    /// The summary of a record.
    pub fn of(record: &InviteeRecord) -> Self {
        Self::own(record).at(&record.meeting)
    }

    /// What messages about this very invitee say.
    pub fn own(record: &InviteeRecord) -> Self {
        let status = record.own_status();
        Self {
            id: record.uri.id().to_owned(),
            uri: record.uri.to_string(),
            name: value(record.name.as_ref()),
            email: value(record.email.as_ref()),
            timezone: value(record.timezone.as_ref()),
            status,
            canceled: status == InviteeStatus::Canceled,
            rescheduled: status == InviteeStatus::Rescheduled,
            no_show: record.is_no_show(),
            erased: record.erased,
            cancellation: record.cancellation.as_ref().map(|c| (&c.value).into()),
            rescheduled_from: record.moved_from.as_ref().map(ToString::to_string),
            rescheduled_to: record.moved_to.last().map(ToString::to_string),
            root: root_of(record),
            created_at: record.created_at,
            updated_at: record.updated_at,
        }
    }

    /// The same for the roster: what an event's record carries of all its people has to fit with it.
    pub(crate) fn in_brief(mut self) -> Self {
        let reason = self.cancellation.as_mut().and_then(|it| it.reason.as_mut());
        if let Some(reason) = reason
            && let Some(cut) = cut(reason, MAX_REASON_IN_LISTS)
        {
            *reason = cut;
        }
        self
    }

    /// The same of somebody who booked this meeting.
    pub(crate) fn at(mut self, meeting: &Meeting) -> Self {
        if meeting.canceled && self.status == InviteeStatus::Active {
            self.status = InviteeStatus::Canceled;
            self.canceled = true;
        }
        let told = self.cancellation.take();
        self.cancellation = told.or_else(|| meeting.cancellation.as_ref().map(Into::into));
        self
    }

    /// Whether the booking takes place.
    pub fn is_active(&self) -> bool {
        self.status == InviteeStatus::Active
    }
}

/// An invitee with every detail that is kept.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InviteeView {
    /// What lists show.
    #[serde(flatten)]
    pub summary: InviteeSummary,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Phone number for text reminders.
    pub text_reminder_number: Option<String>,
    /// Answers of the booking page.
    pub answers: Vec<Answer>,
    /// Where the invitee came from.
    pub tracking: Option<TrackingView>,
    /// What was paid.
    pub payment: Option<PaymentView>,
    /// Reconfirmation asked and given.
    pub reconfirmation: Option<ReconfirmationView>,
    /// When the no-show mark was set.
    pub no_show_at: Option<Timestamp>,
    /// How it was booked.
    pub scheduling_method: Option<String>,
    /// URI of the user who booked for the invitee.
    pub scheduled_by: Option<String>,
    /// Link that cancels the booking.
    pub cancel_url: Option<String>,
    /// Link that moves the booking.
    pub reschedule_url: Option<String>,
    /// The routing form submission that led here; its URI alone until the submission is known.
    pub routing_form_submission: Option<SubmissionView>,
}

/// See [`crate::Tracking`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // names of the fields say all there is
pub struct TrackingView {
    pub utm_campaign: Option<String>,
    pub utm_source: Option<String>,
    pub utm_medium: Option<String>,
    pub utm_content: Option<String>,
    pub utm_term: Option<String>,
    pub salesforce_uuid: Option<String>,
}

impl From<&crate::Tracking> for TrackingView {
    fn from(t: &crate::Tracking) -> Self {
        Self {
            utm_campaign: t.utm_campaign.clone(),
            utm_source: t.utm_source.clone(),
            utm_medium: t.utm_medium.clone(),
            utm_content: t.utm_content.clone(),
            utm_term: t.utm_term.clone(),
            salesforce_uuid: t.salesforce_uuid.clone(),
        }
    }
}

/// See [`crate::Payment`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // names of the fields say all there is
pub struct PaymentView {
    pub external_id: Option<String>,
    pub provider: Option<String>,
    pub amount: Option<serde_json::Number>,
    pub currency: Option<String>,
    pub terms: Option<String>,
    pub successful: Option<bool>,
}

/// See [`crate::Reconfirmation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)] // names of the fields say all there is
pub struct ReconfirmationView {
    pub created_at: Option<Timestamp>,
    pub confirmed_at: Option<Timestamp>,
}

/// A routing form submission.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubmissionView {
    /// The submission's URI.
    pub uri: String,
    /// URI of the form.
    pub form: Option<String>,
    /// Answers.
    pub answers: Vec<crate::FormAnswer>,
    /// Where the form led.
    pub result: Option<serde_json::Value>,
    /// Where the submitter came from.
    pub tracking: Option<TrackingView>,
    /// When it was submitted.
    pub created_at: Option<Timestamp>,
}

impl SubmissionView {
    fn of(uri: &crate::SubmissionUri, record: Option<&SubmissionRecord>) -> Self {
        Self {
            uri: uri.to_string(),
            form: record.and_then(|r| value(r.form.as_ref())),
            answers: record
                .and_then(|r| value(r.answers.as_ref()))
                .unwrap_or_default(),
            result: record.and_then(|r| value(r.result.as_ref())),
            tracking: record
                .and_then(|r| r.tracking.as_ref())
                .map(|t| (&t.value).into()),
            created_at: record.and_then(|r| r.created_at),
        }
    }
}

impl InviteeView {
    /// Every detail of a record, with its routing form submission where that is stored.
    pub fn of(record: &InviteeRecord, submission: Option<&SubmissionRecord>) -> Self {
        Self {
            summary: InviteeSummary::of(record),
            first_name: value(record.first_name.as_ref()),
            last_name: value(record.last_name.as_ref()),
            text_reminder_number: removable(record.phone.as_ref()),
            answers: value(record.answers.as_ref()).unwrap_or_default(),
            tracking: record.tracking.as_ref().map(|t| (&t.value).into()),
            payment: record.payment.as_ref().map(|payment| {
                let p = payment.value.clone();
                PaymentView {
                    external_id: p.external_id,
                    provider: p.provider,
                    amount: p.amount,
                    currency: p.currency,
                    terms: p.terms,
                    successful: p.successful,
                }
            }),
            reconfirmation: removable(record.reconfirmation.as_ref()).map(|asked| {
                ReconfirmationView {
                    created_at: asked.created_at,
                    confirmed_at: asked.confirmed_at,
                }
            }),
            no_show_at: match record.no_show.as_ref().map(|n| &n.value) {
                Some(NoShow::Marked { at, .. }) => Some(*at),
                _ => None,
            },
            scheduling_method: value(record.scheduling_method.as_ref()),
            scheduled_by: value(record.scheduled_by.as_ref()),
            cancel_url: value(record.cancel_url.as_ref()),
            reschedule_url: value(record.reschedule_url.as_ref()),
            routing_form_submission: record
                .submission
                .as_ref()
                .map(|uri| SubmissionView::of(uri, submission)),
        }
    }
}

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EventStatus {
    /// It takes place.
    Active,
    /// It was canceled.
    Canceled,
}

impl EventStatus {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Canceled => "canceled",
        }
    }
}

/// A host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HostView {
    /// User URI.
    pub uri: Option<String>,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

/// A guest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GuestView {
    /// E-mail address.
    pub email: String,
}

/// A scheduled event with its invitees: summaries in a list, [`InviteeView`]s on its own.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EventWith{I}")]
pub struct EventView<I> {
    /// Last part of the URI.
    pub id: String,
    /// The event's URI.
    pub uri: String,
    /// Name of the meeting.
    pub name: Option<String>,
    /// Where it stands.
    pub status: EventStatus,
    /// Start, UTC.
    pub start_time: Option<Timestamp>,
    /// End, UTC.
    pub end_time: Option<Timestamp>,
    /// Time zone of its earliest invitee.
    pub timezone: Option<String>,
    /// Where it takes place, as the provider gives it; field names in camel case.
    pub location: Option<serde_json::Value>,
    /// Hosts.
    pub hosts: Vec<HostView>,
    /// Guests.
    pub guests: Vec<GuestView>,
    /// URI of the event type.
    pub event_type: Option<String>,
    /// How many people it has.
    pub invitees_counter: Option<CounterView>,
    /// Who canceled it, and why.
    pub cancellation: Option<CancellationView>,
    /// Since when it can't be found at Calendly, where it could before. Two looks some time apart
    /// cancel it.
    pub missing_since: Option<Timestamp>,
    /// Internal notes.
    pub notes: Option<String>,
    /// The connection that told of it.
    pub connection: Option<String>,
    /// Where it comes from.
    pub provider: Provider,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// The latest time that any fact about it speaks of.
    pub updated_at: Option<Timestamp>,
    /// Invitees.
    pub invitees: Vec<I>,
}

/// See [`crate::Counter`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[allow(missing_docs)] // names of the fields say all there is
pub struct CounterView {
    pub total: Option<i64>,
    pub active: Option<i64>,
    pub limit: Option<i64>,
}

/// Field names as the contract has them, at every depth.
fn camel_case(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match json {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (camel(&name), camel_case(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(camel_case).collect(),
        other => other,
    }
}

fn camel(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

impl EventView<InviteeSummary> {
    /// An event as lists show it, with the invitees that its own record carries.
    pub fn listed(record: &EventRecord) -> Self {
        let meeting = record.meeting();
        let people = record.roster.values().cloned();
        Self::of(record, people.map(|one| one.at(&meeting)).collect())
    }
}

impl<I> EventView<I> {
    /// An event with the given invitees.
    pub fn of(record: &EventRecord, invitees: Vec<I>) -> Self {
        let slot = record.slot.as_ref().map(|slot| slot.value.clone());
        let first = record
            .roster
            .values()
            .min_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Self {
            id: record.uri.id().to_owned(),
            uri: record.uri.to_string(),
            name: removable(record.name.as_ref()),
            status: record.status(),
            start_time: slot.as_ref().map(|s| s.start),
            end_time: slot.and_then(|s| s.end),
            timezone: first.and_then(|i| i.timezone.clone()),
            location: value(record.location.as_ref()).map(camel_case),
            hosts: record
                .hosts
                .iter()
                .flat_map(|hosts| &hosts.value)
                .map(|h| HostView {
                    uri: h.uri.clone(),
                    name: h.name.clone(),
                    email: h.email.clone(),
                })
                .collect(),
            guests: value(record.guests.as_ref())
                .unwrap_or_default()
                .into_iter()
                .map(|g| GuestView { email: g.email })
                .collect(),
            event_type: value(record.event_type.as_ref()),
            invitees_counter: record.counter.as_ref().map(|c| CounterView {
                total: c.value.total,
                active: c.value.active,
                limit: c.value.limit,
            }),
            cancellation: record.shown_cancellation().as_ref().map(Into::into),
            missing_since: record.sightings.missing_since(),
            notes: removable(record.notes.as_ref()),
            connection: record.connections.first().map(|c| c.as_str().to_owned()),
            provider: record.provider,
            created_at: record.created_at,
            updated_at: record.updated_at,
            invitees,
        }
    }
}
