//! Bodies as they come in the wild: `fixtures/odd`.

use super::{booking, has, shown};
use serde_json::{Value, json};
use testkit::fixture;

mod standing;
mod times;

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
        let answers = shown(std::slice::from_ref(&body))[0]["invitees"][0]["answers"].take();
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
    for name in names {
        is_clear(name);
    }
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
            body["payload"]["payment"]["amount"] = given.into();
        });
        assert_eq!(
            shown(std::slice::from_ref(&body))[0]["invitees"][0]["payment"]["amount"],
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
            body["payload"]["payment"] = list.clone();
        });
        assert_eq!(
            shown(std::slice::from_ref(&body))[0]["invitees"][0]["payment"]["externalId"],
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
    let events = shown(std::slice::from_ref(&body));
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
fn an_empty_place_says_nothing_and_null_that_there_is_none() {
    let place = json!({"type": "custom", "location": "The coffee shop"});
    let first = with("empty-cancellation", |body| {
        body["payload"]["scheduled_event"]["location"] = place.clone();
    });
    for (later, kept) in [
        (json!({}), true),
        (json!({"type": null, "location": ""}), true),
        (json!([]), true),
        (Value::Null, false),
        (json!(" "), false),
    ] {
        let second = with("empty-cancellation", |body| {
            let sent = json!("2027-02-03T12:00:00Z");
            body["created_at"] = sent.clone();
            let event = &mut body["payload"]["scheduled_event"];
            event["updated_at"] = sent;
            event["location"] = later.clone();
        });
        let want = if kept { place.clone() } else { Value::Null };
        for order in [[&first, &second], [&second, &first]] {
            let found = shown(&order.map(Clone::clone))[0]["location"].take();
            assert_eq!(found, want, "{later}");
        }
        assert_eq!(warnings(&second), [""; 0]);
    }
}

#[test]
fn an_invitee_without_its_event_belongs_to_the_one_beside_it() {
    for short in [
        json!("https://api.calendly.com/invitees/f01i"),
        json!("f01i"),
        json!({"uuid": "f01i"}),
    ] {
        let body = with("empty-cancellation", |body| {
            body["payload"]["uri"] = short.clone();
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
