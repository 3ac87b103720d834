//! `GET /v1/deliveries/{id}`, `POST /v1/deliveries/{id}/replay`.

use crate::handler::{Answer, Api, unavailable};
use crate::params::Params;
use lambda_http::Request;
use lambda_http::http::StatusCode;
use platform::deliveries::{Delivery, DeliveryId};
use platform::http::Problem;
use platform::queue::{DeliveryRef, Outbox};
use serde_json::json;

impl Api {
    pub(crate) async fn delivery(&self, request: &Request, id: &str) -> Answer {
        Params::of(request, &[])?;
        let id = DeliveryId::parse(id).map_err(|_| unknown())?;
        let delivery = self.deliveries.get(&id).await.map_err(unavailable)?;
        Ok((StatusCode::OK, json!(delivery.ok_or_else(unknown)?)))
    }

    pub(crate) async fn replay(&self, request: &Request, id: &str) -> Answer {
        Params::of(request, &[])?;
        let id = DeliveryId::parse(id).map_err(|_| unknown())?;
        let delivery = self.resend(&id).await?.ok_or_else(unknown)?;
        Ok((
            StatusCode::ACCEPTED,
            json!({
                "success": true,
                "message": "Delivery queued again",
                "deliveryId": delivery.id,
                "trackingId": delivery.tracking_id,
                "status": delivery.status,
            }),
        ))
    }

    /// Sets a delivery back to `received` and queues it. In this order a stop between the two
    /// leaves a delivery that is seen to be waiting, not a message that nobody knows of.
    pub(crate) async fn resend(&self, id: &DeliveryId) -> Result<Option<Delivery>, Problem> {
        let Some(delivery) = self.deliveries.reopen(id).await.map_err(unavailable)? else {
            return Ok(None);
        };
        self.queue
            .send(&DeliveryRef::from(&delivery))
            .await
            .map_err(unavailable)?;
        Ok(Some(delivery))
    }
}

fn unknown() -> Problem {
    Problem::not_found("no such delivery; its id is the deliveryId of the webhook's answer")
}
