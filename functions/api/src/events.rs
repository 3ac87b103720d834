//! `GET /v1/events`, `GET /v1/events/{id}`.

use crate::handler::{Answer, Api, unavailable};
use crate::params::{Params, cursor};
use booking::Provider;
use lambda_http::Request;
use lambda_http::http::StatusCode;
use platform::bookings::{EventCursor, EventQuery};
use platform::http::Problem;
use serde_json::json;

const LIST: &str = "events";

impl Api {
    pub(crate) async fn events(&self, request: &Request) -> Answer {
        let params = Params::of(request, &["from", "to", "limit", "cursor"])?;
        let query = EventQuery {
            from: params.time("from")?,
            to: params.time("to")?,
            limit: params.limit()?,
            after: params.cursor(LIST)?.map(EventCursor),
        };
        if let (Some(from), Some(to)) = (query.from, query.to)
            && to < from
        {
            return Err(Problem::parameter("to", "must not lie before from"));
        }
        let page = self.bookings.list(&query).await.map_err(unavailable)?;
        Ok((
            StatusCode::OK,
            json!({
                "events": page.items,
                "nextCursor": page.next.map(|EventCursor(place)| cursor(LIST, &place)),
            }),
        ))
    }

    pub(crate) async fn event(&self, request: &Request, id: &str) -> Answer {
        Params::of(request, &[])?;
        let known = id.len() <= 100
            && id
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
        let event = if known {
            let found = self.bookings.event(Provider::Calendly, id).await;
            found.map_err(unavailable)?
        } else {
            None
        };
        let event = event.ok_or_else(|| {
            Problem::not_found("no such event; an event's id is the last part of its Calendly URI")
        })?;
        Ok((StatusCode::OK, json!(event)))
    }
}
