//! Canceled or not, no-show or not: what counts where a body says little or contradicts itself.

use super::{is_clear, odd, one, text, warnings, with};
use crate::webhook::resource;
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
fn a_text_is_said_to_be_kept_only_where_it_is() {
    let warned = |event: &str, status: &Value| {
        let body = with("empty-cancellation", |body| {
            body["event"] = event.into();
            body["payload"]["status"] = status.clone();
            body["payload"]["cancellation"] = "Sorry".into();
        });
        let shown = &shown(std::slice::from_ref(&body))[0]["invitees"][0]["cancellation"];
        let kept = shown["reason"] == "Sorry";
        (kept, warnings(&body).pop().unwrap())
    };
    let text = "`payload.cancellation` is a text, and not an object";
    for (event, status, kept) in [
        ("invitee.canceled", Value::Null, true),
        ("invitee.created", json!("canceled"), true),
        ("invitee.created", Value::Null, false),
        ("invitee.created", json!("paused"), false),
    ] {
        let end = if kept {
            "kept as the reason"
        } else {
            "left out"
        };
        let want = (kept, format!("{text}: {end}"));
        assert_eq!(warned(event, &status), want, "{event}, {status}");
    }
}

/// As Calendly's first API told it, and relays of it do.
#[test]
fn a_flag_counts_after_the_status_and_before_a_cancellation() {
    let (full, none) = (json!({"canceled_by": "Ada"}), Value::Null);
    let odd_flag = json!("perhaps");
    for (status, flag, cancellation, is, is_warned) in [
        (Value::Null, json!(true), &none, "canceled", false),
        (Value::Null, json!("1"), &full, "canceled", false),
        (Value::Null, json!(false), &none, "active", false),
        (Value::Null, json!(false), &full, "active", true),
        (Value::Null, odd_flag, &full, "canceled", true),
        (json!("active"), json!(true), &none, "active", true),
        (json!("active"), json!(false), &none, "active", false),
        (json!("canceled"), json!(false), &full, "canceled", true),
        (json!("canceled"), json!(true), &full, "canceled", false),
        (json!("paused"), json!(true), &none, "canceled", true),
    ] {
        for part in ["/payload", "/payload/scheduled_event"] {
            let body = with("empty-cancellation", |body| {
                let part = body.pointer_mut(part).unwrap();
                part["status"] = status.clone();
                part["canceled"] = flag.clone();
                part["cancellation"] = cancellation.clone();
            });
            let event = &shown(std::slice::from_ref(&body))[0];
            let found = if part == "/payload" {
                &event["invitees"][0]["status"]
            } else {
                &event["status"]
            };
            let place = format!("{part}: {status}, {flag}, {cancellation}");
            assert_eq!(found, is, "{place}");
            assert_eq!(!warnings(&body).is_empty(), is_warned, "{place}");
        }
    }
    let told = with("empty-cancellation", |body| {
        body["event"] = "invitee.canceled".into();
        body["payload"]["status"] = Value::Null;
        body["payload"]["canceled"] = false.into();
    });
    assert_eq!(
        shown(std::slice::from_ref(&told))[0]["invitees"][0]["status"],
        "canceled"
    );
    assert_eq!(warnings(&told).len(), 1);
}

#[test]
fn a_resource_is_canceled_by_the_same_rule() {
    let told = json!({"canceled_by": "Dana"});
    for (event, is) in [
        (json!({"status": "canceled"}), true),
        (json!({"status": " Cancelled"}), true),
        (json!({"canceled": true}), true),
        (json!({"cancellation": told}), true),
        (json!({"status": "active", "cancellation": told}), false),
        (json!({"status": "active"}), false),
        (json!({}), false),
    ] {
        assert_eq!(resource::is_canceled(&event), is, "{event}");
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
