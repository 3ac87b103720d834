//! What the simple form becomes, as the API would show it.

use super::*;
use crate::webhook::{BookingWebhook, Webhook, read};
use booking::{EventView, InviteeView, Records, reduce};

mod known;

fn now() -> Timestamp {
    "2026-11-20T10:00:00.5Z".parse().unwrap()
}

fn body(data: &Value) -> Result<Value, Unreadable> {
    to_body(data.as_object().unwrap(), now())
}

fn booking(data: &Value) -> BookingWebhook {
    let body = body(data).unwrap();
    match read(body.to_string().as_bytes(), testkit::received_at()) {
        Ok(Webhook::Booking(booking)) => *booking,
        other => panic!("not a booking: {other:?}"),
    }
}

/// The events that these make, one after the other, by name; with their invitees.
fn shown(all: &[Value]) -> Vec<Value> {
    let mut stored = Records::default();
    for data in all {
        let made = reduce(&stored, &booking(data).facts).records;
        stored.events.extend(made.events);
        stored.invitees.extend(made.invitees);
    }
    let invitees = |event: &booking::EventRecord| {
        let all = stored.invitees.values();
        let own = all.filter(|invitee| invitee.uri.event() == event.uri);
        own.map(|invitee| InviteeView::of(invitee, None)).collect()
    };
    let events = stored.events.values();
    let views = events.map(|event| json!(EventView::of(event, invitees(event))));
    let mut views: Vec<Value> = views.collect();
    views.sort_by_key(|view| view["startTime"].to_string());
    views
}

fn one(all: &[Value]) -> (Value, Value) {
    let mut events = shown(all);
    assert_eq!(events.len(), 1, "{events:#?}");
    let mut event = events.remove(0);
    assert_eq!(event["invitees"].as_array().unwrap().len(), 1);
    let invitee = event["invitees"][0].take();
    (event, invitee)
}

#[track_caller]
fn has(json: &Value, want: &Value) {
    for (name, value) in want.as_object().unwrap() {
        assert_eq!(&json[name], value, "{name} in {json:#}");
    }
}

fn simple(event: &str, time: &str, start: &str) -> Value {
    json!({
        "event": event,
        "time": time,
        "payload": {
            "event": { "name": "Consultation", "startTime": start },
            "invitee": { "name": "Ada Booker", "email": "ada.booker@example.com" },
        },
    })
}

const FIRST: &str = "2026-12-01T15:00:00Z";
const SECOND: &str = "2026-12-03T15:00:00Z";

/// Every field, in camel case, with the ids of Calendly's URIs.
fn in_camel_case() -> Value {
    json!({
        "event": "invitee.created",
        "time": "2026-11-20T09:15:01Z",
        "createdBy": "https://api.calendly.com/users/U1",
        "payload": {
            "event": {
                "uuid": "E1",
                "name": "Consultation",
                "eventType": "https://api.calendly.com/event_types/T1",
                "startTime": "2026-12-01T16:00:00+01:00",
                "endTime": "2026-12-01T15:30:00Z",
                "location": { "type": "zoom", "joinUrl": "https://zoom.example.com/j/1" },
                "eventMemberships": [{
                    "user": "https://api.calendly.com/users/U1",
                    "userName": "Dana Host",
                    "userEmail": "dana.host@example.com",
                }],
                "eventGuests": [{ "email": "guest.one@example.net" }],
            },
            "invitee": {
                "uuid": "I1",
                "email": "ada.booker@example.com",
                "firstName": "Ada",
                "lastName": "Booker",
                "timezone": "America/New_York",
                "textReminderNumber": "+1 212-555-0142",
                "questionsAndAnswers": [{ "question": "Company", "answer": "Engines", "position": 0 }],
                "cancelUrl": "https://calendly.com/cancellations/I1",
                "rescheduleUrl": "https://calendly.com/reschedulings/I1",
                "createdAt": "2026-11-20T09:15:00Z",
                "tracking": { "utmCampaign": "autumn", "salesforceUUID": "003A" },
                "payment": { "externalId": "ch_1", "amount": 12.5, "currency": "EUR", "successful": true },
            },
        },
    })
}

#[test]
fn names_in_camel_case_are_read() {
    let (event, invitee) = one(&[in_camel_case()]);
    has(
        &event,
        &json!({
            "id": "E1",
            "uri": "https://api.calendly.com/scheduled_events/E1",
            "name": "Consultation",
            "status": "active",
            "startTime": FIRST,
            "endTime": "2026-12-01T15:30:00Z",
            "timezone": "America/New_York",
            "eventType": "https://api.calendly.com/event_types/T1",
            "location": { "type": "zoom", "joinUrl": "https://zoom.example.com/j/1" },
            "hosts": [{
                "uri": "https://api.calendly.com/users/U1",
                "name": "Dana Host",
                "email": "dana.host@example.com",
            }],
            "guests": [{ "email": "guest.one@example.net" }],
            "connection": "U1",
        }),
    );
    has(
        &invitee,
        &json!({
            "id": "I1",
            "name": "Ada Booker",
            "email": "ada.booker@example.com",
            "timezone": "America/New_York",
            "status": "active",
            "answers": [{ "question": "Company", "answer": "Engines", "position": 0 }],
            "createdAt": "2026-11-20T09:15:00Z",
            "updatedAt": "2026-11-20T09:15:01Z",
        }),
    );
    assert_eq!(invitee["tracking"]["utmCampaign"], "autumn");
    assert_eq!(invitee["tracking"]["salesforceUuid"], "003A");
    assert_eq!(invitee["payment"]["externalId"], "ch_1");
}

#[test]
fn names_in_snake_case_say_the_same() {
    let camel = in_camel_case();
    let mut snake = in_snake_case(&camel);
    assert_ne!(snake, camel);
    assert_eq!(body(&snake), body(&camel));
    // Where both are there, the one in snake case counts.
    snake["payload"]["event"]["startTime"] = json!(SECOND);
    assert_eq!(body(&snake), body(&camel));
}

#[test]
fn other_names_and_shorter_forms_are_read() {
    let data = json!({
        "event": "invitee.created",
        "time": "2026-11-20T09:15:01Z",
        "payload": {
            "event": {
                "id": 17,
                "title": "Consultation",
                "start": FIRST,
                "duration": 45,
                "location": "The coffee shop",
                "hosts": [{ "name": "Dana Host", "email": "dana.host@example.com" }],
                "guests": ["guest.one@example.net"],
            },
            "invitee": {
                "id": "I1",
                "fullName": "Ada Booker",
                "emailAddress": "ada.booker@example.com",
                "timeZone": "UTC",
                "answers": [{ "question": "Company", "answer": "Engines" }],
            },
        },
    });
    let (event, invitee) = one(&[data]);
    has(
        &event,
        &json!({
            "id": "17",
            "name": "Consultation",
            "startTime": FIRST,
            "endTime": "2026-12-01T15:45:00Z",
            "location": { "type": "custom", "location": "The coffee shop" },
            "guests": [{ "email": "guest.one@example.net" }],
        }),
    );
    assert_eq!(event["hosts"][0]["email"], "dana.host@example.com");
    has(
        &invitee,
        &json!({ "name": "Ada Booker", "email": "ada.booker@example.com", "timezone": "UTC" }),
    );
    assert_eq!(invitee["answers"][0]["answer"], "Engines");
}

/// As Calendly's first API sent it.
fn of_the_first_api(canceled: bool) -> Value {
    let filled = |text: &str| canceled.then(|| text.to_owned());
    json!({
        "event": if canceled { "invitee.canceled" } else { "invitee.created" },
        "time": if canceled { "2018-03-14T20:00:00Z" } else { "2018-03-14T19:16:01Z" },
        "payload": {
            "event_type": { "uuid": "T1", "kind": "One-on-One", "name": "Consultation", "duration": 15 },
            "event": {
                "uuid": "E1",
                "assigned_to": ["Dana Host"],
                "extended_assigned_to": [{ "name": "Dana Host", "email": "dana.host@example.com", "primary": true }],
                "start_time": "2018-03-15T12:00:00Z",
                "end_time": "2018-03-15T12:15:00Z",
                "created_at": "2018-03-14T19:16:00Z",
                "location": "The coffee shop",
                "canceled": canceled,
                "canceler_name": filled("Ada Booker"),
                "cancel_reason": filled("Something came up"),
                "canceled_at": filled("2018-03-14T19:59:59Z"),
            },
            "invitee": {
                "uuid": "I1",
                "name": "Ada Booker",
                "email": "ada.booker@example.com",
                "text_reminder_number": null,
                "timezone": "UTC",
                "created_at": "2018-03-14T19:16:00Z",
                "is_reschedule": false,
                "payments": [{ "id": "ch_1", "provider": "stripe", "amount": 12.5, "currency": "USD", "successful": true }],
                "canceled": canceled,
                "canceler_name": filled("Ada Booker"),
                "cancel_reason": filled("Something came up"),
                "canceled_at": filled("2018-03-14T19:59:59Z"),
            },
            "questions_and_answers": [{ "question": "Company", "answer": "Engines" }],
            "tracking": { "utm_campaign": "spring", "utm_source": null },
            "old_event": null,
            "old_invitee": null,
            "new_event": null,
            "new_invitee": null,
        },
    })
}

#[test]
fn payloads_of_the_first_api_are_read() {
    let (event, invitee) = one(&[of_the_first_api(false)]);
    has(
        &event,
        &json!({
            "id": "E1",
            "name": "Consultation",
            "status": "active",
            "eventType": "https://api.calendly.com/event_types/T1",
            "createdAt": "2018-03-14T19:16:00Z",
        }),
    );
    assert_eq!(event["hosts"][0]["name"], "Dana Host");
    assert_eq!(invitee["status"], "active");
    assert_eq!(invitee["cancellation"], Value::Null);
    assert_eq!(invitee["rescheduledFrom"], Value::Null);
    assert_eq!(invitee["tracking"]["utmCampaign"], "spring");
    assert_eq!(invitee["payment"]["externalId"], "ch_1");
    assert_eq!(invitee["answers"][0]["question"], "Company");

    let (event, invitee) = one(&[of_the_first_api(true), of_the_first_api(false)]);
    assert_eq!(event["status"], "canceled");
    let why = json!({
        "by": "Ada Booker",
        "reason": "Something came up",
        "byType": null,
        "at": "2018-03-14T19:59:59Z",
        "inferred": false,
    });
    assert_eq!(
        (&event["cancellation"], &invitee["cancellation"]),
        (&why, &why)
    );
    assert_eq!(invitee["status"], "canceled");
}

#[test]
fn without_ids_a_cancellation_meets_its_booking() {
    let created = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
    // The same moment, name and person, written otherwise.
    let mut canceled = simple(
        "invitee.canceled",
        "2026-11-21T08:00:00Z",
        "2026-12-01T16:00:00+01:00",
    );
    canceled["payload"]["event"]["name"] = json!(" Consultation ");
    canceled["payload"]["invitee"] = json!({
        "email": "Ada.Booker@Example.com",
        "cancelReason": "Something came up",
        "cancelerName": "Ada Booker",
        "cancelerType": "invitee",
    });
    for order in [[&created, &canceled], [&canceled, &created]] {
        let (event, invitee) = one(&order.map(Value::clone));
        assert_eq!(event["status"], "canceled");
        assert!(event["id"].as_str().unwrap().starts_with("test-"));
        has(
            &invitee,
            &json!({
                "status": "canceled",
                "name": "Ada Booker",
                "createdAt": "2026-11-20T09:15:01Z",
                "cancellation": {
                    "by": "Ada Booker",
                    "reason": "Something came up",
                    "byType": "invitee",
                    "at": "2026-11-21T08:00:00Z",
                    "inferred": false,
                },
            }),
        );
    }
}

#[test]
fn what_tells_bookings_apart_makes_other_ids() {
    let base = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
    let ids = |path: &str, value: &str| {
        let mut data = base.clone();
        *data.pointer_mut(path).unwrap() = json!(value);
        let booking = booking(&data);
        (booking.scheduled_event.unwrap(), booking.invitee.unwrap())
    };
    let own = ids("/event", "invitee.created");
    assert_eq!(ids("/time", "2026-11-20T09:15:02Z"), own);
    assert_eq!(ids("/payload/invitee/name", "Eve"), own);
    let other_person = ids("/payload/invitee/email", "eve@example.com");
    assert!(other_person.0 == own.0 && other_person.1 != own.1);
    for (path, value) in [
        ("/payload/event/startTime", SECOND),
        ("/payload/event/name", "Intro"),
    ] {
        let other = ids(path, value);
        assert!(other.0 != own.0 && other.1 != own.1, "{path}");
    }
}

#[test]
fn both_halves_of_a_reschedule_meet_with_and_without_ids() {
    let old = |mut half: Value| {
        half["payload"]["rescheduled"] = json!(true);
        half
    };
    let canceled = || simple("invitee.canceled", "2026-11-22T12:00:00Z", FIRST);
    let created = || simple("invitee.created", "2026-11-22T12:00:00Z", SECOND);
    // By the events alone, by ids, and by URIs.
    let mut by_event = [old(canceled()), created()];
    by_event[0]["payload"]["newEvent"] = json!({ "startTime": SECOND });
    by_event[1]["payload"]["oldEvent"] = json!({ "startTime": FIRST });

    let mut by_id = [old(canceled()), created()];
    for (half, other, (event, invitee)) in [(0, "new", ("E1", "I1")), (1, "old", ("E2", "I2"))] {
        let payload = &mut by_id[half]["payload"];
        payload["event"]["uuid"] = json!(event);
        payload["invitee"]["uuid"] = json!(invitee);
        let (event, invitee) = if half == 0 {
            ("E2", "I2")
        } else {
            ("E1", "I1")
        };
        payload[format!("{other}_event")] = json!({ "uuid": event });
        payload[format!("{other}_invitee")] = json!({ "uuid": invitee });
    }
    let uri = |n: u8| format!("https://api.calendly.com/scheduled_events/E{n}/invitees/I{n}");
    let mut by_uri = [old(canceled()), created()];
    by_uri[0]["payload"]["invitee"]["uri"] = json!(uri(1));
    by_uri[0]["payload"]["invitee"]["newInvitee"] = json!(uri(2));
    by_uri[1]["payload"]["invitee"]["uri"] = json!(uri(2));
    by_uri[1]["payload"]["invitee"]["oldInvitee"] = json!({ "uri": uri(1) });

    for halves in [by_event, by_id, by_uri] {
        let [first, second] = halves.clone();
        for order in [halves, [second, first]] {
            let events = shown(&order);
            assert_eq!(events.len(), 2, "{events:#?}");
            let (was, is) = (&events[0]["invitees"][0], &events[1]["invitees"][0]);
            assert_eq!(
                (&was["status"], &is["status"]),
                (&json!("rescheduled"), &json!("active"))
            );
            assert_eq!(
                (&was["rescheduledTo"], &is["rescheduledFrom"]),
                (&is["uri"], &was["uri"])
            );
            assert_eq!(is["root"], was["uri"]);
            assert_eq!(
                (&events[0]["status"], &events[1]["status"]),
                (&json!("canceled"), &json!("active"))
            );
        }
    }
}

#[test]
fn a_group_event_stays_when_one_leaves() {
    let group = |mut body: Value| {
        body["payload"]["eventType"] = json!({ "kind": "Group" });
        body
    };
    let canceled = group(simple("invitee.canceled", "2026-11-21T08:00:00Z", FIRST));
    let mut other = group(simple("invitee.created", "2026-11-20T09:15:01Z", FIRST));
    other["payload"]["invitee"] = json!({ "name": "Bo", "email": "bo@example.com" });
    for order in [[&other, &canceled], [&canceled, &other]] {
        let events = shown(&order.map(Value::clone));
        assert_eq!(events.len(), 1, "{events:#?}");
        assert_eq!(events[0]["status"], "active");
        let mut people = events[0]["invitees"].as_array().unwrap().clone();
        people.sort_by_key(|one| one["email"].to_string());
        assert_eq!(people[0]["status"], "canceled");
        assert_eq!(people[1]["status"], "active");
    }
}

#[test]
fn a_no_show_is_marked() {
    let created = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
    let marked = simple("invitee_no_show.created", "2026-12-01T16:00:00Z", FIRST);
    let (_, invitee) = one(&[created, marked]);
    assert_eq!(invitee["noShow"], true);
}

#[test]
fn where_no_time_is_given_it_is_now() {
    let mut data = simple("invitee.created", "", FIRST);
    data.as_object_mut().unwrap().remove("time");
    let made = body(&data).unwrap();
    let at = "2026-11-20T10:00:00.500000Z";
    assert_eq!(made["created_at"], at);
    assert_eq!(made["payload"]["created_at"], at);
    assert_eq!(made["payload"]["updated_at"], at);
    data["time"] = json!("2026-11-20T09:15:01+02:00");
    assert_eq!(
        body(&data).unwrap()["created_at"],
        "2026-11-20T07:15:01.000000Z"
    );
}

#[test]
fn a_body_of_calendlys_own_stays_as_it_is() {
    let own = |name: &str| serde_json::from_slice::<Value>(&testkit::fixture(name)).unwrap();
    let mark = json!({ "event": "invitee_no_show.created", "created_at": "2026-12-01T16:00:00Z", "payload": {
        "uri": "https://api.calendly.com/invitee_no_shows/N1",
        "invitee": { "uri": "https://api.calendly.com/scheduled_events/E1/invitees/I1" },
        "created_at": "2026-12-01T16:00:00Z",
    }});
    for data in [
        own("invitee.created.json"),
        own("routing_form_submission.created.json"),
        own("event_type.updated.json"),
        mark,
        simple("user.updated", "yesterday", "soon"),
        json!({ "payload": { "event": {} } }),
        json!({}),
    ] {
        assert_eq!(body(&data), Ok(data));
    }
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let start = "/payload/event/startTime";
    for (path, value, field) in [
        ("/time", json!("yesterday"), "time"),
        (
            "/payload/event",
            json!({ "name": "Consultation" }),
            "payload.event",
        ),
        (start, json!("soon"), "payload.event"),
        (
            "/payload/invitee",
            json!({ "name": "Ada" }),
            "payload.invitee",
        ),
        ("/payload/invitee/email", json!(" "), "payload.invitee"),
        (
            "/payload/event",
            json!({ "uuid": "a b", "startTime": FIRST }),
            "payload.event",
        ),
        (
            "/payload/event",
            json!({ "uuid": "E1", "startTime": "2026-12-01" }),
            "payload.event.startTime",
        ),
        (
            "/payload/event",
            json!({ "uuid": "E1", "startTime": FIRST, "endTime": 5 }),
            "payload.event.endTime",
        ),
        (
            "/payload/event",
            json!({ "uri": "https://api.calendly.com/users/U1" }),
            "payload.event",
        ),
        (
            "/payload/invitee",
            json!({ "uri": "https://api.calendly.com/users/U1" }),
            "payload.invitee.uri",
        ),
        (
            "/payload/invitee/old_invitee",
            json!({ "uuid": "I0" }),
            "payload.oldEvent",
        ),
        (
            "/payload/invitee/new_invitee",
            json!("I9"),
            "payload.newEvent",
        ),
    ] {
        let mut data = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
        let (parent, name) = path.rsplit_once('/').unwrap();
        data.pointer_mut(parent).unwrap()[name] = value;
        let wrong = body(&data).unwrap_err().to_string();
        assert!(wrong.starts_with(&format!("`{field}`")), "{path}: {wrong}");
    }
    // The same of an event that stands where Calendly has it.
    for (name, value, field) in [
        ("start_time", json!("soon"), "startTime"),
        ("end_time", json!("later"), "endTime"),
        ("start_time", Value::Null, ""),
    ] {
        let mut data = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
        let payload = &mut data["payload"];
        payload["scheduled_event"] = json!({ "start_time": FIRST, "uuid": "E1" });
        payload.as_object_mut().unwrap().remove("event");
        if field.is_empty() {
            payload["scheduled_event"]["uuid"] = Value::Null;
        }
        payload["scheduled_event"][name] = value;
        let field = format!("payload.scheduled_event.{field}");
        let field = field.trim_end_matches('.');
        let wrong = body(&data).unwrap_err().to_string();
        assert!(wrong.starts_with(&format!("`{field}`")), "{field}: {wrong}");
    }
    for half in ["old", "new"] {
        let mut data = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
        data["payload"][format!("{half}_event")] = json!({ "uuid": "E0" });
        data["payload"][format!("{half}_invitee")] = json!({ "name": "Eve" });
        data["payload"]["invitee"] = json!({ "uuid": "I1" });
        let wrong = body(&data).unwrap_err().to_string();
        assert!(
            wrong.starts_with(&format!("`payload.{half}Invitee`")),
            "{wrong}"
        );
    }
    let mut data = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
    let of_another = json!("https://api.calendly.com/scheduled_events/E2/invitees/I2");
    data["payload"]["invitee"]["uri"] = of_another;
    assert!(body(&data).is_ok(), "the invitee's URI names the event");
    data["payload"]["event"]["uuid"] = json!("E1");
    let wrong = body(&data).unwrap_err().to_string();
    assert!(wrong.contains("the event beside it"), "{wrong}");
}

/// What people have lying about, in `fixtures/odd`.
fn odd(name: &str) -> Value {
    let bytes = testkit::fixture(&format!("../odd/test.{name}.json"));
    crate::json::from_slice::<Value>(&bytes).unwrap()["eventData"].take()
}

#[test]
fn a_whole_payload_of_the_first_api_is_read_with_its_answers_and_the_good_payment() {
    let data = odd("first-api");
    let (event, invitee) = one(std::slice::from_ref(&data));
    has(
        &event,
        &json!({ "id": "f31e", "name": "Intake call", "startTime": "2027-03-14T11:00:00Z" }),
    );
    let answers = json!([{ "question": "Chat id", "answer": "noor#1", "position": 0 }]);
    assert_eq!(invitee["answers"], answers);
    has(
        &invitee["payment"],
        &json!({ "externalId": "ch_second", "successful": true, "amount": 10.5 }),
    );
    let warnings = booking(&data).warnings;
    assert!(
        warnings[0].starts_with("`payload.payment` is a list"),
        "{warnings:?}"
    );
}

#[test]
fn responses_are_read_in_the_order_of_their_numbers() {
    let mut data = odd("first-api");
    data["payload"]["questions_and_responses"] = json!({
        "10_question": "Last?", "10_response": "yes",
        "2_question": "Second?", "2_response": ["a", "b"],
        "1_response": "by itself",
    });
    let (_, invitee) = one(&[data]);
    let answers = invitee["answers"].as_array().unwrap();
    let texts: Vec<_> = answers
        .iter()
        .map(|it| (&it["question"], &it["answer"]))
        .collect();
    let want = [("", "by itself"), ("Second?", "a\nb"), ("Last?", "yes")];
    assert_eq!(
        texts,
        want.map(|(q, a)| (json!(q), json!(a)))
            .iter()
            .map(|(q, a)| (q, a))
            .collect::<Vec<_>>()
    );
}

#[test]
fn an_invitee_beside_a_scheduled_event_is_read() {
    let data = odd("invitee-beside-scheduled-event");
    let (event, invitee) = one(std::slice::from_ref(&data));
    has(
        &event,
        &json!({ "id": "f32e", "name": "Discovery", "startTime": "2027-05-20T14:00:00Z" }),
    );
    has(
        &invitee,
        &json!({ "id": "f32i", "name": "Pat Example", "email": "pat.32@example.com" }),
    );
    // Each of them may be named by an id, or by what tells it apart.
    let mut unnamed = data;
    for part in ["invitee", "scheduled_event"] {
        unnamed["payload"][part]
            .as_object_mut()
            .unwrap()
            .remove("uri");
    }
    assert_eq!(one(&[unnamed]).1["email"], "pat.32@example.com");
}

#[test]
fn an_invitee_named_without_its_event_belongs_to_the_one_beside_it() {
    let short = "https://api.calendly.com/invitees/i9";
    let event = json!({ "uuid": "e9", "startTime": FIRST });
    for payload in [
        json!({ "event": event, "invitee": { "uri": short } }),
        json!({ "event": event, "uri": short, "email": "ada@example.com" }),
        json!({ "scheduled_event": event, "uri": short }),
        json!({ "scheduled_event": event, "invitee": { "uri": short } }),
        json!({ "event": "https://api.calendly.com/scheduled_events/e9", "invitee": { "uri": short } }),
    ] {
        let data = json!({ "event": "invitee.created", "payload": payload });
        let booking = booking(&data);
        let uri = booking.invitee.unwrap();
        assert_eq!((uri.event().id(), uri.id()), ("e9", "i9"), "{data}");
    }
}

#[test]
fn calendlys_own_form_with_a_short_uri_of_the_invitee_is_none_of_the_simple_ones() {
    // Its event stands beside it, so it is read as it is, but for what a simple form fills in.
    let uri = "https://api.calendly.com/scheduled_events/e9/invitees/i9";
    let event = json!({ "uri": "https://api.calendly.com/scheduled_events/e9", "duration": 30,
        "start_time": FIRST });
    let end = |uri: &str| {
        let payload = json!({ "uri": uri, "scheduled_event": event });
        let data = json!({ "event": "invitee.created", "payload": payload });
        one(&[data]).0["endTime"].take()
    };
    assert_eq!(end(uri), Value::Null);
    assert_eq!(
        end("https://api.calendly.com/invitees/i9"),
        "2026-12-01T15:30:00Z"
    );
}

#[test]
fn a_duration_may_be_a_text() {
    let (event, invitee) = one(&[odd("duration-as-text")]);
    assert_eq!(event["endTime"], "2027-04-01T09:45:00Z");
    assert_eq!(invitee["textReminderNumber"], "491701234567");
}

#[test]
fn without_a_duration_that_of_the_type_counts_and_none_is_longer_than_a_day() {
    let end = |event: Value, of_type: Value| {
        let mut data = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
        data["payload"]["event"]["duration"] = event;
        data["payload"]["event_type"] = json!({ "duration": of_type });
        one(&[data]).0["endTime"].take()
    };
    assert_eq!(end(json!(15), json!(45)), "2026-12-01T15:15:00Z");
    assert_eq!(end(Value::Null, json!("45")), "2026-12-01T15:45:00Z");
    assert_eq!(end(json!("soon"), json!(45)), "2026-12-01T15:45:00Z");
    assert_eq!(end(Value::Null, Value::Null), FIRST);
    assert_eq!(
        end(json!(1_000_000_000), Value::Null),
        "2026-12-02T15:00:00Z"
    );
    assert_eq!(end(json!(-5), Value::Null), FIRST);
}

#[test]
fn responses_in_other_forms_are_answers_and_say_nothing_against_answers_that_are_told() {
    let answers = |given: Value, beside: Value| {
        let mut data = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
        data["payload"]["questions_and_responses"] = given;
        data["payload"]["questions_and_answers"] = beside;
        let (_, mut invitee) = one(&[data]);
        let answers = invitee["answers"].as_array_mut().unwrap().iter_mut();
        let pairs = answers.map(|it| json!([it["question"].take(), it["answer"].take()]));
        pairs.collect::<Value>()
    };
    let list = |answer: &str| json!([{ "question": "Company", "answer": answer }]);
    let pair = |answer: &str| json!([["Company", answer]]);
    assert_eq!(answers(list("Engines"), Value::Null), pair("Engines"));
    assert_eq!(
        answers(json!({ "Company": "Engines" }), json!([])),
        pair("Engines")
    );
    let numbered = json!({ "1_question": "Company", "1_response": "Engines" });
    assert_eq!(answers(numbered.clone(), Value::Null), pair("Engines"));
    assert_eq!(answers(numbered, list("Tea")), pair("Tea"));
}

#[test]
fn a_time_without_a_zone_is_read_and_told() {
    let data = simple(
        "invitee.created",
        "2026-11-20T09:15:01Z",
        "2026-12-01 15:00",
    );
    assert_eq!(one(std::slice::from_ref(&data)).0["startTime"], FIRST);
    let warnings = booking(&data).warnings;
    assert!(
        warnings[0].contains("start_time` has no time zone"),
        "{warnings:?}"
    );
}

#[test]
fn an_empty_cancellation_cancels_nothing() {
    let mut data = simple("invitee.created", "2026-11-20T09:15:01Z", FIRST);
    for part in ["event", "invitee"] {
        data["payload"][part]["cancellation"] = json!({});
    }
    let (event, invitee) = one(&[data]);
    assert_eq!(
        (&event["status"], &invitee["status"]),
        (&json!("active"), &json!("active"))
    );
}
