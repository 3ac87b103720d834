use super::*;
use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::Arc;
use testkit::dynamo::{Crashes, Dynamo};
use tokio::net::TcpListener;

const LIMIT: Limit = Limit {
    name: "refused",
    most: 10,
    window: Duration::from_secs(300),
};

async fn table() -> Dynamo {
    let dynamo = Dynamo::start().await;
    dynamo.limits("limits").await;
    dynamo
}

fn limiter(client: Client) -> Limiter {
    Limiter::new(client, "limits".to_owned())
}

fn ip(address: &str) -> IpAddr {
    address.parse().unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn over(retry_after: u32) -> Standing {
    Standing::Over { retry_after }
}

async fn refuse(limiter: &Limiter, address: &str, times: u32) {
    for _ in 0..times {
        let standing = limiter.refused(&LIMIT, ip(address), at(0)).await;
        assert_eq!(standing.unwrap(), Standing::Within);
    }
}

#[tokio::test]
async fn the_limit_itself_is_within_and_one_more_is_over() {
    let dynamo = table().await;
    let limiter = limiter(dynamo.client());
    refuse(&limiter, "203.0.113.9", 10).await;
    let address = ip("203.0.113.9");
    let standing = async |second| limiter.refused(&LIMIT, address, at(second)).await.unwrap();
    assert_eq!(standing(0).await, over(300));
    assert_eq!(standing(1).await, over(299));
    assert_eq!(standing(299).await, over(1));
}

#[tokio::test]
async fn after_its_end_a_window_starts_anew() {
    let dynamo = table().await;
    let limiter = limiter(dynamo.client());
    let address = ip("203.0.113.9");
    // Late in a window counts as much as early; a new one starts with its own first request.
    for (start, last) in [(0, 299), (300, 599), (1000, 1299)] {
        for second in [start; 5].into_iter().chain([last; 5]) {
            let standing = limiter.refused(&LIMIT, address, at(second)).await;
            assert_eq!(standing.unwrap(), Standing::Within, "second {second}");
        }
        let standing = limiter.refused(&LIMIT, address, at(last)).await;
        assert_eq!(standing.unwrap(), over(1));
    }
    assert_eq!(dynamo.items("limits").await.len(), 1);
}

#[tokio::test]
async fn a_process_that_starts_later_goes_on_counting() {
    let dynamo = table().await;
    refuse(&limiter(dynamo.client()), "203.0.113.9", 10).await;
    let fresh = limiter(dynamo.client());
    let standing = fresh.refused(&LIMIT, ip("203.0.113.9"), at(100)).await;
    assert_eq!(standing.unwrap(), over(200));
}

#[tokio::test]
async fn a_count_is_one_call_and_none_when_over() {
    let dynamo = table().await;
    let crashes = Crashes::none();
    let limiter = limiter(dynamo.crashing(&crashes));
    refuse(&limiter, "203.0.113.9", 10).await;
    // The first finds no window, and starts one.
    assert_eq!(crashes.calls(), 11);
    for _ in 0..5 {
        let standing = limiter.refused(&LIMIT, ip("203.0.113.9"), at(9)).await;
        assert_eq!(standing.unwrap(), over(291));
    }
    assert_eq!(crashes.calls(), 12);
    refuse(&limiter, "203.0.113.10", 1).await;
    assert_eq!(crashes.calls(), 14);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_exactly_the_limit_is_within() {
    let dynamo = table().await;
    // Several processes, which race to start the window, too.
    let processes: Vec<_> = (0..4).map(|_| Arc::new(limiter(dynamo.client()))).collect();
    let requests = (0..60).map(|number: usize| {
        let limiter = processes[number % processes.len()].clone();
        tokio::spawn(async move {
            let standing = limiter.refused(&LIMIT, ip("203.0.113.9"), at(0)).await;
            standing.unwrap()
        })
    });
    let standings = futures::future::try_join_all(requests).await.unwrap();
    let within = standings.iter().filter(|s| **s == Standing::Within).count();
    assert_eq!(within, 10);
    assert!(
        standings
            .iter()
            .all(|s| [Standing::Within, over(300)].contains(s))
    );
}

#[tokio::test]
async fn limits_count_apart() {
    let dynamo = table().await;
    let limiter = limiter(dynamo.client());
    refuse(&limiter, "203.0.113.9", 10).await;
    let address = ip("203.0.113.9");
    let standing = limiter.refused(&LIMIT, address, at(0)).await;
    assert_eq!(standing.unwrap(), over(300));
    let other = Limit {
        name: "other",
        most: 1,
        window: Duration::from_secs(60),
    };
    let standing = limiter.refused(&other, address, at(0)).await;
    assert_eq!(standing.unwrap(), Standing::Within);
    let standing = limiter.refused(&other, address, at(0)).await;
    assert_eq!(standing.unwrap(), over(60));
}

#[tokio::test]
async fn an_ipv6_network_is_one_address() {
    let dynamo = table().await;
    let limiter = limiter(dynamo.client());
    refuse(&limiter, "2001:db8:1:2::1", 5).await;
    refuse(&limiter, "2001:db8:1:2:ffff:ffff:ffff:ffff", 5).await;
    let same = limiter.refused(&LIMIT, ip("2001:db8:1:2:3::"), at(0)).await;
    assert_eq!(same.unwrap(), over(300));
    refuse(&limiter, "2001:db8:1:3::1", 1).await;
    // An IPv4 address is the same however it is written.
    refuse(&limiter, "198.51.100.1", 5).await;
    refuse(&limiter, "::ffff:198.51.100.1", 5).await;
    let same = limiter.refused(&LIMIT, ip("198.51.100.1"), at(0)).await;
    assert_eq!(same.unwrap(), over(300));
}

#[tokio::test]
async fn many_addresses_leave_no_more_items_than_slots() {
    let dynamo = table().await;
    let mut limiter = limiter(dynamo.client());
    limiter.slots = 16;
    for number in 0..300 {
        let address = Ipv4Addr::from_bits(number * 7919).into();
        let counted = limiter.refused(&LIMIT, address, at(0)).await;
        assert!(counted.is_ok());
    }
    assert_eq!(dynamo.items("limits").await.len(), 16);
    assert_eq!(limiter.over.lock().unwrap().len(), 16);
}

#[test]
fn addresses_spread_over_all_slots() {
    let slots = |count: u32| -> HashSet<u16> {
        (0..count)
            .map(|number| slot(Ipv4Addr::from_bits(number).into(), SLOTS))
            .collect()
    };
    // As many addresses as there are slots, at random, take 63 % of them.
    assert!(slots(SLOTS.into()).len() > 10_000);
    let all = slots(300_000);
    assert_eq!(all.len(), usize::from(SLOTS));
}

#[tokio::test]
async fn a_table_that_is_away_or_not_there_is_an_error() {
    let dynamo = Dynamo::start().await;
    for client in [Dynamo::unreachable(), dynamo.client()] {
        let limiter = limiter(client);
        let standing = limiter.refused(&LIMIT, ip("203.0.113.9"), at(0));
        let error = standing.await.unwrap_err().to_string();
        assert!(error.starts_with("could not count a refused"), "{error}");
        assert!(!error.contains("203.0.113.9"), "{error}");
    }
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_an_error_soon() {
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Dynamo::at(silent.local_addr().unwrap()).client();
    let limiter = limiter(client);
    let standing = limiter.refused(&LIMIT, ip("203.0.113.9"), at(0));
    // Without a limit of its own it would wait for ever.
    let standing = tokio::time::timeout(Duration::from_secs(120), standing).await;
    let error = standing.unwrap().unwrap_err().to_string();
    assert!(error.contains("no answer in time"), "{error}");
}

#[tokio::test]
async fn an_item_expires_after_its_window() {
    let dynamo = table().await;
    refuse(&limiter(dynamo.client()), "203.0.113.9", 2).await;
    // The slot tells the address of nobody.
    let slot = slot(ip("203.0.113.9"), SLOTS);
    let item = dynamo.items("limits").await.remove(0);
    assert_eq!(item.text("id").unwrap(), format!("refused#{slot}"));
    assert_eq!(item.number("count"), Some(2));
    assert_eq!(item.number("endsAt"), Some(at(300).as_second()));
    assert_eq!(item.number("expiresAt"), Some(at(3900).as_second()));
    assert_eq!(item.len(), 4);
}
