//! Times that lie in the future: they are told, and pin nothing.

use super::{API, invitee_uri, stored, views};
use crate::webhook::{BookingWebhook, Webhook, resource};
use booking::{ConnectionId, ContactKey, EventUri, Facts, Provider, Records, history, reduce};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::fixture;

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// When the first message of each test was made.
fn made() -> Timestamp {
    at("2026-12-02T09:00:00Z")
}

fn read(body: &Value, received_at: Timestamp) -> BookingWebhook {
    match crate::webhook::read(body.to_string().as_bytes(), received_at) {
        Ok(Webhook::Booking(booking)) => *booking,
        other => panic!("not a booking: {other:?}"),
    }
}

/// Where a body tells when something was.
fn times(value: &Value, place: &str) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| {
                let place = format!("{place}/{name}");
                match value {
                    Value::String(_) if name.ends_with("_at") => vec![place],
                    inner => times(inner, &place),
                }
            })
            .collect(),
        Value::Array(items) => {
            let items = items.iter().enumerate();
            let inner = items.flat_map(|(number, item)| times(item, &format!("{place}/{number}")));
            inner.collect()
        }
        _ => vec![],
    }
}

/// A message that was made at `time`, of which everything in it speaks but what tells when it began.
fn message(name: &str, time: Timestamp) -> Value {
    let mut body: Value = serde_json::from_slice(&fixture(&format!("{name}.json"))).unwrap();
    for place in times(&body, "") {
        let begun = matches!(
            place.as_str(),
            "/payload/created_at" | "/payload/scheduled_event/created_at"
        );
        if !begun {
            *body.pointer_mut(&place).unwrap() = json!(time);
        }
    }
    body
}

/// The same with all else that can change.
fn changed(mut body: Value) -> Value {
    let payload = &mut body["payload"];
    for name in ["name", "timezone", "text_reminder_number"] {
        payload[name] = json!("later");
    }
    payload["questions_and_answers"] = json!([{"question": "Later?", "answer": "later"}]);
    if let Some(cancellation) = payload["cancellation"].as_object_mut() {
        cancellation.insert("reason".to_owned(), json!("later"));
    }
    if payload["scheduled_event"].is_object() {
        let event = &mut payload["scheduled_event"];
        event["name"] = json!("later");
        event["start_time"] = json!("2027-01-01T00:00:00Z");
        event["end_time"] = json!("2027-01-01T01:00:00Z");
        event["location"] = json!({"type": "custom", "location": "later"});
        event["event_guests"] = json!([{"email": "later@example.com"}]);
    }
    body
}

/// A mark by itself, as relays send it.
fn alone(name: &str, time: Timestamp) -> Value {
    json!({"event": name, "created_at": time, "payload": {
        "uri": format!("{API}/invitee_no_shows/n"), "invitee": invitee_uri(1), "created_at": time}})
}

/// Of each kind a message and one that follows it and tells something else.
fn pairs(first: Timestamp, second: Timestamp) -> Vec<(Value, Value)> {
    let (marked, cleared) = ("invitee_no_show.created", "invitee_no_show.deleted");
    let form = "routing_form_submission.created";
    vec![
        (
            message("invitee.created", first),
            changed(message("invitee.created", second)),
        ),
        (
            message("invitee.canceled", first),
            changed(message("invitee.canceled", second)),
        ),
        (message(form, first), changed(message(form, second))),
        (message(marked, first), changed(message(cleared, second))),
        (message(cleared, first), changed(message(marked, second))),
        (alone(marked, first), alone(cleared, second)),
        (alone(cleared, first), alone(marked, second)),
    ]
}

/// All that is shown of what is stored.
fn shown(stored: &Records) -> Value {
    let form = stored.submission.as_ref();
    let form = form.map(|form| json!([form.answers.as_ref().map(|it| &it.value), form.updated_at]));
    json!([views(stored), form])
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// Asserts that nothing which is ordered by time, and nothing of a booking's history, lies after `time`.
fn nothing_lies_after(time: Timestamp, records: &Records) {
    for invitee in records.invitees.values() {
        assert!(invitee.updated_at.is_none_or(|at| at <= time));
        assert!(invitee.marks.iter().all(|mark| mark.at <= time));
        assert!(
            history(invitee)
                .iter()
                .all(|entry| entry.at.is_none_or(|at| at <= time))
        );
    }
    let events = records.events.values();
    assert!(
        events
            .clone()
            .all(|event| event.updated_at.is_none_or(|at| at <= time))
    );
}

proptest! {
    #[test]
    fn a_later_message_wins_over_one_with_any_of_its_times_in_the_future(
        kind in 0_usize..7,
        which in any::<u32>(),
        ahead in 301_i64..20_000_000_000,
        pause in 2_i64..100_000,
    ) {
        let (sent, later) = (made(), made() + seconds(pause));
        let (told, second) = pairs(sent, later).remove(kind);
        let mut strange = told.clone();
        let mut moved = 0;
        for (number, place) in times(&told, "").iter().enumerate() {
            if which >> number & 1 == 1 {
                *strange.pointer_mut(place).unwrap() = json!(sent + seconds(1 + ahead));
                moved += 1;
            }
        }
        let came = sent + seconds(1);
        let (told, strange) = (read(&told, came).facts, read(&strange, came).facts);
        let second = read(&second, later).facts;
        let found = stored([&strange, &second]);
        prop_assert_eq!(shown(&found), shown(&stored([&told, &second])), "{} moved", moved);
        prop_assert_eq!(&stored([&second, &strange]), &found);
        nothing_lies_after(later + seconds(1), &found);
    }

    /// Where it still tells a time that can be, it makes no difference when it comes either.
    #[test]
    fn one_that_comes_after_it_does_not_win_by_that(
        kind in 0_usize..3,
        envelope: bool,
        ahead in 301_i64..20_000_000_000,
    ) {
        let (sent, later) = (made(), made() + seconds(600));
        let (mut strange, second) = pairs(sent, later).remove(kind);
        let came = later + seconds(600);
        let broken = json!(came + seconds(ahead));
        if envelope {
            strange["created_at"] = broken;
        } else {
            strange["payload"]["updated_at"] = broken.clone();
            strange["payload"]["scheduled_event"]["updated_at"] = broken;
        }
        let (strange, second) = (read(&strange, came).facts, read(&second, later).facts);
        let found = stored([&second, &strange]);
        prop_assert_eq!(shown(&found), shown(&stored([&second])));
        prop_assert_eq!(&stored([&strange, &second]), &found);
    }

    #[test]
    fn a_later_read_wins_over_one_with_times_in_the_future(
        which in 1_u8..16,
        ahead in 301_i64..20_000_000_000,
    ) {
        let (sent, later) = (made(), made() + seconds(600));
        let host = ConnectionId::from_user_uri(&format!("{API}/users/AAAAHOSTUSER0001")).unwrap();
        let look = |body: &Value, read_at| {
            let mut invitee = body["payload"].clone();
            let event = invitee["scheduled_event"].take();
            resource::facts(&event, &[invitee], &host, read_at).unwrap()
        };
        let (told, second) = pairs(sent, later).remove(0);
        let mut strange = told.clone();
        let places = ["created_at", "updated_at", "scheduled_event/created_at", "scheduled_event/updated_at"];
        for (number, place) in places.iter().enumerate() {
            if which >> number & 1 == 1 {
                let place = format!("/payload/{place}");
                *strange.pointer_mut(&place).unwrap() = json!(sent + seconds(ahead));
            }
        }
        let strange = look(&strange, sent);
        for second in [look(&second, later), read(&second, later).facts] {
            let found = stored([&strange, &second]);
            prop_assert_eq!(shown(&found), shown(&stored([&look(&told, sent), &second])));
            prop_assert_eq!(&stored([&second, &strange]), &found);
            nothing_lies_after(later, &found);
        }
    }
}

#[test]
fn a_time_in_the_future_is_told() {
    let mut body = message("invitee.created", made());
    body["created_at"] = json!("2612-01-20T00:00:00Z");
    body["payload"]["updated_at"] = json!("2612-01-20T00:00:01Z");
    let booking = read(&body, made());
    assert_eq!(
        booking.warnings,
        [
            "`created_at` is 2612-01-20T00:00:00Z, which lies after the message that tells it: doesn't count",
            "`payload.updated_at` is 2612-01-20T00:00:01Z, which lies after the message that tells it: doesn't count",
            "`payload` tells no time that counts, nor does what is around it: taken is when it came",
        ]
    );
    assert_eq!(booking.created_at, Some(made()));
}

#[test]
fn clocks_that_differ_by_minutes_change_nothing() {
    for ahead in [1, 180, 290] {
        let mut early = message("invitee.created", made());
        let second = changed(message("invitee.created", made() + seconds(2)));
        early["payload"]["name"] = json!("first");
        let (came, before) = (
            made() - seconds(ahead),
            made() - seconds(ahead) + seconds(2),
        );
        // The later one overtakes the earlier.
        let (first, second) = (read(&early, before), read(&second, came));
        assert_eq!(first.warnings, [""; 0]);
        let found = stored([&second.facts, &first.facts]);
        assert_eq!(shown(&found)[0][0]["invitees"][0]["name"], "later");
        let (told, came) = (read(&early, made()), read(&early, came));
        assert_eq!(told.facts, came.facts, "when it came makes no difference");
    }
}

/// When a booking was made orders nothing, so only what can't have been yet is left out.
#[test]
fn a_message_whose_own_time_is_too_early_tells_all_the_same_when_a_booking_was_made() {
    for name in ["invitee.created", "routing_form_submission.created"] {
        let mut body = message(name, made());
        body["created_at"] = json!(made() - seconds(10_000_000));
        body["payload"]["created_at"] = json!(made() - seconds(5));
        let records = stored([&read(&body, made()).facts]);
        let invitees = records.invitees.values().filter(|invitee| invitee.known);
        let created = invitees.map(|invitee| invitee.created_at);
        let created = created.chain(records.submission.iter().map(|form| form.created_at));
        let created: Vec<_> = created.collect();
        assert_eq!(created, [Some(made() - seconds(5))], "{name}");
    }
}

/// Samples and tests tell of what is still to come.
#[test]
fn a_mark_is_shown_with_the_time_that_its_message_tells() {
    let told = "2027-05-05T05:05:05Z";
    for body in [message, alone].map(|kind| kind("invitee_no_show.created", at(told))) {
        let records = stored([&read(&body, made()).facts]);
        let invitee = &views(&records)[0]["invitees"][0];
        assert_eq!(invitee["noShowAt"], told);
        nothing_lies_after(made() + seconds(1), &records);
    }
}

/// When a mark was set or taken back may be told by the envelope alone.
#[test]
fn a_mark_that_only_the_envelope_dates_counts_from_when_it_came() {
    let later = made() + seconds(600);
    for (first, second) in [("created", "deleted"), ("deleted", "created")] {
        let first = message(&format!("invitee_no_show.{first}"), made());
        let mut second = message(&format!("invitee_no_show.{second}"), later);
        let payload = &mut second["payload"];
        if payload["no_show"].is_object() {
            payload["no_show"] = json!(true);
        }
        for place in ["/updated_at", "/scheduled_event/updated_at"] {
            *payload.pointer_mut(place).unwrap() = json!(made() - seconds(3600));
        }
        let want = views(&stored([
            &read(&first, made()).facts,
            &read(&second, later).facts,
        ]));
        second["created_at"] = json!("2612-01-20T00:00:00Z");
        let found = stored([&read(&first, made()).facts, &read(&second, later).facts]);
        let mark = |views: &[Value]| {
            let invitee = &views[0]["invitees"][0];
            [invitee["noShow"].clone(), invitee["noShowAt"].clone()]
        };
        assert_eq!(mark(&views(&found)), mark(&want));
        nothing_lies_after(later, &found);
    }
}

#[test]
fn a_message_from_the_future_is_no_later_sight_than_when_it_came() {
    let mut body = message("invitee.created", made());
    for place in times(&body, "") {
        *body.pointer_mut(&place).unwrap() = json!("2612-01-20T00:00:00Z");
    }
    body["payload"]["scheduled_event"]["start_time"] = json!("2027-01-01T00:00:00Z");
    let event = EventUri::parse(&format!(
        "{API}/scheduled_events/00000001-1111-4222-8333-444455556666"
    ));
    let event = event.unwrap();
    let looks = [1, 700]
        .map(|later| Facts::not_found(Provider::Calendly, event.clone(), made() + seconds(later)));
    let seen = read(&body, made()).facts;
    let found = stored([&seen, &looks[0], &looks[1]]);
    assert!(found.events[&event].gone_since().is_some());
}

#[test]
fn a_booking_from_the_future_does_not_escape_an_erasure() {
    let person = ContactKey::of("ada.booker@example.com");
    let mut body = message("invitee.created", made());
    body["payload"]["created_at"] = json!("2612-01-20T00:00:00Z");
    body["payload"]["scheduled_event"]["created_at"] = json!("2612-01-20T00:00:00Z");
    let marked = Records {
        erasures: [(person, made() + seconds(60))].into(),
        ..Records::default()
    };
    let came = made() + seconds(120);
    let mut form = message("routing_form_submission.created", made());
    form["payload"]["created_at"] = json!("2612-01-20T00:00:00Z");
    assert!(reduce(&marked, &read(&form, came).facts).erased);
    let made_of = reduce(&marked, &read(&body, came).facts);
    assert!(made_of.erased);
    assert!(
        made_of
            .records
            .invitees
            .values()
            .all(|invitee| invitee.email.is_none())
    );
}
