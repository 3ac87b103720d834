//! Pages of a long list: nothing is lost, nothing comes twice, and the order holds.

use crate::support::{Log, Told, all, days, id, ids, now, told};
use jiff::{SignedDuration, Timestamp};
use platform::deliveries::{DeliveryId, DeliveryQuery, Status};

const STORED: i64 = 1_000;

/// Over three months; each tenth came in the same microsecond as the one before.
async fn a_long_log(log: &Log, now: Timestamp) -> Vec<Told> {
    let at = |n: i64| now - SignedDuration::from_mins(130 * (n - i64::from(n % 10 == 9)));
    let history: Vec<Told> = (0..STORED)
        .map(|n| Told {
            status: if n % 4 == 0 {
                Status::Ignored
            } else {
                Status::Received
            },
            event: if n % 5 == 0 {
                "invitee.canceled"
            } else {
                "invitee.created"
            },
            ..told(format!("b{n}"), at(n))
        })
        .collect();
    log.tell_all(&history).await;
    history
}

/// The newest first; those of the same time by their ids.
fn in_order(history: &[Told], fits: impl Fn(&Told) -> bool) -> Vec<DeliveryId> {
    let mut keys: Vec<_> = history
        .iter()
        .filter(|told| fits(told))
        .map(|told| (told.at, id(&told.body)))
        .collect();
    keys.sort_by(|a, b| b.cmp(a));
    keys.into_iter().map(|(_, id)| id).collect()
}

#[tokio::test]
async fn a_long_list_pages_through_once_while_others_write() {
    let log = Log::new().await;
    let now = now();
    let history = a_long_log(&log, now).await;
    let lists: [(DeliveryQuery, Vec<DeliveryId>); 3] = [
        (all(), in_order(&history, |_| true)),
        (
            DeliveryQuery {
                status: Some(Status::Ignored),
                ..all()
            },
            in_order(&history, |told| told.status == Status::Ignored),
        ),
        (
            DeliveryQuery {
                event: Some("invitee.canceled".to_owned()),
                ..all()
            },
            in_order(&history, |told| told.event == "invitee.canceled"),
        ),
    ];
    let mut written = 0;
    for limit in [7, 20, 100] {
        for (list, want) in &lists {
            let query = DeliveryQuery {
                limit,
                // What others wrote during the list before came after this.
                to: Some(now + SignedDuration::from_micros(1)),
                ..list.clone()
            };
            let first = written;
            let pages = log.pages(query, async |page| {
                // New ones come, and old ones change, on every side of the place of the page.
                written += 1;
                log.tell(&Told {
                    status: Status::Ignored,
                    ..told(format!("n{written}"), Timestamp::now())
                })
                .await;
                let other = i64::try_from(page * 397).unwrap() % STORED;
                let store = &log.store;
                if other % 4 == 1 {
                    store
                        .processed(&id(format!("b{other}")), Some(&[]), &[])
                        .await
                        .unwrap();
                }
            });
            let pages = pages.await;
            assert!(written > first);
            assert!(pages.iter().rev().skip(1).all(|page| page.len() == limit));
            assert_eq!(ids(&pages.concat()), *want, "{list:?} by {limit}");
        }
    }
    // What came meanwhile leads the next list, and loses nothing either.
    let got = log.list(all()).await;
    assert_eq!(got.len(), history.len() + written);
    assert_eq!(got[written..], lists[0].1);
}

#[tokio::test]
async fn any_page_size_ends_where_the_list_ends() {
    let log = Log::new().await;
    let now = Timestamp::now();
    let history: Vec<Told> = (0..24)
        .map(|n| told(format!("b{n}"), now - days(3 * n)))
        .collect();
    log.tell_all(&history).await;
    let want = in_order(&history, |_| true);
    for limit in (1..27).chain([100]) {
        let query = DeliveryQuery { limit, ..all() };
        let pages = log.pages(query, async |_| {}).await;
        assert_eq!(pages.len(), 24_usize.div_ceil(limit), "by {limit}");
        assert_eq!(ids(&pages.concat()), want, "by {limit}");
    }
}
