//! Applying a delivery: what its entry says of what it changed, and which events are read again.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use booking::{ContactKey, Facts, Transition};
use calendly::webhook::{Webhook, read};
use fakes::MemoryQueue;
use jiff::{SignedDuration, Timestamp};
use platform::apply::{Applied, Apply, Bookkeeper};
use platform::bookings::BookingStore;
use platform::deliveries::{Delivery, DeliveryId, DeliveryStore, NewDelivery, Status};
use platform::queue::DeliveryRef;
use platform::syncs::{SyncJob, Why};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use testkit::dynamo::{Crashes, Dynamo};
use testkit::fixture;
use testkit::inside::{Gate, Passed};

struct Stage {
    dynamo: Dynamo,
    /// Stops writes.
    crashes: Crashes,
    log: DeliveryStore,
    jobs: MemoryQueue<SyncJob>,
    worker: Bookkeeper<MemoryQueue<SyncJob>>,
}

impl Stage {
    async fn new() -> Self {
        let dynamo = Dynamo::inside();
        dynamo.deliveries("deliveries").await;
        dynamo.bookings("bookings").await;
        let crashes = Crashes::none();
        let client = dynamo.crashing(&crashes);
        let log = DeliveryStore::new(client.clone(), "deliveries".to_owned());
        let jobs = MemoryQueue::default();
        Self {
            crashes,
            worker: Bookkeeper {
                jobs: jobs.clone(),
                deliveries: log.clone(),
                bookings: BookingStore::new(client, "bookings".to_owned()),
            },
            jobs,
            log,
            dynamo,
        }
    }

    async fn log(&self, body: &[u8], age: SignedDuration) -> DeliveryRef {
        let id = DeliveryId::of(body);
        let new = NewDelivery {
            id: &id,
            tracking_id: "t",
            provider: "calendly",
            event: Some("invitee.created"),
            status: Status::Received,
            reason: None,
            event_uri: None,
            invitee_uri: None,
            warnings: &[],
            about: None,
            occurred_at: None,
            received_at: ambient::now() - age,
            body,
        };
        let days = SignedDuration::from_hours(24 * 30);
        self.log.record(&new, days).await.unwrap();
        DeliveryRef {
            delivery_id: id,
            tracking_id: "t".to_owned(),
            event: None,
        }
    }

    async fn logged(&self, body: &[u8]) -> DeliveryRef {
        self.log(body, SignedDuration::ZERO).await
    }

    async fn applied(&self, delivery: &DeliveryRef, attempt: usize) {
        self.worker.apply(delivery, attempt).await.unwrap();
    }

    /// The bookings as another process has them.
    fn bookings(&self) -> BookingStore {
        BookingStore::new(self.dynamo.client(), "bookings".to_owned())
    }

    async fn entry(&self, delivery: &DeliveryRef) -> (Delivery, Option<Vec<u8>>) {
        let found = self.log.get_with_body(&delivery.delivery_id).await;
        found.unwrap().unwrap()
    }

    async fn changes(&self, delivery: &DeliveryRef) -> Value {
        let entry = self.log.get(&delivery.delivery_id).await.unwrap().unwrap();
        json!(entry.changes)
    }
}

/// What a webhook's body says.
fn facts(body: &[u8]) -> Facts {
    let Ok(Webhook::Booking(booking)) = read(body, ambient::now()) else {
        panic!("it is a booking");
    };
    booking.facts
}

/// Another who applies facts just before the first write of a booking arrives.
struct Faster(Mutex<Option<(BookingStore, Facts)>>);

impl Gate for Faster {
    fn call(&self, operation: &str, act: Box<dyn FnOnce() + Send>) -> Passed {
        let is_write = operation == "TransactWriteItems";
        let other = is_write.then(|| self.0.lock().unwrap().take()).flatten();
        Box::pin(async move {
            if let Some((bookings, facts)) = other {
                bookings.apply(facts).await.unwrap();
            }
            act();
            Ok(())
        })
    }
}

#[tokio::test]
async fn what_is_known_already_is_told_as_no_change() {
    let stage = Stage::new().await;
    let body = fixture("invitee.created.json");
    let first = stage.logged(&body).await;
    assert_eq!(stage.changes(&first).await, json!(null), "not applied yet");
    stage.applied(&first, 1).await;
    assert_eq!(stage.changes(&first).await, json!(["scheduled"]));
    // The same in other bytes.
    let again = stage.logged(&[&body[..], b" "].concat()).await;
    stage.applied(&again, 1).await;
    assert_eq!(stage.changes(&again).await, json!([]));
}

/// A group of these people, and the message that calls it off: with one of them, the others follow.
fn group(people: usize) -> (Vec<Vec<u8>>, Vec<u8>) {
    let booked = |number: usize| {
        let mut body: Value = serde_json::from_slice(&fixture("invitee.created.json")).unwrap();
        let payload = &mut body["payload"];
        payload["uri"] = json!(format!("{}{number}", payload["uri"].as_str().unwrap()));
        payload["email"] = json!(format!("person{number}@example.com"));
        payload["scheduled_event"]["invitees_counter"]["limit"] = json!(people);
        body
    };
    let mut off = booked(0);
    off["event"] = json!("invitee.canceled");
    for said in ["/payload", "/payload/scheduled_event"] {
        let said = off.pointer_mut(said).unwrap();
        said["status"] = json!("canceled");
        said["updated_at"] = json!("2026-12-01T00:00:00.000000Z");
    }
    let bodies = (0..people).map(|number| booked(number).to_string().into_bytes());
    (bodies.collect(), off.to_string().into_bytes())
}

impl Stage {
    /// One whose bookings know these bodies.
    async fn after(bodies: &[Vec<u8>]) -> Self {
        let stage = Self::new().await;
        let bookings = stage.bookings();
        for body in bodies {
            bookings.apply(facts(body)).await.unwrap();
        }
        stage
    }
}

/// Stopped at any write, it may have changed some of what it changes: the next attempt, which finds
/// the rest, or nothing, can't tell.
#[tokio::test]
async fn a_delivery_that_was_stopped_never_claims_that_the_rest_was_all() {
    let (bodies, off) = group(3);
    let mut parted = false;
    for crash in 0.. {
        let stage = Stage::after(&bodies).await;
        let delivery = stage.logged(&off).await;
        stage.crashes.at(crash);
        let stopped = stage.worker.apply(&delivery, 1).await.is_err();
        stage.crashes.at(u8::MAX);
        let done = stage.worker.apply(&delivery, 2).await.unwrap();
        let changes = stage.changes(&delivery).await;
        if !stopped {
            assert!(crash > 6, "only {crash} places to stop at");
            assert_eq!(changes, json!(["canceled", "canceled", "canceled"]));
            break;
        }
        if let Applied::Now(done) = done {
            parted |= done.made.len() == 2;
            assert!(!done.is_all);
            assert_eq!(changes, json!(null), "stopped at {crash}");
        }
    }
    assert!(parted, "none was stopped half way");
}

/// Each of its attempts writes down what it knows, the last one too.
#[tokio::test]
async fn whoever_finds_that_they_were_not_alone_takes_the_claim_back() {
    let stage = Stage::new().await;
    let delivery = stage.logged(&fixture("invitee.created.json")).await;
    let id = &delivery.delivery_id;
    let made = [Transition::Scheduled];
    stage.log.processed(id, Some(&made), &[]).await.unwrap();
    assert_eq!(stage.changes(&delivery).await, json!(["scheduled"]));
    stage.log.processed(id, None, &[]).await.unwrap();
    assert_eq!(stage.changes(&delivery).await, json!(null));
}

#[tokio::test]
async fn no_list_of_changes_is_cut() {
    let stage = Stage::new().await;
    for (count, told) in [(300, true), (1000, true), (1001, false)] {
        let delivery = stage.logged(count.to_string().as_bytes()).await;
        let made = vec![Transition::Canceled; count];
        let id = &delivery.delivery_id;
        stage.log.processed(id, Some(&made), &[]).await.unwrap();
        let entry = stage.log.get(id).await.unwrap().unwrap();
        assert_eq!(entry.changes.map(|it| it.len()), told.then_some(count));
    }
}

#[tokio::test]
async fn a_message_that_was_sent_again_can_not_tell_what_the_lost_one_did() {
    let stage = Stage::new().await;
    let body = fixture("invitee.created.json");
    let first = stage.logged(&body).await;
    stage.applied(&first, 1).await;
    // The sweep sends such a message as if it were the first.
    let swept = [&body[..], b" "].concat();
    let swept = stage.log(&swept, SignedDuration::from_mins(11)).await;
    stage.applied(&swept, 1).await;
    assert_eq!(stage.changes(&swept).await, json!(null));
}

#[tokio::test]
async fn whoever_loses_a_race_never_claims_that_the_rest_was_all() {
    let (bodies, off) = group(3);
    // Another attempt, and a message about somebody else.
    for (other, made) in [(&off, 0), (&bodies[1], 1)] {
        let mut stage = Stage::after(&bodies[..1]).await;
        let delivery = stage.logged(&off).await;
        let faster = Faster(Mutex::new(Some((stage.bookings(), facts(other)))));
        let client = stage.dynamo.through(Arc::new(faster));
        stage.worker.bookings = BookingStore::new(client, "bookings".to_owned());
        let Applied::Now(done) = stage.worker.apply(&delivery, 1).await.unwrap() else {
            panic!("it was not applied before");
        };
        assert!(done.made.len() >= made, "{:?}", done.made);
        assert!(!done.is_all);
        assert_eq!(stage.changes(&delivery).await, json!(null));
    }
}

#[tokio::test]
async fn a_late_delivery_of_somebody_erased_ends_applied_and_empty_wherever_it_is_stopped() {
    let body = fixture("invitee.created.json");
    let address: Value = serde_json::from_slice(&body).unwrap();
    let address = ContactKey::of(address["payload"]["email"].as_str().unwrap());
    for crash in 0.. {
        let stage = Stage::new().await;
        let now = ambient::now();
        stage.bookings().begin_erasure(&address, now).await.unwrap();
        let delivery = stage.logged(&body).await;
        stage.crashes.at(crash);
        let stopped = stage.worker.apply(&delivery, 1).await.is_err();
        stage.crashes.at(u8::MAX);
        stage.applied(&delivery, 2).await;
        let (entry, body) = stage.entry(&delivery).await;
        assert_eq!(entry.status, Status::Processed, "stopped at {crash}");
        assert!(entry.erased_at.is_some() && body.is_none());
        assert_eq!(entry.last_error, None);
        assert!(!entry.changes.is_some_and(|changes| changes.is_empty()));
        if !stopped {
            assert!(crash > 4, "only {crash} places to stop at");
            break;
        }
    }
}

/// The same body came twice, and its first message was stopped after it had made a part of the change.
#[tokio::test]
async fn a_second_message_for_a_delivery_can_not_tell_what_a_stopped_first_one_did() {
    let (bodies, off) = group(3);
    for is_replay in [false, true] {
        let stage = Stage::after(&bodies).await;
        let delivery = stage.logged(&off).await;
        let id = &delivery.delivery_id;
        if is_replay {
            stage.log.reopen(id).await.unwrap();
        } else {
            stage.log.sent_again(id).await.unwrap();
        }
        stage.applied(&delivery, 1).await;
        assert_eq!(stage.changes(&delivery).await, json!(null));
    }
}

#[tokio::test]
async fn a_replay_leaves_the_changes_that_stand_there() {
    let stage = Stage::new().await;
    let delivery = stage.logged(&fixture("invitee.created.json")).await;
    stage.applied(&delivery, 1).await;
    stage.log.reopen(&delivery.delivery_id).await.unwrap();
    stage.applied(&delivery, 1).await;
    assert_eq!(stage.changes(&delivery).await, json!(["scheduled"]));
}

/// What was not known before doesn't become known by a replay, whatever it makes.
#[tokio::test]
async fn a_replay_adds_to_what_is_known_and_to_nothing_else() {
    let (bodies, off) = group(3);
    for (before, attempt, want) in [
        (
            Some(&[Transition::Scheduled][..]),
            1,
            json!(["scheduled", "canceled", "canceled", "canceled"]),
        ),
        (
            Some(&[][..]),
            1,
            json!(["canceled", "canceled", "canceled"]),
        ),
        (
            Some(&[][..]),
            2,
            json!(["canceled", "canceled", "canceled"]),
        ),
        (None, 1, json!(null)),
    ] {
        let stage = Stage::after(&bodies).await;
        let delivery = stage.logged(&off).await;
        let id = &delivery.delivery_id;
        stage.log.processed(id, before, &[]).await.unwrap();
        stage.log.reopen(id).await.unwrap();
        stage.applied(&delivery, attempt).await;
        assert_eq!(stage.changes(&delivery).await, want, "{before:?} {attempt}");
    }
}

/// The sample, made by Calendly so long ago, and written on each time.
fn made(ago: SignedDuration, change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(&fixture("invitee.created.payment.json")).unwrap();
    let at: Timestamp = ambient::now() - ago;
    body["created_at"] = json!(at);
    body["payload"]["updated_at"] = json!(at);
    body["payload"]["scheduled_event"]["updated_at"] = json!(at);
    change(&mut body["payload"]);
    body.to_string().into_bytes()
}

/// What counts then is when the delivery came, which the log keeps.
#[tokio::test]
async fn a_webhook_from_the_future_says_so_and_says_the_same_when_it_is_replayed() {
    let stage = Stage::new().await;
    let body = made(-SignedDuration::from_hours(5_000_000), |_| {});
    let delivery = stage.log(&body, SignedDuration::from_mins(3)).await;
    stage.applied(&delivery, 1).await;
    let warnings = stage.entry(&delivery).await.0.warnings;
    for field in ["created_at", "payload.updated_at"] {
        let told = format!("`{field}` is 2");
        assert!(
            warnings.iter().any(|it| it.starts_with(&told)),
            "{warnings:?}"
        );
    }
    let bookings = stage.dynamo.dump("bookings").await;
    stage.log.reopen(&delivery.delivery_id).await.unwrap();
    stage.applied(&delivery, 1).await;
    assert_eq!(stage.dynamo.dump("bookings").await, bookings);
    // A true one that was made later wins.
    let name = |payload: &mut Value| payload["name"] = json!("Other");
    let later = stage
        .logged(&made(SignedDuration::from_mins(2), name))
        .await;
    stage.applied(&later, 1).await;
    assert_eq!(stage.changes(&later).await, json!(["updated"]));
    assert!(stage.dynamo.dump("bookings").await != bookings);
}

#[tokio::test]
async fn an_event_that_a_late_webhook_changes_is_read_again() {
    let (late, soon) = (SignedDuration::from_mins(5), SignedDuration::from_secs(5));
    for (ago, other_name, want) in [(late, true, 1), (late, false, 0), (soon, true, 0)] {
        let stage = Stage::new().await;
        let first = made(SignedDuration::from_mins(20), |_| {});
        let first = stage.logged(&first).await;
        stage.applied(&first, 1).await;
        assert!(stage.jobs.drain().is_empty(), "what is new is not doubted");
        let body = made(ago, |payload| {
            if other_name {
                payload["scheduled_event"]["name"] = json!("Other");
            } else {
                payload["updated_at"] = payload["created_at"].clone();
                let event = &mut payload["scheduled_event"];
                event["updated_at"] = event["created_at"].clone();
            }
        });
        let second = stage.logged(&body).await;
        stage.applied(&second, 1).await;
        let jobs = stage.jobs.drain();
        assert_eq!(jobs.len(), want, "{ago} {other_name}");
        for (job, delay) in jobs {
            let event = job.event.unwrap();
            assert_eq!(event.why, Why::ToldLate);
            assert_eq!((event.reads, delay.as_secs()), (0, 0));
            assert!(job.connection_id.is_some());
        }
    }
}
