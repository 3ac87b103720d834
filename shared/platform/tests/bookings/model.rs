//! Every list shows what a plain filter and sort in memory would: whatever the filters, the order
//! and the size of the pages.

use crate::support::{Desk, Told, place};
use booking::{ContactKey, EventStatus, Role};
use jiff::{SignedDuration, Timestamp};
use platform::bookings::{EventQuery, Order};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeSet;

const PEOPLE: [&str; 4] = ["ada", "ben", "cleo", "dan"];

/// The address of somebody, written in one way or another.
fn address(person: usize, shout: bool) -> String {
    let email = format!("{}@example.com", PEOPLE[person]);
    if shout { email.to_uppercase() } else { email }
}

/// A moment that several events share, also the last and the first of months.
fn moment(number: i64) -> Timestamp {
    let first: Timestamp = "2027-01-31T23:59:59.999999Z".parse().unwrap();
    // Within a microsecond of the end of the month, then days apart.
    match number {
        0 => first,
        1 => first + SignedDuration::from_micros(1),
        days => first + SignedDuration::from_hours(24 * 9 * days),
    }
}

fn events() -> impl Strategy<Value = Vec<Told>> {
    let people = |most| {
        let person = (0..PEOPLE.len(), any::<bool>()).prop_map(|(who, shout)| address(who, shout));
        prop::collection::vec(person, 0..=most)
    };
    let start = prop_oneof![1 => Just(None), 9 => (0_i64..8).prop_map(Some)];
    let accounts = prop::sample::subsequence(vec!["U1", "U2", "U3"], 1..=2);
    // Several bookings of one person on one event are what a group event may have.
    let one = (
        start,
        any::<bool>(),
        accounts,
        people(5),
        people(2),
        people(2),
    );
    prop::collection::vec(one, 1..14).prop_map(|all| {
        let told = |(number, (start, canceled, accounts, mut invitees, guests, hosts))| {
            let (start, accounts): (Option<i64>, Vec<&str>) = (start, accounts);
            let mut numbered = Told {
                // Not in the order of their making.
                id: format!("e{:02}", number * 7 % 31),
                start: start.map(moment),
                canceled,
                connections: accounts.into_iter().map(str::to_owned).collect(),
                guests,
                hosts,
                ..Told::default()
            };
            if Vec::is_empty(&invitees) {
                invitees.push(address(0, false));
            }
            numbered.invitees = invitees;
            numbered
        };
        all.into_iter().enumerate().map(told).collect()
    })
}

#[derive(Debug, Clone)]
struct Asked {
    from: Option<i64>,
    to: Option<i64>,
    status: Option<EventStatus>,
    connection: Option<&'static str>,
    person: Option<usize>,
    order: Order,
    limit: usize,
}

fn asked() -> impl Strategy<Value = Asked> {
    let bound = || prop::option::weighted(0.4, 0_i64..9);
    let status = prop::option::of(prop::sample::select(vec![
        EventStatus::Active,
        EventStatus::Canceled,
    ]));
    // One of them tells of nothing.
    let connection = prop::option::of(prop::sample::select(vec!["U1", "U2", "U4"]));
    let person = prop::option::of(0..PEOPLE.len());
    let order = prop::sample::select(vec![Order::Ascending, Order::Descending]);
    let limit = prop::sample::select(vec![1_usize, 2, 3, 5, 100]);
    (bound(), bound(), status, connection, person, order, limit).prop_map(
        |(from, to, status, connection, person, order, limit)| Asked {
            from,
            to,
            status,
            connection,
            person,
            order,
            limit,
        },
    )
}

fn is(email: &str, person: usize) -> bool {
    email.to_lowercase() == address(person, false)
}

impl Asked {
    fn query(&self) -> EventQuery {
        EventQuery {
            from: self.from.map(moment),
            to: self.to.map(moment),
            status: self.status,
            connection: self.connection.map(str::to_owned),
            invitee: self.person.map(|who| ContactKey::of(&address(who, false))),
            order: self.order,
            limit: self.limit,
            after: None,
        }
    }

    fn in_span(&self, event: &Told) -> bool {
        let from = self.from.map(moment);
        let to = self.to.map(moment);
        from.is_none_or(|from| event.start.is_some_and(|start| start >= from))
            && to.is_none_or(|to| event.start.is_some_and(|start| start < to))
    }

    fn fits(&self, event: &Told) -> bool {
        self.in_span(event)
            && self
                .status
                .is_none_or(|status| (status == EventStatus::Canceled) == event.canceled)
            && self
                .connection
                .is_none_or(|wanted| event.connections.iter().any(|known| known == wanted))
            && self
                .person
                .is_none_or(|who| event.invitees.iter().any(|email| is(email, who)))
    }

    /// The ids of those of `events` that fit, in order.
    fn answer<'a>(&self, events: impl Iterator<Item = &'a Told>) -> Vec<String> {
        let mut found: Vec<_> = events.map(|event| place(event.start, &event.id)).collect();
        found.sort();
        if self.order == Order::Descending {
            found.reverse();
        }
        found.into_iter().map(|(_, _, id)| id).collect()
    }
}

fn roles(event: &Told, person: usize) -> BTreeSet<Role> {
    let parts = [
        (&event.invitees, Role::Invitee),
        (&event.guests, Role::Guest),
        (&event.hosts, Role::Host),
    ];
    let theirs = parts
        .into_iter()
        .filter(|(emails, _)| emails.iter().any(|email| is(email, person)));
    theirs.map(|(_, role)| role).collect()
}

/// The events of somebody, page by page, with what they are.
async fn activity(desk: &Desk, asked: &Asked, person: usize) -> Vec<(String, BTreeSet<Role>)> {
    let contact = ContactKey::of(&address(person, true));
    let mut query = EventQuery {
        status: None,
        connection: None,
        invitee: None,
        ..asked.query()
    };
    let mut found = Vec::new();
    loop {
        let page = desk.store.activity(&contact, &query).await.unwrap();
        assert!(page.items.len() <= query.limit);
        let items = page.items.into_iter();
        found.extend(items.map(|(roles, event)| (event.id, roles)));
        match page.next {
            Some(next) => {
                assert_ne!(Some(&next), query.after.as_ref(), "each page goes on");
                query.after = Some(next);
            }
            None => return found,
        }
    }
}

async fn lists_are_as_asked(events: &[Told], questions: &[Asked]) {
    let desk = Desk::new().await;
    desk.tell_all(events).await;
    for asked in questions {
        let pages = desk.pages(asked.query(), async |_| {}).await;
        let got: Vec<String> = pages.concat().into_iter().map(|event| event.id).collect();
        let want = asked.answer(events.iter().filter(|event| asked.fits(event)));
        assert_eq!(got, want, "{asked:?}");

        let person = asked.person.unwrap_or(1);
        let got = activity(&desk, asked, person).await;
        let part = |event: &&Told| asked.in_span(event) && !roles(event, person).is_empty();
        let ids = asked.answer(events.iter().filter(part));
        let want = ids.into_iter().map(|id| {
            let event = events.iter().find(|event| event.id == id).unwrap();
            (id, roles(event, person))
        });
        assert_eq!(
            got,
            want.collect::<Vec<_>>(),
            "activity of {person}: {asked:?}"
        );
    }
}

#[test]
fn every_list_shows_what_fits_in_order() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let config = Config {
        cases: 12,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..Config::default()
    };
    let input = (events(), prop::collection::vec(asked(), 24));
    let run = TestRunner::new(config).run(&input, |(events, questions)| {
        runtime.block_on(lists_are_as_asked(&events, &questions));
        Ok(())
    });
    run.unwrap();
}
