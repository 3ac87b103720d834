//! Texts of any length: what is kept of them fits its record.

use super::booking;
use booking::{Records, reduce};
use serde_json::{Value, json};
use testkit::fixture;

/// What a record may take of its item, even where nothing of it can be compressed.
const MAX_RECORD: usize = 380 * 1024;

fn full(name: &str) -> Value {
    serde_json::from_slice(&fixture(name)).unwrap()
}

/// The longest record that these bodies make, one after the other.
fn longest(bodies: impl Iterator<Item = Value>) -> usize {
    let mut stored = Records::default();
    for body in bodies {
        let made = reduce(&stored, &booking(body.to_string().as_bytes()).facts).records;
        stored.events.extend(made.events);
        stored.invitees.extend(made.invitees);
        stored.submission = made.submission.or(stored.submission);
    }
    let events = stored.events.values().map(|it| json!(it));
    let invitees = stored.invitees.values().map(|it| json!(it));
    let submission = stored.submission.iter().map(|it| json!(it));
    let all = events.chain(invitees).chain(submission);
    all.map(|record| record.to_string().len()).max().unwrap()
}

/// `value` with every text in it, but for URIs, times, and words that stand for something, as long as
/// this one; and every list of many more. Fields of these names stay.
fn lengthened(value: &mut Value, long: &str, but: &[&str]) {
    match value {
        Value::String(text) => {
            let is_word = text.starts_with("https://api.")
                || text.parse::<jiff::Timestamp>().is_ok()
                || ["active", "canceled", "initiated"].contains(&text.as_str());
            if !is_word {
                *text = long.to_owned();
            }
        }
        Value::Array(items) => {
            for item in items.iter_mut() {
                lengthened(item, long, but);
            }
            *items = items
                .iter()
                .cycle()
                .take(items.len() * 20)
                .cloned()
                .collect();
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if !but.contains(&name.as_str()) {
                    lengthened(field, long, but);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn whatever_is_long_its_record_fits_an_item() {
    // Letters, what takes most bytes in JSON for one of UTF-8, and what takes most of UTF-8.
    for long in [
        "x".repeat(60_000),
        "\u{1}".repeat(60_000),
        "😀".repeat(20_000),
    ] {
        for name in [
            "invitee.created.json",
            "invitee.canceled.json",
            "invitee.created.payment.json",
            "invitee.created.group-guests.json",
            "routing_form_submission.created.json",
        ] {
            let mut body = full(name);
            if let Some(event) = body["payload"].get_mut("scheduled_event") {
                event["meeting_notes_plain"] = json!("notes");
                let email = |n| format!("{n}@{}.example", "a".repeat(300));
                let guests = (0..1000).map(|n| json!({"email": email(n)}));
                let hosts = (0..1000).map(|n| json!({"user_email": email(n)}));
                (event["event_guests"], event["event_memberships"]) =
                    (guests.collect(), hosts.collect());
            }
            let people = ["event_guests", "event_memberships"];
            lengthened(&mut body["payload"], &long, &people);
            let records = longest([body].into_iter());
            assert!(records <= MAX_RECORD, "{name}: {records}");
            assert!(records > 10_000, "{name}: something of it is kept");
        }
    }
}

#[test]
fn a_group_whose_people_all_give_long_reasons_fits_an_item() {
    let long = "x".repeat(60_000);
    let bodies = (10..70).map(|number| {
        let body = full("invitee.canceled.json").to_string();
        let id = "invitees/00000001-aaaa";
        let mut body: Value =
            serde_json::from_str(&body.replace(id, &format!("invitees/000000{number}-aaaa")))
                .unwrap();
        lengthened(&mut body["payload"], &long, &[]);
        body["payload"]["scheduled_event"]["invitees_counter"] = json!({"limit": 100});
        body
    });
    assert!(longest(bodies) <= MAX_RECORD);
}

#[test]
fn texts_of_calendlys_own_limits_are_kept_whole() {
    let answer = "日".repeat(10_000);
    let mut body = full("invitee.created.json");
    let one = |n| json!({"question": "Why?", "answer": answer, "position": n});
    body["payload"]["questions_and_answers"] = (0..8).map(one).collect();
    body["payload"]["scheduled_event"]["meeting_notes_plain"] = json!(answer);
    let booking = booking(body.to_string().as_bytes());
    assert_eq!(booking.warnings, [""; 0]);
    let text = json!(
        reduce(&Records::default(), &booking.facts)
            .records
            .invitees
            .values()
            .next()
    )
    .to_string();
    assert_eq!(text.matches(&answer).count(), 8);
    assert!(!text.contains("truncated"));
}

#[test]
fn an_answer_that_was_cut_says_so_and_the_others_stay_whole() {
    let mut body = full("invitee.created.json");
    let long = "x".repeat(500_000);
    body["payload"]["questions_and_answers"] = json!([
        {"question": "Long?", "answer": long, "position": 0},
        {"question": "Short?", "answer": "yes", "position": 1},
    ]);
    let view = super::shown(&[body.to_string().into_bytes()]);
    let answers = &view[0]["invitees"][0]["answers"];
    let cut = answers[0]["answer"].as_str().unwrap();
    assert!(cut.len() == 40_000 && cut.ends_with("x…"), "{}", cut.len());
    assert_eq!(answers[0]["truncated"], true);
    assert_eq!(
        answers[1],
        json!({"question": "Short?", "answer": "yes", "position": 1})
    );
    let warnings = booking(body.to_string().as_bytes()).warnings;
    assert_eq!(
        warnings,
        ["`payload.questions_and_answers[0].answer` takes more than 40000 bytes: cut"]
    );
}

#[test]
fn a_read_of_the_api_is_cut_like_a_message() {
    let mut body = full("invitee.created.json");
    lengthened(&mut body["payload"], &"x".repeat(60_000), &[]);
    let payload = &body["payload"];
    let told = booking(body.to_string().as_bytes()).facts;
    let read = crate::webhook::resource::facts(
        &payload["scheduled_event"],
        std::slice::from_ref(payload),
        &booking(body.to_string().as_bytes()).connection.unwrap(),
        super::received_at(),
    );
    let shown = |facts| {
        let records = reduce(&Records::default(), &facts).records;
        let invitee = records
            .invitees
            .values()
            .next()
            .map(|it| json!(booking::InviteeView::of(it, None)));
        let event = records
            .events
            .values()
            .next()
            .map(|it| json!(booking::EventView::listed(it)));
        (event, invitee)
    };
    assert_eq!(shown(told), shown(read.unwrap()));
}
