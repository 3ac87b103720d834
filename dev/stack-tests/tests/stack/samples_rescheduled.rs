//! A reschedule is one thing, told in two webhooks that come in any order.

use serde_json::{Value, json};
use stack_tests::{Samples, Stack, assert_has};

const HALVES: [&str; 2] = [
    "reschedule.1-invitee.canceled",
    "reschedule.2-invitee.created",
];

/// The old and the new event, once both halves are applied.
async fn both(stack: &Stack, samples: &Samples) -> (Value, Value) {
    (
        stack.event(&samples.event(3)).await,
        stack.event(&samples.event(4)).await,
    )
}

fn assert_rescheduled(samples: &Samples, (old, new): &(Value, Value)) {
    assert_has(
        old,
        &json!({
            "status": "canceled",
            "startTime": "2026-12-03T15:00:00Z",
            "invitees": [{
                "id": samples.invitee(3),
                "name": "Ada Booker",
                "status": "rescheduled",
                "rescheduled": true,
                "canceled": false,
                "rescheduledFrom": null,
                "rescheduledTo": samples.invitee_uri(4),
                "root": null,
                "cancellation": { "reason": "Need a later slot", "byType": "invitee" },
            }],
        }),
    );
    assert_has(
        new,
        &json!({
            "status": "active",
            "startTime": "2026-12-05T16:00:00Z",
            "endTime": "2026-12-05T16:30:00Z",
            "invitees": [{
                "id": samples.invitee(4),
                "name": "Ada Booker",
                "status": "active",
                "rescheduled": false,
                "canceled": false,
                "rescheduledFrom": samples.invitee_uri(3),
                "rescheduledTo": null,
                "root": samples.invitee_uri(3),
                "cancellation": null,
            }],
        }),
    );
}

#[tokio::test]
async fn whichever_half_comes_first() {
    let stack = Stack::from_env().await;
    let mut ends = Vec::new();
    for order in [HALVES, [HALVES[1], HALVES[0]]] {
        let samples = Samples::fresh();
        for half in order {
            stack.applied(samples.body(half)).await;
        }
        let events = both(&stack, &samples).await;
        assert_rescheduled(&samples, &events);
        ends.push(samples.as_in_files(&json!([events.0, events.1])));
    }
    let at_once = Samples::fresh();
    let posts = HALVES.map(|half| stack.applied(at_once.body(half)));
    futures::future::join_all(posts).await;
    let events = both(&stack, &at_once).await;
    ends.push(at_once.as_in_files(&json!([events.0, events.1])));
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0], ends[2]);
}

#[tokio::test]
async fn with_half_of_it_known() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    stack.applied(samples.body(HALVES[0])).await;
    assert_has(
        &stack.event(&samples.event(3)).await["invitees"][0],
        &json!({ "status": "rescheduled", "canceled": false, "rescheduledTo": samples.invitee_uri(4) }),
    );

    let samples = Samples::fresh();
    stack.applied(samples.body(HALVES[1])).await;
    assert_has(
        &stack.event(&samples.event(4)).await["invitees"][0],
        &json!({
            "status": "active",
            "rescheduledFrom": samples.invitee_uri(3),
            "root": samples.invitee_uri(3),
        }),
    );
}

#[tokio::test]
async fn a_chain_keeps_its_root() {
    // 3 → 4 → 8, the later move first.
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    for half in HALVES {
        let later = samples.edited(half, |json| {
            json["created_at"] = "2026-11-23T12:00:00.000000Z".into();
            let payload = &mut json["payload"];
            payload["updated_at"] = "2026-11-23T12:00:00.600000Z".into();
            payload["scheduled_event"]["updated_at"] = "2026-11-23T12:00:00.500000Z".into();
            if half == HALVES[0] {
                payload["cancellation"]["created_at"] = "2026-11-23T12:00:00.000000Z".into();
            } else {
                payload["created_at"] = "2026-11-23T12:00:00.450000Z".into();
            }
        });
        let next = later
            .replace("00000004", "00000008")
            .replace("00000003", "00000004");
        stack.applied(next).await;
    }
    for half in HALVES {
        stack.applied(samples.body(half)).await;
    }
    let invitee = async |number| stack.event(&samples.event(number)).await["invitees"][0].clone();
    let (three, four, eight) = (invitee(3).await, invitee(4).await, invitee(8).await);
    let uri = |number| samples.invitee_uri(number);
    let want = json!({ "status": "rescheduled", "rescheduledTo": uri(4), "root": null });
    assert_has(&three, &want);
    assert_has(
        &four,
        &json!({
            "status": "rescheduled",
            "canceled": false,
            "rescheduledFrom": uri(3),
            "rescheduledTo": uri(8),
            "root": uri(3),
        }),
    );
    let want = json!({ "status": "active", "rescheduledFrom": uri(4), "root": uri(3) });
    assert_has(&eight, &want);
}
