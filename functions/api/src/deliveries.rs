//! `GET /v1/deliveries`, `GET /v1/deliveries/{id}`, `POST /v1/deliveries/{id}/replay`.

use crate::handler::{Answer, Api, Call, ok, unavailable, with_status};
use crate::pages::fewer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use contract::answers::{DeliveryAnswer, DeliveryList, Replayed};
use contract::cursor;
use lambda_http::http::StatusCode;
use platform::deliveries::{
    About, Delivery, DeliveryCursor, DeliveryId, DeliveryQuery, Page, Reopened,
};
use platform::http::Problem;
use platform::metrics::{self, Metric};
use platform::queue::{DeliveryRef, Outbox};
use platform::room::Room;
use platform::secrets::Scope;

const LIST: &str = "deliveries";

impl Api {
    pub(crate) async fn list_deliveries(&self, call: &Call<'_>) -> Answer {
        let (from, to) = call.params.span()?;
        let query = DeliveryQuery {
            status: call.params.get("status").and_then(|word| word.parse().ok()),
            event: call.params.get("event").map(str::to_owned),
            about: call.params.get("eventId").map(About::event),
            id_prefix: call.params.get("idPrefix").map(str::to_owned),
            from,
            to,
            after: call.params.cursor(LIST, DeliveryCursor::parse)?,
            ..DeliveryQuery::all(call.params.limit(), self.retention)
        };
        let page = self.deliveries_page(query).await?;
        ok(DeliveryList {
            deliveries: page.items,
            next_cursor: page.next.map(|place| cursor(LIST, &place.to_string())),
        })
    }

    /// Deliveries, as many as an answer holds.
    pub(crate) async fn deliveries_page(
        &self,
        mut query: DeliveryQuery,
    ) -> Result<Page<Delivery, DeliveryCursor>, Problem> {
        loop {
            let page = self.deliveries.list(&query).await.map_err(unavailable)?;
            match fewer(&page.items, query.limit) {
                Some(fewer) => query.limit = fewer,
                None => return Ok(page),
            }
        }
    }

    pub(crate) async fn delivery(&self, call: &Call<'_>) -> Answer {
        let id = delivery_id(call)?;
        let with_body = call.params.flag("body");
        if with_body {
            let caller = call.caller()?;
            caller.may(Scope::Admin)?;
            // Whoever reads what people wrote is on record.
            caller.operates("readBody", call.tracking_id);
        }
        let found = if with_body {
            self.deliveries.get_with_body(&id).await
        } else {
            let delivery = self.deliveries.get(&id).await;
            delivery.map(|found| found.map(|delivery| (delivery, None)))
        };
        let (delivery, body) = found.map_err(unavailable)?.ok_or_else(unknown)?;
        let mut answer = DeliveryAnswer {
            delivery,
            body: None,
            body_base64: None,
        };
        if with_body {
            let (text, base64) = body.map_or((None, None), shown);
            (answer.body, answer.body_base64) = (Some(text), base64);
        }
        ok(answer)
    }

    pub(crate) async fn replay(&self, call: &Call<'_>) -> Answer {
        let reopened = self.deliveries.reopen(&delivery_id(call)?).await;
        let delivery = match self.resend(reopened.map_err(unavailable)?).await? {
            Reopened::Yes(delivery) => delivery,
            Reopened::Erased => return Err(erased()),
            // It comes back from there.
            Reopened::Discarded | Reopened::Unknown => return Err(unknown()),
        };
        metrics::count(Metric::DeliveriesReplayed);
        tracing::info!(
            deliveryId = %delivery.id,
            event = delivery.event.as_deref().map(calendly::webhook::word),
            outcome = "replayed",
            "delivery queued again"
        );
        let replayed = Replayed {
            success: true,
            message: "Delivery queued again",
            delivery_id: delivery.id,
            tracking_id: delivery.tracking_id,
            status: delivery.status,
        };
        with_status(StatusCode::ACCEPTED, replayed)
    }

    /// Queues a delivery that was set back to `received`. In this order a stop between the two
    /// leaves a delivery that is seen to be waiting, not a message that nobody knows of.
    pub(crate) async fn resend(&self, reopened: Reopened) -> Result<Reopened, Problem> {
        if let Reopened::Yes(delivery) = &reopened {
            self.queue
                .send(&DeliveryRef::from(delivery.as_ref()))
                .await
                .map_err(unavailable)?;
        }
        Ok(reopened)
    }
}

pub(crate) fn delivery_id(call: &Call<'_>) -> Result<DeliveryId, Problem> {
    DeliveryId::parse(call.id("id", unknown)?).map_err(|_| unknown())
}

/// A body as text; in base64 where it is none, or none that an answer has room for: control
/// characters swell sevenfold where they are written.
fn shown(body: Vec<u8>) -> (Option<String>, Option<String>) {
    match String::from_utf8(body) {
        Ok(text) if Room::default().takes(&text) => (Some(text), None),
        Ok(text) => (None, Some(STANDARD.encode(text))),
        Err(bytes) => (None, Some(STANDARD.encode(bytes.as_bytes()))),
    }
}

fn erased() -> Problem {
    Problem::new(
        StatusCode::GONE,
        "DELIVERY_ERASED",
        "the body of this delivery was erased, so it can't be applied again; POST /v1/sync reads \
         what Calendly still has",
    )
}

pub(crate) fn unknown() -> Problem {
    Problem::not_found("no such delivery; its id is the deliveryId of the webhook's answer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::deliveries::MAX_BODY;

    #[test]
    fn a_body_is_shown_as_text_where_it_is_some_that_an_answer_holds() {
        let quotes = "\"".repeat(MAX_BODY);
        for text in ["", "{}", &quotes] {
            assert_eq!(shown(text.into()), (Some(text.to_owned()), None));
        }
        for body in [vec![0xff], vec![1; MAX_BODY]] {
            let (text, base64) = shown(body.clone());
            assert_eq!(text, None);
            assert_eq!(STANDARD.decode(base64.unwrap()).unwrap(), body);
        }
    }
}
