//! What a page costs.

use crate::support::{Log, Told, all, days, id, of_status, told};
use jiff::{SignedDuration, Timestamp};
use platform::deliveries::{DeliveryQuery, Status};

/// The most queries that a page may take.
const MOST: usize = 200;

/// Queries and bytes of one page.
async fn cost(log: &Log, query: &DeliveryQuery) -> (usize, usize) {
    let before = (log.calls.calls(), log.calls.bytes());
    let page = log.store.list(query).await.unwrap();
    assert_eq!(page.items.len(), query.limit);
    (log.calls.calls() - before.0, log.calls.bytes() - before.1)
}

#[tokio::test]
async fn a_page_costs_the_same_however_much_is_stored() {
    let log = Log::new().await;
    let now = Timestamp::now();
    let history = |numbers: std::ops::Range<i64>| -> Vec<Told> {
        let told = |n| told(format!("b{n}"), now - SignedDuration::from_secs(20 * n));
        numbers.map(told).collect()
    };
    log.tell_all(&history(0..1_000)).await;
    let queries = [20, 100].map(|limit| DeliveryQuery { limit, ..all() });
    let mut few = Vec::new();
    for query in &queries {
        few.push(cost(&log, query).await);
    }
    log.tell_all(&history(1_000..20_000)).await;
    for (query, (calls, bytes)) in queries.iter().zip(few) {
        let many = cost(&log, query).await;
        assert_eq!(many.0, calls, "{query:?}");
        assert!(many.1.abs_diff(bytes) < bytes / 10, "{many:?} {bytes}");
        // One query for each shard, and some more for those that had many of the newest.
        assert!(calls <= 32, "{calls} queries");
        // An item is about 700 bytes long.
        assert!(bytes < query.limit * 700 * 4, "{bytes} bytes");
    }

    // A rare event behind all the others.
    for n in [0, 1] {
        log.tell(&Told {
            event: "rare",
            ..told(format!("r{n}"), now - days(6 + n))
        })
        .await;
    }
    for status in [None, Some(Status::Received)] {
        let rare = DeliveryQuery {
            event: Some("rare".to_owned()),
            status,
            ..all()
        };
        let mut before = log.calls.calls();
        let pages = log.pages(rare, async |_| {
            let calls = log.calls.calls();
            assert!(calls - before <= MOST, "{} queries", calls - before);
            before = calls;
        });
        let found: Vec<_> = pages.await.concat().into_iter().map(|d| d.id).collect();
        assert_eq!(found, [id("r0"), id("r1")]);
    }
}

#[tokio::test]
async fn years_without_deliveries_are_gone_through_page_by_page() {
    let now = Timestamp::now();
    for (status, query, short_pages) in [
        (Status::Ignored, all(), true),
        (Status::Ignored, of_status(Status::Ignored), true),
        // What is open lies together, however long ago it came.
        (Status::Received, of_status(Status::Received), false),
    ] {
        let log = Log::new().await;
        for year in 0..10 {
            let mut told = told(format!("y{year}"), now - days(365 * year));
            told.status = status;
            log.tell(&told).await;
        }
        let want: Vec<_> = (0..10).map(|year| id(format!("y{year}"))).collect();
        let query = DeliveryQuery {
            retention: days(3650),
            limit: 4,
            ..query
        };
        let mut before = log.calls.calls();
        let mut short = 0;
        let pages = log.pages(query, async |_| {
            let calls = log.calls.calls();
            assert!(calls - before <= MOST, "{} queries", calls - before);
            short += usize::from(calls - before > MOST - 16);
            before = calls;
        });
        let got: Vec<_> = pages.await.concat().into_iter().map(|d| d.id).collect();
        assert_eq!(got, want);
        assert_eq!(short > 5, short_pages, "{short} short pages");
    }
}
