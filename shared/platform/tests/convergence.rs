//! Rule 3 through the real store on an embedded DynamoDB: any order, any repeats, several workers,
//! a crash between any two writes — and the same items, byte for byte, as the natural order gives.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use booking::{ConnectionId, EventUri, Facts, InviteeStatus, Provider};
use calendly::webhook::{Webhook, read, resource};
use platform::bookings::BookingStore;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use testkit::dynamo::{Crashes, Dynamo};
use testkit::history::{History, Look, histories};

const CASES: usize = 600;

fn told(body: &[u8]) -> Facts {
    match read(body, testkit::received_at()).unwrap() {
        Webhook::Booking(booking) => booking.facts,
        Webhook::NotHandled { event } => panic!("{event} is handled"),
    }
}

fn found(look: &Look) -> Facts {
    let host = "https://api.calendly.com/users/AAAAHOSTUSER0001";
    match look {
        Look::Found {
            event,
            invitees,
            at,
        } => {
            let host = ConnectionId::from_user_uri(host).unwrap();
            resource::facts(event, invitees, &host, *at).unwrap()
        }
        Look::Listed {
            event,
            organization,
            at,
        } => {
            let event = EventUri::parse(event).unwrap();
            Facts::listed_in(Provider::Calendly, event, organization.clone(), *at)
        }
        Look::NotFound { event, at } => {
            let event = EventUri::parse(event).unwrap();
            Facts::not_found(Provider::Calendly, event, *at)
        }
    }
}

/// What message or look number `index` says.
fn facts(history: &History, index: usize) -> Facts {
    match history.webhooks.get(index) {
        Some(body) => told(body),
        None => found(&history.looks[index - history.webhooks.len()]),
    }
}

/// Each invitee has its event's start, and none comes to an event that was called off.
async fn all_follow(store: &BookingStore, events: impl IntoIterator<Item = EventUri>) {
    for uri in events {
        let stored = store.all_of(Provider::Calendly, uri.id()).await.unwrap();
        let (event, invitees) = stored.unwrap();
        assert!(event.is_settled(), "{uri}");
        for invitee in invitees {
            assert_eq!(invitee.meeting, event.meeting(), "{}", invitee.uri);
            let comes = invitee.status() == InviteeStatus::Active;
            assert!(!(comes && event.is_canceled()), "{}", invitee.uri);
        }
    }
}

/// Works through `arrivals` as SQS and its workers would: what failed comes back later.
async fn deliver(start: impl Fn() -> BookingStore, history: &History, crashes: &Crashes) {
    let queue = Arc::new(Mutex::new(VecDeque::from(history.all_arrivals.clone())));
    let planned = Arc::new(Mutex::new(history.crashes.clone()));
    let workers = (0..history.workers).map(|_| {
        let (queue, planned) = (queue.clone(), planned.clone());
        let start = &start;
        async move {
            let mut store = start();
            loop {
                let Some(index) = queue.lock().unwrap().pop_front() else {
                    break;
                };
                if let Some(crash) = planned.lock().unwrap().pop() {
                    crashes.at(crash);
                }
                let facts = facts(history, index);
                let events = facts.keys().events;
                if store.apply(facts).await.is_ok() {
                    // Another worker may be about to change them.
                    if history.workers == 1 {
                        all_follow(&store, events).await;
                    }
                } else {
                    queue.lock().unwrap().push_back(index);
                    // A new process knows nothing of what the one before had seen.
                    store = start();
                }
            }
        }
    });
    futures::future::join_all(workers).await;
}

async fn outcome(dynamo: &Dynamo, table: &str, history: &History) -> (String, usize) {
    dynamo.bookings(table).await;
    let crashes = Crashes::none();
    let client = dynamo.crashing(&crashes);
    let start = || BookingStore::new(client.clone(), table.to_owned());
    deliver(start, history, &crashes).await;
    // The months in use are those in which an event ever was, on whatever way it came there.
    let dump = dynamo.dump(table).await;
    let items = dump.lines().filter(|line| !line.contains("S(\"buckets\")"));
    let items: Vec<&str> = items.collect();
    (items.join("\n"), crashes.happened())
}

async fn check(cases: usize, seed_offset: usize) -> usize {
    let dynamo = Dynamo::start().await;
    let mut runner = TestRunner::new(Config {
        failure_persistence: None,
        ..Config::default()
    });
    let mut crashed = 0;
    for case in 0..cases {
        let history = histories().new_tree(&mut runner).unwrap().current();
        let natural = History {
            all_arrivals: (0..history.webhooks.len() + history.looks.len()).collect(),
            crashes: Vec::new(),
            workers: 1,
            ..history.clone()
        };
        let name = format!("t{}", seed_offset + case);
        let (want, _) = outcome(&dynamo, &format!("{name}n"), &natural).await;
        let (got, happened) = outcome(&dynamo, &format!("{name}a"), &history).await;
        crashed += happened;
        assert!(
            want == got,
            "case {case} does not converge\n{history:#?}\nwanted:\n{want}\ngot:\n{got}"
        );
        assert!(want.contains("invitee#"), "the tables hold bookings");
    }
    crashed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_delivery_ends_in_the_same_items() {
    let (one, two) = futures::join!(
        tokio::spawn(check(CASES / 2, 0)),
        tokio::spawn(check(CASES / 2, CASES))
    );
    let crashed = one.unwrap() + two.unwrap();
    assert!(crashed > CASES / 4, "only {crashed} crashes happened");
}
