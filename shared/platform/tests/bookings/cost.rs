//! What a page costs, whatever the table holds.

use crate::support::{Desk, Told};
use jiff::{SignedDuration, Timestamp};
use platform::bookings::{EventQuery, Order};
use testkit::copies::Copies;

/// What one page took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    calls: usize,
    bytes: usize,
}

fn first() -> Timestamp {
    "2030-01-01T00:00:00Z".parse().unwrap()
}

/// `count` events, one every few minutes of so many days of 2030, in turn of each of `connections`.
async fn stored(connections: &[String], count: usize, days: i64) -> Desk {
    let desk = Desk::new().await;
    let all = SignedDuration::from_hours(24 * days).as_secs();
    let step = all / i64::try_from(count).unwrap();
    let copies = Copies::new(&desk.dynamo, "bookings");
    for (turn, connection) in connections.iter().enumerate() {
        // One in each month tells the store that the month is in use.
        for month in 0..12 {
            desk.tell(&told(
                connection,
                &format!("w{turn:02}{month:02}"),
                month_start(month),
            ))
            .await;
        }
        let pattern = told(connection, &format!("p{turn:06}"), first());
        desk.tell(&pattern).await;
        let places = (turn..count).step_by(connections.len()).map(|number| {
            let start = first() + SignedDuration::from_secs(step * i64::try_from(number).unwrap());
            (format!("e{number:06}"), start)
        });
        copies.of(&pattern.id, first(), places).await;
    }
    desk
}

fn month_start(month: i8) -> Timestamp {
    format!("2030-{:02}-01T00:00:00Z", month + 1)
        .parse()
        .unwrap()
}

fn told(connection: &str, id: &str, start: Timestamp) -> Told {
    Told {
        id: id.to_owned(),
        start: Some(start),
        connections: vec![connection.to_owned()],
        invitees: vec!["ada@example.com".to_owned()],
        ..Told::default()
    }
}

impl Desk {
    /// What a full page of 100 costs.
    async fn page(&self, query: &EventQuery) -> Cost {
        let before = (self.calls.calls(), self.calls.bytes());
        let page = self.store.list(query).await.unwrap();
        let cost = Cost {
            calls: self.calls.calls() - before.0,
            bytes: self.calls.bytes() - before.1,
        };
        assert_eq!(page.items.len(), 100, "{query:?}");
        assert!(page.next.is_some(), "{query:?}");
        cost
    }
}

/// The lists of one account's events; each begins within a month.
fn lists(connection: &str) -> Vec<EventQuery> {
    let all = EventQuery {
        from: Some("2030-06-02T00:00:00Z".parse().unwrap()),
        limit: 100,
        ..EventQuery::default()
    };
    let of = EventQuery {
        connection: Some(connection.to_owned()),
        ..all.clone()
    };
    vec![
        all.clone(),
        EventQuery {
            from: None,
            to: Some("2030-06-28T00:00:00Z".parse().unwrap()),
            order: Order::Descending,
            ..all.clone()
        },
        EventQuery {
            status: Some(booking::EventStatus::Active),
            ..all.clone()
        },
        of.clone(),
        EventQuery {
            status: Some(booking::EventStatus::Active),
            ..of
        },
        EventQuery {
            invitee: Some(booking::ContactKey::of("ada@example.com")),
            ..all
        },
    ]
}

#[tokio::test]
async fn a_page_of_one_accounts_events_costs_the_same_whatever_the_table_holds() {
    let connection = "U0001".to_owned();
    let few = stored(std::slice::from_ref(&connection), 1_500, 360).await;
    let many = stored(std::slice::from_ref(&connection), 10_000, 360).await;
    for (query, calls) in lists(&connection).iter().zip([2, 2, 4, 3, 3, 3]) {
        let (small, large) = (few.page(query).await, many.page(query).await);
        // The months in use and one query; where an index has keys alone, the events themselves
        // are read beside it, a hundred at a time.
        assert_eq!(small.calls, calls, "{query:?}");
        assert_eq!(large.calls, calls, "{query:?}");
        // The same length of answers, but for the digits of their starts.
        assert!(
            small.bytes.abs_diff(large.bytes) < small.bytes / 50,
            "{small:?} {large:?}"
        );
    }
}

#[tokio::test]
async fn a_page_of_many_accounts_events_reads_little_more_than_it_shows() {
    let connections: Vec<String> = (0..16).map(|number| format!("U{number:04}")).collect();
    let one = stored(&connections[..1], 1_500, 180).await;
    let all = stored(&connections, 4_000, 180).await;
    for query in &lists(&connections[0])[..3] {
        let (alone, together) = (one.page(query).await, all.page(query).await);
        // One query for each of at most 16 groups of accounts, and again for those that had less
        // than their share.
        assert!(
            together.calls <= alone.calls + 2 * 16,
            "{query:?}: {together:?}"
        );
        assert!(
            together.bytes <= alone.bytes * 7 / 2,
            "{query:?}: {alone:?} {together:?}"
        );
    }
}
