//! `GET /v1/events`, `GET /v1/events/{id}`, invitees, and what happened to them.

mod history;

use crate::handler::{Answer, Api, Call, ok, unavailable};
use crate::pages::fewer;
use booking::{ContactKey, EventStatus, EventView, InviteeRecord, Provider};
use contract::answers::{Event, EventAnswer, EventList};
use contract::{cursor, is_id};
use platform::bookings::{EventCursor, EventQuery, MAX_INVITEES, Order};
use platform::http::Problem;
use platform::room::Room;

/// Invitees of an event that are read at a time: records can be long.
const AT_A_TIME: usize = 50;

/// The order that a request asks for, and the name of its list: a cursor of one order is of no use
/// to the other.
pub(crate) fn order(call: &Call, list: &str) -> (Order, String) {
    match call.params.get("sort") {
        Some("desc" | "startTime:desc") => (Order::Descending, format!("{list}-desc")),
        _ => (Order::Ascending, list.to_owned()),
    }
}

impl Api {
    pub(crate) async fn events(&self, call: &Call<'_>) -> Answer {
        let (order, list) = order(call, "events");
        let (from, to) = call.params.span()?;
        let mut query = EventQuery {
            from,
            to,
            status: match call.params.get("status") {
                Some("active") => Some(EventStatus::Active),
                Some("canceled") => Some(EventStatus::Canceled),
                _ => None,
            },
            connection: call.params.get("connection").map(str::to_owned),
            invitee: call.params.get("inviteeEmail").map(ContactKey::of),
            order,
            limit: call.params.limit(),
            after: call
                .params
                .cursor(&list, |place| Some(EventCursor(place.to_owned())))?,
        };
        let page = loop {
            let page = self.bookings.list(&query).await.map_err(unavailable)?;
            match fewer(&page.items, query.limit) {
                Some(fewer) => query.limit = fewer,
                None => break page,
            }
        };
        ok(EventList {
            events: page.items,
            next_cursor: page.next.map(|EventCursor(place)| cursor(&list, &place)),
        })
    }

    pub(crate) async fn event(&self, call: &Call<'_>) -> Answer {
        let id = call.id("id", unknown_event)?;
        let list = format!("invitees-{id}");
        let after = call
            .params
            .cursor(&list, |place| is_id(place).then(|| place.to_owned()))?;
        let (bookings, provider) = (&self.bookings, Provider::Calendly);
        let opened = match &after {
            None => bookings.open(provider, id, AT_A_TIME).await,
            Some(after) => {
                let event = bookings.event_alone(provider, id).await;
                let event = event.map_err(unavailable)?.ok_or_else(unknown_event)?;
                let rest = bookings.invitees_after(&event, after, AT_A_TIME).await;
                rest.map(|rest| Some((event, rest)))
            }
        };
        let (stored, mut page) = opened.map_err(unavailable)?.ok_or_else(unknown_event)?;

        let mut event: Event = EventView::of(&stored, Vec::new());
        let mut room = Room::beside(&event);
        let next = 'full: loop {
            for invitee in page.items {
                let fits = room.takes(&invitee) && event.invitees.len() < MAX_INVITEES;
                match event.invitees.last() {
                    Some(last) if !fits => break 'full Some(last.summary.id.clone()),
                    // One that is larger than an answer is cut where it is written.
                    _ => event.invitees.push(invitee),
                }
            }
            let Some(after) = page.next else {
                break None;
            };
            let rest = bookings.invitees_after(&stored, &after, AT_A_TIME);
            page = rest.await.map_err(unavailable)?;
        };
        ok(EventAnswer {
            event,
            next_cursor: next.map(|last| cursor(&list, &last)),
        })
    }

    pub(crate) async fn invitee(&self, call: &Call<'_>) -> Answer {
        let invitee = self.stored_invitee(call).await?;
        let shown = self.bookings.show(Provider::Calendly, &invitee).await;
        ok(shown.map_err(unavailable)?)
    }

    async fn stored_invitee(&self, call: &Call<'_>) -> Result<InviteeRecord, Problem> {
        let event = call.id("id", unknown_invitee)?;
        let id = call.id("inviteeId", unknown_invitee)?;
        let found = self.bookings.invitee(Provider::Calendly, event, id).await;
        found.map_err(unavailable)?.ok_or_else(unknown_invitee)
    }
}

fn unknown_event() -> Problem {
    Problem::not_found("no such event; an event's id is the last part of its Calendly URI")
}

fn unknown_invitee() -> Problem {
    Problem::not_found(
        "no such invitee; the ids of an event and its invitee are the last parts of their Calendly \
         URIs",
    )
}
