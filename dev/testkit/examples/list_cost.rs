//! Measures what a page of events costs, by how many events the table holds:
//! `cargo run -p testkit --example list_cost [events …]`

// A program of this kind may stop at the first thing that is not as it should be, and prints.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use booking::{ContactKey, EventStatus};
use calendly::webhook::{Webhook, read};
use jiff::{SignedDuration, Timestamp};
use platform::bookings::{BookingStore, EventQuery, Order};
use serde_json::json;
use std::time::Instant;
use testkit::copies::Copies;
use testkit::dynamo::{Crashes, Dynamo};

/// An eventually consistent read of so many bytes takes half a unit; what the answers have beside the
/// items themselves makes this an upper estimate.
const HALF_UNIT: usize = 4096;

#[tokio::main]
async fn main() {
    let given: Vec<i64> = std::env::args()
        .skip(1)
        .map(|count| count.parse().unwrap())
        .collect();
    let counts = if given.is_empty() {
        vec![1_000, 100_000]
    } else {
        given
    };
    println!("events | accounts | list | calls | bytes of answers | about read units | ms");
    for count in counts {
        for accounts in [1, 16] {
            measure(count, accounts).await;
        }
    }
}

async fn measure(count: i64, accounts: usize) {
    let dynamo = Dynamo::start().await;
    dynamo.bookings("bookings").await;
    let calls = Crashes::none();
    let store = BookingStore::new(dynamo.crashing(&calls), "bookings".to_owned());
    fill(&dynamo, &store, count, accounts).await;
    let all = EventQuery {
        from: Some("2030-01-02T00:00:00Z".parse().unwrap()),
        limit: 100,
        ..EventQuery::default()
    };
    for (name, query) in [
        ("all", all.clone()),
        (
            "all, latest first",
            EventQuery {
                order: Order::Descending,
                ..all.clone()
            },
        ),
        (
            "by status",
            EventQuery {
                status: Some(EventStatus::Active),
                ..all.clone()
            },
        ),
        (
            "by connection",
            EventQuery {
                connection: Some("U00".to_owned()),
                ..all.clone()
            },
        ),
        (
            "by invitee",
            EventQuery {
                invitee: Some(ContactKey::of("ada@example.com")),
                ..all
            },
        ),
    ] {
        let (made, read, began) = (calls.calls(), calls.bytes(), Instant::now());
        let page = store.list(&query).await.unwrap();
        let took = began.elapsed();
        let (made, read) = (calls.calls() - made, calls.bytes() - read);
        assert!(!page.items.is_empty());
        println!(
            "{count} | {accounts} | {name} | {made} | {read} | {} | {}",
            read.div_ceil(HALF_UNIT).div_ceil(2),
            took.as_millis()
        );
    }
}

/// Events of 28 days, in turn of each account.
async fn fill(dynamo: &Dynamo, store: &BookingStore, count: i64, accounts: usize) {
    let first: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let copies = Copies::new(dynamo, "bookings");
    for account in 0..accounts {
        let id = format!("p{account:06}");
        book(store, &format!("U{account:02}"), &id, first).await;
        let numbers = (0..count).skip(account).step_by(accounts);
        let places = numbers.map(|number| {
            let start = SignedDuration::from_secs(28 * 24 * 3600 * number / count);
            (format!("e{number:06}"), first + start)
        });
        copies.of(&id, first, places).await;
    }
}

async fn book(store: &BookingStore, account: &str, id: &str, start: Timestamp) {
    let uri = format!("https://api.calendly.com/scheduled_events/{id}");
    let body = json!({
        "event": "invitee.created",
        "created_by": format!("https://api.calendly.com/users/{account}"),
        "payload": {
            "uri": format!("{uri}/invitees/i"),
            "email": "ada@example.com",
            "name": "Ada",
            "created_at": "2026-11-20T09:15:01.123456Z",
            "updated_at": "2026-11-20T09:15:01.123456Z",
            "scheduled_event": {
                "uri": uri,
                "name": "Meeting",
                "status": "active",
                "start_time": start,
                "end_time": start + SignedDuration::from_mins(30),
                "created_at": "2026-11-20T09:15:01.123456Z",
                "updated_at": "2026-11-20T09:15:01.123456Z",
            },
        },
    });
    let Ok(Webhook::Booking(booking)) = read(body.to_string().as_bytes(), testkit::received_at())
    else {
        panic!("it is a booking");
    };
    store.apply(booking.facts).await.unwrap();
}
