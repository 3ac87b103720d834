//! Bookings while the table takes no more: what is throttled is waited for, within a bound.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use booking::{Facts, Provider};
use calendly::webhook::{Webhook, read};
use platform::bookings::{BookingStore, Merged};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::dynamo::Dynamo;
use testkit::fixture;
use testkit::inside::{Gate, Passed};

/// Answers the next calls of an operation as a throttled table does.
struct Throttled {
    operation: &'static str,
    /// Why a transaction is canceled.
    reasons: &'static [&'static str],
    left: AtomicUsize,
}

impl Gate for Throttled {
    fn call(&self, _: &str, act: Box<dyn FnOnce() + Send>) -> Passed {
        act();
        Box::pin(std::future::ready(Ok(())))
    }

    fn instead(&self, operation: &str, body: &str) -> Option<(u16, String)> {
        let less = |left: usize| left.checked_sub(1);
        let (set, get) = (Ordering::SeqCst, Ordering::SeqCst);
        if operation != self.operation || self.left.fetch_update(set, get, less).is_err() {
            return None;
        }
        let request: Value = serde_json::from_str(body).unwrap();
        if operation == "BatchGetItem" {
            let unread = json!({ "Responses": {}, "UnprocessedKeys": request["RequestItems"] });
            return Some((200, unread.to_string()));
        }
        let reasons = self.reasons.iter().map(|code| json!({ "Code": code }));
        let canceled = json!({
            "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
            "message": "Transaction cancelled",
            "CancellationReasons": reasons.collect::<Vec<_>>(),
        });
        Some((400, canceled.to_string()))
    }
}

fn facts() -> Facts {
    let Ok(Webhook::Booking(booking)) = read(&fixture("invitee.created.json"), ambient::now())
    else {
        panic!("it is a booking");
    };
    booking.facts
}

/// Applies a booking while so many calls are throttled. Answers how many of them were not made.
async fn applied(
    operation: &'static str,
    reasons: &'static [&'static str],
    times: usize,
) -> (platform::Result<Merged>, usize) {
    let dynamo = Dynamo::inside();
    dynamo.bookings("bookings").await;
    let throttled = Arc::new(Throttled {
        operation,
        reasons,
        left: AtomicUsize::new(times),
    });
    let store = BookingStore::new(dynamo.through(throttled.clone()), "bookings".to_owned());
    let merged = store.apply(facts()).await;
    if merged.is_ok() {
        let id = "00000001-1111-4222-8333-444455556666";
        let event = store.event(Provider::Calendly, id).await.unwrap().unwrap();
        assert_eq!(event.invitees.len(), 1);
    }
    (merged, throttled.left.load(Ordering::SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_throttled_transaction_is_tried_again() {
    for reasons in [
        &["None", "ThrottlingError"][..],
        &["ProvisionedThroughputExceeded", "None"],
        &["ThrottlingError", "ConditionalCheckFailed"],
    ] {
        let (merged, left) = applied("TransactWriteItems", reasons, 5).await;
        assert_eq!(
            (merged.unwrap().transitions.len(), left),
            (1, 0),
            "{reasons:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_wait_mends_is_not_tried_again() {
    let reasons = &["ThrottlingError", "ValidationError"];
    let (merged, left) = applied("TransactWriteItems", reasons, 5).await;
    assert!(merged.is_err());
    assert_eq!(left, 4);
}

#[tokio::test(start_paused = true)]
async fn keys_that_an_answer_left_out_are_asked_for_again() {
    let (merged, left) = applied("BatchGetItem", &[], 3).await;
    assert_eq!((merged.unwrap().transitions.len(), left), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_table_that_stays_throttled_is_given_up_for_now() {
    for operation in ["TransactWriteItems", "BatchGetItem"] {
        let began = tokio::time::Instant::now();
        let (merged, _) = applied(operation, &["ThrottlingError"], usize::MAX).await;
        assert!(merged.unwrap_err().is_transient());
        assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    }
}
