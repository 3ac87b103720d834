//! Cases that a break of the code was seen to fail which chance seldom meets: see `BREAKS.md`.

mod given;

use given::{at_once, history, holds, step};
use oracle::History;
use oracle::history::{Act, Kind, Step, Told, Trouble};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;

fn after(pause_ms: u64, act: Act, told: Told) -> Step {
    Step {
        pause_ms,
        ..step(act, told)
    }
}

/// Thirty people of one event, of whom a sync has read, and then what becomes of it.
fn crowd(act: Act, told: Told) -> History {
    let book = Act::Crowd {
        people: 30,
        quarters: 40,
    };
    history(vec![
        step(Act::Sync, at_once()),
        step(book, Told::Never),
        step(Act::Sync, at_once()),
        after(10 * MINUTE, act, told),
        after(MINUTE, Act::Sync, at_once()),
    ])
}

#[test]
fn wherever_a_sync_dies_that_reads_a_large_event_all_follow_it_later() {
    let shift = Act::Shift {
        event: 0,
        quarters: 80,
    };
    for act in [shift, Act::CancelEvent { event: 0 }] {
        for write in 3..12 {
            let mut crowd = crowd(act.clone(), Told::Never);
            crowd.last_writes = vec![write];
            holds(&crowd);
        }
    }
}

#[test]
fn wherever_a_worker_dies_that_is_told_of_a_large_event_all_follow_it_later() {
    for write in 3..12 {
        let mut crowd = crowd(Act::CancelEvent { event: 0 }, Told::Never);
        crowd.steps[3].told.insert(0, at_once());
        crowd.last_writes = vec![write];
        holds(&crowd);
    }
}

#[test]
fn guests_find_an_event_at_its_start_though_two_write_their_entries_at_once() {
    for early in (0..200).step_by(10) {
        let book = Act::Book {
            kind: Kind::Demo,
            person: 0,
            quarters: 40,
            guests: 130,
        };
        let shift = Act::Shift {
            event: 0,
            quarters: 80,
        };
        holds(&history(vec![
            step(Act::Sync, at_once()),
            step(book, Told::After(vec![2 * SECOND])),
            step(shift, Told::Never),
            after(2 * SECOND - early, Act::Sync, at_once()),
        ]));
    }
}

#[test]
fn a_page_of_something_before_calendly_does_not_make_an_account_a_member() {
    for skip in 0..6 {
        let page = Act::Trouble {
            skip,
            calls: 1,
            how: Trouble::Page,
        };
        holds(&history(vec![
            step(Act::Sync, at_once()),
            after(20 * MINUTE, page, Told::Never),
            step(Act::Sync, at_once()),
            after(MINUTE, Act::Wait, Told::Never),
        ]));
    }
}

#[test]
fn what_a_sync_found_stays_though_an_older_message_comes_later() {
    let marked = Told::After(vec![3 * 60 * MINUTE]);
    let book = Act::Book {
        kind: Kind::Demo,
        person: 0,
        quarters: 1,
        guests: 0,
    };
    let moved = Act::Move {
        invitee: 0,
        quarters: 100,
        by_host: true,
    };
    holds(&history(vec![
        step(Act::Sync, at_once()),
        step(book, at_once()),
        after(20 * MINUTE, Act::Sync, at_once()),
        after(MINUTE, Act::MarkNoShow { invitee: 0 }, marked),
        after(MINUTE, Act::ClearNoShow { invitee: 0 }, Told::Never),
        // This tells the newest time of the booking, and nothing of marks: what a sync reads then is
        // nothing new, and isn't written.
        after(MINUTE, moved, at_once()),
    ]));
}

#[test]
fn a_subscription_that_is_gone_is_replaced_whatever_else_is_listed() {
    let mut odd = history(vec![
        step(Act::Sync, at_once()),
        after(20 * MINUTE, Act::Unsubscribe { subscription: 0 }, Told::Never),
        step(Act::Sync, at_once()),
    ]);
    odd.setup.odd_lists = true;
    holds(&odd);
}
