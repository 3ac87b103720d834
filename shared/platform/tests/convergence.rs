//! Rule 3 through the real store on an embedded DynamoDB: any order, any repeats, several workers,
//! a crash between any two writes — and the same items, byte for byte, as the natural order gives.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use calendly::webhook::{Webhook, read};
use platform::bookings::BookingStore;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestRunner};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use testkit::dynamo::{Crashes, Dynamo};
use testkit::history::{History, histories};

const CASES: usize = 1_000;

fn facts(body: &[u8]) -> booking::Facts {
    match read(body).unwrap() {
        Webhook::Booking(booking) => booking.facts,
        Webhook::NotHandled { event } => panic!("{event} is handled"),
    }
}

/// Works through `arrivals` as SQS and its workers would: what failed comes back later.
async fn deliver(start: impl Fn() -> BookingStore, history: &History, crashes: &Crashes) {
    let queue = Arc::new(Mutex::new(VecDeque::from(history.arrivals.clone())));
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
                if store.apply(facts(&history.webhooks[index])).await.is_err() {
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
    (dynamo.dump(table).await, crashes.happened())
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
            arrivals: (0..history.webhooks.len()).collect(),
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
