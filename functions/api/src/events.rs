//! `GET /v1/events`, `GET /v1/events/{id}`, invitees, and what happened to them.

use crate::handler::{Answer, Api, Call, ok, unavailable};
use crate::pages::{fewer, part};
use booking::{
    ContactKey, EventRecord, EventStatus, EventView, InviteeRecord, InviteeUri, Provider, history,
};
use contract::answers::{Event, EventAnswer, EventList, History, HistoryStep, Told};
use contract::{cursor, is_id};
use platform::bookings::{EventCursor, EventQuery, MAX_INVITEES, Order};
use platform::deliveries::About;
use platform::http::Problem;
use platform::room::Room;

/// Invitees of an event that are read at a time: records can be long.
const AT_A_TIME: usize = 50;
/// The most deliveries that a history names.
const TOLD: usize = 100;

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

    pub(crate) async fn event_history(&self, call: &Call<'_>) -> Answer {
        let id = call.id("id", unknown_event)?;
        let found = self.bookings.whole(Provider::Calendly, id).await;
        let (event, invitees) = found.map_err(unavailable)?.ok_or_else(unknown_event)?;
        self.history(call, &event, &invitees, None).await
    }

    pub(crate) async fn invitee(&self, call: &Call<'_>) -> Answer {
        let invitee = self.stored_invitee(call).await?;
        let shown = self.bookings.show(Provider::Calendly, &invitee).await;
        ok(shown.map_err(unavailable)?)
    }

    pub(crate) async fn invitee_history(&self, call: &Call<'_>) -> Answer {
        let invitee = self.stored_invitee(call).await?;
        let event = EventRecord::about(invitee.uri.event(), Provider::Calendly);
        let uri = invitee.uri.clone();
        self.history(call, &event, &[invitee], Some(&uri)).await
    }

    async fn stored_invitee(&self, call: &Call<'_>) -> Result<InviteeRecord, Problem> {
        let event = call.id("id", unknown_invitee)?;
        let id = call.id("inviteeId", unknown_invitee)?;
        let found = self.bookings.invitee(Provider::Calendly, event, id).await;
        found.map_err(unavailable)?.ok_or_else(unknown_invitee)
    }

    /// What happened to these invitees of an event, and the deliveries that told of it: of the whole
    /// event, or of one invitee by their URI.
    async fn history(
        &self,
        call: &Call<'_>,
        event: &EventRecord,
        invitees: &[InviteeRecord],
        only: Option<&InviteeUri>,
    ) -> Answer {
        let list = format!("history-{}", only.map_or(event.uri.id(), InviteeUri::id));
        let shown: Option<usize> = call.params.cursor(&list, |place| place.parse().ok())?;
        let mut steps: Vec<HistoryStep> = invitees
            .iter()
            .flat_map(|invitee| {
                history(invitee).into_iter().map(|entry| HistoryStep {
                    invitee_id: invitee.uri.id().to_owned(),
                    entry,
                })
            })
            .collect();
        // What has no time comes last. The sort keeps the order within a booking.
        steps.sort_by_key(|step| (step.entry.at.is_none(), step.entry.at));
        let about = About::event(event.uri.id());
        let told = self.deliveries.about(&about, None, TOLD).await;
        let told = told.map_err(unavailable)?.items;
        let told = told.iter().filter(|told| {
            only.is_none_or(|uri| told.invitee_uri.as_deref() == Some(uri.as_str()))
        });
        let deliveries: Vec<Told> = told.map(Told::from).collect();

        let room = Room::beside(&deliveries);
        let (history, next) = part(steps, shown.unwrap_or_default(), room);
        ok(History {
            history,
            deliveries,
            next_cursor: next.map(|shown| cursor(&list, &shown.to_string())),
        })
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
