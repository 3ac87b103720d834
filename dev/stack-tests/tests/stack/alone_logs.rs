//! No personal data, link or secret in any log line of the whole run. Runs last.

mod connecting;

use serde_json::Value;
use stack_tests::{Function, Samples, Stack, assert_has};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// Fields of the samples whose texts are somebody's own.
const PERSONAL: [&str; 21] = [
    "additional_info",
    "amount",
    "answer",
    "cancel_url",
    "canceled_by",
    "email",
    "external_id",
    "first_name",
    "join_url",
    "last_name",
    "location",
    "name",
    "number",
    "password",
    "question",
    "reason",
    "reschedule_url",
    "text_reminder_number",
    "user_email",
    "user_name",
    "utm_campaign",
];

/// Parts of the samples' links that no id is in, and of what is signed.
const LINKS: [&str; 8] = [
    "/cancellations/",
    "/reschedulings/",
    "/google_meet",
    "calendly.com/events/",
    "meet.google.com",
    "zoom.us",
    "fakepwd",
    "v1=",
];

fn collect(json: &Value, found: &mut BTreeSet<String>) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let (Value::String(text), true) = (value, PERSONAL.contains(&name.as_str())) {
                    // A line of the log can't hold several of the text's.
                    found.extend(text.lines().map(str::to_owned));
                }
                collect(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// What must not be in any line: as it is, and as JSON writes it.
fn forbidden(stack: &Stack, connecting: BTreeSet<String>) -> BTreeSet<String> {
    let mut found = connecting;
    for name in Samples::names() {
        let body = testkit_body(&name);
        collect(&body, &mut found);
    }
    // Shorter ones, and such digits as "11-50", may be a part of any id.
    let is_in_ids = |c: char| c.is_ascii_hexdigit() || c == '-';
    found.retain(|text| {
        text.chars().count() > 3 && !(text.len() < 12 && text.chars().all(is_in_ids))
    });
    found.extend(LINKS.map(str::to_owned));
    found.insert(stack.signing_key.clone());
    found.insert(stack.api_key.clone());
    found.extend([METHOD, EVENT].map(str::to_owned));
    found.insert(Ipv4Addr::from(ADDRESS).to_string());
    let quoted = found
        .iter()
        .map(|text| Value::from(text.as_str()).to_string());
    let quoted: Vec<_> = quoted
        .map(|text| text.trim_matches('"').to_owned())
        .collect();
    found.extend(quoted);
    found
}

fn testkit_body(name: &str) -> Value {
    serde_json::from_slice(&testkit::fixture(&format!("{name}.json"))).unwrap()
}

/// A method and an event that nobody knows: a sender can write anything there.
const METHOD: &str = "LOLALOGGED";
const EVENT: &str = "lola.logged-in";

/// Where all requests of this test come from.
const ADDRESS: [u8; 4] = [127, 0, 0, 3];

/// File and text of every line that holds one of `texts`, and which.
fn lines_with(stack: &Stack, texts: &BTreeSet<String>) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&stack.log_dir).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for line in String::from_utf8_lossy(&bytes).lines() {
            let held = texts.iter().filter(|text| line.contains(text.as_str()));
            found.extend(held.map(|text| format!("{text:?} in {name}: {line}")));
        }
    }
    found
}

#[tokio::test]
async fn nothing_personal_and_no_secret_is_logged() {
    let stack = Stack::from_address(ADDRESS).await;
    let mut tracking_ids = BTreeSet::new();
    let connecting = stack
        .with_every_log_line(async || {
            everything_happens(&stack, &mut tracking_ids).await;
            connecting::everything_happens(&stack, &mut tracking_ids).await
        })
        .await;

    // The search finds what is there …
    for id in &tracking_ids {
        let lines = lines_with(&stack, &BTreeSet::from([id.clone()]));
        assert!(!lines.is_empty(), "no line has the tracking id {id}");
    }
    for function in ["webhook", "worker", "api", "oauth"] {
        assert!(
            stack.log_lines(function).len() > 5,
            "{function} hardly logged anything"
        );
    }
    // … and nothing that must not be.
    let forbidden = forbidden(&stack, connecting);
    assert!(forbidden.len() > 50, "{forbidden:?}");
    for known in [
        "ada.booker@example.com",
        "+1 212-555-0142",
        "Dana Host",
        "søren+日本@exämple.test",
        "Lola Logged",
    ] {
        assert!(forbidden.contains(known), "{known}");
    }
    let leaks = lines_with(&stack, &forbidden);
    assert!(
        leaks.is_empty(),
        "{} lines:\n{}",
        leaks.len(),
        leaks.join("\n")
    );
}

/// Every sample, well and badly; the tracking ids of what was answered.
async fn everything_happens(stack: &Stack, tracking_ids: &mut BTreeSet<String>) {
    let samples = Samples::fresh();
    let mut ids = Vec::new();
    for name in Samples::names() {
        let body = samples.edited(&name, |json| json["extra"] = samples.event(1).into());
        let refused = [
            stack.post(body.clone()).signatures(&[]),
            stack.post(body.clone()).key(&stack.api_key),
            stack.post(body.clone()).seconds_from_now(-999),
            stack.post(body.clone()).content_type(Some("text/plain")),
        ];
        for post in refused {
            let answer = post.send().await;
            assert!(answer.status >= 400);
            tracking_ids.extend(answer.tracking_id);
        }
        let torn = body[..body.len() - 3].to_owned();
        for body in [body, torn] {
            let answer = stack.post(body).send().await;
            tracking_ids.extend(answer.tracking_id.clone());
            ids.push(answer.ok()["deliveryId"].as_str().unwrap().to_owned());
        }
    }
    let body = serde_json::json!({"event": EVENT, "payload": {}, "nonce": samples.event(2)});
    let answer = stack.post(body.to_string()).send().await;
    tracking_ids.extend(answer.tracking_id);
    for path in ["/v1/events", "/v1/auth/callback", "/v1/webhooks/calendly"] {
        let method = METHOD.parse().unwrap();
        let answer = stack.call(method, path, &[], None).await;
        tracking_ids.extend(answer.tracking_id);
    }
    refused_too_often(stack, tracking_ids).await;
    for id in &ids {
        stack
            .until(id, "settled", |delivery| delivery["status"] != "received")
            .await;
    }

    // What fails, is given up, redriven, replayed and shown.
    let fault = [
        ("BOOKINGS_TABLE", "no-such-table"),
        ("RETRY_SCHEDULE", "0,0,0,0,0"),
    ];
    let failing = Samples::fresh();
    let dead = stack
        .with_environment(Function::Worker, &fault, async || {
            let id = stack
                .accepted(failing.body("invitee.created.unicode"))
                .await;
            stack
                .until(&id, "dead", |d| d["status"] == "dead" && d["attempts"] == 6)
                .await;
            id
        })
        .await;
    assert_has(
        &stack
            .redrive(serde_json::json!({ "deliveryId": dead }))
            .await,
        &serde_json::json!({ "redriven": 1 }),
    );
    stack.until_status(&dead, "processed").await;
    stack.replay(&dead).await;
    let again = |d: &Value| d["status"] == "processed" && d["attempts"] == 8;
    stack.until(&dead, "processed again", again).await;
    for path in [
        "/v1/events?limit=100".to_owned(),
        format!("/v1/events/{}", failing.event(7)),
        "/v1/dead-letters".to_owned(),
        "/v1/events?from=ada.booker@example.com".to_owned(),
        "/v1/events/ada.booker@example.com".to_owned(),
    ] {
        let answer = stack.get(&path).await;
        tracking_ids.extend(answer.tracking_id);
    }
    stack
        .send_to_queue("{\"email\": \"ada.booker@example.com\"}")
        .await;
    // What was queued after it is done.
    stack
        .applied(Samples::fresh().body("invitee.created"))
        .await;
}

async fn refused_too_often(stack: &Stack, tracking_ids: &mut BTreeSet<String>) {
    for _ in 0..=100 {
        let answer = stack.post("{}").signatures(&[]).send().await;
        tracking_ids.extend(answer.tracking_id);
        if answer.status == 429 {
            return;
        }
    }
    panic!("refused 101 times, and never told to wait");
}
