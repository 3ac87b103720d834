//! What is told of a step, and which steps are worth a write: what is shown decides.

#![allow(clippy::unwrap_used)] // helpers of tests

mod memory;
mod told;

use booking::{EventView, Facts, Transition, reduce};
use memory::Memory;
use serde_json::{Value, json};
use told::{after, created, read, say};

fn made(memory: &mut Memory, facts: Facts) -> Vec<Transition> {
    let stored = memory.records.clone();
    let made = reduce(&stored, &facts).transitions;
    memory.apply(facts);
    made.into_iter().map(|(_, made)| made).collect()
}

fn sent(mut body: Value, by: &str, at: &str) -> Value {
    body["created_by"] = json!(format!("https://api.calendly.com/users/{by}"));
    body["created_at"] = json!(at);
    body
}

/// The same, written once more at Calendly.
fn written(mut body: Value, at: &str) -> Value {
    body["payload"]["updated_at"] = json!(at);
    body["payload"]["scheduled_event"]["updated_at"] = json!(at);
    body
}

#[test]
fn the_same_booking_told_by_two_subscriptions_is_scheduled_once() {
    let body = created("a", "2026-11-25T09:00:00Z", 1);
    let mut memory = Memory::default();
    let told = [
        sent(body.clone(), "B", "2026-11-25T09:00:01Z"),
        sent(body.clone(), "A", "2026-11-25T09:00:02Z"),
        sent(body.clone(), "A", "2026-11-25T09:00:03Z"),
        sent(
            written(body, "2026-11-25T09:10:00Z"),
            "A",
            "2026-11-25T09:10:00Z",
        ),
    ];
    let made = told.map(|body| made(&mut memory, say(&body)));
    assert_eq!(made, [vec![Transition::Scheduled], vec![], vec![], vec![]]);
}

#[test]
fn what_is_shown_of_the_event_is_told_of_its_invitee() {
    let body = created("a", "2026-11-25T09:00:00Z", 1);
    for (field, value) in [
        ("name", json!("Other")),
        ("start_time", json!("2026-12-02T10:00:00Z")),
        ("end_time", json!("2026-12-01T12:00:00Z")),
        ("location", json!({"type": "custom", "location": "there"})),
        (
            "event_memberships",
            json!([{"user": "https://api.calendly.com/users/V"}]),
        ),
        ("event_guests", json!([{"email": "guest@example.com"}])),
        ("meeting_notes_plain", json!("bring tea")),
    ] {
        let mut memory = after(&[say(&body)]);
        let mut later = body.clone();
        later["payload"]["scheduled_event"][field] = value;
        later["created_at"] = json!("2026-11-25T10:00:00Z");
        let made = made(&mut memory, say(&later));
        assert_eq!(made, [Transition::Updated], "{field}");
    }
}

/// Named A, then B, then A again: the hook that told of B comes late. That the event was written
/// since is on record though its name is the same, so that the late one loses.
#[test]
fn an_event_that_was_written_since_is_worth_a_write_though_all_is_the_same() {
    let mut body = created("a", "2026-11-25T09:00:00Z", 1);
    let mut memory = after(&[say(&body)]);
    let mut late = body.clone();
    late["payload"]["scheduled_event"]["name"] = json!("B");
    late["payload"]["scheduled_event"]["updated_at"] = json!("2026-11-25T10:00:00Z");
    late["created_at"] = json!("2026-11-25T10:00:00Z");
    body["payload"]["scheduled_event"]["updated_at"] = json!("2026-11-25T11:00:00Z");

    let stored = memory.records.clone();
    let kept = reduce(&stored, &read(&body, "2026-11-25T12:00:00Z")).changes_since(&stored);
    memory.records.events.extend(kept.records.events);
    memory.records.invitees.extend(kept.records.invitees);
    memory.apply(say(&late));
    assert_eq!(json!(EventView::listed(memory.event()))["name"], "Meeting");
}

#[test]
fn a_time_far_after_its_own_message_freezes_nothing() {
    let future = "2099-01-01T00:00:00Z";
    let name = |memory: &Memory| json!(EventView::listed(memory.event()))["name"].clone();
    let body = created("a", "2026-11-25T09:00:00Z", 1);
    let mut strange = body.clone();
    strange["payload"]["updated_at"] = json!(future);
    strange["payload"]["scheduled_event"]["updated_at"] = json!(future);
    strange["payload"]["scheduled_event"]["name"] = json!("Strange");
    strange["payload"]["name"] = json!("Strange");
    let mut later = body;
    later["payload"]["updated_at"] = json!("2026-11-25T10:00:00Z");
    later["payload"]["scheduled_event"]["updated_at"] = json!("2026-11-25T10:00:00Z");
    later["created_at"] = json!("2026-11-25T10:00:00Z");
    let told = say(&strange);
    let seen = read(&strange, "2026-11-25T09:30:00Z");
    for first in [&told, &seen] {
        for second in [say(&later), read(&later, "2026-11-25T11:00:00Z")] {
            let memory = after([first, &second]);
            assert_eq!(name(&memory), "Meeting");
            let invitee = memory.invitee("a").name.as_ref().unwrap();
            assert_eq!(invitee.value, "a");
            assert_eq!(after([&second, first]), memory);
        }
    }
}

#[test]
fn a_time_that_can_not_be_is_not_worth_a_write_each_time_it_is_read() {
    let mut strange = created("a", "2026-11-25T09:00:00Z", 1);
    let mut memory = after(&[say(&strange)]);
    strange["payload"]["updated_at"] = json!("2099-01-01T00:00:00Z");
    strange["payload"]["scheduled_event"]["updated_at"] = json!("2099-01-01T00:00:00Z");
    memory.apply(read(&strange, "2026-11-25T10:00:00Z"));
    let stored = memory.records.clone();
    let again = reduce(&stored, &read(&strange, "2026-11-25T11:00:00Z")).changes_since(&stored);
    assert_eq!(
        (again.records.events.len(), again.records.invitees.len()),
        (0, 0)
    );
}

#[test]
fn a_mark_from_the_future_is_taken_back_by_a_later_look() {
    let mut marked = created("a", "2026-11-25T09:00:00Z", 1);
    marked["event"] = json!("invitee_no_show.created");
    marked["payload"]["no_show"] = json!({"uri": "n", "created_at": "2099-01-01T00:00:00Z"});
    let mut plain = marked.clone();
    plain["payload"]["no_show"] = Value::Null;
    let memory = after(&[say(&marked), read(&plain, "2026-11-25T10:00:00Z")]);
    assert!(!memory.invitee("a").is_no_show());
}
