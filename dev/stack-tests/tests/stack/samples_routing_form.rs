//! A routing form's submission is joined to its invitee, whichever comes first.

use serde_json::json;
use stack_tests::{Samples, Stack, assert_has};

#[tokio::test]
async fn whichever_comes_first() {
    let stack = Stack::from_env().await;
    let names = ["routing_form_submission.created", "invitee.created"];
    let mut ends = Vec::new();
    for order in [names, [names[1], names[0]]] {
        let samples = Samples::fresh();
        for name in order {
            stack.applied(samples.body(name)).await;
        }
        let event = stack.event(&samples.event(1)).await;
        let tail = &samples.event(1)[8..];
        assert_has(
            &event["invitees"][0],
            &json!({
                "name": "Ada Booker",
                "routingFormSubmission": {
                    "uri": format!("https://api.calendly.com/routing_form_submissions/cccc0001{tail}"),
                    "form": format!("https://api.calendly.com/routing_forms/dddd0001{tail}"),
                    "answers": [
                        { "question": "Work email", "answer": "ada.booker@example.com" },
                        { "question": "Team size", "answer": "11-50" },
                        { "question": "Anything else?", "answer": null },
                    ],
                    "result": {
                        "type": "event_type",
                        "value": "https://api.calendly.com/event_types/AAAAEVTYPE000001",
                    },
                    "tracking": { "utmSource": "google", "utmMedium": "cpc" },
                    "createdAt": "2026-11-20T09:14:30.101Z",
                },
            }),
        );
        ends.push(samples.as_in_files(&event));
    }
    assert_eq!(ends[0], ends[1]);
}

#[tokio::test]
async fn an_invitee_waits_for_it() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    stack.applied(samples.body("invitee.created")).await;
    let event = stack.event(&samples.event(1)).await;
    let submission = &event["invitees"][0]["routingFormSubmission"];
    assert!(submission["uri"].as_str().unwrap().contains("cccc0001"));
    assert_has(submission, &json!({ "answers": [], "form": null }));
}
