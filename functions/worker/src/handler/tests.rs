mod metrics;
mod odd;

use super::*;
use fakes::MemoryQueue;
use jiff::SignedDuration;
use platform::apply::Bookkeeper;
use platform::bookings::BookingStore;
use platform::deliveries::{Delivery, DeliveryId, DeliveryQuery, NewDelivery, Status};
use platform::syncs::SyncJob;
use std::sync::Mutex;
use testkit::dynamo::Dynamo;
use testkit::fixture;

/// A stand-in for both queues, which remembers what it was told.
#[derive(Clone, Default)]
struct Queues {
    hidden: Arc<Mutex<Vec<(String, u64)>>>,
    buried: Arc<Mutex<Vec<(String, String)>>>,
}

impl Inbox for Queues {
    async fn hide(&self, receipt: &str, delay: Duration) -> platform::Result<()> {
        let hidden = (receipt.to_owned(), delay.as_secs());
        self.hidden.lock().unwrap().push(hidden);
        Ok(())
    }
}

impl DeadLetters for Queues {
    async fn bury(&self, body: &str, reason: &str) -> platform::Result<()> {
        let buried = (body.to_owned(), reason.to_owned());
        self.buried.lock().unwrap().push(buried);
        Ok(())
    }
}

/// Applies as the real one does, but panics, hangs or fails on deliveries of certain events.
struct Fragile(Bookkeeper<MemoryQueue<SyncJob>>);

impl Apply for Fragile {
    async fn apply(&self, delivery: &DeliveryRef, attempt: usize) -> Result<Applied, Failure> {
        match delivery.event.as_deref() {
            Some("panic") => panic!("a body with personal data"),
            Some("hang") => std::future::pending().await,
            Some("fail") => Err(Failure::new(ErrorKind::Aws, "the table is away")),
            _ => self.0.apply(delivery, attempt).await,
        }
    }
}

/// Of one record.
const LIMIT: Duration = Duration::from_secs(3600);

struct Stage {
    dynamo: Dynamo,
    deliveries: DeliveryStore,
    queues: Queues,
    jobs: MemoryQueue<SyncJob>,
    worker: Arc<Worker<Fragile, Queues, Queues>>,
}

impl Stage {
    async fn new() -> Self {
        let dynamo = Dynamo::start().await;
        dynamo.deliveries("deliveries").await;
        dynamo.bookings("bookings").await;
        let deliveries = DeliveryStore::new(dynamo.client(), "deliveries".to_owned());
        let queues = Queues::default();
        let jobs = MemoryQueue::default();
        let worker = Arc::new(Worker {
            bookkeeper: Fragile(Bookkeeper {
                jobs: jobs.clone(),
                deliveries: deliveries.clone(),
                bookings: BookingStore::new(dynamo.client(), "bookings".to_owned()),
            }),
            deliveries: deliveries.clone(),
            inbox: queues.clone(),
            dead_letters: queues.clone(),
            schedule: [60, 300, 900, 1800, 3600].map(Duration::from_secs).to_vec(),
            // Longer than any machine takes; a test that reaches it moves the clock.
            record_limit: LIMIT,
        });
        Self {
            dynamo,
            deliveries,
            queues,
            jobs,
            worker,
        }
    }

    /// Logs a body and gives the text of its message.
    async fn logged(&self, body: &[u8], event: &str) -> String {
        let id = DeliveryId::of(body);
        let new = NewDelivery {
            id: &id,
            tracking_id: "t-1",
            provider: "calendly",
            event: Some(event),
            status: Status::Received,
            reason: None,
            event_uri: None,
            invitee_uri: None,
            warnings: &[],
            about: None,
            occurred_at: None,
            received_at: Timestamp::now(),
            body,
        };
        let retention = SignedDuration::from_hours(24);
        self.deliveries.record(&new, retention).await.unwrap();
        message_text(&id, event)
    }

    /// Hands over a batch; each message is received for the `attempt`th time.
    async fn hand(&self, attempt: usize, messages: &[String]) -> Vec<String> {
        let mut batch = SqsEvent::default();
        for (number, body) in messages.iter().enumerate() {
            let mut message = SqsMessage::default();
            message.message_id = Some(format!("m{number}"));
            message.receipt_handle = Some(format!("r{number}"));
            message.body = Some(body.clone());
            message
                .attributes
                .insert("ApproximateReceiveCount".to_owned(), attempt.to_string());
            batch.records.push(message);
        }
        let response = self.worker.clone().handle(batch).await;
        let failures = response.batch_item_failures.into_iter();
        failures.map(|failure| failure.item_identifier).collect()
    }

    async fn delivery(&self, body: &[u8]) -> Delivery {
        self.deliveries
            .get(&DeliveryId::of(body))
            .await
            .unwrap()
            .unwrap()
    }

    async fn dead(&self) -> Vec<Delivery> {
        let query = DeliveryQuery {
            status: Some(Status::Dead),
            ..DeliveryQuery::all(10, SignedDuration::from_hours(24))
        };
        self.deliveries.list(&query).await.unwrap().items
    }

    fn hidden(&self) -> Vec<(String, u64)> {
        self.queues.hidden.lock().unwrap().clone()
    }

    fn buried(&self) -> Vec<(String, String)> {
        self.queues.buried.lock().unwrap().clone()
    }
}

fn message_text(id: &DeliveryId, event: &str) -> String {
    let event = Some(event.to_owned());
    serde_json::to_string(&DeliveryRef {
        delivery_id: id.clone(),
        tracking_id: "t-1".to_owned(),
        event,
    })
    .unwrap()
}

#[tokio::test]
async fn a_delivery_is_applied_and_marked() {
    let stage = Stage::new().await;
    let body = fixture("invitee.created.json");
    let message = stage.logged(&body, "invitee.created").await;
    assert!(stage.hand(1, &[message]).await.is_empty());
    let delivery = stage.delivery(&body).await;
    assert_eq!((delivery.status, delivery.attempts), (Status::Processed, 1));
    assert!(delivery.processed_at.is_some());
    assert_eq!(delivery.changes.unwrap(), ["scheduled"]);
    assert!(stage.dynamo.dump("bookings").await.contains("Ada Booker"));
    assert!(stage.hidden().is_empty() && stage.buried().is_empty());
}

#[tokio::test]
async fn an_event_whose_link_is_not_ready_is_read_again_a_little_later() {
    let stage = Stage::new().await;
    let pending = fixture("invitee.created.json");
    let no_link = fixture("invitee.created.payment.json");
    let canceled = fixture("invitee.canceled.host-empty-reason.json");
    let batch = [
        stage.logged(&pending, "invitee.created").await,
        stage.logged(&no_link, "invitee.created").await,
        stage.logged(&canceled, "invitee.canceled").await,
    ];
    stage.hand(1, &batch).await;
    let jobs = stage.jobs.drain();
    assert_eq!(jobs.len(), 1);
    let (job, delay) = &jobs[0];
    assert_eq!(delay.as_secs(), 60);
    assert_eq!(
        job.connection_id.as_ref().unwrap().as_str(),
        "AAAAHOSTUSER0001"
    );
    let event = job.event.as_ref().unwrap();
    assert_eq!(event.event_id, "00000001-1111-4222-8333-444455556666");
}

#[tokio::test]
async fn a_message_that_comes_twice_changes_nothing_more() {
    let stage = Stage::new().await;
    let body = fixture("invitee.created.json");
    let message = stage.logged(&body, "invitee.created").await;
    stage.hand(1, &[message.clone(), message.clone()]).await;
    let bookings = stage.dynamo.dump("bookings").await;
    assert!(stage.hand(2, &[message]).await.is_empty());
    assert_eq!(stage.dynamo.dump("bookings").await, bookings);
    assert_eq!(stage.delivery(&body).await.status, Status::Processed);
}

#[tokio::test]
async fn one_bad_record_harms_no_other() {
    let stage = Stage::new().await;
    let good = fixture("invitee.created.json");
    let batch = [
        stage.logged(b"panics", "panic").await,
        stage.logged(b"hangs", "hang").await,
        "not a message".to_owned(),
        stage.logged(&good, "invitee.created").await,
        message_text(&DeliveryId::of(b"never logged"), "invitee.created"),
    ];
    let others_are_done = async {
        while stage.buried().len() < 2
            || stage.delivery(b"panics").await.status != Status::Failed
            || stage.delivery(&good).await.status != Status::Processed
        {
            tokio::task::yield_now().await;
        }
        tokio::time::pause();
        tokio::time::advance(LIMIT).await;
        tokio::time::resume();
    };
    let (failed, ()) = tokio::join!(stage.hand(1, &batch), others_are_done);
    assert_eq!(failed, ["m0", "m1"]);

    let panicked = stage.delivery(b"panics").await;
    assert_eq!(panicked.status, Status::Failed);
    let error = panicked.last_error.unwrap();
    assert!(
        error.contains("panicked") && !error.contains("personal"),
        "{error}"
    );
    let hung = stage.delivery(b"hangs").await;
    assert_eq!(hung.status, Status::Failed);
    assert!(hung.last_error.unwrap().contains("not done within"));

    let buried = stage.buried();
    assert_eq!(buried.len(), 2);
    assert!(buried.iter().any(|(body, _)| body == "not a message"));
    assert!(
        buried
            .iter()
            .any(|(_, reason)| reason.contains("not in the log"))
    );
}

#[tokio::test]
async fn retries_follow_the_schedule_and_then_the_delivery_is_dead() {
    let stage = Stage::new().await;
    let message = stage.logged(b"fails", "fail").await;
    for (attempt, wait) in [(1, 60), (2, 300), (3, 900), (4, 1800), (5, 3600)] {
        let before = Timestamp::now();
        assert_eq!(
            stage.hand(attempt, std::slice::from_ref(&message)).await,
            ["m0"]
        );
        assert_eq!(stage.hidden().pop().unwrap(), ("r0".to_owned(), wait));
        let delivery = stage.delivery(b"fails").await;
        assert_eq!(delivery.status, Status::Failed);
        assert_eq!(delivery.attempts, attempt as u64);
        assert_eq!(delivery.last_error.as_deref(), Some("the table is away"));
        let next = delivery.next_attempt_at.unwrap();
        let wait = SignedDuration::from_secs(wait.cast_signed());
        assert!(next >= before + wait && next <= Timestamp::now() + wait);
    }
    assert!(stage.buried().is_empty());
    assert!(
        stage
            .hand(6, std::slice::from_ref(&message))
            .await
            .is_empty()
    );
    assert_eq!(stage.buried(), [(message, "the table is away".to_owned())]);
    let delivery = stage.delivery(b"fails").await;
    assert_eq!((delivery.status, delivery.attempts), (Status::Dead, 6));
    assert_eq!(delivery.last_error.as_deref(), Some("the table is away"));
    assert_eq!(delivery.next_attempt_at, None);
    assert_eq!(delivery.error_kind, Some(ErrorKind::Aws));
    assert!(delivery.retryable, "what passed may be over");

    assert_eq!(stage.dead().await, [delivery]);
}

#[tokio::test]
async fn a_copy_of_a_message_does_not_apply_what_was_put_away_since() {
    let stage = Stage::new().await;
    let body = fixture("invitee.created.json");
    let message = stage.logged(&body, "invitee.created").await;
    let id = DeliveryId::of(&body);
    let failure = Failure::new(ErrorKind::TooLarge, "too large");
    stage.deliveries.dead(&id, &failure, 1).await.unwrap();
    stage
        .deliveries
        .discard(&id, "on-call", "why")
        .await
        .unwrap();
    let stood = stage.delivery(&body).await;
    assert!(stage.hand(1, &[message]).await.is_empty());
    assert_eq!(stage.delivery(&body).await, stood);
    assert!(stage.buried().is_empty());
}

#[tokio::test]
async fn the_last_attempt_may_succeed() {
    let stage = Stage::new().await;
    let body = fixture("invitee.created.json");
    let message = stage.logged(&body, "invitee.created").await;
    assert!(stage.hand(6, &[message]).await.is_empty());
    assert_eq!(stage.delivery(&body).await.status, Status::Processed);
    assert!(stage.dead().await.is_empty());
}

#[tokio::test]
async fn a_late_failure_does_not_undo_a_success() {
    let stage = Stage::new().await;
    let body = fixture("invitee.created.json");
    let message = stage.logged(&body, "invitee.created").await;
    stage.hand(1, &[message]).await;
    // Another message of the same delivery fails, and another is given up.
    let failing = message_text(&DeliveryId::of(&body), "fail");
    stage.hand(1, std::slice::from_ref(&failing)).await;
    stage.hand(6, &[failing]).await;
    assert_eq!(stage.delivery(&body).await.status, Status::Processed);
}

#[tokio::test]
async fn what_is_replayed_without_need_ends_where_it_was() {
    let stage = Stage::new().await;
    let ignored = fixture("event_type.updated.json");
    let batch = [
        stage.logged(&ignored, "event_type.updated").await,
        stage.logged(b"{}", "unknown").await,
    ];
    assert!(stage.hand(1, &batch).await.is_empty());
    assert_eq!(stage.delivery(&ignored).await.status, Status::Ignored);
    let unreadable = stage.delivery(b"{}").await;
    assert_eq!(unreadable.status, Status::Unprocessable);
    assert!(unreadable.last_error.unwrap().contains("`event`"));
    assert!(stage.buried().is_empty());
}

#[tokio::test]
async fn what_was_erased_is_not_applied_and_dies_of_nothing() {
    let stage = Stage::new().await;
    let body = fixture("invitee.created.json");
    let message = stage.logged(&body, "invitee.created").await;
    assert!(
        stage
            .deliveries
            .erase(&DeliveryId::of(&body))
            .await
            .unwrap()
    );
    let erased = stage.delivery(&body).await;
    for attempt in [1, 6] {
        let comes_back = stage.hand(attempt, std::slice::from_ref(&message)).await;
        assert!(comes_back.is_empty());
    }
    assert_eq!(stage.delivery(&body).await, erased);
    assert_eq!(erased.status, Status::Ignored);
    assert_eq!(stage.dynamo.dump("bookings").await, "");
    assert!(stage.buried().is_empty());
}
