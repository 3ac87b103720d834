//! Webhooks that come repeated and in any order lead to the same bookings.

use serde_json::{Value, json};
use stack_tests::{Desk, Sandbox, Stack};

/// How many slots are booked, each with a life of its own.
const LIVES: u8 = 40;

/// Books a slot, and does with it what its number says. Each life is told in one breath, so that
/// its own webhooks overtake each other.
async fn live(desk: &mut Desk<'_>, year: u16, number: u8) {
    let start = |month: u8| {
        format!(
            "{year}-{month:02}-{:02}T{:02}:00:00Z",
            1 + number % 28,
            number / 28
        )
    };
    let kinds = ["Product Demo", "Weekly Webinar", "Office Visit"];
    let kind = kinds[usize::from(number) % kinds.len()];
    let mut invitee = desk
        .book(&format!("Booker {number}"), kind, &start(1))
        .await;
    if number.is_multiple_of(2) {
        // Joins it, if it is a group event.
        let other = desk.book(&format!("Other {number}"), kind, &start(1)).await;
        if number.is_multiple_of(4) {
            desk.no_show(&other, true).await;
        }
    }
    for month in 2..2 + number % 5 {
        let change = json!({ "startTime": start(month), "reason": format!("to month {month}") });
        invitee = desk.reschedule(&invitee, &change).await;
    }
    for marked in [true, false, true]
        .into_iter()
        .take(usize::from(number % 4))
    {
        desk.no_show(&invitee, marked).await;
    }
    if number.is_multiple_of(3) {
        desk.cancel(&invitee, &json!({ "reason": format!("{number}") }))
            .await;
    }
}

/// Whether each webhook was first sent after all those that were made before it.
fn in_order(deliveries: &[Value]) -> bool {
    let sent = |it: &Value| it["attempts"][0]["at"].as_str().unwrap().to_owned();
    deliveries
        .windows(2)
        .all(|two| sent(&two[0]) <= sent(&two[1]))
}

#[tokio::test]
async fn repeated_and_reordered_webhooks() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    for seed in [1, 2] {
        // The sandbox knows a group event by its type and its start alone.
        let year = 2046 + seed;
        let account = sandbox.account(&format!("Fay Fault {seed}")).await;
        let mut desk = Desk::connected(&stack, &sandbox, account).await;
        let faults = json!({ "seed": seed, "repeat": 0.3, "reorder": true, "reorderWindow": 12 });
        let deliveries = sandbox
            .with_faults(&faults, async || {
                for number in 0..LIVES {
                    live(&mut desk, year, number).await;
                }
                desk.applied().await
            })
            .await;
        let repeats = deliveries.iter().filter(|it| it["repeat"] == true).count();
        let share = 100 * repeats / (deliveries.len() - repeats);
        assert!((15..45).contains(&share), "{share} % repeated");
        assert!(!in_order(&deliveries), "nothing was reordered");
        desk.assert_stored().await;
        desk.assert_listed(
            &format!("{year}-01-01T00:00:00Z"),
            &format!("{year}-12-31T00:00:00Z"),
        )
        .await;
    }
    let state = sandbox.state().await;
    assert_eq!(state["faults"]["repeat"], 0.0, "faults are taken back");
    assert_eq!(state["faults"]["reorder"], false);
}
