//! What routes answer. Shapes that the stores and the domain have already are used as they are.

use booking::{ConnectionId, EventView, HistoryEntry, InviteeSummary, InviteeView, Role};
use calendly::api::{Scope, Subscription, SubscriptionState};
use jiff::Timestamp;
use platform::connections::{Connection, Watched};
use platform::deliveries::{Delivery, DeliveryId, ErrorKind, Status};
use schemars::JsonSchema;
use serde::Serialize;

/// An error.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorBody {
    /// For people: what is wrong, and what to do.
    pub error: String,
    /// For programs: `UPPER_SNAKE`.
    pub code: String,
    /// The id that the log lines of this request carry.
    pub tracking_id: String,
    /// When.
    pub timestamp: Timestamp,
}

/// That the API answers.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok`.
    #[schemars(extend("const" = "ok"))]
    pub status: &'static str,
    /// The service's version.
    pub version: &'static str,
    /// When.
    pub timestamp: Timestamp,
}

/// A scheduled event with every detail of its invitees.
pub type Event = EventView<InviteeView>;
/// A scheduled event as lists show it.
pub type ListedEvent = EventView<InviteeSummary>;

/// A scheduled event with its invitees.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventAnswer {
    /// The event, with as many of its invitees as an answer holds.
    #[serde(flatten)]
    pub event: Event,
    /// Where its next invitees begin; null after the last.
    pub next_cursor: Option<String>,
}

/// A page of events.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventList {
    /// The events.
    pub events: Vec<ListedEvent>,
    /// Where the next page begins; null on the last. A page can hold fewer than asked for, even
    /// none, and still have a next one: of several filters most are applied while events are read.
    pub next_cursor: Option<String>,
}

/// A step of a booking's history, with the booking that it is of.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryStep {
    /// Id of the invitee.
    pub invitee_id: String,
    /// What happened, when and why.
    #[serde(flatten)]
    pub entry: HistoryEntry,
}

/// What happened to a booking, or to all bookings of an event, the earliest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// What happened, as the stored facts tell it.
    pub history: Vec<HistoryStep>,
    /// The deliveries in the log that told of it, the earliest first; at most 100.
    pub deliveries: Vec<Told>,
    /// There are more deliveries than these; or, of an invitee, there may be: of an event with very
    /// many, not all are looked at.
    pub more_deliveries: bool,
    /// Where the next steps begin; null after the last.
    pub next_cursor: Option<String>,
}

/// A delivery, in short.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// The delivery's id.
    pub id: DeliveryId,
    /// Name of its event.
    pub event: Option<String>,
    /// Where it stands.
    pub status: Status,
    /// When its provider made it; null where the body doesn't say.
    pub occurred_at: Option<Timestamp>,
    /// When it came.
    pub received_at: Option<Timestamp>,
    /// When it was applied.
    pub processed_at: Option<Timestamp>,
    /// When it will be tried again.
    pub next_attempt_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// What kind of error that is.
    pub error_kind: Option<ErrorKind>,
    /// False where no attempt can mend it, as things are.
    pub retryable: bool,
    /// URI of the invitee whom it is about.
    pub invitee_uri: Option<String>,
    /// The transitions that it made; null where that isn't known.
    pub changes: Option<Vec<String>>,
    /// What in it was not understood.
    pub warnings: Vec<String>,
}

impl From<&Delivery> for Told {
    fn from(delivery: &Delivery) -> Self {
        Self {
            id: delivery.id.clone(),
            event: delivery.event.clone(),
            status: delivery.status,
            occurred_at: delivery.occurred_at,
            received_at: delivery.received_at,
            processed_at: delivery.processed_at,
            next_attempt_at: delivery.next_attempt_at,
            last_error: delivery.last_error.clone(),
            error_kind: delivery.error_kind,
            retryable: delivery.retryable,
            invitee_uri: delivery.invitee_uri.clone(),
            changes: delivery.changes.clone(),
            warnings: delivery.warnings.clone(),
        }
    }
}

/// An event, and what somebody is to it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActivityEvent {
    /// What the address is to the event.
    pub roles: Vec<Role>,
    /// The event.
    #[serde(flatten)]
    pub event: ListedEvent,
}

/// A page of the events in which an address is invitee, guest or host.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// The events.
    pub events: Vec<ActivityEvent>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// What was erased of a person by this request, or, as a dry run, what would be. All zeros when nothing
/// was left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErasureReport {
    /// Whether everything was looked through, and nothing is left that names them. If not, send the
    /// request again: it goes on.
    pub complete: bool,
    /// Nothing was changed: the numbers tell what would go, or, where `complete` is false, a part of it.
    pub dry_run: bool,
    /// When; null for a dry run. Bookings made up to then stay erased, whatever comes in later; later ones are new.
    pub erased_at: Option<Timestamp>,
    /// Bookings of theirs that were erased.
    pub invitees: usize,
    /// Events of which they were erased as guest or host.
    pub events: usize,
    /// Routing form submissions that were erased.
    pub submissions: usize,
    /// Deliveries whose bodies were erased.
    pub deliveries: usize,
    /// Deliveries of whose bodies they were taken out. These could not be applied, and tell of others:
    /// what is left of them can be redriven or replayed.
    pub reduced: usize,
    /// Deliveries that name them and could not be dealt with now: applying them failed. Redrive them, or
    /// send the request again.
    pub left: usize,
}

/// A page of deliveries, the newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryList {
    /// The deliveries, without their bodies.
    pub deliveries: Vec<Delivery>,
    /// Where the next page begins; null on the last. A page can hold fewer than asked for, even
    /// none, and still have a next one: filters are applied while the log is read.
    pub next_cursor: Option<String>,
}

/// A delivery, with its body where that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryAnswer {
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
    /// The raw body, with `?body=true`; null when it was erased, is no text, or is too long as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Option<String>>")]
    pub body: Option<Option<String>>,
    /// A raw body that is no text, or too long as one, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
}

/// A delivery that was queued again.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Replayed {
    /// True.
    pub success: bool,
    /// For people.
    pub message: &'static str,
    /// The delivery's id.
    pub delivery_id: DeliveryId,
    /// The delivery's own tracking id, under which its log lines are found.
    pub tracking_id: String,
    /// Where it stands: `received`.
    pub status: Status,
}

/// A page of what was given up, the newest first.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterList {
    /// Deliveries that were given up, with the reason.
    pub dead_letters: Vec<Delivery>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
    /// How many messages the dead letter queue holds, about.
    pub messages_in_queue: u64,
}

/// What a redrive did.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedriveReport {
    /// Nothing was sent.
    pub dry_run: bool,
    /// Letters that fit.
    pub matched: usize,
    /// Letters that were sent back.
    pub redriven: usize,
    /// Letters that were looked at and left.
    pub left: usize,
    /// Messages that name no delivery.
    pub unreadable: usize,
    /// Letters whose delivery is not in the log any more.
    pub not_in_log: usize,
    /// Of those that fit, how many can't be mended by another attempt, as things are.
    pub not_retryable: usize,
    /// Letters whose delivery was erased since; they are taken out of the queue.
    pub erased: usize,
    /// Letters whose delivery was discarded since; they are taken out of the queue.
    pub discarded: usize,
    /// Whether the whole queue was looked through. If not, send the request again.
    pub complete: bool,
    /// Ids of the deliveries that fit.
    pub delivery_ids: Vec<DeliveryId>,
}

/// A sync that was started.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncStarted {
    /// Its id, for `GET /v1/sync/{id}`.
    pub sync_id: String,
}

/// A page of connections.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionList {
    /// The connections.
    pub connections: Vec<Connection>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
}

/// An account that was connected.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connected {
    /// For people.
    pub message: &'static str,
    /// URI of the account's user.
    pub user_uri: String,
    /// URI of the account's organization.
    pub organization_uri: String,
    /// The connection's id.
    pub connection_id: ConnectionId,
    /// Whether Calendly made the webhook subscription. If not, the next sync tries again.
    pub subscribed: bool,
}

/// An account that was disconnected.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Disconnected {
    /// For people.
    pub message: &'static str,
    /// The connection's id.
    pub connection_id: ConnectionId,
    /// What could not be taken back at Calendly; empty when all is gone.
    pub left_at_calendly: Vec<&'static str>,
}

/// Where to send somebody who is to connect an account.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizeLinks {
    /// Calendly's page; for this very browser, within ten minutes.
    pub authorize_url: String,
    /// A link that begins an authorization without an API key, for 24 hours; null where no key
    /// signs one.
    pub start_url: Option<String>,
}

/// A webhook subscription at Calendly.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionView {
    /// Last part of its URI.
    pub id: String,
    /// Its URI.
    pub uri: String,
    /// Where it sends.
    pub callback_url: String,
    /// Whether it sends.
    pub state: SubscriptionState,
    /// What it tells of.
    pub events: Vec<String>,
    /// Whose events.
    pub scope: Scope,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When Calendly last began to retry.
    pub retry_started_at: Option<Timestamp>,
    /// The connection's id.
    pub connection: ConnectionId,
    /// Whether it is the one that the connection keeps in order.
    pub in_use: bool,
}

impl SubscriptionView {
    /// How a subscription is shown; `owned` is the URI of the one that the connection keeps.
    pub fn of(one: &Subscription, connection: &ConnectionId, owned: Option<&str>) -> Self {
        Self {
            id: one.id().to_owned(),
            uri: one.uri.clone(),
            callback_url: one.callback_url.clone(),
            state: one.state,
            events: one.events.clone(),
            scope: one.scope,
            created_at: one.created_at,
            retry_started_at: one.retry_started_at,
            connection: connection.clone(),
            in_use: owned == Some(one.uri.as_str()),
        }
    }
}

/// A connection whose subscriptions could not be read.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionError {
    /// The connection's id.
    pub connection: ConnectionId,
    /// Why.
    pub error: String,
}

/// Subscriptions of a page of connections.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionList {
    /// The subscriptions.
    pub subscriptions: Vec<SubscriptionView>,
    /// Where the next connections begin; null after the last.
    pub next_cursor: Option<String>,
    /// Connections that could not be asked for: they don't hide the others.
    pub errors: Vec<SubscriptionError>,
}

/// What looking after a subscription found.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubscriptionWatched {
    /// The connection's id.
    pub connection: ConnectionId,
    /// What was found.
    pub found: Watched,
    /// URI of the subscription that is in use now.
    pub uri: Option<String>,
}

/// A subscription that was deleted at Calendly.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unsubscribed {
    /// For people.
    pub message: &'static str,
    /// The subscription's id.
    pub id: String,
}

/// A webhook that was taken.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Accepted {
    /// True.
    pub success: bool,
    /// For people.
    pub message: &'static str,
    /// The id that this request's log lines carry.
    pub tracking_id: String,
    /// The delivery's id; the same body has the same one.
    pub delivery_id: DeliveryId,
    /// There when the same body came before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
    /// There when nothing is done with it: an event that isn't handled, or a body that can't be read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignored: bool,
}

/// What became of a test webhook.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tested {
    /// Whether it was processed.
    pub success: bool,
    /// The id that this request's log lines carry.
    pub tracking_id: String,
    /// Name of the event.
    pub event: String,
    /// What happened.
    pub result: TestResult,
}

/// What happened to a test webhook.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestResult {
    /// Name of the event.
    pub event: String,
    /// The id that this request's log lines carry.
    pub tracking_id: String,
    /// Whether it was applied to the bookings.
    pub processed: bool,
    /// The transitions that it made; none when the bookings knew it all already. Null where that isn't
    /// known: an earlier request with the same body may have been stopped half way.
    pub changes: Option<Vec<String>>,
    /// Why it was not processed.
    pub errors: Vec<String>,
    /// What in it was not understood, or could not be kept whole, though the rest was applied.
    pub warnings: Vec<String>,
    /// The delivery under which it is logged.
    pub delivery_id: Option<DeliveryId>,
    /// Id of the scheduled event that it is about.
    pub event_id: Option<String>,
    /// Id of the invitee whom it is about.
    pub invitee_id: Option<String>,
}
