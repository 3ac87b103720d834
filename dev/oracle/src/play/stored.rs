//! What the service shows, read as its API reads it.

use super::stage::{RETENTION, Stage};
use crate::reference::{Logged, Stored};
use booking::{ContactKey, EventStatus, Provider, Role};
use jiff::{SignedDuration, Timestamp};
use platform::bookings::{BookingStore, EventQuery};
use platform::deliveries::{Body, Delivery, DeliveryQuery};
use serde_json::{Value, json};
use std::collections::BTreeSet;

impl Stage {
    /// Everything that is shown of bookings.
    pub(crate) async fn stored(&self) -> Stored {
        let store = BookingStore::new(self.dynamo.client(), "bookings".to_owned());
        let mut stored = Stored {
            all: list(&store, EventQuery::default()).await,
            ..Stored::default()
        };
        for id in stored.all.iter().collect::<BTreeSet<_>>() {
            let event = store.event(Provider::Calendly, id).await;
            if let Ok(Some(event)) = event {
                stored.events.insert(id.clone(), json!(event));
            }
        }
        for status in [EventStatus::Active, EventStatus::Canceled] {
            let query = EventQuery {
                status: Some(status),
                ..EventQuery::default()
            };
            let ids = list(&store, query).await;
            stored.by_status.insert(status.as_str().to_owned(), ids);
        }
        stored.behind = self.behind(&store, &stored.all).await;
        let events = stored.events.clone();
        for (id, event) in &events {
            for invitee in event["invitees"].as_array().into_iter().flatten() {
                let Some(email) = invitee["email"].as_str() else {
                    continue;
                };
                self.of_person(&store, id, event, email, &mut stored).await;
            }
        }
        stored
    }

    /// What is not done yet of what follows from each event. What is shown of a booking follows its event
    /// even so.
    async fn behind(&self, store: &BookingStore, ids: &[String]) -> Vec<String> {
        let mut behind = Vec::new();
        for id in ids {
            let Ok(Some((event, invitees))) = store.all_of(Provider::Calendly, id).await else {
                continue;
            };
            if !event.is_settled() {
                behind.push(format!("event {id} is not settled"));
            }
            for invitee in invitees.iter().filter(|one| one.meeting != event.meeting()) {
                let who = invitee.uri.id();
                behind.push(format!(
                    "event {id} says otherwise than the record of invitee {who}"
                ));
            }
        }
        behind
    }

    /// Everything that is shown of bookings, and by which guests each is found.
    pub(crate) async fn stored_with_guests(&self) -> Stored {
        let store = BookingStore::new(self.dynamo.client(), "bookings".to_owned());
        let mut stored = self.stored().await;
        let guests = stored.events.values().flat_map(|event| {
            let guests = event["guests"].as_array().into_iter().flatten();
            guests.filter_map(|guest| guest["email"].as_str().map(str::to_owned))
        });
        let guests: BTreeSet<String> = guests.collect();
        for guest in guests {
            let mut ids = Vec::new();
            for (id, is_at_start) in of_guest(&store, &guest).await {
                stored
                    .at_start
                    .insert((guest.clone(), id.clone()), is_at_start);
                ids.push(id);
            }
            stored.by_guest.insert(guest, ids);
        }
        stored
    }

    /// The whole log, as an operator reads it.
    pub(crate) async fn log_of_deliveries(&self) -> Vec<Delivery> {
        let log = self.plain_log();
        let mut query = DeliveryQuery::all(100, RETENTION);
        let mut all = Vec::new();
        while let Ok(page) = log.list(&query).await {
            all.extend(page.items);
            query.after = page.next;
            if query.after.is_none() {
                break;
            }
        }
        all
    }

    /// What each delivery told, and says that it changed.
    pub(crate) async fn logged(&self) -> Vec<Logged> {
        let log = self.plain_log();
        let mut logged = Vec::new();
        for delivery in self.log_of_deliveries().await {
            let Some(event) = delivery.event_uri.as_deref() else {
                continue;
            };
            let Ok(Body::Kept(body)) = log.body(&delivery.id).await else {
                continue;
            };
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            logged.push(Logged {
                id: delivery.id.to_string(),
                event: event.rsplit('/').next().unwrap_or_default().to_owned(),
                told: json!([body["event"], body["payload"]]),
                changes: delivery.changes,
            });
        }
        logged
    }

    async fn of_person(
        &self,
        store: &BookingStore,
        id: &str,
        event: &Value,
        email: &str,
        stored: &mut Stored,
    ) {
        let contact = ContactKey::of(email);
        if !stored.by_person.contains_key(email) {
            let query = EventQuery {
                invitee: Some(contact.clone()),
                ..EventQuery::default()
            };
            let ids = list(store, query).await;
            stored.by_person.insert(email.to_owned(), ids);
        }
        let start = event["startTime"].as_str();
        let Some(start) = start.and_then(|text| text.parse::<Timestamp>().ok()) else {
            return;
        };
        let query = EventQuery {
            invitee: Some(contact),
            from: Some(start),
            to: start.checked_add(SignedDuration::from_secs(1)).ok(),
            ..EventQuery::default()
        };
        let listed = list(store, query).await.iter().any(|listed| listed == id);
        let key = (email.to_owned(), id.to_owned());
        stored.at_start.insert(key, listed);
    }
}

/// Ids of the events of a guest, and whether each is found at its own start.
async fn of_guest(store: &BookingStore, guest: &str) -> Vec<(String, bool)> {
    let contact = ContactKey::of(guest);
    let mut query = EventQuery {
        limit: 100,
        ..EventQuery::default()
    };
    let mut found = Vec::new();
    while let Ok(page) = store.activity(&contact, &query).await {
        for (roles, event) in page.items {
            if roles.contains(&Role::Guest) {
                let at_start = match event.start_time {
                    Some(start) => is_found_at(store, &contact, &event.id, start).await,
                    None => true,
                };
                found.push((event.id, at_start));
            }
        }
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    found
}

/// Whether somebody finds an event from a time on, up to a second later.
async fn is_found_at(store: &BookingStore, contact: &ContactKey, id: &str, at: Timestamp) -> bool {
    let query = EventQuery {
        from: Some(at),
        to: at.checked_add(SignedDuration::from_secs(1)).ok(),
        limit: 100,
        ..EventQuery::default()
    };
    let page = store.activity(contact, &query).await;
    page.is_ok_and(|page| page.items.iter().any(|(_, event)| event.id == id))
}

async fn list(store: &BookingStore, query: EventQuery) -> Vec<String> {
    let mut query = EventQuery {
        limit: 100,
        ..query
    };
    let mut ids = Vec::new();
    while let Ok(page) = store.list(&query).await {
        ids.extend(page.items.into_iter().map(|event| event.id));
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    ids
}
