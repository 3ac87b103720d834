//! What a body is to the service, as the log has it.

use booking::ConnectionId;
use calendly::webhook::{self, BookingWebhook, Webhook};
use jiff::Timestamp;
use platform::deliveries::{About, DeliveryId, NewDelivery, Status};
use platform::http::TrackingId;

/// A body that was read, as far as that could be done.
pub struct Reading {
    /// Name of its event.
    pub event: Option<String>,
    /// `Received`, `Ignored` or `Unprocessable`.
    pub status: Status,
    /// Why it can't be processed.
    pub reason: Option<String>,
    /// URI of the scheduled event that it is about.
    pub event_uri: Option<String>,
    /// URI of the invitee whom it is about.
    pub invitee_uri: Option<String>,
    /// The connection that it was sent for.
    pub connection: Option<ConnectionId>,
    /// What in it was not understood.
    pub warnings: Vec<String>,
    about: Option<About>,
    occurred_at: Option<Timestamp>,
    received_at: Timestamp,
}

impl Reading {
    /// Reads a body that came now.
    pub fn of(body: &[u8]) -> Self {
        let received_at = ambient::now();
        match webhook::read(body, received_at) {
            Ok(Webhook::Booking(booking)) => Self {
                about: about(&booking),
                connection: booking.connection,
                occurred_at: booking.created_at,
                event: Some(booking.event),
                status: Status::Received,
                reason: None,
                event_uri: booking.scheduled_event.map(String::from),
                invitee_uri: booking.invitee.map(String::from),
                warnings: booking.warnings,
                received_at,
            },
            Ok(Webhook::NotHandled { event }) => Self {
                event: Some(event),
                ..Self::nothing(Status::Ignored, None)
            },
            Err(unreadable) => Self::unprocessable(unreadable.to_string()),
        }
    }

    /// A body that can't be read, for this reason.
    pub fn unprocessable(reason: String) -> Self {
        Self::nothing(Status::Unprocessable, Some(reason))
    }

    fn nothing(status: Status, reason: Option<String>) -> Self {
        Self {
            event: None,
            status,
            reason,
            event_uri: None,
            invitee_uri: None,
            connection: None,
            warnings: Vec::new(),
            about: None,
            occurred_at: None,
            received_at: ambient::now(),
        }
    }

    /// The entry for the log.
    pub fn delivery<'a>(
        &'a self,
        id: &'a DeliveryId,
        tracking_id: &'a TrackingId,
        body: &'a [u8],
    ) -> NewDelivery<'a> {
        NewDelivery {
            id,
            tracking_id: tracking_id.as_str(),
            provider: "calendly",
            event: self.event.as_deref(),
            status: self.status,
            reason: self.reason.as_deref(),
            event_uri: self.event_uri.as_deref(),
            invitee_uri: self.invitee_uri.as_deref(),
            warnings: &self.warnings,
            about: self.about.as_ref(),
            occurred_at: self.occurred_at,
            received_at: self.received_at,
            body,
        }
    }
}

/// A submission that led to a booking is a part of its event's story.
fn about(booking: &BookingWebhook) -> Option<About> {
    let event = booking.scheduled_event.as_ref();
    let submission = booking.submission.as_ref();
    event
        .map(|uri| About::event(uri.id()))
        .or_else(|| submission.map(|uri| About::submission(uri.id())))
}
