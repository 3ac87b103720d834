//! How somebody is found who is to be erased, and that no step writes what it read long ago.

use crate::support::{Desk, Told};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use booking::ContactKey;
use futures::FutureExt;
use platform::bookings::{BookingStore, Erased, EventQuery, Trace};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn key(email: &str) -> ContactKey {
    ContactKey::of(email)
}

fn event(id: &str, guests: &[&str], version: u32) -> Told {
    Told {
        id: id.to_owned(),
        start: Some("2027-01-15T09:00:00Z".parse().unwrap()),
        connections: vec!["C1".to_owned()],
        invitees: vec!["ben@example.com".to_owned()],
        guests: guests.iter().map(|guest| (*guest).to_owned()).collect(),
        hosts: vec!["host@example.com".to_owned()],
        version,
        ..Told::default()
    }
}

async fn traces(desk: &Desk, email: &str, limit: usize) -> Vec<Trace> {
    let (mut all, mut place) = (Vec::new(), None);
    loop {
        let (some, next) = desk
            .store
            .traces(&key(email), place.as_ref(), limit)
            .await
            .unwrap();
        assert!(some.len() <= limit);
        all.extend(some);
        match next {
            Some(next) => place = Some(next),
            None => return all,
        }
    }
}

#[tokio::test]
async fn a_former_guest_is_found_and_is_in_no_list_of_theirs() {
    let desk = Desk::new().await;
    desk.tell(&event("e1", &["ann@example.com", "cid@example.com"], 0))
        .await;
    desk.tell(&event("e1", &["cid@example.com"], 1)).await;
    for (email, listed) in [("ann@example.com", 0), ("cid@example.com", 1)] {
        assert_eq!(traces(&desk, email, 10).await.len(), 1, "{email}");
        let query = EventQuery {
            limit: 10,
            ..EventQuery::default()
        };
        let activity = desk.store.activity(&key(email), &query).await.unwrap();
        assert_eq!(activity.items.len(), listed, "{email}");
    }

    let trace = traces(&desk, "ann@example.com", 10).await.remove(0);
    let ann = key("ann@example.com");
    let erased = desk.store.erase(&ann, &trace).await.unwrap();
    assert_eq!(erased, Erased::default(), "no record names her");
    assert!(traces(&desk, "ann@example.com", 10).await.is_empty());
    let dump = desk.dynamo.dump("bookings").await;
    let links = dump.lines().filter(|line| line.contains("contact#named"));
    assert_eq!(links.count(), 0);
    // Told of her once more, the event knows.
    desk.tell(&event("e1", &["ann@example.com"], 0)).await;
    assert!(traces(&desk, "ann@example.com", 10).await.is_empty());
}

#[tokio::test]
async fn every_event_is_found_however_many_entries_are_read_at_a_time() {
    let desk = Desk::new().await;
    for number in 0..5 {
        let id = format!("e{number}");
        desk.tell(&event(&id, &["ann@example.com"], 0)).await;
        if number % 2 == 0 {
            desk.tell(&event(&id, &[], 1)).await;
        }
    }
    for limit in [1, 2, 3, 10] {
        assert_eq!(
            traces(&desk, "ann@example.com", limit).await.len(),
            5,
            "{limit}"
        );
    }
}

/// Lets time pass once: after a step has read, and before it writes.
#[derive(Debug, Clone, Default)]
struct Slow {
    passed: Arc<AtomicUsize>,
    reads: Arc<AtomicUsize>,
}

impl Intercept for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let target = context
            .request()
            .headers()
            .get("x-amz-target")
            .unwrap_or_default();
        if target.ends_with("BatchGetItem") {
            self.reads.fetch_add(1, Ordering::SeqCst);
        }
        // The first event of a month lists its bucket.
        if target.ends_with("UpdateItem") && self.passed.fetch_add(1, Ordering::SeqCst) == 0 {
            tokio::time::pause();
            tokio::time::advance(Duration::from_secs(3)).now_or_never();
            tokio::time::resume();
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_step_that_took_long_reads_anew_before_it_writes() {
    let mut desk = Desk::new().await;
    let slow = Slow::default();
    let config = desk.dynamo.client().config().to_builder();
    let client = Client::from_conf(config.interceptor(slow.clone()).build());
    desk.store = BookingStore::new(client, "bookings".to_owned());

    desk.tell(&event("e1", &[], 0)).await;
    assert_eq!(slow.passed.load(Ordering::SeqCst), 1);
    assert_eq!(slow.reads.load(Ordering::SeqCst), 2, "marks are read again");
    desk.tell(&event("e2", &[], 0)).await;
    assert_eq!(slow.reads.load(Ordering::SeqCst), 3);
}
