//! What is left of a body without somebody who is in it: for a body that was never applied, of which
//! what it tells of others must not be lost.

use booking::{ContactKey, is_named, names, text_names};
use serde_json::{Map, Value};

/// Fields that tell of a booking and of nobody: of what is somebody's own, they stay.
const OF_THE_BOOKING: &[&str] = &[
    "uri",
    "event",
    "status",
    "created_at",
    "updated_at",
    "canceled",
    "rescheduled",
    "old_invitee",
    "new_invitee",
    "no_show",
    "cancellation",
    "reconfirmation",
    "scheduled_event",
    "scheduling_method",
    "invitee_scheduled_by",
    "routing_form",
    "routing_form_submission",
    "submitter",
    "submitter_type",
    "user",
];
/// Fields of a one-to-one event that are made of who booked it.
const OF_WHO_BOOKED: &[&str] = &[
    "name",
    "location",
    "meeting_notes_plain",
    "meeting_notes_html",
];
/// Fields of a cancellation that tell who it was.
const OF_WHO_CANCELED: &[&str] = &["canceled_by", "reason"];

/// A body without somebody: what is theirs keeps what tells of the booking, guests go, of hosts the URI
/// stays, and any other text that names them goes as a whole. Nothing where that can't be done: what
/// isn't JSON may be anybody's.
pub fn without(body: &[u8], person: &ContactKey) -> Option<Vec<u8>> {
    let mut json: Value = crate::json::from_slice(body).ok()?;
    json.as_object()?;
    take_out(&mut json, person);
    let left = serde_json::to_vec(&json).ok()?;
    (!names(&left, person)).then_some(left)
}

fn take_out(value: &mut Value, person: &ContactKey) {
    match value {
        Value::String(text) if text_names(text, person) || is_named(text, person) => {
            *value = Value::Null;
        }
        Value::Array(items) => {
            items.retain(|item| !is_entry_of(item, person));
            for item in items {
                take_out(item, person);
            }
        }
        Value::Object(fields) => {
            if is_theirs(fields, person) {
                keep_the_booking(fields);
            }
            fields.retain(|name, _| !text_names(name, person));
            for field in fields.values_mut() {
                take_out(field, person);
            }
        }
        _ => {}
    }
}

/// Fields in which an object says whose it is.
const WHOSE: &[&str] = &["email", "user_email"];

/// Whether an object says of itself whose it is, in its address or in an answer to a form. An event
/// whose name is an address is nobody's.
fn is_theirs(fields: &Map<String, Value>, person: &ContactKey) -> bool {
    let says = |value: &Value| says(value, person);
    let answers = fields
        .get("questions_and_answers")
        .and_then(Value::as_array);
    let mut answers = answers.into_iter().flatten();
    let is_form = !fields.contains_key("email") && !fields.contains_key("scheduled_event");
    WHOSE.iter().filter_map(|name| fields.get(*name)).any(says)
        || is_form && answers.any(|answer| answer.get("answer").is_some_and(says))
}

fn says(value: &Value, person: &ContactKey) -> bool {
    value.as_str().is_some_and(|text| is_named(text, person))
}

/// Whether an item of a list is theirs and of nothing but them: a guest, an answer, an address.
fn is_entry_of(item: &Value, person: &ContactKey) -> bool {
    match item {
        Value::String(text) => is_named(text, person),
        Value::Object(fields) => {
            let kept = ["uri", "user"]
                .iter()
                .any(|name| fields.contains_key(*name));
            let answer = fields.get("answer").is_some_and(|it| says(it, person));
            (is_theirs(fields, person) || answer) && !kept
        }
        _ => false,
    }
}

fn keep_the_booking(fields: &mut Map<String, Value>) {
    fields.retain(|name, value| match name.as_str() {
        // Of a no-show, these are URIs; elsewhere they may be people.
        "invitee" | "created_by" => value.as_str().is_some_and(|it| it.starts_with("https://")),
        name => OF_THE_BOOKING.contains(&name),
    });
    drop_from(fields, "cancellation", OF_WHO_CANCELED);
    let Some(Value::Object(meeting)) = fields.get_mut("scheduled_event") else {
        return;
    };
    if !is_group(meeting) {
        meeting.retain(|name, _| !OF_WHO_BOOKED.contains(&name.as_str()));
        drop_from(meeting, "cancellation", OF_WHO_CANCELED);
    }
}

/// Whether an event is for more than the one who booked: it has seats for others, or, where that isn't
/// told, they were counted. The bookings ask the same of an event that they erase somebody from.
fn is_group(meeting: &Map<String, Value>) -> bool {
    let counter = meeting.get("invitees_counter");
    let count = |name: &str| super::json::int(counter?.get(name)?);
    match count("limit").filter(|seats| *seats > 0) {
        Some(seats) => seats > 1,
        None => ["total", "active"]
            .into_iter()
            .filter_map(count)
            .any(|it| it > 1),
    }
}

fn drop_from(fields: &mut Map<String, Value>, name: &str, parts: &[&str]) {
    if let Some(Value::Object(inner)) = fields.get_mut(name) {
        inner.retain(|name, _| !parts.contains(&name.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::{Webhook, read};
    use serde_json::json;

    fn left(body: &[u8], email: &str) -> Value {
        serde_json::from_slice(&without(body, &ContactKey::of(email)).unwrap()).unwrap()
    }

    fn group() -> Vec<u8> {
        testkit::fixture("invitee.created.group-guests.json")
    }

    #[test]
    fn a_guest_goes_and_all_else_stays() {
        let mut want: Value = serde_json::from_slice(&group()).unwrap();
        let guests = want["payload"]["scheduled_event"]["event_guests"]
            .as_array_mut()
            .unwrap();
        let guest = guests.remove(0)["email"].as_str().unwrap().to_owned();
        assert_eq!(left(&group(), &guest), want);
    }

    #[test]
    fn of_a_host_the_uri_stays() {
        let mut want: Value = serde_json::from_slice(&group()).unwrap();
        let host = &mut want["payload"]["scheduled_event"]["event_memberships"][0];
        let email = host["user_email"].as_str().unwrap().to_owned();
        *host = json!({ "user": host["user"] });
        assert_eq!(left(&group(), &email), want);
    }

    #[test]
    fn of_who_booked_it_stays_that_it_was_booked() {
        for name in ["invitee.created.json", "invitee.canceled.json"] {
            let body = testkit::fixture(name);
            let left = left(&body, "ADA.booker@example.com");
            let text = left.to_string();
            assert!(
                !text.to_lowercase().contains("ada") && !text.contains("cancellations/"),
                "{text}"
            );
            let Ok(Webhook::Booking(before)) = read(&body, testkit::received_at()) else {
                panic!("{name}")
            };
            let Ok(Webhook::Booking(after)) = read(text.as_bytes(), testkit::received_at()) else {
                panic!("{name}: can't be read any more")
            };
            assert_eq!(after.facts.keys(), before.facts.keys());
            assert_eq!(after.connection, before.connection);
            assert_eq!(after.created_at, before.created_at);
        }
    }

    #[test]
    fn a_form_with_their_address_keeps_no_answer() {
        let body = testkit::fixture("routing_form_submission.created.json");
        let left = left(&body, "ada.booker@example.com");
        assert_eq!(left["payload"].get("questions_and_answers"), None);
        assert!(left["payload"]["uri"].is_string());
    }

    #[test]
    fn a_text_that_names_them_goes_and_a_neighbour_stays() {
        let body = json!({
            "event": "e",
            "ann@x.com": 1,
            "payload": {
                "email": "joann@x.com", "name": "Jo",
                "questions_and_answers": [
                    { "question": "Who?", "answer": "me and Ann@X.com" },
                    { "question": "Else?", "answer": "ann@x.com.au" },
                ],
            },
        });
        let left = left(body.to_string().as_bytes(), "ann@x.com");
        let want = json!({
            "event": "e",
            "payload": {
                "email": "joann@x.com", "name": "Jo",
                "questions_and_answers": [
                    { "question": "Who?", "answer": null },
                    { "question": "Else?", "answer": "ann@x.com.au" },
                ],
            },
        });
        assert_eq!(left, want);
    }

    #[test]
    fn what_is_no_json_can_not_be_taken_apart() {
        for body in ["ann@x.com", "[\"ann@x.com\"]", "{\"a\": \"ann@x.com\""] {
            assert_eq!(without(body.as_bytes(), &ContactKey::of("ann@x.com")), None);
        }
    }

    #[test]
    fn records_of_what_is_left_know_nobody() {
        let left = without(&group(), &ContactKey::of("grace.group@example.org")).unwrap();
        let Ok(Webhook::Booking(booking)) = read(&left, testkit::received_at()) else {
            panic!("can't be read")
        };
        let contacts = booking.facts.contacts();
        assert!(!contacts.contains(&ContactKey::of("grace.group@example.org")));
        assert_eq!(contacts.len(), 4, "guests and hosts");
    }

    #[test]
    fn an_event_whose_texts_are_an_address_loses_these_texts_alone() {
        for name in ["name", "meeting_notes_plain"] {
            let mut body: Value = serde_json::from_slice(&group()).unwrap();
            body["payload"]["scheduled_event"][name] = "ann@x.com".into();
            let left = left(body.to_string().as_bytes(), "ann@x.com");
            body["payload"]["scheduled_event"][name] = Value::Null;
            assert_eq!(left, body);
        }
    }

    #[test]
    fn a_no_show_keeps_who_did_not_come() {
        let uri = "https://api.calendly.com/scheduled_events/e/invitees/i";
        let body = json!({ "event": "e", "payload": {
            "uri": "u", "invitee": uri, "created_by": "ann@x.com", "created_at": "t",
        } });
        let mut want = body.clone();
        want["payload"]["created_by"] = Value::Null;
        assert_eq!(left(body.to_string().as_bytes(), "ann@x.com"), want);

        let body = json!({ "payload": { "invitee": uri, "email": "ann@x.com", "name": "Ann" } });
        let want = json!({ "payload": { "invitee": uri } });
        assert_eq!(left(body.to_string().as_bytes(), "ann@x.com"), want);
    }

    #[test]
    fn an_event_of_which_nobody_tells_the_seats_keeps_nothing_of_who_booked_it() {
        let zeros = json!({ "total": 0, "active": 0, "limit": 0 });
        let counted = json!({ "total": 7, "active": 4 });
        for (counter, goes) in [(Value::Null, true), (zeros, true), (counted, false)] {
            let mut body: Value =
                serde_json::from_slice(&testkit::fixture("invitee.created.json")).unwrap();
            body["payload"]["scheduled_event"]["invitees_counter"] = counter.clone();
            let left = left(body.to_string().as_bytes(), "ada.booker@example.com");
            let meeting = &left["payload"]["scheduled_event"];
            assert_eq!(meeting.get("name").is_none(), goes, "{counter}");
            assert_eq!(meeting.get("location").is_none(), goes, "{counter}");
        }
    }

    #[test]
    fn a_limit_of_one_is_read_as_it_is_elsewhere() {
        for limit in [json!(1), json!("1"), json!(1.0)] {
            let mut body: Value =
                serde_json::from_slice(&testkit::fixture("invitee.created.json")).unwrap();
            body["payload"]["scheduled_event"]["invitees_counter"]["limit"] = limit;
            let left = left(body.to_string().as_bytes(), "ada.booker@example.com");
            assert_eq!(left["payload"]["scheduled_event"].get("name"), None);
        }
    }
}
