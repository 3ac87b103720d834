//! What is new, what is a duplicate, and what waits.

use crate::support::{Log, Told, aws, id, told};
use jiff::{SignedDuration, Timestamp};
use platform::deliveries::{Recorded, Status};

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
