//! Somebody is erased: nothing that is stored or logged tells of them any more, and nothing brings
//! it back; what is known of others stays.

mod person;

use person::{Person, Told, erase, others, told};
use serde_json::{Value, json};
use stack_tests::{Account, Desk, Samples, Sandbox, Stack, assert_has};

/// What is known of others must be as it was.
async fn assert_others_stay(stack: &Stack, samples: &Samples) {
    let first = stack.event(&samples.event(1)).await;
    assert_has(
        &first,
        &json!({
            "guests": [{ "email": "guest.one@example.net" }],
            "hosts": [{ "name": "Dana Host", "email": "dana.host@example.com" }],
            "status": "active",
            "startTime": "2025-12-01T15:00:00Z",
            "invitees": [{
                "status": "active", "noShow": true, "erased": true,
                "name": null, "email": null, "answers": [], "textReminderNumber": null,
                "cancelUrl": null, "rescheduleUrl": null, "tracking": null,
            }],
        }),
    );
    let hers = stack.event(&samples.event(5)).await;
    assert_has(
        &hers,
        &json!({
            "name": "Weekly Webinar",
            "guests": [{ "email": "g2@example.net" }],
            "invitees": [{ "name": "Grace Group", "email": "grace.group@example.org", "erased": false }],
        }),
    );
    let group = stack.event(&samples.event(6)).await;
    let invitees = group["invitees"].as_array().unwrap();
    assert_eq!(invitees.len(), 2, "{group:#}");
    let names: Vec<_> = invitees.iter().map(|it| it["name"].as_str()).collect();
    assert!(
        names.contains(&Some("Grace Group")) && names.contains(&None),
        "{names:?}"
    );
    assert_eq!(group["guests"].as_array().unwrap().len(), 2, "{group:#}");
    // That bookings took place, were moved and canceled stays known.
    let moved = stack.event(&samples.event(3)).await;
    assert_has(
        &moved["invitees"][0],
        &json!({ "status": "rescheduled", "rescheduledTo": samples.invitee_uri(4) }),
    );
    let canceled = stack.event(&samples.event(8)).await;
    assert_has(
        &canceled["invitees"][0],
        &json!({ "status": "canceled", "email": null }),
    );
}

/// No answer tells of them; the lists of their events are empty.
async fn assert_not_shown(stack: &Stack, person: &Person, samples: &Samples) {
    let lists = [
        format!("{}/activity", person.path()),
        format!("/v1/events?inviteeEmail={}", person.email()),
    ];
    for path in lists {
        let page = stack.get(&path).await.ok();
        assert_eq!(page["events"], json!([]), "{path}");
    }
    for number in [1, 3, 4, 5, 6, 8] {
        let event = format!("/v1/events/{}", samples.event(number));
        for path in [event.clone(), format!("{event}/history")] {
            let answer = stack.get(&path).await.ok().to_string().to_lowercase();
            assert!(!answer.contains(&person.token), "{path}: {answer}");
        }
    }
}

/// The account's bookings at the sandbox: one that was told, and one of which no webhook came.
async fn booked_at_calendly(desk: &mut Desk<'_>, sandbox: &Sandbox, person: &Person) {
    let booking = |start: &str| {
        json!({
            "name": person.text("Erin Erased"),
            "email": person.email(),
            "eventType": "30 Minute Consultation",
            "startTime": start,
            "host": desk.account.id,
            "phone": person.text("+1 212"),
            "answers": [{ "question": "What about?", "answer": person.text("Plan") }],
            "tracking": { "utm_source": person.text("source") },
        })
    };
    let start = |days: i64| {
        let start = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
        start.to_string()
    };
    let (told, missed) = (booking(&start(20)), booking(&start(21)));
    desk.book_with(&told).await;
    desk.applied().await;
    let drop_all = json!({ "drop": 1.0 });
    sandbox
        .with_faults(&drop_all, async || {
            desk.book_with(&missed).await;
            sandbox.settle().await;
        })
        .await;
}

async fn synced(stack: &Stack, account: &Account) {
    stack.sync(account).await;
    stack.sync(account).await;
}

/// What came before can't be applied again, and what Calendly sends again is not kept.
async fn told_again(stack: &Stack, told: &Told, ids: &[String]) {
    for id in ids {
        let path = format!("/v1/deliveries/{id}");
        let replay = stack
            .post_json(&format!("{path}/replay"), &Value::Null)
            .await;
        replay.problem(410, "DELIVERY_ERASED");
        let shown = stack.get(&format!("{path}?body=true")).await.ok();
        assert_eq!(shown["body"], Value::Null, "{shown}");
        assert!(shown["erasedAt"].is_string(), "{shown}");
    }
    // Calendly sends it all again: as it was, and in other bytes.
    for body in told.bookings.iter().chain(&told.set_aside) {
        let again = stack.post(body.clone()).send().await.ok();
        assert_eq!(again["duplicate"], true, "{again}");
    }
    for body in &told.bookings {
        let id = stack.accepted(format!("{body}\n")).await;
        assert!(!ids.contains(&id));
        stack
            .until(&id, "settled", |it| it["status"] != "received")
            .await;
    }
}

#[tokio::test]
async fn nothing_stays_of_somebody_who_was_erased_and_nothing_comes_back() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Dora Desk").await;
    let mut desk = Desk::connected(&stack, &sandbox, account).await;
    stack.until_first_sync(&desk.account).await;
    let (person, samples) = (Person::fresh(), Samples::fresh());

    let told = told(&person, &samples);
    let mut ids = Vec::new();
    for body in &told.bookings {
        ids.push(stack.applied(body.clone()).await);
    }
    for body in &told.set_aside {
        ids.push(stack.accepted(body.clone()).await);
    }
    let hers = stack.applied(others(&samples)).await;
    booked_at_calendly(&mut desk, &sandbox, &person).await;

    // The search finds all that there is.
    let before = person.traces(&stack).await.join("\n").to_lowercase();
    for part in [
        "first",
        "last",
        "answer",
        "campaign",
        "notes",
        "size",
        "term",
        "later",
        "ill",
        "plan",
        "source",
        "cancel_url",
        "reschedule_url",
        "+1 212",
        "erin erased",
        "erin",
    ] {
        assert!(before.contains(&person.text(part)), "{part} is not stored");
    }

    let all = json!({ "email": person.email() });
    let path = "/v1/erasures?dryRun=true";
    let would = stack.post_json(path, &all).await.ok();
    let report = person.erase(&stack).await;
    for kind in ["invitees", "events", "submissions", "deliveries"] {
        assert_eq!(would[kind], report[kind], "{kind}");
    }
    assert_has(
        &report,
        // The event where they were a guest, and every body that named them; one booking and one
        // body are the sandbox's.
        &json!({ "invitees": 6, "events": 1, "submissions": 1, "deliveries": ids.len() + 1 }),
    );
    person.assert_gone(&stack, "erased").await;
    assert_others_stay(&stack, &samples).await;
    assert_not_shown(&stack, &person, &samples).await;
    let kept = stack.get(&format!("/v1/deliveries/{hers}?body=true")).await;
    assert!(kept.ok()["body"].as_str().unwrap().contains("Grace"));

    told_again(&stack, &told, &ids).await;
    person.assert_gone(&stack, "told again").await;
    // Calendly itself still knows them.
    synced(&stack, &desk.account).await;
    person.assert_gone(&stack, "synced").await;
    assert_others_stay(&stack, &samples).await;
    for id in &desk.events {
        let event = stack.event(id).await;
        assert_has(
            &event["invitees"][0],
            &json!({ "erased": true, "email": null }),
        );
    }

    let again = person.erase(&stack).await;
    let nothing = json!({ "invitees": 0, "events": 0, "submissions": 0, "deliveries": 0 });
    assert_has(&again, &nothing);

    // Who comes back is new.
    let now = jiff::Timestamp::now().to_string();
    let new = person.told(&samples, "invitee.created", |json| {
        let payload = &mut json["payload"];
        payload["uri"] = format!("{}/invitees/{}", samples.event_uri(9), samples.invitee(9)).into();
        payload["event"] = samples.event_uri(9).into();
        payload["scheduled_event"]["uri"] = samples.event_uri(9).into();
    });
    let new = new.replace("2025-11-20T09:15:01.123456Z", &now);
    let new = new.replace("2025-11-20T09:15:01.101010Z", &now);
    stack.applied(new).await;
    let event = stack.event(&samples.event(9)).await;
    assert_eq!(event["invitees"][0]["erased"], false);
    assert_eq!(event["invitees"][0]["email"], person.email().to_uppercase());
    let page = stack.get(&format!("{}/activity", person.path())).await.ok();
    assert_eq!(page["events"].as_array().unwrap().len(), 1, "{page:#}");
    assert_others_stay(&stack, &samples).await;
    let report = person.erase(&stack).await;
    assert_has(&report, &json!({ "invitees": 1, "deliveries": 1 }));
    person.assert_gone(&stack, "erased once more").await;
}

#[tokio::test]
async fn only_an_address_names_a_person() {
    let stack = Stack::from_env().await;
    for odd in [
        "erin",
        "%40",
        "a%20b%40c",
        "a%40",
        "%40c",
        "a%40b%40c",
        "%00%40c",
    ] {
        for path in [
            format!("/v1/contacts/{odd}"),
            format!("/v1/contacts/{odd}/activity"),
        ] {
            let answer = if path.ends_with("activity") {
                stack.get(&path).await
            } else {
                erase(&stack, &path).await
            };
            answer.problem(404, "NOT_FOUND");
        }
    }
    // One of whom nothing is known is erased, too: late webhooks may tell of them.
    let report = Person::fresh().erase(&stack).await;
    assert_has(
        &report,
        &json!({ "invitees": 0, "events": 0, "submissions": 0 }),
    );
    let path = format!("{}?really=true", Person::fresh().path());
    erase(&stack, &path).await.problem(400, "INVALID_PARAMETER");
    // In a body, any address can be named, and nothing else.
    let named = async |email: &str| {
        let path = "/v1/erasures?dryRun=true";
        stack.post_json(path, &json!({ "email": email })).await
    };
    for address in ["\"a b\"@c.example", "a/b@c.example", "a@b@c.example"] {
        assert_has(
            &named(address).await.ok(),
            &json!({ "complete": true, "dryRun": true, "erasedAt": null, "invitees": 0 }),
        );
    }
    for odd in ["erin", "a b@c.example", "@c.example", ""] {
        named(odd).await.problem(400, "INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn a_change_of_others_that_was_not_applied_yet_is_not_lost_with_the_body() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    // A host is named in the webhooks of everybody who books them.
    let host = format!("host-{}@example.com", samples.event(1));
    let body = |name: &str| {
        let body = samples.body(name).replace("dana.host@example.com", &host);
        assert!(body.contains(&host), "{name} names its host");
        body
    };
    stack.applied(body("invitee.created")).await;
    let canceled = stack
        .with_worker_stopped(async || {
            let answer = stack.post(body("invitee.canceled")).send().await.ok();
            let id = answer["deliveryId"].as_str().unwrap().to_owned();
            assert_eq!(stack.delivery(&id).await["status"], "received");
            let path = format!("/v1/contacts/{host}");
            let headers = [("x-api-key", stack.api_key.as_str())];
            let report = stack
                .call(reqwest::Method::DELETE, &path, &headers, None)
                .await;
            assert_has(&report.ok(), &json!({ "complete": true, "deliveries": 2 }));
            id
        })
        .await;
    let event = stack.event(&samples.event(1)).await;
    assert_has(
        &event,
        &json!({
            "status": "canceled",
            "hosts": [{ "name": null, "email": null }],
            "invitees": [{ "status": "canceled", "erased": false }],
        }),
    );
    let delivery = stack.delivery(&canceled).await;
    assert_eq!(delivery["status"], "processed");
    assert!(delivery["erasedAt"].is_string(), "{delivery}");
}
