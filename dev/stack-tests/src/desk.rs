//! A connected account, and the bookings that a test makes with it at the sandbox.

use crate::{Account, Sandbox, Stack, difference, held};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Somebody's bookings, at the sandbox and in the stack.
pub struct Desk<'a> {
    /// The account.
    pub account: Account,
    /// Ids of the events that were booked.
    pub events: BTreeSet<String>,
    stack: &'a Stack,
    sandbox: &'a Sandbox,
}

impl<'a> Desk<'a> {
    /// Connects the account.
    pub async fn connected(stack: &'a Stack, sandbox: &'a Sandbox, account: Account) -> Self {
        stack.connect(sandbox, &account).await;
        Self {
            account,
            events: BTreeSet::new(),
            stack,
            sandbox,
        }
    }

    async fn made(&mut self, path: &str, body: &Value) -> String {
        let made = self.sandbox.control(Method::POST, path, body).await;
        self.events
            .insert(made["eventId"].as_str().unwrap().to_owned());
        made["inviteeId"].as_str().unwrap().to_owned()
    }

    /// Books an event type with the account as its host; the invitee's id.
    pub async fn book(&mut self, name: &str, event_type: &str, start: &str) -> String {
        let host = self.account.id.clone();
        self.book_with(&json!({
            "name": name,
            "email": format!("{}@example.com", name.to_lowercase().replace(' ', ".")),
            "eventType": event_type,
            "startTime": start,
            "host": host,
        }))
        .await
    }

    /// Makes this booking; the invitee's id.
    pub async fn book_with(&mut self, booking: &Value) -> String {
        self.made("/bookings", booking).await
    }

    /// Moves a booking; the new invitee's id.
    pub async fn reschedule(&mut self, invitee: &str, change: &Value) -> String {
        self.made(&format!("/bookings/{invitee}/reschedule"), change)
            .await
    }

    /// Cancels a booking.
    pub async fn cancel(&self, invitee: &str, change: &Value) {
        let path = format!("/bookings/{invitee}/cancel");
        self.sandbox.control(Method::POST, &path, change).await;
    }

    /// Sets a no-show mark, or takes it back.
    pub async fn no_show(&self, invitee: &str, marked: bool) {
        let method = if marked { Method::POST } else { Method::DELETE };
        let path = format!("/bookings/{invitee}/no-show");
        self.sandbox.control(method, &path, &Value::Null).await;
    }

    /// Waits until every webhook has been sent, taken at the first try, and applied. The
    /// sandbox's record of them.
    pub async fn applied(&self) -> Vec<Value> {
        let deliveries = self.applied_but_dropped().await;
        for delivery in &deliveries {
            assert_eq!(delivery["state"], "delivered", "{delivery:#}");
        }
        deliveries
    }

    /// The same where a fault may have dropped some: they are in the record, too.
    pub async fn applied_but_dropped(&self) -> Vec<Value> {
        self.sandbox.settle().await;
        let deliveries = self.sandbox.deliveries(&self.account).await;
        let mut ids = BTreeSet::new();
        for delivery in deliveries.iter().filter(|it| it["state"] != "dropped") {
            assert_eq!(delivery["state"], "delivered", "{delivery:#}");
            let attempts = delivery["attempts"].as_array().unwrap();
            assert_eq!(attempts.len(), 1, "{delivery:#}");
            let answer = attempts[0]["answer"].as_str().unwrap();
            let answer: Value = serde_json::from_str(answer).unwrap();
            assert_eq!(answer.get("ignored"), None, "{delivery:#}");
            ids.insert(answer["deliveryId"].as_str().unwrap().to_owned());
        }
        for id in ids {
            self.stack.until_status(&id, "processed").await;
        }
        deliveries
    }

    /// The sandbox's events, and of these the ones of this desk as the API must show them.
    async fn held(&self) -> Vec<Value> {
        let state = self.sandbox.state().await;
        let all = state["events"].as_array().unwrap();
        let id = |event: &Value| {
            event["uri"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        };
        let ours = all.iter().filter(|event| self.events.contains(&id(event)));
        let shown: Vec<_> = ours
            .map(|event| held::event(event, all, &self.account.id))
            .collect();
        assert_eq!(shown.len(), self.events.len());
        shown
    }

    /// Waits until all is applied; then every booking must be stored exactly as the sandbox holds
    /// it.
    pub async fn assert_stored(&self) {
        self.applied().await;
        self.assert_same().await;
    }

    /// Every booking must be stored exactly as the sandbox holds it.
    pub async fn assert_same(&self) {
        let differences = self.differences().await;
        let (count, of) = (differences.len(), self.events.len());
        assert!(
            count == 0,
            "{count} of {of} events:\n{}",
            differences.join("\n")
        );
    }

    /// What the stored events differ in from those that the sandbox holds: a line each.
    pub async fn differences(&self) -> Vec<String> {
        let mut differences = Vec::new();
        for wanted in self.held().await {
            let id = wanted["id"].as_str().unwrap();
            let answer = self.stack.get(&format!("/v1/events/{id}")).await;
            if answer.status == 404 {
                differences.push(format!("{id}: not stored"));
                continue;
            }
            let mut shown = held::sorted(answer.ok());
            let next = shown.as_object_mut().unwrap().remove("nextCursor");
            assert_eq!(next, Some(Value::Null), "all invitees fit into the answer");
            let what = difference(&shown, &wanted);
            differences.extend(what.map(|what| format!("{id}: {what}")));
        }
        differences
    }

    /// How many of the events have begun by now, canceled ones too: their invitees are read by
    /// each sync, as a no-show mark moves nothing of an event.
    pub async fn begun(&self) -> usize {
        let now = jiff::Timestamp::now();
        let held = self.held().await;
        let starts = held.iter().map(|event| event["startTime"].as_str());
        let starts = starts.map(|start| start.unwrap().parse::<jiff::Timestamp>().unwrap());
        starts.filter(|start| *start <= now).count()
    }

    /// Everything that the list shows of this account between two times must be what the sandbox
    /// holds: no more, and no less.
    pub async fn assert_listed(&self, from: &str, to: &str) {
        let path = format!("/v1/events?from={from}&to={to}&limit=100");
        let listed = self.stack.pages(&path, "events", 100).await.concat();
        let mut ids = BTreeSet::new();
        for event in listed {
            if event["connection"] != self.account.id.as_str() {
                continue;
            }
            let id = event["id"].as_str().unwrap();
            let one = held::listed(self.stack.event(id).await, &event);
            let what = difference(&held::sorted(event.clone()), &held::sorted(one));
            assert_eq!(what, None, "{id} in the list");
            assert!(ids.insert(id.to_owned()), "{id} twice");
        }
        assert_eq!(ids, self.events);
    }
}
