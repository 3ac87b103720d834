//! Bodies as they come in the wild: `fixtures/odd`.

use super::{booking, has, shown};
use booking::{Records, reduce};
use serde_json::{Value, json};
use testkit::fixture;

fn odd(name: &str) -> Vec<u8> {
    fixture(&format!("../odd/{name}.json"))
}

fn warnings(body: &[u8]) -> Vec<String> {
    booking(body).warnings
}

/// The event that these bodies make, and its invitee.
#[track_caller]
fn one(names: &[&str]) -> (Value, Value) {
    let bodies: Vec<_> = names.iter().map(|name| odd(name)).collect();
    let mut events = shown(&bodies);
    assert_eq!(events.len(), 1, "{events:#?}");
    let mut event = events.remove(0);
    let invitee = event["invitees"][0].take();
    (event, invitee)
}

/// That nothing in a body was left out or unclear.
#[track_caller]
fn is_clear(name: &str) {
    assert_eq!(warnings(&odd(name)), [""; 0], "{name}");
}

fn with(name: &str, change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut body: Value = crate::json::from_slice(&odd(name)).unwrap();
    change(&mut body);
    body.to_string().into_bytes()
}

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

#[test]
fn of_an_event_name_a_status_and_a_cancellation_the_first_that_tells_counts() {
    let full = json!({"canceled_by": "Ada", "reason": "ill", "canceler_type": "invitee"});
    for (event, status, cancellation, is, is_warned) in [
        (
            "invitee.created",
            json!("active"),
            json!({}),
            "active",
            false,
        ),
        (
            "invitee.created",
            json!("active"),
            full.clone(),
            "active",
            true,
        ),
        (
            "invitee.created",
            json!("canceled"),
            json!({}),
            "canceled",
            false,
        ),
        (
            "invitee.created",
            json!("Cancelled"),
            full.clone(),
            "canceled",
            false,
        ),
        (
            "invitee.created",
            Value::Null,
            full.clone(),
            "canceled",
            false,
        ),
        (
            "invitee.created",
            json!("paused"),
            full.clone(),
            "canceled",
            true,
        ),
        (
            "invitee.created",
            json!("paused"),
            json!({}),
            "active",
            true,
        ),
        (
            "invitee.created",
            Value::Null,
            json!("Sorry"),
            "active",
            true,
        ),
        (
            "invitee.canceled",
            json!("active"),
            json!({}),
            "canceled",
            true,
        ),
        (
            "invitee.canceled",
            json!("active"),
            full.clone(),
            "canceled",
            true,
        ),
        (
            "invitee.canceled",
            json!("canceled"),
            full.clone(),
            "canceled",
            false,
        ),
        (
            "invitee.canceled",
            Value::Null,
            json!("Sorry"),
            "canceled",
            true,
        ),
    ] {
        let body = with("empty-cancellation", |body| {
            body["event"] = event.into();
            body["payload"]["status"] = status.clone();
            body["payload"]["cancellation"] = cancellation.clone();
        });
        let about = format!("{event}, {status}, {cancellation}");
        let invitee = &shown(&[body.clone()])[0]["invitees"][0];
        assert_eq!(invitee["status"], is, "{about}");
        assert_eq!(
            invitee["cancellation"].is_null(),
            is == "active"
                || (!cancellation.is_string()
                    && event == "invitee.created"
                    && cancellation == json!({})),
            "{about}"
        );
        if cancellation == full && is == "canceled" {
            assert_eq!(invitee["cancellation"]["reason"], "ill", "{about}");
        }
        assert_eq!(
            !warnings(&body).is_empty(),
            is_warned,
            "{about}: {:?}",
            warnings(&body)
        );
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
        assert_eq!(shown(&[body.clone()])[0]["status"], is);
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
        body["event"] = "invitee_no_show.deleted".into()
    });
    let events = shown(&[odd("no-show-as-uri"), cleared.clone()]);
    assert_eq!(
        events[0]["invitees"][0]["noShow"], true,
        "of the very same time the mark counts"
    );
    assert_eq!(shown(&[cleared])[0]["invitees"][0]["noShow"], false);
}

#[test]
fn answers_of_every_type_are_kept_as_text() {
    let (_, invitee) = one(&["answers-of-other-types"]);
    assert_eq!(
        invitee["answers"],
        json!([
            {"question": "Topics?", "answer": "Sales\nBilling", "position": 0},
            {"question": "Seats?", "answer": "12", "position": 1},
            {"question": "Agree?", "answer": "true", "position": 2},
            {"question": "", "answer": "Please ring first", "position": 3},
        ])
    );
    is_clear("answers-of-other-types");
}

#[test]
fn answers_in_other_forms_are_kept_and_what_is_unclear_in_them_is_told() {
    let answers = |given: &Value| {
        let body = with("answers-of-other-types", |body| {
            body["payload"]["questions_and_answers"] = given.clone();
        });
        let answers = shown(&[body.clone()])[0]["invitees"][0]["answers"].take();
        let pair = |it: &Value| (text(&it["question"]), text(&it["answer"]));
        let pairs: Vec<_> = answers.as_array().unwrap().iter().map(pair).collect();
        (pairs, warnings(&body))
    };
    let pair = |question: &str, answer: &str| (question.to_owned(), answer.to_owned());
    for (given, kept, warned) in [
        (
            json!({"Company": "Engines", "Seats": 4}),
            vec![pair("Company", "Engines"), pair("Seats", "4")],
            0,
        ),
        (
            json!({"question": "Company", "answer": "Engines"}),
            vec![pair("Company", "Engines")],
            0,
        ),
        (json!(["Call me", {}]), vec![pair("", "Call me")], 0),
        (json!("Call me"), vec![pair("", "Call me")], 1),
        (
            json!([{"question": "Who?", "answer": {"first": "Ada"}}]),
            vec![pair("Who?", "{\"first\":\"Ada\"}")],
            1,
        ),
        (
            json!([{"question": ["Who", "are you?"], "answer": null}]),
            vec![pair("[\"Who\",\"are you?\"]", "")],
            1,
        ),
        (
            json!([{"question": "Who?", "position": "last"}]),
            vec![pair("Who?", "")],
            1,
        ),
        (json!([{"position": 1, "value": "lost"}]), vec![], 1),
    ] {
        let (pairs, warnings) = answers(&given);
        assert_eq!(
            (pairs, warnings.len()),
            (kept, warned),
            "{given}: {warnings:?}"
        );
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[test]
fn answers_of_a_routing_form_are_kept_as_text() {
    let names = [
        "form-answers-of-other-types.1-submission",
        "form-answers-of-other-types.2-booking",
    ];
    for order in [names, [names[1], names[0]]] {
        let (_, invitee) = one(&order);
        let form = &invitee["routingFormSubmission"];
        assert_eq!(form["answers"][0]["answer"], "CRM\nERP");
        assert_eq!(form["answers"][1]["answer"], "40");
    }
    names.iter().for_each(|name| is_clear(name));
}

#[test]
fn an_amount_may_be_a_decimal_text() {
    let (_, invitee) = one(&["amount-as-text"]);
    has(
        &invitee["payment"],
        &json!({"amount": 49.0, "currency": "eur", "successful": true}),
    );
    is_clear("amount-as-text");
    for (given, amount) in [
        ("49", json!(49)),
        ("-0.5", json!(-0.5)),
        ("49,00", Value::Null),
        ("EUR 49", Value::Null),
    ] {
        let body = with("amount-as-text", |body| {
            body["payload"]["payment"]["amount"] = given.into()
        });
        assert_eq!(
            shown(&[body.clone()])[0]["invitees"][0]["payment"]["amount"],
            amount
        );
        assert_eq!(
            warnings(&body).len(),
            usize::from(amount.is_null()),
            "{given}"
        );
    }
}

#[test]
fn of_several_payments_the_first_that_was_successful_counts() {
    let payment = |id: &str, successful: bool| json!({"external_id": id, "successful": successful});
    for (list, id, is_warned) in [
        (json!([payment("a", true)]), "a", false),
        (
            json!([payment("a", false), payment("b", true), payment("c", true)]),
            "b",
            true,
        ),
        (json!([payment("a", false), payment("b", false)]), "b", true),
    ] {
        let body = with("amount-as-text", |body| {
            body["payload"]["payment"] = list.clone()
        });
        assert_eq!(
            shown(&[body.clone()])[0]["invitees"][0]["payment"]["externalId"],
            id
        );
        assert_eq!(!warnings(&body).is_empty(), is_warned);
    }
}

#[test]
fn shorter_forms_of_people_and_things_are_read() {
    let (event, invitee) = one(&["shorter-forms"]);
    assert_eq!(
        event["guests"],
        json!([{"email": "g1@example.com"}, {"email": "g2@example.com"}])
    );
    has(
        &invitee,
        &json!({
            "textReminderNumber": "4915112345678",
            "scheduledBy": "https://api.calendly.com/users/HOST1",
        }),
    );
    let form = "https://api.calendly.com/routing_form_submissions/f08f";
    assert_eq!(invitee["routingFormSubmission"]["uri"], form);
    is_clear("shorter-forms");

    let body = with("shorter-forms", |body| {
        let event = &mut body["payload"]["scheduled_event"];
        event["event_memberships"] = json!([
            "https://api.calendly.com/users/HOST1", "Mia Host", "mia.host@example.com",
            {"user": {"uri": "https://api.calendly.com/users/HOST2"}}, 7,
        ]);
        event["event_guests"] = json!("g1@example.com");
        event["event_type"] = json!({"uuid": "ET1"});
        body["created_by"] = json!("HOST1");
    });
    let events = shown(&[body.clone()]);
    let host =
        |uri: Value, name: Value, email: Value| json!({"uri": uri, "name": name, "email": email});
    has(
        &events[0],
        &json!({
            "guests": [{"email": "g1@example.com"}],
            "hosts": [
                host(json!("https://api.calendly.com/users/HOST1"), Value::Null, Value::Null),
                host(Value::Null, json!("Mia Host"), Value::Null),
                host(Value::Null, Value::Null, json!("mia.host@example.com")),
                host(json!("https://api.calendly.com/users/HOST2"), Value::Null, Value::Null),
            ],
            "eventType": "https://api.calendly.com/event_types/ET1",
            "connection": "HOST1",
        }),
    );
    assert_eq!(
        warnings(&body),
        ["`payload.scheduled_event.event_memberships[4]` is a number, and not a host: left out"]
    );
}

#[test]
fn times_are_read_however_they_are_written() {
    let (event, _) = one(&["times-with-a-space-and-utc"]);
    has(
        &event,
        &json!({"startTime": "2027-03-10T10:00:00Z", "endTime": "2027-03-10T10:30:00Z"}),
    );
    is_clear("times-with-a-space-and-utc");
    let read = |given: &Value| {
        let body = with("times-with-a-space-and-utc", |body| {
            body["payload"]["scheduled_event"]["start_time"] = given.clone();
        });
        (
            shown(&[body.clone()])[0]["startTime"].take(),
            warnings(&body),
        )
    };
    for given in [
        json!("2027-03-10T10:00:00Z"),
        json!("2027-03-10T10:00:00.000000Z"),
        json!("2027-03-10t10:00:00z"),
        json!("2027-03-10 10:00Z"),
        json!(" 2027-03-10T11:00:00+01:00 "),
        json!("2027-03-10 11:00:00 +0100"),
        json!("2027-03-10T10:00:00 gmt"),
        json!("2027-03-10 10:00:00UTC"),
        json!(1_804_672_800),
        json!(1_804_672_800.0),
        json!("1804672800"),
        json!(1_804_672_800_000_i64),
        json!(1_804_672_800_000_000_i64),
    ] {
        assert_eq!(
            read(&given),
            (json!("2027-03-10T10:00:00Z"), vec![]),
            "{given}"
        );
    }
    for given in ["2027-03-10T10:00:00", "2027-03-10 10:00"] {
        let (start, warnings) = read(&json!(given));
        assert_eq!(start, "2027-03-10T10:00:00Z");
        assert_eq!(
            warnings,
            ["`payload.scheduled_event.start_time` has no time zone: taken as UTC"]
        );
    }
    for given in [
        json!("soon"),
        json!("2027-03-10"),
        json!("10:00"),
        json!(12),
        json!(true),
        json!({"at": 1}),
        json!("éUTC"),
    ] {
        let (_, warnings) = read(&given);
        assert!(
            warnings[0].starts_with("`payload.scheduled_event.start_time` is "),
            "{warnings:?}"
        );
    }
}

#[test]
fn where_a_payload_tells_no_time_the_envelopes_counts_and_then_when_it_came() {
    let (event, invitee) = one(&["only-the-time-of-the-envelope"]);
    assert_eq!(event["startTime"], "2027-02-03T10:00:00Z");
    assert_eq!(invitee["name"], "Robin Tester");
    is_clear("only-the-time-of-the-envelope");
    let told = booking(&odd("only-the-time-of-the-envelope")).created_at;
    assert_eq!(json!(invitee["updatedAt"]), json!(told.unwrap()));

    let body = with("only-the-time-of-the-envelope", |body| {
        body["time"] = "yesterday".into()
    });
    let invitee = &shown(&[body.clone()])[0]["invitees"][0];
    assert_eq!(invitee["updatedAt"], json!(super::now()));
    let [unread, taken] = warnings(&body).try_into().unwrap();
    assert!(unread.starts_with("`time` is a text"), "{unread}");
    assert!(taken.starts_with("`payload` tells no time"), "{taken}");
    // Marks and forms are dated alike.
    let mark = json!({"event": "invitee_no_show.created", "payload": {"invitee": invitee["uri"]}});
    let form = json!({"event": "routing_form_submission.created", "payload": {
        "uri": "https://api.calendly.com/routing_form_submissions/f"}});
    for body in [mark, form] {
        assert_eq!(warnings(body.to_string().as_bytes()).len(), 1, "{body}");
    }
}

#[test]
fn one_broken_character_loses_nothing_else() {
    let (_, invitee) = one(&["half-a-surrogate-pair"]);
    let answer = text(&invitee["answers"][0]["answer"]);
    assert!(answer.contains('\u{fffd}'), "{answer}");
    assert_eq!(warnings(&odd("half-a-surrogate-pair")).len(), 1);
    let (_, invitee) = one(&["byte-order-mark"]);
    assert_eq!(invitee["name"], "Robin Tester");
    is_clear("byte-order-mark");
    let raw = String::from_utf8(odd("empty-cancellation")).unwrap();
    let raw = raw.replace("Robin Tester", "Robin\u{1}\nTester");
    assert_eq!(
        shown(&[raw.into_bytes()])[0]["invitees"][0]["name"],
        "Robin\u{1}\nTester"
    );
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
            it["scheduled_event"]["uri"] = other.into()
        }),
        ("`payload.scheduled_event.uri`", &|it| {
            it["scheduled_event"]["uri"] = true.into()
        }),
        ("`payload.rescheduled`", &|it| {
            it["rescheduled"] = true.into()
        }),
        ("`payload.new_invitee`", &|it| {
            it["new_invitee"] = it["uri"].clone()
        }),
        ("`payload.old_invitee`", &|it| {
            it["old_invitee"] = it["uri"].clone()
        }),
        ("`payload.new_invitee`", &|it| {
            it["new_invitee"] = format!("{other}/invitees/i").into()
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
fn an_invitee_without_its_event_belongs_to_the_one_beside_it() {
    for short in [
        json!("https://api.calendly.com/invitees/f01i"),
        json!("f01i"),
        json!({"uuid": "f01i"}),
    ] {
        let body = with("empty-cancellation", |body| {
            body["payload"]["uri"] = short.clone()
        });
        let events = shown(&[body]);
        assert_eq!(events[0]["id"], "f01e");
        assert_eq!(events[0]["invitees"][0]["id"], "f01i");
    }
}

#[test]
fn warnings_are_few_and_tell_nothing_of_what_is_said() {
    let body = with("empty-cancellation", |body| {
        let payload = &mut body["payload"];
        payload["email"] = json!(["secret@example.com"]);
        payload["timezone"] = json!({"secret": "secret"});
        payload["questions_and_answers"] =
            vec![json!({"answer": {"secret": "secret"}}); 100].into();
        payload["secret"] = json!("a field that isn't known is passed over");
    });
    let warnings = warnings(&body);
    assert_eq!(warnings.len(), crate::webhook::MAX_WARNINGS + 1);
    assert_eq!(warnings.last().unwrap(), "and 82 more");
    for warning in warnings {
        assert!(
            !warning.contains("secret") && warning.len() < 200,
            "{warning}"
        );
    }
}

#[test]
fn a_start_without_an_end_is_kept() {
    let (event, invitee) = one(&["start-without-end"]);
    has(
        &event,
        &json!({"startTime": "2027-03-10T10:00:00Z", "endTime": null}),
    );
    assert_eq!(invitee["status"], "active");
    is_clear("start-without-end");
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
