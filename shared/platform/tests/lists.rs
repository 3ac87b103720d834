//! Lists page through everything once, in order.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use booking::{ContactKey, EventStatus};
use calendly::webhook::{Webhook, read};
use jiff::{SignedDuration, Timestamp};
use platform::bookings::{BookingStore, EventQuery};
use serde_json::{Value, json};
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
    let Ok(Webhook::Booking(booking)) = read(body.to_string().as_bytes(), testkit::received_at())
    else {
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
        ..EventQuery::default()
    }
}

/// Until about 2022 a message named the event and said no more of it. One that doesn't say for whom it
/// was made either tells of an event all the same; a link doesn't.
#[tokio::test]
async fn an_event_of_which_only_a_booking_tells_is_in_the_lists() {
    let dynamo = Dynamo::start().await;
    dynamo.bookings("bookings").await;
    let store = BookingStore::new(dynamo.client(), "bookings".to_owned());
    let uri = |id: &str| format!("https://api.calendly.com/scheduled_events/{id}");
    let body = json!({
        "event": "invitee.created",
        "payload": {
            "uri": uri("new/invitees/a"),
            "event": uri("new"),
            "email": "ada@example.com",
            "old_invitee": uri("old/invitees/b"),
            "created_at": "2021-11-20T09:15:01.123456Z",
            "updated_at": "2021-11-20T09:15:01.123456Z",
        },
    });
    let Ok(Webhook::Booking(booking)) = read(body.to_string().as_bytes(), Timestamp::UNIX_EPOCH)
    else {
        panic!("it is a booking");
    };
    store.apply(booking.facts).await.unwrap();
    for query in [
        query(7, None, None),
        EventQuery {
            status: Some(EventStatus::Active),
            ..query(7, None, None)
        },
        EventQuery {
            invitee: Some(ContactKey::of("ada@example.com")),
            ..query(7, None, None)
        },
    ] {
        assert_eq!(pages(&store, query).await, [["new"]]);
    }
    let query = EventQuery {
        status: Some(EventStatus::Canceled),
        ..query(7, None, None)
    };
    assert_eq!(pages(&store, query).await.concat(), [""; 0]);
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

#[tokio::test]
async fn a_long_booking_is_stored_compressed_and_one_too_long_is_cut() {
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
                "questions_and_answers": (0..6)
                    .map(|n| json!({"question": "?", "answer": answer, "position": n}))
                    .collect::<Value>(),
            },
        });
        match read(body.to_string().as_bytes(), testkit::received_at()) {
            Ok(Webhook::Booking(booking)) => booking.facts,
            other => panic!("{other:?}"),
        }
    };
    let long = "a long answer ".repeat(2_800);
    store.apply(facts("e", &long)).await.unwrap();
    assert!(
        store
            .apply(facts("e", &long))
            .await
            .unwrap()
            .transitions
            .is_empty(),
        "nothing changed"
    );
    let event = store
        .event(booking::Provider::Calendly, "e")
        .await
        .unwrap()
        .unwrap();
    let answers = &event.invitees[0].answers;
    assert!(
        answers
            .iter()
            .all(|one| one.answer == long && !one.truncated)
    );

    let noise = String::from_utf8(testkit::noise(150_000)).unwrap();
    store.apply(facts("f", &noise)).await.unwrap();
    let event = store.event(booking::Provider::Calendly, "f").await;
    let answers = &event.unwrap().unwrap().invitees[0].answers;
    assert_eq!(answers.len(), 6);
    assert!(answers.iter().all(|one| one.truncated));
}
