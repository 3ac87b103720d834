//! Canceled or not, no-show or not: what counts where a body says little or contradicts itself.

use super::{is_clear, odd, one, text, warnings, with};
use crate::webhook::tests::{booking, has, shown};
use booking::{Records, reduce};
use serde_json::{Value, json};

#[test]
fn an_empty_cancellation_cancels_nothing() {
    let active = json!({"status": "active", "cancellation": null});
    for names in [
        &["empty-cancellation"][..],
        &["empty-cancellation", "empty-cancellation.later-without"],
        &["empty-cancellation-of-the-event"],
    ] {
        let (event, invitee) = one(names);
        has(&event, &active);
        has(&invitee, &active);
        is_clear(names[0]);
    }
    for nothing in [
        json!({"canceled_by": null, "reason": " "}),
        json!([]),
        json!(""),
    ] {
        let body = with("empty-cancellation", |body| {
            body["payload"]["cancellation"] = nothing.clone();
            body["payload"].as_object_mut().unwrap().remove("status");
        });
        let events = shown(&[body]);
        has(&events[0]["invitees"][0], &active);
    }
}

/// Where somebody stands of whom a body says this: the status, who canceled, and whether something in
/// it was left out.
fn standing(event: &str, status: &Value, cancellation: &Value) -> (String, Value, bool) {
    let body = with("empty-cancellation", |body| {
        body["event"] = event.into();
        body["payload"]["status"] = status.clone();
        body["payload"]["cancellation"] = cancellation.clone();
    });
    let invitee = &shown(std::slice::from_ref(&body))[0]["invitees"][0];
    let by = invitee["cancellation"]["by"].clone();
    (text(&invitee["status"]), by, !warnings(&body).is_empty())
}

#[test]
fn of_a_status_and_a_cancellation_the_first_that_tells_counts() {
    let (full, empty) = (json!({"canceled_by": "Ada"}), json!({}));
    for (status, cancellation, is, by, is_warned) in [
        (json!("active"), &empty, "active", None, false),
        (json!("active"), &full, "active", None, true),
        (json!("canceled"), &empty, "canceled", None, false),
        (json!("Cancelled"), &full, "canceled", Some("Ada"), false),
        (Value::Null, &full, "canceled", Some("Ada"), false),
        (Value::Null, &empty, "active", None, false),
        (json!("paused"), &full, "canceled", Some("Ada"), true),
        (json!("paused"), &empty, "active", None, true),
        (Value::Null, &json!("Sorry"), "active", None, true),
        (Value::Null, &json!({"at": 1}), "active", None, true),
    ] {
        let found = standing("invitee.created", &status, cancellation);
        let want = (is.to_owned(), json!(by), is_warned);
        assert_eq!(found, want, "{status}, {cancellation}");
    }
}

#[test]
fn the_name_of_the_event_counts_before_both() {
    let (full, empty) = (json!({"canceled_by": "Ada"}), json!({}));
    for (status, cancellation, by, is_warned) in [
        (json!("active"), &empty, None, true),
        (json!("active"), &full, Some("Ada"), true),
        (json!("canceled"), &full, Some("Ada"), false),
        (Value::Null, &json!("Sorry"), None, true),
    ] {
        let found = standing("invitee.canceled", &status, cancellation);
        let want = ("canceled".to_owned(), json!(by), is_warned);
        assert_eq!(found, want, "{status}, {cancellation}");
    }
}

#[test]
fn an_event_is_canceled_by_its_own_words_alone() {
    let full = json!({"canceled_by": "Dana", "created_at": "2026-11-25T09:00:00Z"});
    for (status, cancellation, is, is_warned) in [
        (json!("active"), full.clone(), "active", true),
        (json!("canceled"), json!({}), "canceled", false),
        (Value::Null, full, "canceled", false),
    ] {
        let body = with("empty-cancellation-of-the-event", |body| {
            let event = &mut body["payload"]["scheduled_event"];
            event["status"] = status.clone();
            event["cancellation"] = cancellation.clone();
        });
        assert_eq!(shown(std::slice::from_ref(&body))[0]["status"], is);
        let warned = warnings(&body);
        assert_eq!(!warned.is_empty(), is_warned);
        assert!(
            warned
                .iter()
                .all(|it| it.starts_with("`payload.scheduled_event.cancellation`"))
        );
    }
}

#[test]
fn an_empty_no_show_marks_nobody() {
    let all = [
        "empty-no-show.1-created",
        "empty-no-show.2-deleted",
        "empty-no-show.3-canceled",
    ];
    for upto in 1..=all.len() {
        let (_, invitee) = one(&all[..upto]);
        has(&invitee, &json!({"noShow": false, "noShowAt": null}));
        is_clear(all[upto - 1]);
    }
}

#[test]
fn a_mark_of_which_only_the_uri_is_known_is_one() {
    let (_, invitee) = one(&["no-show-as-uri"]);
    // When it was set is not told, but it was by the time of the message.
    has(
        &invitee,
        &json!({"noShow": true, "noShowAt": "2026-11-25T09:00:00Z"}),
    );
    is_clear("no-show-as-uri");
    // One that is taken back leaves no mark of a time of its own.
    let cleared = with("no-show-as-uri", |body| {
        body["event"] = "invitee_no_show.deleted".into();
    });
    let events = shown(&[odd("no-show-as-uri"), cleared.clone()]);
    assert_eq!(
        events[0]["invitees"][0]["noShow"], true,
        "of the very same time the mark counts"
    );
    assert_eq!(shown(&[cleared])[0]["invitees"][0]["noShow"], false);
}

#[test]
fn what_contradicts_itself_is_told() {
    let warned = |change: &dyn Fn(&mut Value)| {
        let body = with("empty-cancellation", |body| change(&mut body["payload"]));
        warnings(&body).concat()
    };
    let other = "https://api.calendly.com/scheduled_events/other";
    for (field, change) in [
        (
            "`payload.event`",
            &(|it: &mut Value| it["event"] = other.into()) as &dyn Fn(&mut Value),
        ),
        ("`payload.event`", &|it| it["event"] = 7.into()),
        ("`payload.scheduled_event.uri`", &|it| {
            it["scheduled_event"]["uri"] = other.into();
        }),
        ("`payload.scheduled_event.uri`", &|it| {
            it["scheduled_event"]["uri"] = true.into();
        }),
        ("`payload.rescheduled`", &|it| {
            it["rescheduled"] = true.into();
        }),
        ("`payload.new_invitee`", &|it| {
            it["new_invitee"] = it["uri"].clone();
        }),
        ("`payload.old_invitee`", &|it| {
            it["old_invitee"] = it["uri"].clone();
        }),
        ("`payload.new_invitee`", &|it| {
            it["new_invitee"] = format!("{other}/invitees/i").into();
        }),
    ] {
        assert!(
            warned(change).starts_with(field),
            "{field}: {}",
            warned(change)
        );
    }
    let own = with("empty-cancellation", |body| {
        body["payload"]["new_invitee"] = body["payload"]["uri"].clone();
    });
    assert_eq!(shown(&[own])[0]["invitees"][0]["status"], "active");
}

#[test]
fn an_event_that_its_only_invitee_has_left_is_not_active() {
    for names in [
        [
            "without-its-event.1-created",
            "without-its-event.2-canceled",
        ],
        ["counters-of-zero.1-created", "counters-of-zero.2-canceled"],
    ] {
        for order in [names, [names[1], names[0]]] {
            let (event, invitee) = one(&order);
            assert_eq!(
                (&event["status"], &invitee["status"]),
                (&json!("canceled"), &json!("canceled"))
            );
        }
    }
}

#[test]
fn what_two_subscriptions_tell_is_one_booking() {
    let told = |name: &str| booking(&odd(name)).facts;
    let mut stored = Records::default();
    let mut made = |name: &str| {
        let reduction = reduce(&stored, &told(name));
        stored.events.extend(reduction.records.events);
        stored.invitees.extend(reduction.records.invitees);
        let transitions = reduction.transitions.into_iter();
        transitions
            .map(|(_, made)| made.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(made("two-subscriptions.1-first"), ["scheduled"]);
    assert_eq!(made("two-subscriptions.2-second"), [""; 0]);
    assert_eq!(made("two-subscriptions.3-second-again"), [""; 0]);
}
