//! What each sample body says, as the API would show it; and that odd bodies are read.

use super::{KNOWN, reader, word};
use super::{Unreadable, Webhook};
use booking::{EventView, Facts, InviteeView, Records, reduce};
use serde_json::{Value, json};
use testkit::{fixture, received_at};

mod ahead;
mod any_type;
mod foreign;
mod long;
mod odd;
mod undated;

fn read(body: &[u8]) -> Result<Webhook, Unreadable> {
    super::read(body, received_at())
}

fn booking(body: &[u8]) -> super::BookingWebhook {
    match read(body) {
        Ok(Webhook::Booking(booking)) => *booking,
        other => panic!("not a booking: {other:?}"),
    }
}

/// What is stored after all of these.
fn stored<'a>(all: impl IntoIterator<Item = &'a Facts>) -> Records {
    let mut stored = Records::default();
    for facts in all {
        let made = reduce(&stored, facts).records;
        stored.events.extend(made.events);
        stored.invitees.extend(made.invitees);
        stored.submission = made.submission.or(stored.submission);
    }
    stored
}

/// The events that these bodies, one after the other, make; with all their invitees.
fn shown(bodies: &[Vec<u8>]) -> Vec<Value> {
    let all: Vec<_> = bodies.iter().map(|body| booking(body).facts).collect();
    views(&stored(&all))
}

/// Every stored event as the API would show it, with all its invitees.
fn views(stored: &Records) -> Vec<Value> {
    let invitees = |event: &booking::EventRecord| {
        let own = stored
            .invitees
            .values()
            .filter(|i| i.uri.event() == event.uri);
        own.map(|i| InviteeView::of(i, stored.submission.as_ref()))
            .collect()
    };
    let views = stored
        .events
        .values()
        .map(|event| EventView::of(event, invitees(event)));
    views.map(|view| json!(view)).collect()
}

fn one(name: &str) -> (Value, Value) {
    let mut events = shown(&[fixture(name)]);
    assert_eq!(events.len(), 1);
    let mut event = events.remove(0);
    let invitee = event["invitees"][0].take();
    (event, invitee)
}

/// Asserts that `json` has at least what `want` has.
#[track_caller]
fn has(json: &Value, want: &Value) {
    for (name, value) in want.as_object().unwrap() {
        assert_eq!(&json[name], value, "{name} in {json:#}");
    }
}

const API: &str = "https://api.calendly.com";

fn invitee_uri(n: u8) -> String {
    format!(
        "{API}/scheduled_events/0000000{n}-1111-4222-8333-444455556666/invitees/0000000{n}-aaaa-4bbb-8ccc-ddddeeeeffff"
    )
}

#[test]
fn a_booking_with_every_field() {
    let (event, invitee) = one("invitee.created.json");
    has(
        &event,
        &json!({
            "id": "00000001-1111-4222-8333-444455556666",
            "name": "30 Minute Consultation",
            "status": "active",
            "startTime": "2026-12-01T15:00:00Z",
            "endTime": "2026-12-01T15:30:00Z",
            "timezone": "America/New_York",
            "location": {
                "type": "google_conference",
                "status": "processing",
                "joinUrl": "https://calendly.com/events/00000001-1111-4222-8333-444455556666/google_meet",
            },
            "hosts": [{
                "uri": "https://api.calendly.com/users/AAAAHOSTUSER0001",
                "name": "Dana Host",
                "email": "dana.host@example.com",
            }],
            "guests": [{"email": "guest.one@example.net"}],
            "connection": "AAAAHOSTUSER0001",
            "provider": "calendly",
        }),
    );
    has(
        &invitee,
        &json!({
            "id": "00000001-aaaa-4bbb-8ccc-ddddeeeeffff",
            "uri": invitee_uri(1),
            "name": "Ada Booker",
            "firstName": "Ada",
            "lastName": "Booker",
            "email": "ada.booker@example.com",
            "status": "active",
            "canceled": false,
            "rescheduled": false,
            "noShow": false,
            "cancellation": null,
            "rescheduledFrom": null,
            "rescheduledTo": null,
            "root": null,
            "textReminderNumber": "+1 212-555-0142",
            "schedulingMethod": "instant_book",
            "scheduledBy": "https://api.calendly.com/users/AAAAHOSTUSER0002",
            "createdAt": "2026-11-20T09:15:01.123456Z",
            "answers": [
                {"question": "Company", "answer": "Analytical Engines Ltd", "position": 0},
                {"question": "Which topics?", "answer": "Pricing\nSecurity review", "position": 1},
            ],
            "tracking": {
                "utmCampaign": "autumn-launch", "utmSource": "newsletter", "utmMedium": "email",
                "utmContent": "cta-2", "utmTerm": null, "salesforceUuid": "003000000000001AAA",
            },
        }),
    );
}

#[test]
fn cancellations_by_the_invitee_and_by_the_host() {
    let (event, invitee) = one("invitee.canceled.json");
    assert_eq!(event["status"], "canceled");
    has(
        &invitee,
        &json!({
            "status": "canceled",
            "canceled": true,
            "rescheduled": false,
            "cancellation": {
                "by": "Ada Booker", "byType": "invitee",
                "reason": "Something came up", "at": "2026-11-21T08:00:10Z",
                "inferred": false,
            },
        }),
    );
    let (_, invitee) = one("invitee.canceled.host-empty-reason.json");
    assert_eq!(invitee["cancellation"]["byType"], "host");
    assert_eq!(invitee["cancellation"]["reason"], "");
}

#[test]
fn a_cancellation_does_not_erase_what_the_booking_said() {
    let bodies = ["invitee.created.json", "invitee.canceled.json"].map(fixture);
    let event = &shown(&bodies)[0];
    assert_eq!(event["invitees"][0]["answers"][0]["question"], "Company");
    assert_eq!(event["invitees"][0]["tracking"]["utmSource"], "newsletter");
    assert_eq!(event["invitees"][0]["status"], "canceled");
}

#[test]
fn a_reschedule_is_one_thing_in_either_order() {
    let old = fixture("reschedule.1-invitee.canceled.json");
    let new = fixture("reschedule.2-invitee.created.json");
    let events = shown(&[old.clone(), new.clone()]);
    assert_eq!(events, shown(&[new.clone(), old]));
    has(
        &events[0]["invitees"][0],
        &json!({
            "status": "rescheduled", "canceled": false, "rescheduled": true,
            "rescheduledTo": invitee_uri(4), "rescheduledFrom": null, "root": null,
        }),
    );
    assert_eq!(events[0]["status"], "canceled");
    has(
        &events[1]["invitees"][0],
        &json!({
            "status": "active", "rescheduled": false,
            "rescheduledFrom": invitee_uri(3), "rescheduledTo": null, "root": invitee_uri(3),
        }),
    );
    // The new half alone says it too, of an old booking that it only names.
    let alone = shown(&[new]);
    has(
        &alone[0]["invitees"][0],
        &json!({"status": "rescheduled", "rescheduledTo": invitee_uri(4), "name": null}),
    );
}

#[test]
fn a_literal_reschedule_is_read_as_either_half() {
    for (name, half) in [
        ("reschedule.1-invitee.canceled.json", 0),
        ("reschedule.2-invitee.created.json", 1),
    ] {
        let mut body: Value = serde_json::from_slice(&fixture(name)).unwrap();
        let want = shown(&[body.to_string().into_bytes()]);
        body["event"] = "invitee.rescheduled".into();
        let got = shown(&[body.to_string().into_bytes()]);
        assert_eq!(got[half]["invitees"], want[half]["invitees"]);
        assert_eq!(got[0]["invitees"][0]["rescheduledTo"], invitee_uri(4));
        assert_eq!(got[1]["invitees"][0]["rescheduledFrom"], invitee_uri(3));
    }
}

#[test]
fn the_new_half_is_active_even_if_a_relay_flags_it_as_rescheduled() {
    let body = fixture("reschedule.2-invitee.created.json");
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    body["event"] = "invitee.rescheduled".into();
    body["payload"]["rescheduled"] = true.into();
    let events = shown(&[body.to_string().into_bytes()]);
    has(
        &events[1]["invitees"][0],
        &json!({"status": "active", "rescheduledFrom": invitee_uri(3)}),
    );
}

#[test]
fn a_no_show_mark_is_set_and_taken_back_in_any_order() {
    let bodies = [
        "invitee.created.json",
        "invitee_no_show.created.json",
        "invitee_no_show.deleted.json",
    ]
    .map(fixture);
    let [created, marked, cleared] = bodies;
    let no_show = |bodies: &[&Vec<u8>]| {
        let bodies: Vec<_> = bodies.iter().map(|b| (*b).clone()).collect();
        shown(&bodies)[0]["invitees"][0]["noShow"].clone()
    };
    assert_eq!(no_show(&[&created, &marked]), true);
    assert_eq!(no_show(&[&marked, &created]), true);
    assert_eq!(no_show(&[&created, &marked, &cleared]), false);
    assert_eq!(no_show(&[&cleared, &marked, &created]), false);
}

#[test]
fn a_no_show_mark_alone_is_read_under_every_name() {
    let mark = |event: &str, created_at: &str, sent: &str| {
        json!({
            "event": event,
            "created_at": sent,
            "payload": {
                "uri": format!("{API}/invitee_no_shows/n1"),
                "invitee": invitee_uri(1),
                "created_at": created_at,
            },
        })
        .to_string()
        .into_bytes()
    };
    let at = "2026-12-01T15:20:00.500000Z";
    // The envelope's time, cut to the second, lies before the mark that is taken back.
    let sent = "2026-12-01T15:20:00.000000Z";
    for (marked, cleared) in [
        ("invitee_no_show.created", "invitee_no_show.deleted"),
        ("invitee.no_show", "invitee.no_show.deleted"),
        ("invitee.no_show.created", "invitee.no_show.deleted"),
    ] {
        let events = shown(&[mark(marked, at, sent)]);
        assert_eq!(events[0]["invitees"][0]["noShow"], true, "{marked}");
        let events = shown(&[mark(cleared, at, sent), mark(marked, at, sent)]);
        assert_eq!(events[0]["invitees"][0]["noShow"], false, "{cleared}");
    }
    // A full payload under a relay's name is a mark even if it carries none.
    let mut body: Value = serde_json::from_slice(&fixture("invitee_no_show.deleted.json")).unwrap();
    body["event"] = "invitee.no_show".into();
    let events = shown(&[body.to_string().into_bytes()]);
    assert_eq!(events[0]["invitees"][0]["noShow"], true);
}

#[test]
fn a_routing_form_is_joined_to_its_invitee() {
    let form = fixture("routing_form_submission.created.json");
    let created = fixture("invitee.created.json");
    for bodies in [[form.clone(), created.clone()], [created, form]] {
        let event = &shown(&bodies)[0];
        has(
            &event["invitees"][0]["routingFormSubmission"],
            &json!({
                "uri": format!("{API}/routing_form_submissions/cccc0001-1111-4222-8333-444455556666"),
                "createdAt": "2026-11-20T09:14:30.101Z",
                "result": {"type": "event_type", "value": format!("{API}/event_types/AAAAEVTYPE000001")},
            }),
        );
        let answers = &event["invitees"][0]["routingFormSubmission"]["answers"];
        assert_eq!(answers[1]["answer"], "11-50");
        assert_eq!(answers[2]["answer"], Value::Null);
    }
}

#[test]
fn a_webhook_names_the_submission_that_it_is_about() {
    let named = |name: &str| match read(&fixture(name)) {
        Ok(Webhook::Booking(booking)) => booking.submission,
        other => panic!("{other:?}"),
    };
    let submission = named("routing_form_submission.created.json").unwrap();
    assert_eq!(submission.id(), "cccc0001-1111-4222-8333-444455556666");
    assert_eq!(named("invitee.created.json"), None);
}

#[test]
fn groups_guests_payments_and_unicode() {
    let (event, _) = one("invitee.created.group-guests.json");
    assert_eq!(event["hosts"].as_array().unwrap().len(), 2);
    assert_eq!(event["guests"].as_array().unwrap().len(), 2);
    has(
        &event["inviteesCounter"],
        &json!({"total": 7, "active": 5, "limit": 20}),
    );
    assert_eq!(event["location"]["type"], "zoom");
    assert_eq!(event["location"]["data"]["id"], 81_234_567_890_i64);

    let (event, invitee) = one("invitee.created.payment.json");
    has(
        &invitee["payment"],
        &json!({
            "externalId": "ch_3Madeup0000000000000001", "provider": "stripe",
            "amount": 249.99, "currency": "GBP", "successful": true,
        }),
    );
    assert_eq!(
        event["location"],
        json!({"type": "outbound_call", "location": "+44 20 7946 0018"})
    );

    let raw: Value = serde_json::from_slice(&fixture("invitee.created.unicode.json")).unwrap();
    let (event, invitee) = one("invitee.created.unicode.json");
    assert_eq!(invitee["name"], raw["payload"]["name"]);
    assert_eq!(event["name"], raw["payload"]["scheduled_event"]["name"]);
    assert_eq!(
        event["location"]["additionalInfo"],
        raw["payload"]["scheduled_event"]["location"]["additional_info"]
    );
}

#[test]
fn a_payload_without_its_event_is_read() {
    let mut body: Value = serde_json::from_slice(&fixture("invitee.created.json")).unwrap();
    body["payload"]
        .as_object_mut()
        .unwrap()
        .remove("scheduled_event");
    let events = shown(&[body.to_string().into_bytes()]);
    has(
        &events[0],
        &json!({"status": "active", "startTime": null, "connection": "AAAAHOSTUSER0001"}),
    );
    assert_eq!(events[0]["invitees"][0]["name"], "Ada Booker");
}

#[test]
fn fields_of_tomorrow_are_passed_over_and_places_are_kept_as_they_are() {
    let mut body: Value = serde_json::from_slice(&fixture("invitee.created.json")).unwrap();
    let payload = body["payload"].as_object_mut().unwrap();
    payload["name"] = Value::Null;
    payload["timezone"] = Value::Null;
    payload.insert("invented_in_2030".to_owned(), json!({"deep": [1, 2, 3]}));
    payload["scheduled_event"]["location"] = json!({"type": "holodeck", "deck_number": 4});
    let body = body.to_string().into_bytes();
    let events = shown(std::slice::from_ref(&body));
    has(
        &events[0],
        &json!({ "location": {"type": "holodeck", "deckNumber": 4} }),
    );
    has(&events[0]["invitees"][0], &json!({"name": "Ada Booker"}));
    assert_eq!(booking(&body).warnings, [""; 0]);
}

#[test]
fn an_event_that_is_not_handled_is_named() {
    let Ok(Webhook::NotHandled { event }) = read(&fixture("event_type.updated.json")) else {
        panic!("event types are not handled");
    };
    assert_eq!(event, "event_type.updated");
}

#[test]
fn the_log_has_a_word_for_each_known_event_and_one_for_all_others() {
    for known in KNOWN {
        assert_eq!(word(known), known);
        let handled = reader(known).is_some();
        let not_handled = ["contact.", "event_type.", "meeting_recap."];
        let not_handled = not_handled.iter().any(|start| known.starts_with(start));
        assert!(handled != not_handled, "{known}");
    }
    for other in [
        "",
        "ada.booker",
        "invitee.created ",
        "Invitee.Created",
        "x\ny",
    ] {
        assert_eq!(word(other), "other");
    }
}

#[test]
fn what_names_nothing_is_unreadable_and_says_why() {
    let unreadable = |body: &Value| read(body.to_string().as_bytes()).unwrap_err().to_string();
    assert!(matches!(read(b"{"), Err(Unreadable::NotJson { .. })));
    assert!(matches!(read(b"\xff\xfe"), Err(Unreadable::NotJson { .. })));
    assert!(matches!(read(b""), Err(Unreadable::NotJson { .. })));
    for body in [
        json!([]),
        json!("x"),
        json!({}),
        json!({"event": 1}),
        json!({"event": ""}),
    ] {
        assert!(unreadable(&body).contains("`event`"), "{body}");
    }
    let created = |payload: Value| json!({"event": "invitee.created", "payload": payload});
    assert!(unreadable(&created(json!("x"))).contains("`payload`"));
    assert!(unreadable(&created(json!({}))).contains("`payload.uri`"));
    assert!(
        unreadable(&created(json!({"uri": "https://example.com/secret"})))
            .contains("`payload.uri`")
    );
    let form = json!({"event": "routing_form_submission.created", "payload": {}});
    assert!(unreadable(&form).contains("routing form"));
    // What it says is no part of the body.
    let told = unreadable(&created(json!({"uri": "https://example.com/secret"})));
    assert!(!told.contains("secret"));
}
