//! Pages of a long list while others write: nothing that was there is lost, nothing comes twice,
//! and the order holds.

use crate::support::{Desk, Told, place};
use booking::{ConnectionId, ContactKey, EventStatus};
use jiff::{SignedDuration, Timestamp};
use platform::bookings::{EventQuery, Listed, Order};
use std::collections::BTreeSet;

const STORED: usize = 1_000;

/// Over five months, told of by five accounts, the first of them by one alone; each tenth starts with the one before. Every third
/// has Ada, who brings Ben or is brought by him.
fn history() -> Vec<Told> {
    let first: Timestamp = "2027-01-20T00:00:00Z".parse().unwrap();
    let numbers = 0..STORED;
    let told = |number: usize| {
        let slot = number - usize::from(number % 10 == 9);
        let ada = number.is_multiple_of(3);
        Told {
            id: id(number),
            start: Some(first + SignedDuration::from_mins(213 * i64::try_from(slot).unwrap())),
            canceled: number.is_multiple_of(4),
            connections: vec![format!("U{}", if number < 400 { 0 } else { number % 5 })],
            invitees: vec![person(if ada { "ada" } else { "ben" })],
            guests: vec![person(if ada { "ben" } else { "cleo" })],
            ..Told::default()
        }
    };
    numbers.map(told).collect()
}

/// What is asked for, and which events that is.
type List = (EventQuery, fn(&Told) -> bool);

/// Not in the order of starts.
fn id(number: usize) -> String {
    format!("e{:04}", number * 7 % STORED)
}

fn person(name: &str) -> String {
    format!("{name}@example.com")
}

/// What happens beside a reader: new events on every side of their place, and changes of others.
struct Others {
    events: Vec<Told>,
    written: usize,
}

impl Others {
    async fn write(&mut self, desk: &Desk, page: usize) {
        for step in [131, 397] {
            let at = (page * step + self.written * 17) % STORED;
            self.written += 1;
            let new = Told {
                id: format!("n{}", self.written),
                ..self.events[at].clone()
            };
            desk.tell(&new).await;
            // Another name, another message of its invitee: its record is written anew.
            let changed = &mut self.events[(at + 1) % STORED];
            changed.version += 1;
            desk.tell(changed).await;
        }
    }
}

/// All ids; those of events that came meanwhile left out.
fn old_ids<'a>(events: impl IntoIterator<Item = &'a Listed>) -> Vec<String> {
    let ids = events.into_iter().map(|event| event.id.clone());
    ids.filter(|id| id.starts_with('e')).collect()
}

fn assert_whole(got: &[Listed], all: &[Told], fits: impl Fn(&Told) -> bool, order: Order) {
    let mut want: Vec<_> = all
        .iter()
        .filter(|event| fits(event))
        .map(|event| place(event.start, &event.id))
        .collect();
    want.sort();
    let mut places: Vec<_> = got
        .iter()
        .map(|event| place(event.start_time, &event.id))
        .collect();
    let ids: BTreeSet<_> = got.iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), got.len(), "one comes twice");
    if order == Order::Descending {
        want.reverse();
        places.reverse();
    }
    assert!(places.is_sorted(), "out of order");
    let want: Vec<_> = want.into_iter().map(|(_, _, id)| id).collect();
    assert!(want.len() >= STORED / 10);
    assert_eq!(old_ids(got), want);
}

#[tokio::test]
async fn a_long_list_pages_through_once_while_others_write() {
    let desk = Desk::new().await;
    let history = history();
    desk.tell_all(&history).await;
    let mut others = Others {
        events: history.clone(),
        written: 0,
    };
    let all = EventQuery {
        limit: 100,
        ..EventQuery::default()
    };
    let lists: [List; 5] = [
        (all.clone(), |_| true),
        (
            EventQuery {
                connection: Some("U3".to_owned()),
                limit: 17,
                ..all.clone()
            },
            |told| told.connections == ["U3"],
        ),
        (
            EventQuery {
                status: Some(EventStatus::Active),
                ..all.clone()
            },
            |told| !told.canceled,
        ),
        (
            EventQuery {
                status: Some(EventStatus::Canceled),
                limit: 31,
                ..all.clone()
            },
            |told| told.canceled,
        ),
        (
            EventQuery {
                invitee: Some(ContactKey::of(&person("ada"))),
                limit: 40,
                ..all
            },
            |told| told.invitees == ["ada@example.com"],
        ),
    ];
    for (list, fits) in lists {
        for order in [Order::Ascending, Order::Descending] {
            let query = EventQuery {
                order,
                ..list.clone()
            };
            let before = others.written;
            let pages = desk
                .pages(query.clone(), async |page| others.write(&desk, page).await)
                .await;
            assert!(others.written > before + 4, "nobody wrote");
            assert!(
                pages
                    .iter()
                    .rev()
                    .skip(1)
                    .all(|page| page.len() == query.limit)
            );
            assert_whole(&pages.concat(), &history, fits, order);
        }
    }
}

#[tokio::test]
async fn somebodys_events_page_through_once_while_others_write() {
    let desk = Desk::new().await;
    let history = history();
    desk.tell_all(&history).await;
    let mut others = Others {
        events: history.clone(),
        written: 0,
    };
    let ben = ContactKey::of(&person("ben"));
    for order in [Order::Ascending, Order::Descending] {
        let mut query = EventQuery {
            order,
            limit: 45,
            ..EventQuery::default()
        };
        let mut got = Vec::new();
        for page in 1.. {
            let read = desk.store.activity(&ben, &query).await.unwrap();
            got.extend(read.items.into_iter().map(|(_, event)| event));
            others.write(&desk, page).await;
            match read.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        assert!(others.written > 20);
        // Invitee of two in three, guest of the others.
        assert_whole(&got, &history, |_| true, order);
    }
}

/// As a sync does that looks for what is missing in Calendly's list.
#[tokio::test]
async fn all_that_is_stored_between_two_starts_is_read_part_by_part() {
    let desk = Desk::new().await;
    let first: Timestamp = "2027-01-20T00:00:00Z".parse().unwrap();
    // More at one time than a part has, then some more.
    let start = |number: usize| first + SignedDuration::from_mins(i64::from(number >= 250));
    let told = (0..420).map(|number| Told {
        id: format!("e{number:03}"),
        start: Some(start(number)),
        canceled: number % 10 == 9,
        connections: vec!["U0".to_owned()],
        invitees: vec![person("ada")],
        ..Told::default()
    });
    desk.tell_all(&told.collect::<Vec<_>>()).await;

    let connection = ConnectionId::from_user_uri("https://api.calendly.com/users/U0").unwrap();
    let span = (first, first + SignedDuration::from_mins(2));
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let part = desk.store.between(&connection, span, after).await.unwrap();
        assert!(part.events.len() <= 400, "a part is bounded");
        found.extend(part.events.iter().map(|event| event.uri.id().to_owned()));
        let Some((next, before)) = part.next else {
            break;
        };
        assert!(before < span.1);
        let all_before = (0..420).filter(|it| start(*it) < before && it % 10 != 9);
        assert!(
            found.len() >= all_before.count(),
            "all that start before are read"
        );
        after = Some(next);
    }
    let want = (0..420).filter(|number| number % 10 != 9);
    let want: Vec<_> = want.map(|number| format!("e{number:03}")).collect();
    assert_eq!(found, want);
}
