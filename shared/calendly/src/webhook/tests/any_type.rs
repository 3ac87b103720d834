//! A value of any type in the place of any field loses no other field, and never passes silently.

mod fields;

use super::booking;
use crate::webhook::json::{flag, is_blank, number, time, word};
use booking::{EventView, InviteeRecord, InviteeView, Records, reduce};
use fields::{FIELDS, FORM_FIELDS};
use proptest::prelude::*;
use serde_json::{Value, json};

/// A body with everything in it.
fn full(canceled: bool) -> Value {
    let name = if canceled {
        "invitee.canceled.json"
    } else {
        "invitee.created.json"
    };
    let mut body: Value = serde_json::from_slice(&testkit::fixture(name)).unwrap();
    body["created_at"] = json!("2026-12-02T00:00:00Z");
    let payload = &mut body["payload"];
    payload["payment"] = json!({"external_id": "ch_1", "id": "ch_1", "provider": "stripe", "amount": 12.5,
        "currency": "EUR", "terms": "none", "successful": true});
    payload["reconfirmation"] =
        json!({"created_at": "2026-11-20T09:15:02Z", "confirmed_at": "2026-11-20T10:00:00Z"});
    payload["no_show"] = json!({"uri": "https://api.calendly.com/invitee_no_shows/n", "created_at": "2026-12-01T16:00:00Z"});
    payload["questions_and_answers"] = json!([
        {"question": "Company", "answer": "Engines", "position": 0},
        {"question": "Seats", "answer": "4", "position": 1},
    ]);
    payload["tracking"] = json!({"utm_campaign": "a", "utm_source": "b", "salesforce_uuid": "c"});
    payload["scheduling_method"] = json!("instant_book");
    payload["invitee_scheduled_by"] = json!("https://api.calendly.com/users/U");
    payload["routing_form_submission"] =
        json!("https://api.calendly.com/routing_form_submissions/f");
    payload["first_name"] = json!("Ada");
    payload["last_name"] = json!("Booker");
    payload["text_reminder_number"] = json!("+1 212-555-0142");
    if !canceled {
        payload["old_invitee"] =
            json!("https://api.calendly.com/scheduled_events/old/invitees/old");
    }
    let event = &mut payload["scheduled_event"];
    event["event_guests"] = json!([{"email": "guest.one@example.net"}]);
    event["meeting_notes_plain"] = json!("bring tea");
    event["invitees_counter"] = json!({"total": 3, "active": 2, "limit": 20});
    body
}

fn form() -> Value {
    let name = "routing_form_submission.created.json";
    let mut body: Value = serde_json::from_slice(&testkit::fixture(name)).unwrap();
    body["created_at"] = json!("2026-12-02T00:00:00Z");
    body["payload"]["tracking"] = json!({"utm_source": "ad", "utm_term": "tea"});
    body
}

/// All that is shown of a body, and what is kept beside it; with its warnings.
fn shown(body: &Value) -> (Value, Vec<String>) {
    let booking = booking(body.to_string().as_bytes());
    let main = booking.invitee.clone();
    let records = reduce(&Records::default(), &booking.facts).records;
    let mut shown = json!({ "sent": {
        "createdAt": booking.created_at, "connection": booking.connection,
    }});
    if let Some(form) = &records.submission {
        let invitee = main
            .as_ref()
            .and_then(|uri| records.invitees.get(uri))
            .cloned();
        let uri = "https://api.calendly.com/scheduled_events/x/invitees/x".to_owned();
        let mut invitee = invitee.unwrap_or_else(|| InviteeRecord::about(uri.try_into().unwrap()));
        invitee.submission = Some(form.uri.clone());
        shown["form"] =
            json!(InviteeView::of(&invitee, Some(form)))["routingFormSubmission"].take();
        shown["sent"]["submitter"] = json!(form.submitter);
        shown["sent"]["updatedAt"] = json!(form.updated_at);
    } else {
        let invitee = &records.invitees[&main.unwrap()];
        shown["invitee"] = json!(InviteeView::of(invitee, None));
        shown["event"] = json!(EventView::<InviteeView>::of(
            &records.events[&invitee.uri.event()],
            vec![]
        ));
        shown["sent"]["mark"] = json!(invitee.no_show);
        shown["sent"]["moved"] = json!([invitee.moved_from, invitee.moved_to]);
    }
    (shown, booking.warnings)
}

/// `payload.questions_and_answers[0].answer`
fn path(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer[1..].split('/') {
        match part.parse::<usize>() {
            Ok(number) => path.extend(["[", &number.to_string(), "]"]),
            Err(_) if path.is_empty() => path.push_str(part),
            Err(_) => path.extend([".", part]),
        }
    }
    path
}

fn leaves(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::Object(fields) => fields.values().flat_map(leaves).collect(),
        leaf if is_blank(leaf) => vec![],
        leaf => vec![leaf],
    }
}

/// What of `value` has to be told where `documented` should stand: of an object that has documented
/// fields these, since others are passed over as those of tomorrow, and all of any other.
fn to_be_told<'a>(value: &'a Value, documented: &Value) -> Vec<&'a Value> {
    match (value, documented) {
        (Value::Object(fields), Value::Object(known)) => {
            let both = fields
                .iter()
                .filter_map(|(name, value)| Some((value, known.get(name)?)));
            let both: Vec<_> = both.collect();
            if both.is_empty() {
                return leaves(value);
            }
            both.into_iter()
                .flat_map(|(value, known)| to_be_told(value, known))
                .collect()
        }
        (Value::Array(items), Value::Array(known)) => items
            .iter()
            .flat_map(|item| to_be_told(item, known.first().unwrap_or(&Value::Null)))
            .collect(),
        (Value::Array(items), Value::Object(_)) => items
            .iter()
            .flat_map(|item| to_be_told(item, documented))
            .collect(),
        (Value::Object(_), Value::Array(known)) => {
            to_be_told(value, known.first().unwrap_or(&Value::Null))
        }
        // An object that stands for a thing is known by its name.
        (Value::Object(fields), Value::String(_) | Value::Null) if is_thing(documented) => {
            let mut names = ["uri", "id"].iter().filter_map(|name| fields.get(*name));
            names
                .find(|name| !is_blank(name))
                .map_or_else(|| leaves(value), leaves)
        }
        _ => leaves(value),
    }
}

fn is_thing(documented: &Value) -> bool {
    documented
        .as_str()
        .is_none_or(|text| text.starts_with("https://api."))
}

/// Whether `leaf` can be found in what is shown, in whichever form it is shown.
fn is_shown(leaf: &Value, places: &[Value]) -> bool {
    let forms = [
        word(leaf).map(|word| word.trim().to_owned()),
        flag(leaf).map(|flag| flag.to_string()),
        number(leaf).map(|number| number.to_string()),
        time(leaf).map(|time| time.at.to_string()),
        // Of some things only the id is shown.
        word(leaf).and_then(|uri| Some(uri.split_once("://")?.1.rsplit_once('/')?.1.to_owned())),
    ];
    let forms: Vec<String> = forms.into_iter().flatten().collect();
    let shown: Vec<String> = places.iter().flat_map(leaves).filter_map(word).collect();
    forms
        .iter()
        .any(|form| shown.iter().any(|text| text.contains(form.as_str())))
}

/// Where two values differ.
fn differing(place: &str, one: &Value, other: &Value) -> Vec<String> {
    match (one, other) {
        (Value::Object(fields), Value::Object(others)) => fields
            .keys()
            .chain(others.keys())
            .flat_map(|name| differing(&format!("{place}/{name}"), &one[name], &other[name]))
            .collect(),
        _ if one == other => vec![],
        _ => vec![format!("{place}: {one} to {other}")],
    }
}

fn check(
    base: &Value,
    (field, places): (&str, &[&str]),
    value: &Value,
) -> Result<(), TestCaseError> {
    let mut body = base.clone();
    *body.pointer_mut(field).unwrap() = value.clone();
    let (before, told) = shown(base);
    prop_assert!(told.is_empty(), "{told:?}");
    let (after, warnings) = shown(&body);
    let without = |shown: &Value| {
        let mut rest = shown.clone();
        for place in places {
            if let Some(value) = rest.pointer_mut(place) {
                *value = Value::Null;
            }
        }
        rest
    };
    let (mut before, mut after_rest) = (without(&before), without(&after));
    // Another name makes it another event, of which nothing is read.
    let renamed = field == "/payload/scheduled_event/uri"
        && (warnings.iter()).any(|warning| warning.contains("is another event"));
    if field == "/payload/scheduled_event" || renamed {
        before["event"] = Value::Null;
        after_rest["event"] = Value::Null;
    }
    let lost = differing("", &before, &after_rest);
    prop_assert!(lost.is_empty(), "{field} = {value} changes {lost:?}");
    let warned = warnings
        .iter()
        .any(|warning| warning.contains(&format!("`{}", path(field))));
    let places: Vec<Value> = places
        .iter()
        .filter_map(|place| after.pointer(place).cloned())
        .collect();
    let documented = base.pointer(field).unwrap();
    let lost = to_be_told(value, documented)
        .into_iter()
        .find(|leaf| !is_shown(leaf, &places));
    prop_assert!(
        warned || lost.is_none(),
        "{field} = {value}: {lost:?} of it is lost in {places:?}; {warnings:?}"
    );
    Ok(())
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1000_i32..1000).prop_map(Value::from),
        (-4000_i32..4000).prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        prop_oneof![Just(1_e300), Just(0.0), Just(2.5), Just(1_804_672_800.0)]
            .prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        proptest::sample::select(vec![
            "",
            " ",
            "true",
            "false",
            "active",
            "canceled",
            "Cancelled",
            "12",
            "49.00",
            "-1",
            "1e5",
            "2026-11-10 10:00:00 UTC",
            "2026-11-10T10:00:00",
            "2026-11-10",
            "1794304800",
            "https://api.calendly.com/users/U",
            "https://api.calendly.com/scheduled_events/e/invitees/i",
            "https://api.calendly.com/invitees/i",
            "a@example.com",
            "host",
            "null",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let names = proptest::sample::select(vec![
            "a",
            "uri",
            "id",
            "email",
            "answer",
            "created_at",
            "successful",
            "é",
        ]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((names, inner), 0..4).prop_map(|fields| fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_type_in_any_field_loses_another_or_passes_silently(
        field in proptest::sample::select(FIELDS), value in any_json(), canceled in any::<bool>(),
    ) {
        let base = full(canceled);
        // Not every body has every field.
        if base.pointer(field.0).is_some() {
            check(&base, field, &value)?;
        }
    }

    #[test]
    fn no_type_in_any_field_of_a_form_loses_another_or_passes_silently(
        field in proptest::sample::select(FORM_FIELDS), value in any_json(),
    ) {
        check(&form(), field, &value)?;
    }

    #[test]
    fn nothing_at_all_is_read_only_halfway(event in any_json(), payload in any_json(), rest in any_json()) {
        let bodies = [
            json!({"event": event, "created_at": rest, "created_by": rest, "payload": payload}),
            json!({"event": "invitee.created", "payload": payload, "created_at": rest}),
            json!({"event": "invitee_no_show.deleted", "payload": {"invitee": payload, "uri": rest}}),
            payload,
        ];
        for body in bodies {
            // It is read, or it says why not; it never stops the process.
            let _ = crate::webhook::read(body.to_string().as_bytes(), super::received_at());
        }
    }
}

#[test]
fn every_field_of_the_table_is_in_one_of_the_bodies() {
    for (field, _) in FIELDS {
        let found = [full(false), full(true)]
            .iter()
            .any(|body| body.pointer(field).is_some());
        assert!(found, "{field}");
    }
    for (field, _) in FORM_FIELDS {
        assert!(form().pointer(field).is_some(), "{field}");
    }
}

#[test]
fn what_names_a_body_is_named_where_it_is_missing() {
    for (field, name) in [
        ("/event", "the body has no `event`"),
        ("/payload", "`payload"),
        ("/payload/uri", "`payload.uri`"),
    ] {
        for value in [
            json!(null),
            json!(7.5),
            json!([]),
            json!({}),
            json!(true),
            json!({"uri": 7.5}),
        ] {
            for mut body in [full(false), form()] {
                *body.pointer_mut(field).unwrap() = value.clone();
                let wrong = super::read(body.to_string().as_bytes())
                    .map(|_| ())
                    .unwrap_err();
                assert!(
                    wrong.to_string().contains(name),
                    "{field} = {value}: {wrong}"
                );
            }
        }
    }
}
