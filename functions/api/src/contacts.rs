//! `GET /v1/contacts/{email}/activity`.

use crate::events::order;
use crate::handler::{Answer, Api, Call, ok, unavailable};
use crate::pages::fewer;
use booking::ContactKey;
use contract::answers::{Activity, ActivityEvent};
use contract::cursor;
use platform::bookings::{EventCursor, EventQuery};
use platform::http::Problem;

impl Api {
    pub(crate) async fn activity(&self, call: &Call<'_>) -> Answer {
        let email = call.id("email", unknown)?;
        let (order, list) = order(call, "activity");
        let (from, to) = call.params.span()?;
        let mut query = EventQuery {
            from,
            to,
            order,
            limit: call.params.limit(),
            after: call
                .params
                .cursor(&list, |place| Some(EventCursor(place.to_owned())))?,
            ..EventQuery::default()
        };
        let contact = ContactKey::of(email);
        let page = loop {
            let page = self.bookings.activity(&contact, &query).await;
            let page = page.map_err(unavailable)?;
            match fewer(&page.items, query.limit) {
                Some(fewer) => query.limit = fewer,
                None => break page,
            }
        };
        let events = page.items.into_iter().map(|(roles, event)| ActivityEvent {
            roles: roles.into_iter().collect(),
            event,
        });
        ok(Activity {
            events: events.collect(),
            next_cursor: page.next.map(|EventCursor(place)| cursor(&list, &place)),
        })
    }
}

pub(crate) fn unknown() -> Problem {
    Problem::not_found("not an e-mail address; encode its @ and + as %40 and %2B in the path")
}
