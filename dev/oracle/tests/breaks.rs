//! Cases that a break of the code was seen to fail which chance seldom meets: see `BREAKS.md`.

mod given;

use given::{at_once, history, holds, step};
use oracle::History;
use oracle::history::{Act, How, Kind, Step, Stop, Told, Trouble};

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
        // What goes wrong goes wrong until the last step.
        after(MINUTE, Act::Wait, Told::Never),
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

/// One is told of the event before it was put to another time, the other after it.
#[test]
fn guests_find_an_event_at_its_start_though_one_writes_their_entries_after_another_did() {
    for call in 4..10 {
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
        let cancel = Act::Cancel {
            invitee: 0,
            by_host: false,
        };
        let mut guests = history(vec![
            step(Act::Sync, at_once()),
            after(MINUTE, book, at_once()),
            step(shift, Told::Never),
            // While it is still to come once more, nobody looks: guests are looked at in the end.
            step(cancel, Told::After(vec![200, 2 * MINUTE])),
            after(MINUTE, Act::Wait, Told::Never),
        ]);
        // The worker that was told of the booking.
        guests.stops = vec![Stop {
            run: 3,
            call,
            after: false,
            how: How::Slow,
        }];
        holds(&guests);
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
        after(
            20 * MINUTE,
            Act::Unsubscribe { subscription: 0 },
            Told::Never,
        ),
        step(Act::Sync, at_once()),
    ]);
    odd.setup.odd_lists = true;
    holds(&odd);
}

#[test]
fn a_page_that_is_always_refused_is_not_asked_for_for_ever() {
    let refused = Act::Trouble {
        skip: 0,
        calls: 50,
        how: Trouble::Refused,
    };
    holds(&history(vec![
        step(Act::Sync, at_once()),
        after(20 * MINUTE, refused, Told::Never),
        step(Act::Sync, at_once()),
        after(MINUTE, Act::Wait, Told::Never),
    ]));
}
