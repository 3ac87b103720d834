//! What happened to a booking: moved twice, marked, cleared, marked again, canceled. One story,
//! whatever the order in which it was told, and how often.

use serde_json::{Value, json};
use stack_tests::{Samples, Stack, assert_has};
use std::collections::BTreeSet;

/// Three bookings of one person; each replaces the one before.
const CHAIN: [u32; 3] = [11, 12, 13];

const BOOKED: &str = "2026-11-20T09:15:01.123456Z";
const MOVED: &str = "2026-11-21T10:00:00.500000Z";
const MOVED_AGAIN: &str = "2026-11-22T11:00:00.250000Z";
const MARKED: &str = "2026-11-24T12:00:00.100000Z";
const CLEARED: &str = "2026-11-24T13:00:00.000000Z";
const MARKED_AGAIN: &str = "2026-11-24T14:00:00.300000Z";
const CANCELED: &str = "2026-11-24T15:00:00.700000Z";

/// One webhook about the booking `CHAIN[at]`.
struct Told<'a> {
    event: &'a str,
    at: usize,
    time: &'a str,
    /// When it was moved or canceled, by whom, and why.
    ended: Option<(&'a str, &'a str, &'a str)>,
    moved_on: bool,
    marked: Option<&'a str>,
}

impl Told<'_> {
    fn body(&self, samples: &Samples) -> String {
        let uri = |at: usize| samples.invitee_uri(CHAIN[at]);
        let made = [BOOKED, MOVED, MOVED_AGAIN][self.at];
        samples.edited("invitee.created", |json| {
            json["event"] = self.event.into();
            // Calendly cuts the envelope's time to the second.
            json["created_at"] = format!("{}.000000Z", &self.time[..19]).into();
            let payload = &mut json["payload"];
            payload["uri"] = uri(self.at).into();
            payload["event"] = samples.event_uri(CHAIN[self.at]).into();
            payload["created_at"] = made.into();
            payload["updated_at"] = self.time.into();
            payload["reconfirmation"] = Value::Null;
            payload["routing_form_submission"] = Value::Null;
            payload["rescheduled"] = self.moved_on.into();
            payload["old_invitee"] = self.at.checked_sub(1).map(uri).into();
            payload["new_invitee"] = self.moved_on.then(|| uri(self.at + 1)).into();
            payload["no_show"] = self.marked.map_or(Value::Null, |at| {
                json!({ "uri": "https://api.calendly.com/invitee_no_shows/n", "created_at": at })
            });
            let event = &mut payload["scheduled_event"];
            event["uri"] = samples.event_uri(CHAIN[self.at]).into();
            event["created_at"] = made.into();
            event["updated_at"] = made.into();
            if let Some((by, by_type, reason)) = self.ended {
                let cancellation = json!({
                    "canceled_by": by,
                    "canceler_type": by_type,
                    "reason": reason,
                    "created_at": self.time,
                });
                event["status"] = "canceled".into();
                event["updated_at"] = self.time.into();
                event["cancellation"] = cancellation.clone();
                payload["status"] = "canceled".into();
                payload["cancellation"] = cancellation;
            }
        })
    }
}

/// The webhooks of the whole story, in the order in which it happened.
fn story(samples: &Samples) -> Vec<String> {
    let told = |event, at, time| Told {
        event,
        at,
        time,
        ended: None,
        moved_on: false,
        marked: None,
    };
    let created = |at, time| told("invitee.created", at, time);
    let left = |at, time, ended| Told {
        ended: Some(ended),
        ..told("invitee.canceled", at, time)
    };
    let moved = |at, time, ended| Told {
        moved_on: true,
        ..left(at, time, ended)
    };
    let marked = |time| Told {
        marked: Some(time),
        ..told("invitee_no_show.created", 2, time)
    };
    let all = [
        created(0, BOOKED),
        moved(0, MOVED, ("Ada Booker", "invitee", "Need a later slot")),
        created(1, MOVED),
        moved(1, MOVED_AGAIN, ("Dana Host", "host", "")),
        created(2, MOVED_AGAIN),
        marked(MARKED),
        told("invitee_no_show.deleted", 2, CLEARED),
        marked(MARKED_AGAIN),
        Told {
            marked: Some(MARKED_AGAIN),
            ..left(2, CANCELED, ("Ada Booker", "invitee", "After all"))
        },
    ];
    all.iter().map(|told| told.body(samples)).collect()
}

/// A step as the API shows it, with nothing in its cause but what is given.
fn step(samples: &Samples, number: u32, transition: &str, at: &str, cause: &Value) -> Value {
    let mut whole = json!({
        "by": null, "byType": null, "reason": null, "rescheduledFrom": null,
        "rescheduledTo": null, "detail": null,
    });
    let fields = cause.as_object().unwrap().clone();
    whole.as_object_mut().unwrap().extend(fields);
    let at: jiff::Timestamp = at.parse().unwrap();
    json!({
        "inviteeId": samples.invitee(number),
        "transition": transition,
        "at": at.to_string(),
        "cause": whole,
    })
}

/// What the history of each booking must be.
fn wanted(samples: &Samples) -> [Value; 3] {
    let uri = |number| samples.invitee_uri(number);
    let of = |number, steps: &[(&str, &str, Value)]| {
        let steps = steps.iter();
        let steps =
            steps.map(|(transition, at, cause)| step(samples, number, transition, at, cause));
        steps.collect::<Value>()
    };
    let by_ada = |more: Value| {
        let mut cause = json!({ "by": "Ada Booker", "byType": "invitee" });
        let fields = more.as_object().unwrap().clone();
        cause.as_object_mut().unwrap().extend(fields);
        cause
    };
    [
        of(
            11,
            &[
                ("scheduled", BOOKED, json!({})),
                (
                    "rescheduled",
                    MOVED,
                    by_ada(json!({ "reason": "Need a later slot", "rescheduledTo": uri(12) })),
                ),
            ],
        ),
        of(
            12,
            &[
                ("rescheduled", MOVED, json!({ "rescheduledFrom": uri(11) })),
                (
                    "rescheduled",
                    MOVED_AGAIN,
                    json!({
                        "by": "Dana Host", "byType": "host", "reason": "",
                        "rescheduledTo": uri(13),
                    }),
                ),
            ],
        ),
        of(
            13,
            &[
                (
                    "rescheduled",
                    MOVED_AGAIN,
                    json!({ "rescheduledFrom": uri(12) }),
                ),
                ("no_show_marked", MARKED, json!({})),
                ("no_show_cleared", CLEARED, json!({})),
                ("no_show_marked", MARKED_AGAIN, json!({})),
                (
                    "canceled",
                    CANCELED,
                    by_ada(json!({ "reason": "After all" })),
                ),
            ],
        ),
    ]
}

/// The ids of the deliveries that a history names, of which each must be processed.
fn told_by(history: &Value) -> BTreeSet<String> {
    let deliveries = history["deliveries"].as_array().unwrap();
    let ids: BTreeSet<String> = deliveries
        .iter()
        .map(|told| {
            assert_eq!(told["status"], "processed", "{told}");
            told["id"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(ids.len(), deliveries.len(), "one is named twice");
    let times = deliveries.iter().map(|told| told["receivedAt"].as_str());
    assert!(times.is_sorted(), "{deliveries:#?}");
    ids
}

#[tokio::test]
async fn a_history_is_the_story_whatever_the_order_in_which_it_came() {
    let stack = Stack::from_env().await;
    // Each number is a webhook of the story.
    let orders: [&[usize]; 4] = [
        &[0, 1, 2, 3, 4, 5, 6, 7, 8],
        &[8, 7, 6, 5, 4, 3, 2, 1, 0],
        &[7, 2, 8, 8, 0, 5, 3, 3, 6, 4, 7, 1, 0],
        &[6, 3, 1, 4, 5, 6, 0, 8, 2, 7, 5, 1],
    ];
    let mut ends = Vec::new();
    for order in orders {
        let samples = Samples::fresh();
        let story = story(&samples);
        let mut ids = vec![String::new(); story.len()];
        for &number in order {
            ids[number] = stack.applied(story[number].clone()).await;
        }
        let wanted = wanted(&samples);
        // Which webhooks are about each booking.
        let about: [&[usize]; 3] = [&[0, 1], &[2, 3], &[4, 5, 6, 7, 8]];
        for ((number, steps), webhooks) in CHAIN.into_iter().zip(&wanted).zip(about) {
            let event = format!("/v1/events/{}", samples.event(number));
            let invitee = format!("{event}/invitees/{}", samples.invitee(number));
            let of_invitee = stack.get(&format!("{invitee}/history")).await.ok();
            assert_eq!(of_invitee["history"], *steps, "{order:?}");
            let told: BTreeSet<String> = webhooks.iter().map(|&it| ids[it].clone()).collect();
            assert_eq!(told_by(&of_invitee), told, "{order:?}");
            // The event has this booking alone.
            let of_event = stack.get(&format!("{event}/history")).await.ok();
            assert_eq!(of_event, of_invitee, "{order:?}");
            ends.push((number, samples.as_in_files(&stack.get(&invitee).await.ok())));
        }
        let last = stack
            .get(&format!(
                "/v1/events/{}/invitees/{}",
                samples.event(13),
                samples.invitee(13)
            ))
            .await
            .ok();
        let stands = json!({
            "status": "canceled", "canceled": true, "rescheduled": false, "noShow": true,
            "root": samples.invitee_uri(11), "rescheduledFrom": samples.invitee_uri(12),
            "rescheduledTo": null,
        });
        assert_has(&last, &stands);
    }
    for (number, end) in &ends {
        let (_, first) = ends.iter().find(|(it, _)| it == number).unwrap();
        assert_eq!(end, first);
    }
}

#[tokio::test]
async fn a_group_events_history_tells_of_everybody() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let join = |number: u32, event: &str, time: &str| {
        samples.edited("invitee.created.group-guests", |json| {
            json["event"] = event.into();
            let payload = &mut json["payload"];
            let uri = format!(
                "{}/invitees/{}",
                samples.event_uri(5),
                samples.invitee(number)
            );
            payload["uri"] = uri.into();
            payload["created_at"] = format!("2026-11-20T09:1{number}:00.000000Z").into();
            payload["updated_at"] = time.into();
            if event == "invitee.canceled" {
                payload["status"] = "canceled".into();
                payload["cancellation"] = json!({
                    "canceled_by": "Grace Group", "canceler_type": "invitee", "reason": "Ill",
                    "created_at": time,
                });
            }
        })
    };
    let webhooks = [
        join(2, "invitee.canceled", "2026-11-20T09:14:30.000000Z"),
        join(3, "invitee.created", "2026-11-20T09:13:00.000000Z"),
        join(2, "invitee.created", "2026-11-20T09:12:00.000000Z"),
        join(5, "invitee.created", "2026-11-20T09:15:00.000000Z"),
    ];
    let mut ids = BTreeSet::new();
    for webhook in webhooks {
        ids.insert(stack.applied(webhook).await);
    }
    let path = format!("/v1/events/{}", samples.event(5));
    let history = stack.get(&format!("{path}/history")).await.ok();
    let steps: Vec<_> = history["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["inviteeId"].clone(), step["transition"].clone()))
        .collect();
    let step = |number, what: &str| (json!(samples.invitee(number)), json!(what));
    let wanted = [
        step(2, "scheduled"),
        step(3, "scheduled"),
        step(2, "canceled"),
        step(5, "scheduled"),
    ];
    assert_eq!(steps, wanted);
    assert_eq!(told_by(&history), ids);
    let one = format!("{path}/invitees/{}/history", samples.invitee(2));
    let one = stack.get(&one).await.ok();
    assert_eq!(one["history"].as_array().unwrap().len(), 2);
    assert_eq!(told_by(&one).len(), 2);
}
