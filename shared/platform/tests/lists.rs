//! Lists page through everything once, in order.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use calendly::webhook::{Webhook, read};
use jiff::{SignedDuration, Timestamp};
use platform::bookings::{BookingStore, EventQuery};
use platform::deliveries::{DeliveryId, DeliveryStore, NewDelivery, Recorded, Status};
use platform::http::TrackingId;
use serde_json::json;
use testkit::dynamo::Dynamo;

async fn book(store: &BookingStore, number: usize, start: Option<Timestamp>) {
    let uri = format!("https://api.calendly.com/scheduled_events/e{number:03}");
    let mut payload = json!({
        "uri": format!("{uri}/invitees/i{number:03}"),
        "updated_at": "2026-11-20T09:15:01.123456Z",
        "name": format!("Invitee {number}"),
    });
    if let Some(start) = start {
        let end = start + SignedDuration::from_mins(30);
        payload["scheduled_event"] = json!({"uri": uri, "start_time": start, "end_time": end});
    }
    let body = json!({
        "event": "invitee.created",
        // Two accounts, so that a month lies in more than one bucket.
        "created_by": format!("https://api.calendly.com/users/U{}", number % 2),
        "payload": payload,
    });
    let Ok(Webhook::Booking(booking)) = read(body.to_string().as_bytes()) else {
        panic!("it is a booking");
    };
    store.apply(booking.facts).await.unwrap();
}

/// The ids on each page of a list.
async fn pages(store: &BookingStore, mut query: EventQuery) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let page = store.list(&query).await.unwrap();
        pages.push(page.items.into_iter().map(|event| event.id).collect());
        match page.next {
            Some(next) => query.after = Some(next),
            None => return pages,
        }
    }
}

fn query(limit: usize, from: Option<&str>, to: Option<&str>) -> EventQuery {
    EventQuery {
        from: from.map(|from| from.parse().unwrap()),
        to: to.map(|to| to.parse().unwrap()),
        limit,
        after: None,
    }
}

#[tokio::test]
async fn events_page_by_start_over_months_and_connections() {
    let dynamo = Dynamo::start().await;
    dynamo.bookings("bookings").await;
    let store = BookingStore::new(dynamo.client(), "bookings".to_owned());
    assert!(
        pages(&store, query(7, None, None))
            .await
            .concat()
            .is_empty()
    );

    let first: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    let start =
        |number: usize| first + SignedDuration::from_hours(24 * i64::try_from(number).unwrap());
    // Not in the order of their starts, and the last of them without one.
    for number in (0..40).map(|i| i * 7 % 40) {
        book(&store, number, Some(start(number))).await;
    }
    book(&store, 40, None).await;

    let ids = |numbers: std::ops::Range<usize>| numbers.map(|n| format!("e{n:03}")).collect();
    let all: Vec<String> = ids(0..41);
    for limit in [1, 7, 20, 41, 100] {
        let pages = pages(&store, query(limit, None, None)).await;
        assert!(pages.iter().rev().skip(1).all(|page| page.len() == limit));
        assert_eq!(pages.concat(), all, "by {limit}");
    }

    let january = query(7, Some("2027-01-01T00:00:00Z"), None);
    let got: Vec<String> = pages(&store, january).await.concat();
    assert_eq!(
        got,
        ids(31..40) as Vec<String>,
        "an unknown start lies in no span"
    );
    let span = query(
        5,
        Some("2026-12-29T12:00:00Z"),
        Some("2027-01-03T00:00:00Z"),
    );
    assert_eq!(pages(&store, span).await, [ids(29..33) as Vec<String>]);
    let before = query(5, None, Some("2026-12-03T00:00:00Z"));
    assert_eq!(
        pages(&store, before).await.concat(),
        ids(0..2) as Vec<String>
    );
    let never = query(
        5,
        Some("2027-05-01T00:00:00Z"),
        Some("2027-06-01T00:00:00Z"),
    );
    assert!(pages(&store, never).await.concat().is_empty());
}

async fn log(store: &DeliveryStore, body: &[u8], received_at: Timestamp) -> Recorded {
    let tracking_id = TrackingId::random();
    log_as(store, body, received_at, tracking_id.as_str()).await
}

async fn log_as(
    store: &DeliveryStore,
    body: &[u8],
    received_at: Timestamp,
    tracking_id: &str,
) -> Recorded {
    let id = DeliveryId::of(body);
    let new = NewDelivery {
        id: &id,
        tracking_id,
        provider: "calendly",
        event: Some("invitee.created"),
        status: Status::Received,
        reason: None,
        event_uri: None,
        invitee_uri: None,
        received_at,
        body,
    };
    store
        .record(&new, SignedDuration::from_hours(24))
        .await
        .unwrap()
}

#[tokio::test]
async fn dead_letters_page_from_the_newest_until_they_are_redriven() {
    let dynamo = Dynamo::start().await;
    dynamo.deliveries("deliveries").await;
    let store = DeliveryStore::new(dynamo.client(), "deliveries".to_owned());
    let body = |n: u8| vec![b'b', n];
    for n in 0..7 {
        log(&store, &body(n), Timestamp::now()).await;
        if n != 3 {
            let id = DeliveryId::of(&body(n));
            store.dead(&id, "gone wrong", 1).await.unwrap();
        }
    }
    let list = async || {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let retention = SignedDuration::from_hours(24 * 60);
            let page = store.dead_letters(after, 2, retention).await.unwrap();
            assert!(page.items.len() <= 2);
            assert!(page.items.iter().all(|d| d.status == Status::Dead));
            ids.extend(page.items.into_iter().map(|delivery| delivery.id));
            after = page.next;
            if after.is_none() {
                return ids;
            }
        }
    };
    let want =
        |numbers: &[u8]| -> Vec<_> { numbers.iter().map(|n| DeliveryId::of(&body(*n))).collect() };
    assert_eq!(list().await, want(&[6, 5, 4, 2, 1, 0]));

    let reopened = store
        .reopen(&DeliveryId::of(&body(4)))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reopened.status, Status::Received);
    assert_eq!(list().await, want(&[6, 5, 2, 1, 0]));
    let unknown = DeliveryId::of(b"never logged");
    assert_eq!(store.reopen(&unknown).await.unwrap(), None);
}

#[tokio::test]
async fn a_delivery_whose_time_has_passed_is_new_again() {
    let dynamo = Dynamo::start().await;
    dynamo.deliveries("deliveries").await;
    let store = DeliveryStore::new(dynamo.client(), "deliveries".to_owned());
    let long_ago = Timestamp::now() - SignedDuration::from_hours(25);
    assert_eq!(log(&store, b"body", long_ago).await, Recorded::New);
    // DynamoDB deletes it days later; until then it is there, and must not be seen.
    assert_eq!(store.get(&DeliveryId::of(b"body")).await.unwrap(), None);
    assert_eq!(log(&store, b"body", Timestamp::now()).await, Recorded::New);
    let again = log(&store, b"body", Timestamp::now()).await;
    assert!(matches!(again, Recorded::Duplicate { .. }));
}

#[tokio::test]
async fn a_write_that_the_sdk_repeats_is_no_duplicate() {
    let dynamo = Dynamo::start().await;
    dynamo.deliveries("deliveries").await;
    let store = DeliveryStore::new(dynamo.client(), "deliveries".to_owned());
    let now = Timestamp::now();
    // The answer of the first got lost, so the SDK sends it again.
    assert_eq!(log_as(&store, b"body", now, "t-1").await, Recorded::New);
    assert_eq!(log_as(&store, b"body", now, "t-1").await, Recorded::New);
    let other = log_as(&store, b"body", now, "t-2").await;
    assert!(matches!(other, Recorded::Duplicate { .. }));
}

#[tokio::test]
async fn deliveries_that_wait_too_long_are_found_until_they_are_done() {
    let dynamo = Dynamo::start().await;
    dynamo.deliveries("deliveries").await;
    let store = DeliveryStore::new(dynamo.client(), "deliveries".to_owned());
    let now = Timestamp::now();
    let ago = |minutes| now - SignedDuration::from_mins(minutes);
    for n in 0..20_u8 {
        log(&store, &[b'b', n], ago(11 + 60 * i64::from(n))).await;
    }
    log(&store, b"young", ago(9)).await;
    let waiting = async || store.waiting(ago(10), 100).await.unwrap();
    assert_eq!(waiting().await.len(), 20);
    assert_eq!(store.waiting(ago(10), 7).await.unwrap().len(), 7);

    let id = |n: u8| DeliveryId::of(&[b'b', n]);
    store.processed(&id(0), &[]).await.unwrap();
    store.failed(&id(1), "e", now).await.unwrap();
    store.dead(&id(2), "e", 1).await.unwrap();
    store
        .set_aside(&id(3), Status::Ignored, None)
        .await
        .unwrap();
    // Opened again it waits anew.
    store.reopen(&id(4)).await.unwrap();
    assert_eq!(waiting().await.len(), 15);
}

#[tokio::test]
async fn a_long_booking_is_stored_compressed_and_one_too_long_is_refused_for_good() {
    let dynamo = Dynamo::start().await;
    dynamo.bookings("bookings").await;
    let store = BookingStore::new(dynamo.client(), "bookings".to_owned());
    let facts = |id: &str, answer: &str| {
        let uri = format!("https://api.calendly.com/scheduled_events/{id}/invitees/i");
        let body = json!({
            "event": "invitee.created",
            "payload": {
                "uri": uri,
                "updated_at": "2026-11-20T09:15:01.123456Z",
                "questions_and_answers": [{"question": "?", "answer": answer, "position": 0}],
            },
        });
        match read(body.to_string().as_bytes()) {
            Ok(Webhook::Booking(booking)) => booking.facts,
            other => panic!("{other:?}"),
        }
    };
    let long = "a long answer ".repeat(60_000);
    store.apply(facts("e", &long)).await.unwrap();
    assert!(
        store.apply(facts("e", &long)).await.unwrap().is_empty(),
        "nothing changed"
    );
    let event = store
        .event(booking::Provider::Calendly, "e")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(event.invitees[0].answers[0].answer, long);

    let noise = String::from_utf8(testkit::noise(900_000)).unwrap();
    let error = store.apply(facts("f", &noise)).await.unwrap_err();
    assert!(!error.is_transient(), "{error}");
}
