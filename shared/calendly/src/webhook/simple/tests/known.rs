//! Tests that are about true events: a test fills in only what nobody else can know.

use super::{booking, one, simple};
use crate::webhook::resource;
use booking::{ConnectionId, EventView, Facts, InviteeView, Records, reduce};
use jiff::Timestamp;
use serde_json::{Value, json};

const FIRST: &str = super::FIRST;

/// A booking of a group event with seats for 20, as Calendly tells it.
fn group() -> Value {
    serde_json::from_slice(&testkit::fixture("invitee.created.group-guests.json")).unwrap()
}

fn facts_of(body: &Value) -> Facts {
    let received_at = testkit::received_at();
    match crate::webhook::read(body.to_string().as_bytes(), received_at) {
        Ok(crate::webhook::Webhook::Booking(booking)) => booking.facts,
        other => panic!("not a booking: {other:?}"),
    }
}

/// The one event that these make, with its one invitee in it.
fn shown(all: &[&Facts]) -> Value {
    let mut stored = Records::default();
    for facts in all {
        let made = reduce(&stored, facts).records;
        stored.events.extend(made.events);
        stored.invitees.extend(made.invitees);
    }
    assert_eq!((stored.events.len(), stored.invitees.len()), (1, 1));
    let invitees = stored.invitees.values();
    let invitees = invitees.map(|invitee| InviteeView::of(invitee, None));
    let event = stored.events.values().next().unwrap();
    json!(EventView::of(event, invitees.collect()))
}

/// A test about it that says no more than it must, in each form that names both.
fn about(group: &Value, name: &str) -> Vec<Value> {
    let payload = &group["payload"];
    let (event, invitee) = (&payload["scheduled_event"]["uri"], &payload["uri"]);
    let id = |uri: &Value| {
        let uri = uri.as_str().unwrap();
        json!(uri.rsplit('/').next().unwrap())
    };
    let forms = [
        json!({ "event": { "uri": event }, "invitee": { "uri": invitee } }),
        json!({ "event": { "uuid": id(event) }, "invitee": { "uuid": id(invitee) } }),
        json!({ "event": event, "invitee": { "uri": invitee } }),
        json!({ "event": {}, "invitee": { "uri": invitee } }),
        json!({ "scheduled_event": { "uri": event }, "invitee": { "id": id(invitee) } }),
        json!({ "event": { "uri": event, "name": " " }, "invitee": { "uri": invitee } }),
    ];
    forms
        .map(|payload| json!({ "event": name, "time": "2026-12-30T10:00:00Z", "payload": payload }))
        .to_vec()
}

/// What `shown` says, but for when it was last changed and what a cancellation changes.
fn but_for_its_end(mut shown: Value) -> Value {
    for gone in ["updatedAt", "status", "canceled", "cancellation"] {
        shown.as_object_mut().unwrap().remove(gone);
        let invitee = shown["invitees"][0].as_object_mut().unwrap();
        invitee.remove(gone);
    }
    shown
}

#[test]
fn a_test_takes_nothing_from_a_true_event() {
    let known = facts_of(&group());
    let before = shown(&[&known]);
    assert_eq!(before["inviteesCounter"]["limit"], 20);
    for name in ["invitee.created", "invitee.canceled"] {
        for test in about(&group(), name) {
            let told = booking(&test).facts;
            for order in [[&known, &told], [&told, &known]] {
                let after = shown(&order);
                // A group stays open when those leave who are known.
                assert_eq!(after["status"], "active", "{test}");
                let canceled = after["invitees"][0]["status"] == "canceled";
                assert_eq!(canceled, name == "invitee.canceled", "{test}");
                assert_eq!(
                    but_for_its_end(after),
                    but_for_its_end(before.clone()),
                    "{test}"
                );
            }
        }
    }
}

#[test]
fn who_canceled_and_why_stays_when_a_test_cancels_without_a_word() {
    let mut canceled = group();
    canceled["event"] = json!("invitee.canceled");
    canceled["payload"]["status"] = json!("canceled");
    canceled["payload"]["cancellation"] = json!({"canceled_by": "Grace", "reason": "Ill",
        "canceler_type": "invitee", "created_at": "2026-12-01T10:00:00Z"});
    let known = facts_of(&canceled);
    let want = shown(&[&known])["invitees"][0]["cancellation"].take();
    assert_eq!(want["reason"], "Ill");
    for test in about(&canceled, "invitee.canceled") {
        let told = booking(&test).facts;
        for order in [[&known, &told], [&told, &known]] {
            assert_eq!(shown(&order)["invitees"][0]["cancellation"], want, "{test}");
        }
    }
    // One that says why counts where nothing else is known.
    let mut test = about(&canceled, "invitee.canceled").remove(0);
    let alone = shown(&[&booking(&test).facts]);
    assert_eq!(
        alone["invitees"][0]["cancellation"]["at"],
        "2026-12-30T10:00:00Z"
    );
    test["payload"]["invitee"]["cancellation"] = json!("Ill");
    let alone = shown(&[&booking(&test).facts]);
    assert_eq!(alone["invitees"][0]["cancellation"]["reason"], "Ill");
}

/// What a read finds after a test, with the times that things really have, counts.
#[test]
fn a_test_says_nothing_against_later_reads() {
    let host = ConnectionId::from_user_uri("https://api.calendly.com/users/U1").unwrap();
    let read_at: Timestamp = "2026-12-31T10:00:00Z".parse().unwrap();
    for mut test in about(&group(), "invitee.created") {
        let payload = &mut test["payload"];
        if payload["event"].is_object() {
            payload["event"]["name"] = json!("As the test calls it");
            payload["event"]["startTime"] = json!(FIRST);
            payload["event"]["location"] = json!("Where the test was");
        }
        payload["invitee"]["name"] = json!("Testa Tester");
        let mut truth = group()["payload"].take();
        let event = truth["scheduled_event"].take();
        let read = resource::facts(&event, &[truth], &host, read_at).unwrap();
        let told = booking(&test).facts;
        for order in [[&read, &told], [&told, &read]] {
            let (found, want) = (shown(&order), shown(&[&read]));
            assert_eq!(but_for_its_end(found), but_for_its_end(want), "{test}");
        }
    }
}

#[test]
fn an_end_is_made_up_only_with_its_event() {
    let end = |event: Value| {
        let test = json!({ "event": "invitee.created", "payload": {
            "event": event, "invitee": { "uuid": "I1" } } });
        one(&[test]).0["endTime"].take()
    };
    assert_eq!(
        end(json!({ "uuid": "E1", "startTime": FIRST })),
        Value::Null
    );
    let lasts = json!({ "uuid": "E1", "startTime": FIRST, "duration": 30 });
    assert_eq!(end(lasts), "2026-12-01T15:30:00Z");
    assert_eq!(end(json!({ "startTime": FIRST })), FIRST);
}

#[test]
fn an_event_that_a_test_makes_up_is_for_one_and_ends_with_that_ones_booking() {
    let created = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
    let (event, invitee) = one(std::slice::from_ref(&created));
    assert_eq!(event["inviteesCounter"]["limit"], 1);
    // Named by what the first answered, it is the same event, and no less.
    let canceled = json!({ "event": "invitee.canceled", "time": "2026-11-21T08:00:00Z", "payload": {
        "event": { "uri": event["uri"] }, "invitee": { "uri": invitee["uri"] } } });
    let mut renamed = canceled.clone();
    renamed["event"] = json!("invitee.created");
    renamed["payload"]["invitee"]["name"] = json!("Ada Lovelace");
    let (after, invitee) = one(&[created, renamed, canceled]);
    assert_eq!(after["status"], "canceled");
    assert_eq!(
        (&after["name"], &after["inviteesCounter"], &after["endTime"]),
        (&event["name"], &event["inviteesCounter"], &event["endTime"])
    );
    assert_eq!(
        (&invitee["status"], &invitee["name"]),
        (&json!("canceled"), &json!("Ada Lovelace"))
    );
}

#[test]
fn a_group_that_a_test_made_up_stays_one_when_it_is_named_by_its_uri() {
    let mut created = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
    created["payload"]["eventType"] = json!({ "kind": "Group" });
    created["payload"]["event"]["inviteesCounter"] = json!({ "total": 1, "active": 1, "limit": 9 });
    let (event, invitee) = one(std::slice::from_ref(&created));
    let canceled = json!({ "event": "invitee.canceled", "time": "2026-11-21T08:00:00Z", "payload": {
        "event": { "uri": event["uri"] }, "invitee": { "uri": invitee["uri"] } } });
    let (after, _) = one(&[created, canceled]);
    assert_eq!(
        (&after["status"], &after["inviteesCounter"]["limit"]),
        (&json!("active"), &json!(9))
    );
}

/// As in Calendly's own form: `tests/odd/standing.rs`.
#[test]
fn tests_are_canceled_by_the_same_rule() {
    for (status, flag, is) in [
        (json!("active"), json!(true), "active"),
        (json!("Cancelled"), json!(false), "canceled"),
        (Value::Null, json!(true), "canceled"),
        (Value::Null, json!(false), "active"),
    ] {
        let mut test = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
        for part in ["event", "invitee"] {
            let part = &mut test["payload"][part];
            part["status"] = status.clone();
            part["canceled"] = flag.clone();
            part["cancelReason"] = json!("Ill");
        }
        let (event, invitee) = one(std::slice::from_ref(&test));
        let found = [&event["status"], &invitee["status"]];
        assert_eq!(found, [is, is], "{status}, {flag}");
        for part in [event, invitee] {
            let reason = if is == "active" {
                Value::Null
            } else {
                json!("Ill")
            };
            assert_eq!(part["cancellation"]["reason"], reason, "{status}, {flag}");
        }
    }
    // What is left out is told.
    let mut test = simple("invitee.canceled", "2026-11-20T09:15:01Z", FIRST);
    test["payload"]["invitee"]["status"] = json!("active");
    let told = "is `active` though the event's name says that it is canceled, which counts";
    assert_eq!(
        booking(&test).warnings,
        [format!("`payload.status` {told}")]
    );
}

#[test]
fn a_half_that_is_named_without_its_event_belongs_to_the_one_that_is_told() {
    let short = "https://api.calendly.com/invitees/I1";
    let old = "https://api.calendly.com/scheduled_events/E1/invitees/I1";
    for link in [
        json!(short),
        json!(format!(" {short}")),
        json!({ "uri": short }),
        json!({ "uuid": "I1" }),
        json!("I1"),
        json!(old),
        json!({ "uri": format!(" {old} ") }),
    ] {
        for event in [
            json!({ "uuid": "E1" }),
            json!("E1"),
            json!({ "uri": "https://api.calendly.com/scheduled_events/E1" }),
        ] {
            let mut test = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
            test["payload"]["old_invitee"] = link.clone();
            test["payload"]["old_event"] = event;
            let booking = booking(&test);
            assert_eq!(booking.warnings, [""; 0], "{test}");
            let events = super::shown(&[test.clone()]);
            let was = events.iter().find(|event| event["id"] == "E1").unwrap();
            assert_eq!(was["invitees"][0]["id"], "I1", "{test}");
            assert_eq!(was["invitees"][0]["status"], "rescheduled", "{test}");
        }
    }
    // Whose it is, nobody says.
    let mut test = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
    test["payload"]["old_invitee"] = json!(short);
    let wrong = super::body(&test).unwrap_err().to_string();
    assert!(wrong.starts_with("`payload.oldEvent`"), "{wrong}");
    // Nothing says nothing.
    for nothing in [json!(""), json!({ "uuid": null }), json!({})] {
        test["payload"]["old_invitee"] = nothing.clone();
        test["payload"]["new_event"] = nothing;
        assert_eq!(super::shown(std::slice::from_ref(&test)).len(), 1, "{test}");
    }
}
