//! Bodies and reads about one event, as Calendly would make them.

#![allow(dead_code, clippy::unwrap_used)] // helpers of tests; no test uses them all

use booking::{ConnectionId, EventRecord, EventUri, Facts, InviteeRecord, Provider};
use calendly::webhook::resource;
use jiff::Timestamp;
use serde_json::{Value, json};
use testkit::history::Look;

use crate::memory::{Memory, facts};

pub const EVENT: &str = "https://api.calendly.com/scheduled_events/E";
pub const START: &str = "2026-12-01T10:00:00Z";

pub fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub fn host() -> ConnectionId {
    ConnectionId::from_user_uri("https://api.calendly.com/users/U").unwrap()
}

/// `invitee.created` of somebody on the event, made at `time`. `seats` is how many may book it.
pub fn created(invitee: &str, time: &str, seats: i64) -> Value {
    json!({
        "created_at": time,
        "created_by": "https://api.calendly.com/users/U",
        "event": "invitee.created",
        "payload": {
            "uri": format!("{EVENT}/invitees/{invitee}"),
            "event": EVENT,
            "email": format!("{invitee}@example.com"),
            "name": invitee,
            "status": "active",
            "rescheduled": false,
            "old_invitee": null,
            "new_invitee": null,
            "no_show": null,
            "created_at": time,
            "updated_at": time,
            "scheduled_event": {
                "uri": EVENT,
                "name": "Meeting",
                "status": "active",
                "start_time": START,
                "end_time": "2026-12-01T11:00:00Z",
                "created_at": "2026-11-01T00:00:00Z",
                "updated_at": time,
                "location": {"type": "custom", "location": "here"},
                "invitees_counter": {"total": 1, "active": 1, "limit": seats},
                "event_memberships": [],
                "event_guests": [],
            },
        },
    })
}

/// The same body as the invitee's cancellation at `time`, which leaves the event as it is.
pub fn left(mut body: Value, time: &str) -> Value {
    body["event"] = json!("invitee.canceled");
    body["created_at"] = json!(time);
    let payload = &mut body["payload"];
    payload["status"] = json!("canceled");
    payload["updated_at"] = json!(time);
    payload["cancellation"] = json!({
        "canceled_by": "Ada", "reason": "Ill", "canceler_type": "invitee", "created_at": time,
    });
    body
}

/// The same, when the host has canceled the whole event.
pub fn called_off(body: Value, time: &str) -> Value {
    let mut body = left(body, time);
    body["payload"]["cancellation"]["canceler_type"] = json!("host");
    let event = &mut body["payload"]["scheduled_event"];
    event["status"] = json!("canceled");
    event["updated_at"] = json!(time);
    let cancellation = body["payload"]["cancellation"].clone();
    body["payload"]["scheduled_event"]["cancellation"] = cancellation;
    body
}

/// The same, after the event was moved.
pub fn moved_to(mut body: Value, start: &str, time: &str) -> Value {
    let event = &mut body["payload"]["scheduled_event"];
    event["start_time"] = json!(start);
    event["end_time"] = Value::Null;
    event["updated_at"] = json!(time);
    body
}

/// What a body says.
pub fn say(body: &Value) -> Facts {
    facts(&bytes(body))
}

pub fn bytes(body: &Value) -> Vec<u8> {
    body.to_string().into_bytes()
}

/// What a read of the API at `time` says, that shows what a body does.
pub fn read(body: &Value, time: &str) -> Facts {
    let mut invitee = body["payload"].clone();
    let event = invitee["scheduled_event"].take();
    resource::facts(&event, &[invitee], &host(), at(time)).unwrap()
}

/// What a read of the event alone says.
pub fn read_event(body: &Value, time: &str) -> Facts {
    let event = &body["payload"]["scheduled_event"];
    resource::facts(event, &[], &host(), at(time)).unwrap()
}

/// What a look of a history says.
pub fn found(look: &Look) -> Facts {
    match look {
        Look::Found {
            event,
            invitees,
            at,
        } => resource::facts(event, invitees, &host(), *at).unwrap(),
        Look::Listed {
            event,
            organization,
            at,
        } => {
            let event = EventUri::parse(event).unwrap();
            Facts::listed_in(Provider::Calendly, event, organization.clone(), *at)
        }
        Look::NotFound { event, at } => {
            let event = EventUri::parse(event).unwrap();
            Facts::not_found(Provider::Calendly, event, *at)
        }
    }
}

/// A memory after all of these facts.
pub fn after<'a>(all: impl IntoIterator<Item = &'a Facts>) -> Memory {
    let mut memory = Memory::default();
    for facts in all {
        memory.apply(facts.clone());
    }
    memory
}

impl Memory {
    /// The one event.
    pub fn event(&self) -> &EventRecord {
        let mut events = self.records.events.values();
        let event = events.next().unwrap();
        assert!(events.next().is_none());
        event
    }

    pub fn invitee(&self, id: &str) -> &InviteeRecord {
        let mut all = self.records.invitees.values();
        all.find(|invitee| invitee.uri.id() == id).unwrap()
    }
}
