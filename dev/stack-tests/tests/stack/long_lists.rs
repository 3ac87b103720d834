//! A thousand events, paged through while others are written: nothing that was there is lost,
//! nothing comes twice, and the order holds.

use crate::told::{Told, apply_all, own, own_year, places, wanted};
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use stack_tests::Stack;
use std::collections::BTreeSet;

const STORED: usize = 1_000;

/// Over a year, told of by two accounts; each third with one and the same person.
fn events(year: u16, accounts: &[String; 2], person: &str) -> Vec<Told> {
    let told = |number: usize| {
        let start = format!(
            "{year}-{:02}-{:02}T{:02}:30:00Z",
            1 + number / 84,
            1 + number / 3 % 28,
            // Two of three start at one time.
            10 + number % 3 / 2
        );
        let mut told = Told::new(&accounts[usize::from(number.is_multiple_of(4))], start);
        told.canceled = number.is_multiple_of(5);
        match number % 6 {
            0 => person.clone_into(&mut told.email),
            3 => told.guests = vec![person.to_owned()],
            _ => {}
        }
        told
    };
    (0..STORED).map(told).collect()
}

/// What is asked for, and which events that is.
type List<'a> = (String, Box<dyn Fn(&Told) -> bool + 'a>);

/// What others do meanwhile: a new event, and a change of one that is there.
struct Others {
    all: Vec<Told>,
    year: u16,
    written: usize,
}

impl Others {
    async fn write(&mut self, stack: &Stack) {
        self.written += 1;
        let at = self.written * 379 % STORED;
        let mut new = Told::new(&self.all[at].connection, self.all[at].start.clone());
        new.email.clone_from(&self.all[at].email);
        new.canceled = self.all[at].canceled;
        let changed = &mut self.all[(at + 7) % STORED];
        changed.version += 1;
        let posts = [new.body(), changed.body()].map(|body| stack.applied(body));
        join_all(posts).await;
    }

    /// Every item of a list; something is written after each page.
    async fn pages(&mut self, stack: &Stack, path: &str, name: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut next = String::new();
        loop {
            let page = stack.get(&format!("{path}{next}")).await.ok();
            items.extend(page[name].as_array().unwrap().iter().cloned());
            self.write(stack).await;
            match page["nextCursor"].as_str() {
                Some(cursor) => next = format!("&cursor={cursor}"),
                None => return items,
            }
            assert!(items.len() < 4 * STORED, "the list does not end");
        }
    }

    fn in_year(&self) -> String {
        let year = self.year;
        format!("from={year}-01-01T00:00:00Z&to={year}-12-31T00:00:00Z")
    }
}

fn assert_whole(path: &str, items: &[Value], old: &[Told], fits: impl Fn(&Told) -> bool) {
    let descending = path.contains("sort=desc");
    let mut got = places(items);
    let distinct: BTreeSet<_> = got.iter().collect();
    assert_eq!(distinct.len(), got.len(), "{path}: one comes twice");
    let ids: BTreeSet<&str> = old.iter().map(|told| told.id.as_str()).collect();
    let wanted = wanted(old, fits, descending);
    assert!(wanted.len() > STORED / 8, "{path}");
    let mut in_order = got.clone();
    in_order.sort();
    if descending {
        in_order.reverse();
    }
    assert_eq!(got, in_order, "{path}: out of order");
    got.retain(|(_, id)| ids.contains(id.as_str()));
    assert_eq!(got, wanted, "{path}");
}

#[tokio::test]
async fn every_list_of_a_thousand_is_whole_while_others_are_written() {
    let stack = Stack::from_env().await;
    let year = own_year();
    let accounts = [own("acct"), own("acct")];
    let person = format!("{}@example.com", own("p"));
    let all = events(year, &accounts, &person);
    let from = Timestamp::now();
    let ids = apply_all(&stack, &all).await;
    let mut others = Others {
        all: all.clone(),
        year,
        written: 0,
    };

    let in_year = others.in_year();
    let account = accounts[0].as_str();
    let lists: [List; 6] = [
        (
            format!("/v1/events?{in_year}&limit=100"),
            Box::new(|_| true),
        ),
        (
            format!("/v1/events?{in_year}&limit=100&sort=desc"),
            Box::new(|_| true),
        ),
        (
            format!("/v1/events?connection={account}&limit=100"),
            Box::new(|told| told.connection == account),
        ),
        (
            format!("/v1/events?{in_year}&status=active&limit=100&sort=desc"),
            Box::new(|told| !told.canceled),
        ),
        (
            format!("/v1/events?inviteeEmail={person}&limit=25"),
            Box::new(|told| told.email == person),
        ),
        (
            format!(
                "/v1/contacts/{}/activity?limit=40",
                person.replace('@', "%40")
            ),
            Box::new(|told| told.email == person || told.guests == [person.clone()]),
        ),
    ];
    for (path, fits) in &lists {
        let items = others.pages(&stack, path, "events").await;
        assert_whole(path, &items, &all, fits);
    }

    let path = format!("/v1/deliveries?from={from}&limit=100");
    let items = others.pages(&stack, &path, "deliveries").await;
    let got: Vec<&str> = items.iter().map(|it| it["id"].as_str().unwrap()).collect();
    let distinct: BTreeSet<&str> = got.iter().copied().collect();
    assert_eq!(distinct.len(), got.len(), "one comes twice");
    for id in &ids {
        assert!(distinct.contains(id.as_str()), "{id} is lost");
    }
    let times: Vec<Timestamp> = items
        .iter()
        .map(|it| it["receivedAt"].as_str().unwrap().parse().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "out of order");
}
