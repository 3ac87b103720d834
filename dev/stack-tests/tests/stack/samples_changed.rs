//! The samples of cancellations and no-shows.

use serde_json::{Value, json};
use stack_tests::{Samples, Stack, assert_has};

#[tokio::test]
async fn canceled_by_the_invitee() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    stack.applied(samples.body("invitee.created")).await;
    stack.applied(samples.body("invitee.canceled")).await;
    assert_has(
        &stack.event(&samples.event(1)).await,
        &json!({
            "status": "canceled",
            "startTime": "2026-12-01T15:00:00Z",
            "invitees": [{
                "name": "Ada Booker",
                "status": "canceled",
                "canceled": true,
                "rescheduled": false,
                "rescheduledTo": null,
                "cancellation": {
                    "by": "Ada Booker",
                    "reason": "Something came up",
                    "byType": "invitee",
                    "at": "2026-11-21T08:00:10Z",
                },
                // What the cancellation leaves out stays.
                "firstName": "Ada",
                "tracking": { "utmCampaign": "autumn-launch" },
                "answers": [{ "question": "Company" }, { "question": "Which topics?" }],
            }],
        }),
    );
}

#[tokio::test]
async fn canceled_before_it_was_created() {
    let stack = Stack::from_env().await;
    let mut ends = Vec::new();
    for order in [
        ["invitee.created", "invitee.canceled"],
        ["invitee.canceled", "invitee.created"],
    ] {
        let samples = Samples::fresh();
        for sample in order {
            stack.applied(samples.body(sample)).await;
        }
        ends.push(samples.as_in_files(&stack.event(&samples.event(1)).await));
    }
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[1]["invitees"][0]["status"], "canceled");
}

#[tokio::test]
async fn canceled_by_the_host_for_no_reason() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    stack
        .applied(samples.body("invitee.canceled.host-empty-reason"))
        .await;
    assert_has(
        &stack.event(&samples.event(2)).await,
        &json!({
            "id": samples.event(2),
            "status": "canceled",
            "startTime": "2026-12-02T10:00:00Z",
            "cancellation": { "by": "Dana Host", "reason": "", "byType": "host" },
            "invitees": [{
                "id": samples.invitee(2),
                "status": "canceled",
                "canceled": true,
                "cancellation": {
                    "by": "Dana Host",
                    "reason": "",
                    "byType": "host",
                    "at": "2026-11-21T08:30:00Z",
                },
            }],
        }),
    );
}

#[tokio::test]
async fn a_no_show_is_marked_and_taken_back() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let invitee = async || {
        let event = stack.event(&samples.event(1)).await;
        // The link to the meeting is known by then.
        assert_eq!(
            event["location"]["joinUrl"],
            "https://meet.google.com/abc-defg-hij"
        );
        assert_eq!(event["status"], "active");
        event["invitees"][0].clone()
    };
    stack.applied(samples.body("invitee.created")).await;
    stack.applied(samples.body("invitee_no_show.created")).await;
    let marked = json!({ "noShow": true, "noShowAt": "2026-11-24T15:20:00Z", "status": "active" });
    assert_has(&invitee().await, &marked);

    stack.applied(samples.body("invitee_no_show.deleted")).await;
    let cleared = json!({ "noShow": false, "noShowAt": null, "status": "active" });
    assert_has(&invitee().await, &cleared);

    // The mark that was taken back doesn't return when its webhook comes again, as another body.
    let late = samples.edited("invitee_no_show.created", |json| {
        json["extra"] = true.into();
    });
    stack.applied(late).await;
    assert_has(&invitee().await, &cleared);
}

#[tokio::test]
async fn many_workers_at_once_end_as_one_does() {
    let stack = Stack::from_env().await;
    let names = [
        "invitee.created",
        "invitee_no_show.created",
        "invitee_no_show.deleted",
        "invitee.canceled",
    ];
    let mut ends: Vec<Value> = Vec::new();
    let one_by_one = Samples::fresh();
    for name in names {
        stack.applied(one_by_one.body(name)).await;
    }
    ends.push(one_by_one.as_in_files(&stack.event(&one_by_one.event(1)).await));
    for _ in 0..3 {
        let at_once = Samples::fresh();
        let posts = names
            .iter()
            .rev()
            .map(|name| stack.applied(at_once.body(name)));
        futures::future::join_all(posts).await;
        ends.push(at_once.as_in_files(&stack.event(&at_once.event(1)).await));
    }
    for end in &ends[1..] {
        assert_eq!(*end, ends[0]);
    }
}
