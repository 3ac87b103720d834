//! A store of its own, and events as Calendly tells of them.

use calendly::webhook::{Webhook, read};
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use platform::bookings::{BookingStore, EventQuery, Listed};
use serde_json::{Value, json};
use testkit::dynamo::{Crashes, Dynamo};

/// Bookings of its own.
pub struct Desk {
    pub dynamo: Dynamo,
    pub store: BookingStore,
    /// Counts what the store does.
    pub calls: Crashes,
}

/// An event as it stands.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub id: String,
    pub start: Option<Timestamp>,
    pub canceled: bool,
    /// The accounts that tell of it.
    pub connections: Vec<String>,
    /// Addresses of its invitees; one may be there more than once.
    pub invitees: Vec<String>,
    pub guests: Vec<String>,
    pub hosts: Vec<String>,
    /// How often it was changed in a way that no list looks at.
    pub version: u32,
}

impl Told {
    /// The messages that tell of it: one for each invitee and account.
    pub fn webhooks(&self) -> Vec<Value> {
        let uri = format!("https://api.calendly.com/scheduled_events/{}", self.id);
        let made: Timestamp = "2026-11-20T09:15:01.123456Z".parse().unwrap();
        let changes = u32::from(self.canceled) + self.version;
        let updated = made + SignedDuration::from_secs(changes.into());
        let canceled = json!({ "canceled_by": "Host", "created_at": updated, "reason": "" });
        let mut event = json!({
            "uri": uri,
            "name": format!("Meeting {}", self.version),
            "status": if self.canceled { "canceled" } else { "active" },
            "created_at": made,
            "updated_at": updated,
            "event_memberships": self.hosts.iter().enumerate().map(|(number, email)| json!({
                "user": format!("https://api.calendly.com/users/H{number}"), "user_email": email,
            })).collect::<Vec<_>>(),
            "event_guests": self.guests.iter().map(|email| json!({
                "email": email, "created_at": made, "updated_at": made,
            })).collect::<Vec<_>>(),
        });
        if let Some(start) = self.start {
            event["start_time"] = json!(start);
            event["end_time"] = json!(start + SignedDuration::from_mins(30));
        }
        let mut told = Vec::new();
        for connection in &self.connections {
            for (number, email) in self.invitees.iter().enumerate() {
                let mut payload = json!({
                    "uri": format!("{uri}/invitees/i{number:02}"),
                    "email": email,
                    "name": format!("Invitee {number}"),
                    "status": event["status"],
                    "created_at": made,
                    "updated_at": updated,
                    "scheduled_event": event,
                });
                if self.canceled {
                    payload["cancellation"] = canceled.clone();
                    payload["scheduled_event"]["cancellation"] = canceled.clone();
                }
                let name = if self.canceled {
                    "invitee.canceled"
                } else {
                    "invitee.created"
                };
                told.push(json!({
                    "event": name,
                    "created_by": format!("https://api.calendly.com/users/{connection}"),
                    "created_at": updated,
                    "payload": payload,
                }));
            }
        }
        told
    }
}

impl Desk {
    pub async fn new() -> Self {
        let dynamo = Dynamo::start().await;
        dynamo.bookings("bookings").await;
        let calls = Crashes::none();
        let store = BookingStore::new(dynamo.crashing(&calls), "bookings".to_owned());
        Self {
            dynamo,
            store,
            calls,
        }
    }

    /// Tells of an event.
    pub async fn tell(&self, told: &Told) {
        for body in told.webhooks() {
            let Ok(Webhook::Booking(booking)) =
                read(body.to_string().as_bytes(), testkit::received_at())
            else {
                panic!("it is a booking");
            };
            self.store.apply(booking.facts).await.unwrap();
        }
    }

    /// Many events, several at a time.
    pub async fn tell_all(&self, all: &[Told]) {
        futures::stream::iter(all)
            .for_each_concurrent(8, |told| self.tell(told))
            .await;
    }

    /// Every page of a list; `between` is run after each.
    pub async fn pages(
        &self,
        mut query: EventQuery,
        mut between: impl AsyncFnMut(usize),
    ) -> Vec<Vec<Listed>> {
        let mut pages = Vec::new();
        loop {
            let page = self.store.list(&query).await.unwrap();
            assert!(page.items.len() <= query.limit);
            pages.push(page.items);
            between(pages.len()).await;
            match page.next {
                Some(next) => {
                    assert_ne!(Some(&next), query.after.as_ref(), "each page goes on");
                    query.after = Some(next);
                }
                None => return pages,
            }
        }
    }
}

/// The place of an event in the order: by its start, one without a start last.
pub fn place(start: Option<Timestamp>, id: &str) -> (bool, Option<Timestamp>, String) {
    (start.is_none(), start, id.to_owned())
}
