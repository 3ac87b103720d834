//! Writes that meet a transaction of somebody else's: two copies of one webhook that come at once, or
//! an erasure under way.

use crate::support::{Log, Told, id, now, told};
use booking::ContactKey;
use platform::deliveries::{Body, DeliveryStore, Recorded, Status};
use std::sync::Arc;
use testkit::dynamo::{Crashes, Dynamo};
use testkit::inside::Conflicts;
use testkit::noise;

/// A log whose writes meet others.
async fn log() -> (Log, Arc<Conflicts>) {
    let dynamo = Dynamo::inside();
    dynamo.deliveries("deliveries").await;
    let conflicts = Arc::new(Conflicts::default());
    let store = DeliveryStore::new(dynamo.through(conflicts.clone()), "deliveries".to_owned());
    let calls = Crashes::none();
    let log = Log {
        dynamo,
        store,
        calls,
    };
    (log, conflicts)
}

/// One of each kind that is logged in a way of its own: in one item, in several, and set aside with
/// somebody named in it.
fn kinds() -> [Told; 3] {
    let plain = told("plain", now());
    let large = told(noise(600_000), now());
    let aside = Told {
        status: Status::Ignored,
        ..told(r#"{"email": "ann@example.com"}"#, now())
    };
    [plain, large, aside]
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_meets_another_write_is_logged_a_moment_later() {
    for told in kinds() {
        let (log, conflicts) = log().await;
        conflicts.next(3);
        assert_eq!(log.tell(&told).await, Recorded::New);
        assert_eq!(conflicts.met(), 3);
        let body = log.store.body(&id(&told.body)).await.unwrap();
        assert_eq!(body, Body::Kept(told.body));
    }
}

#[tokio::test(start_paused = true)]
async fn the_second_of_two_copies_that_meet_is_a_duplicate() {
    for told in kinds() {
        let (log, conflicts) = log().await;
        assert_eq!(log.tell_as(&told, "first").await, Recorded::New);
        conflicts.next(1);
        let want = Recorded::Duplicate {
            status: told.status,
            tracking_id: "first".to_owned(),
        };
        assert_eq!(log.tell(&told).await, want);
        assert_eq!(conflicts.met(), 1);
    }
}

/// Whom it names was erased while it met the other.
#[tokio::test(start_paused = true)]
async fn what_is_set_aside_still_names_nobody_who_was_erased() {
    let (log, conflicts) = log().await;
    let [.., aside] = kinds();
    let ann = ContactKey::of("ann@example.com");
    log.store.mark_erased(&ann, now()).await.unwrap();
    conflicts.next(2);
    assert_eq!(log.tell(&aside).await, Recorded::New);
    let body = log.store.body(&id(&aside.body)).await.unwrap();
    assert_eq!(body, Body::Erased);
}

#[tokio::test(start_paused = true)]
async fn one_that_others_never_leave_alone_is_given_up_and_worth_another_try() {
    for told in kinds() {
        let (log, conflicts) = log().await;
        conflicts.next(usize::MAX);
        let error = log.try_tell_as(&told, "t").await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert_eq!(conflicts.met(), 6);
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_message_is_noted_and_a_body_erased_beside_other_writes() {
    let (log, conflicts) = log().await;
    let [plain, ..] = kinds();
    log.tell(&plain).await;
    let id = id(&plain.body);
    conflicts.next(2);
    log.store.sent_again(&id).await.unwrap();
    assert!(log.get(&plain.body).await.sent_again);
    conflicts.next(2);
    assert!(log.store.erase(&id).await.unwrap());
    conflicts.next(2);
    let done = log.store.processed_and_erased(&id, None, &[]).await;
    done.unwrap();
    assert_eq!(conflicts.met(), 6);
}
