//! What is new, what is a duplicate, and what waits.

use crate::support::{Log, Told, aws, id, ids, told};
use jiff::{SignedDuration, Timestamp};
use platform::deliveries::{DeliveryId, Recorded, Status};

#[tokio::test]
async fn a_delivery_whose_time_has_passed_is_new_again() {
    let log = Log::new().await;
    let day = |at| Told {
        retention: SignedDuration::from_hours(24),
        ..told("body", at)
    };
    let long_ago = Timestamp::now() - SignedDuration::from_hours(25);
    assert_eq!(log.tell(&day(long_ago)).await, Recorded::New);
    // DynamoDB deletes it days later; until then it is there, and must not be seen.
    assert_eq!(log.store.get(&id("body")).await.unwrap(), None);
    let now = Timestamp::now();
    assert_eq!(log.tell(&day(now)).await, Recorded::New);
    let again = log.tell(&day(now)).await;
    assert!(matches!(again, Recorded::Duplicate { .. }));
}

#[tokio::test]
async fn a_write_that_the_sdk_repeats_is_no_duplicate() {
    let log = Log::new().await;
    let told = told("body", Timestamp::now());
    // The answer of the first got lost, so the SDK sends it again.
    assert_eq!(log.tell_as(&told, "t-1").await, Recorded::New);
    assert_eq!(log.tell_as(&told, "t-1").await, Recorded::New);
    let other = log.tell_as(&told, "t-2").await;
    assert!(matches!(other, Recorded::Duplicate { .. }));
}

#[tokio::test]
async fn each_step_of_a_delivery_is_one_write() {
    let log = Log::new().await;
    let now = Timestamp::now();
    let id = id("body");
    log.tell(&told("body", now)).await;
    assert_eq!(log.calls.calls(), 1);
    log.store.failed(&id, &aws("e"), now).await.unwrap();
    log.store.dead(&id, &aws("e"), 1).await.unwrap();
    log.store.reopen(&id).await.unwrap();
    log.store
        .set_aside(&id, Status::Ignored, None)
        .await
        .unwrap();
    log.store.processed(&id, Some(&[]), &[]).await.unwrap();
    assert_eq!(log.calls.calls(), 6);
}

#[tokio::test]
async fn deliveries_that_wait_too_long_are_found_until_they_are_done() {
    let log = Log::new().await;
    let now = Timestamp::now();
    let ago = |minutes| now - SignedDuration::from_mins(minutes);
    let body = |n: u8| [b'b', n];
    for n in 0..20 {
        let at = ago(11 + 60 * i64::from(n));
        log.tell(&told(body(n), at)).await;
    }
    log.tell(&told("young", ago(9))).await;
    let store = &log.store;
    let waiting = async |before, limit| {
        let calls = log.calls.calls();
        let waiting = store.waiting(before, limit).await.unwrap();
        assert!(log.calls.calls() - calls <= 32);
        ids(&waiting)
    };
    let want = |numbers: &mut dyn Iterator<Item = u8>| -> Vec<DeliveryId> {
        numbers.map(|n| id(body(n))).collect()
    };
    assert_eq!(waiting(ago(10), 100).await, want(&mut (0..20).rev()));
    assert_eq!(waiting(ago(10), 7).await, want(&mut (13..20).rev()));

    store.processed(&id(body(0)), Some(&[]), &[]).await.unwrap();
    store.failed(&id(body(1)), &aws("e"), now).await.unwrap();
    store.dead(&id(body(2)), &aws("e"), 1).await.unwrap();
    let aside = id(body(3));
    let set = store.set_aside(&aside, Status::Ignored, None);
    set.await.unwrap();
    // Opened again it waits anew.
    store.reopen(&id(body(4))).await.unwrap();
    assert_eq!(waiting(ago(10), 100).await, want(&mut (5..20).rev()));
    let soon = Timestamp::now() + SignedDuration::from_secs(1);
    let mut all = want(&mut (5..20).rev());
    all.extend([id("young"), id(body(4))]);
    assert_eq!(waiting(soon, 100).await, all);
    // One that can't be read keeps none of the others waiting.
    let spoilt = id(body(10));
    log.dynamo
        .spoil("deliveries", spoilt.as_str(), "status")
        .await;
    all.retain(|id| *id != spoilt);
    assert_eq!(waiting(soon, 100).await, all);
}

#[tokio::test]
async fn what_waits_is_found_for_longer_than_ever_lies_between_two_looks() {
    let log = Log::new().await;
    let at = Timestamp::now() - SignedDuration::from_hours(24 * 7 + 1);
    log.tell(&told("old", at)).await;
    let waiting = log.store.waiting(Timestamp::now(), 100).await.unwrap();
    assert_eq!(ids(&waiting), [id("old")]);
}
