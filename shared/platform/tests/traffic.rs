//! Counts of what became of webhooks: written by many processes, read by whoever asks how it stands.

#![allow(clippy::unwrap_used)] // helpers of tests

use jiff::{SignedDuration, Timestamp};
use platform::traffic::{Outcome, TrafficCounter, TrafficStore, hour_of, meanwhile};
use std::cell::Cell;
use std::future::{pending, ready};
use std::rc::Rc;
use testkit::dynamo::{Crashes, Dynamo};

/// A clock that a test moves.
#[derive(Clone)]
struct Clock(Rc<Cell<Timestamp>>);

impl ambient::Surroundings for Clock {
    fn now(&self) -> Timestamp {
        self.0.get()
    }

    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

impl Clock {
    fn at(text: &str) -> (Self, ambient::Given) {
        let clock = Self(Rc::new(Cell::new(text.parse().unwrap())));
        let given = ambient::give(Rc::new(clock.clone()));
        (clock, given)
    }

    fn seconds(&self, seconds: i64) -> Timestamp {
        self.0
            .set(self.0.get() + SignedDuration::from_secs(seconds));
        self.0.get()
    }
}

async fn table() -> (Dynamo, TrafficStore) {
    let dynamo = Dynamo::start().await;
    dynamo.limits("limits").await;
    let store = TrafficStore::new(dynamo.client(), "limits".to_owned());
    (dynamo, store)
}

#[tokio::test]
async fn what_processes_count_adds_up_by_the_hour_over_midnight() {
    let (_dynamo, store) = table().await;
    let (clock, _given) = Clock::at("2026-11-25T23:59:30Z");
    let processes = [0; 3].map(|_| TrafficCounter::new(store.clone()));
    for process in &processes {
        process.count(&[Outcome::Verified]).await;
    }
    // Not written yet, and so not lost on the way to the next day.
    processes[0].count(&[Outcome::Verified]).await;
    let last = clock.seconds(61);
    processes[0].count(&[Outcome::Verified]).await;
    let traffic = store.read(last).await.unwrap();
    let hour = hour_of(last);
    let counts = [hour - 1, hour].map(|hour| traffic.within(Outcome::Verified, hour..hour + 1));
    assert_eq!(counts, [4, 1]);
    assert_eq!(traffic.last(Outcome::Verified), Some(last));
    assert_eq!(traffic.last(Outcome::Stale), None);
}

#[tokio::test]
async fn four_weeks_are_read_and_no_more() {
    let (_dynamo, store) = table().await;
    let (clock, _given) = Clock::at("2026-10-01T12:00:00Z");
    let day = 24 * 3600;
    TrafficCounter::new(store.clone())
        .count(&[Outcome::Stale])
        .await;
    clock.seconds(day);
    TrafficCounter::new(store.clone())
        .count(&[Outcome::Mismatch])
        .await;
    let now = clock.seconds(28 * day);
    let traffic = store.read(now).await.unwrap();
    assert_eq!(traffic.last(Outcome::Stale), None);
    assert_eq!(traffic.since(Outcome::Mismatch, Timestamp::MIN), 1);
}

#[tokio::test]
async fn a_process_writes_each_outcome_at_once_and_then_once_a_minute() {
    let (dynamo, _) = table().await;
    let calls = Crashes::none();
    let store = TrafficStore::new(dynamo.crashing(&calls), "limits".to_owned());
    let (clock, _given) = Clock::at("2026-11-25T12:00:00Z");
    let counter = TrafficCounter::new(store.clone());
    let mut written = Vec::new();
    for (outcome, seconds) in [
        (Outcome::Verified, 0),
        (Outcome::Verified, 30),
        (Outcome::Mismatch, 1),
        (Outcome::Mismatch, 1),
        (Outcome::Verified, 40),
        (Outcome::Mismatch, 60),
    ] {
        clock.seconds(seconds);
        let before = calls.calls();
        counter.count(&[outcome]).await;
        written.push(calls.calls() - before);
    }
    // What was pending of one is written with the other.
    assert_eq!(written, [1, 0, 1, 0, 0, 1]);
    let traffic = store.read(clock.seconds(0)).await.unwrap();
    assert_eq!(traffic.since(Outcome::Verified, Timestamp::MIN), 3);
    assert_eq!(traffic.since(Outcome::Mismatch, Timestamp::MIN), 3);
}

#[tokio::test]
async fn no_answer_waits_for_a_count_and_a_count_that_is_left_is_made_later() {
    assert_eq!(meanwhile(ready(1), pending()).await, 1);
    let (_dynamo, store) = table().await;
    let (clock, _given) = Clock::at("2026-11-25T12:00:00Z");
    let counter = TrafficCounter::new(store.clone());
    // The work is done as soon as the count has begun.
    meanwhile(
        tokio::task::yield_now(),
        counter.count(&[Outcome::Verified]),
    )
    .await;
    counter.count(&[Outcome::Verified]).await;
    let traffic = store.read(clock.seconds(0)).await.unwrap();
    let counted = traffic.since(Outcome::Verified, Timestamp::MIN);
    assert!(counted >= 2, "{counted}");
}
