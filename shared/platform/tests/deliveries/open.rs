//! What is open: found whole, however long ago it came, and by few queries.

use crate::support::{Log, aws, days, id, ids, of_status, told};
use jiff::{SignedDuration, Timestamp};
use platform::deliveries::{DeliveryId, OpenList, Status};

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn named(list: &OpenList) -> Vec<DeliveryId> {
    list.deliveries
        .iter()
        .map(|one| one.delivery.id.clone())
        .collect()
}

#[tokio::test]
async fn every_open_delivery_is_found_by_16_queries_and_no_other() {
    let log = Log::new().await;
    let now = Timestamp::now();
    let body = |n: u8| [b'b', n];
    for n in 0..8 {
        let at = now - days(9 * i64::from(n)) - minutes(11);
        log.tell(&told(body(n), at)).await;
    }
    let store = &log.store;
    store.processed(&id(body(0)), Some(&[]), &[]).await.unwrap();
    store.failed(&id(body(1)), &aws("e"), now).await.unwrap();
    store.dead(&id(body(2)), &aws("e"), 1).await.unwrap();
    let aside = id(body(3));
    let set = store.set_aside(&aside, Status::Ignored, None);
    set.await.unwrap();
    // Opened again it waits anew.
    store.reopen(&id(body(4))).await.unwrap();
    let expired = now - days(2);
    let mut gone = told("expired", expired);
    gone.retention = days(1);
    log.tell(&gone).await;

    let calls = log.calls.calls();
    let open = store.open().await.unwrap();
    assert_eq!(log.calls.calls() - calls, 16);
    let want = |numbers: &[u8]| numbers.iter().map(|n| id(body(*n))).collect::<Vec<_>>();
    assert_eq!(named(&open.received), want(&[7, 6, 5, 4]));
    assert_eq!(named(&open.failed), want(&[1]));
    assert_eq!(named(&open.dead), want(&[2]));
    assert!(!open.received.more && !open.failed.more && !open.dead.more);
    // Since when it stands so, not since when it came.
    let again = &open.received.deliveries[3];
    assert!(again.since > now && again.delivery.received_at < Some(now - days(30)));
    // The lists have the same.
    for (status, found) in [
        (Status::Received, &open.received),
        (Status::Failed, &open.failed),
        (Status::Dead, &open.dead),
    ] {
        let mut listed = log.list(of_status(status)).await;
        listed.reverse();
        assert_eq!(listed, named(found), "{status:?}");
    }
}

#[tokio::test]
async fn very_many_of_one_status_hide_none_of_another() {
    let log = Log::new().await;
    let at = Timestamp::now() - minutes(20);
    // All in the one shard that has the most.
    let bodies: Vec<String> = (0..2600).map(|n| format!("b{n}")).collect();
    let shard: Vec<_> = bodies
        .iter()
        .filter(|body| id(body).as_str().starts_with('7'))
        .take(102)
        .map(|body| told(body, at))
        .collect();
    assert_eq!(shard.len(), 102);
    log.tell_all(&shard).await;
    let dead: Vec<_> = shard[..100].iter().map(|told| id(&told.body)).collect();
    for id in &dead {
        log.store.dead(id, &aws("e"), 1).await.unwrap();
    }
    let next = Timestamp::now();
    let failed = id(&shard[100].body);
    log.store.failed(&failed, &aws("e"), next).await.unwrap();
    let calls = log.calls.calls();
    let open = log.store.open().await.unwrap();
    assert_eq!(log.calls.calls() - calls, 19);
    assert_eq!((open.dead.deliveries.len(), open.dead.more), (64, true));
    assert_eq!(named(&open.failed), [failed]);
    assert_eq!(named(&open.received), [id(&shard[101].body)]);
    assert!(!open.failed.more && !open.received.more);
}

#[tokio::test]
async fn one_that_cannot_be_read_hides_none_of_the_others() {
    let log = Log::new().await;
    let at = Timestamp::now() - minutes(20);
    for body in ["one", "two", "three"] {
        log.tell(&told(body, at)).await;
    }
    let spoilt = id("two");
    log.dynamo
        .spoil("deliveries", spoilt.as_str(), "status")
        .await;
    let open = log.store.open().await.unwrap();
    let mut found = named(&open.received);
    found.sort();
    let mut want = vec![id("one"), id("three")];
    want.sort();
    assert_eq!(found, want);
}

#[tokio::test]
async fn a_list_of_what_is_open_goes_through_months_page_by_page() {
    let log = Log::new().await;
    let now = Timestamp::now();
    let mut want = Vec::new();
    for n in 0..50_i64 {
        let body = format!("b{n}");
        log.tell(&told(&body, now - days(n) - minutes(1))).await;
        want.push(id(&body));
    }
    let mut query = of_status(Status::Received);
    query.limit = 7;
    let pages = log.pages(query, async |_| {}).await;
    assert_eq!(pages.len(), 8);
    assert_eq!(ids(&pages.concat()), want);
}
