//! A webhook that is in the log: how it is answered, counted and logged.

use crate::reading::Reading;
use contract::answers::Accepted;
use platform::deliveries::{DeliveryId, Status};
use platform::http::TrackingId;
use platform::metrics::Metric;
use tokio::time::Instant;

/// A webhook that was received.
pub struct Received {
    /// Its delivery.
    pub delivery_id: DeliveryId,
    /// The same body came before.
    pub duplicate: bool,
    /// What is in it.
    pub reading: Reading,
}

impl Received {
    /// What counts it.
    pub fn metric(&self) -> Option<Metric> {
        match self.reading.status {
            _ if self.duplicate => Some(Metric::WebhooksDuplicate),
            Status::Received => Some(Metric::WebhooksAccepted),
            Status::Ignored => Some(Metric::WebhooksIgnored),
            Status::Unprocessable => Some(Metric::WebhooksUnprocessable),
            Status::Processed | Status::Failed | Status::Dead | Status::Discarded => None,
        }
    }

    /// The answer to whoever sent it.
    pub fn answer(self, tracking_id: &TrackingId) -> Accepted {
        let ignored = matches!(self.reading.status, Status::Ignored | Status::Unprocessable);
        Accepted {
            success: true,
            message: match (ignored, self.duplicate) {
                (true, _) => "Webhook logged; nothing to do",
                (false, true) => "Webhook already logged",
                (false, false) => "Webhook logged and queued",
            },
            tracking_id: tracking_id.as_str().to_owned(),
            delivery_id: self.delivery_id,
            duplicate: self.duplicate,
            ignored,
        }
    }

    /// Its line in the function's log.
    pub fn log(&self, began: Instant) {
        let reading = &self.reading;
        let outcome = if self.duplicate {
            "duplicate"
        } else {
            reading.status.as_str()
        };
        tracing::info!(
            deliveryId = %self.delivery_id,
            connection = reading.connection.as_ref().map(|id| id.as_str()),
            event = reading.event.as_deref().map(calendly::webhook::word),
            outcome,
            reason = reading.reason,
            durationMs = platform::millis_since(began),
            "webhook received"
        );
    }
}
