//! `GET /v1/events`, `GET /v1/events/{id}`, invitees, and what happened to them.

use crate::handler::{Answer, Api, Call, ok, unavailable};
use booking::{ContactKey, EventRecord, EventStatus, InviteeRecord, Provider, history};
use contract::answers::{EventList, History, HistoryStep, Told};
use contract::cursor;
use platform::bookings::{EventCursor, EventQuery, Order};
use platform::deliveries::About;
use platform::http::Problem;

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
        let query = EventQuery {
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
        let page = self.bookings.list(&query).await.map_err(unavailable)?;
        ok(EventList {
            events: page.items,
            next_cursor: page.next.map(|EventCursor(place)| cursor(&list, &place)),
        })
    }

    pub(crate) async fn event(&self, call: &Call<'_>) -> Answer {
        let id = call.id("id", unknown_event)?;
        let found = self.bookings.event(Provider::Calendly, id).await;
        ok(found.map_err(unavailable)?.ok_or_else(unknown_event)?)
    }

    pub(crate) async fn event_history(&self, call: &Call<'_>) -> Answer {
        let id = call.id("id", unknown_event)?;
        let found = self.bookings.all_of(Provider::Calendly, id).await;
        let (event, invitees) = found.map_err(unavailable)?.ok_or_else(unknown_event)?;
        self.history(&event, &invitees, None).await
    }

    pub(crate) async fn invitee(&self, call: &Call<'_>) -> Answer {
        let invitee = self.stored_invitee(call).await?;
        let shown = self.bookings.show(Provider::Calendly, &invitee).await;
        ok(shown.map_err(unavailable)?)
    }

    pub(crate) async fn invitee_history(&self, call: &Call<'_>) -> Answer {
        let invitee = self.stored_invitee(call).await?;
        let event = EventRecord::about(invitee.uri.event(), Provider::Calendly);
        let uri = invitee.uri.as_str().to_owned();
        self.history(&event, &[invitee], Some(&uri)).await
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
        event: &EventRecord,
        invitees: &[InviteeRecord],
        only: Option<&str>,
    ) -> Answer {
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
        let told = told
            .iter()
            .filter(|told| only.is_none_or(|uri| told.invitee_uri.as_deref() == Some(uri)));
        ok(History {
            history: steps,
            deliveries: told.map(Told::from).collect(),
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
