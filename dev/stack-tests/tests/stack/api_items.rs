//! Single things: there, not there, and ids that can't be any.

use serde_json::{Value, json};
use stack_tests::{Desk, Samples, Sandbox, Stack, assert_has};
use std::collections::BTreeSet;

/// Ids that name nothing, and don't harm anything either.
const ODD: [&str; 9] = [
    "...",
    "a%20b",
    "a%2Fb",
    "%00",
    "%F0%9F%98%80",
    "'%20OR%201=1",
    "event%23x",
    "*",
    "%25",
];

fn too_long() -> String {
    "a".repeat(101)
}

#[tokio::test]
async fn an_event_and_its_invitee() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    stack.applied(samples.body("invitee.created")).await;
    let (event, invitee) = (samples.event(1), samples.invitee(1));

    let shown = stack.event(&event).await;
    assert_eq!(shown["uri"], samples.event_uri(1));
    let path = format!("/v1/events/{event}/invitees/{invitee}");
    let alone = stack.get(&path).await.ok();
    assert_eq!(alone, shown["invitees"][0]);
    assert_has(
        &alone,
        &json!({ "id": invitee, "uri": samples.invitee_uri(1), "email": "ada.booker@example.com" }),
    );
    for path in [
        format!("/v1/events/{event}/history"),
        format!("{path}/history"),
    ] {
        let history = stack.get(&path).await.ok();
        assert_eq!(history["history"][0]["transition"], "scheduled", "{path}");
        assert_eq!(history["history"][0]["inviteeId"], invitee, "{path}");
        assert_eq!(history["deliveries"].as_array().unwrap().len(), 1, "{path}");
        assert_eq!(history["deliveries"][0]["event"], "invitee.created");
    }

    let other = Samples::fresh();
    stack.applied(other.body("invitee.created")).await;
    let mut unknown = vec![
        format!("/v1/events/{event}/invitees/{}", samples.invitee(2)),
        // Each is there, but not together.
        format!("/v1/events/{event}/invitees/{}", other.invitee(1)),
        format!("/v1/events/{}/invitees/{invitee}", other.event(1)),
        format!("/v1/events/{}/invitees/{invitee}", samples.event(2)),
        format!("/v1/events/{}", samples.event(2)),
        format!("/v1/events/{invitee}"),
    ];
    for odd in ODD.into_iter().chain([too_long().as_str()]) {
        unknown.push(format!("/v1/events/{odd}"));
        unknown.push(format!("/v1/events/{odd}/invitees/{invitee}"));
        unknown.push(format!("/v1/events/{event}/invitees/{odd}"));
    }
    for path in unknown {
        for more in ["", "/history"] {
            let answer = stack.get(&format!("{path}{more}")).await;
            answer.problem(404, "NOT_FOUND");
        }
    }
    for path in [
        format!("/v1/events/{event}?x=1"),
        format!("/v1/events/{event}/history?limit=5"),
        format!("/v1/events/{event}/invitees/{invitee}?body=true"),
        format!("/v1/events/{event}/invitees/{invitee}/history?cursor=a"),
    ] {
        stack.get(&path).await.problem(400, "INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn a_delivery_with_its_body_and_without() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = samples.body("invitee.created.unicode");
    let id = stack.applied(body.clone()).await;
    let path = format!("/v1/deliveries/{id}");

    let plain = stack.get(&path).await.ok();
    assert_has(
        &plain,
        &json!({
            "id": id,
            "provider": "calendly",
            "event": "invitee.created",
            "status": "processed",
            "attempts": 1,
            "lastError": null,
            "nextAttemptAt": null,
            "eventUri": samples.event_uri(7),
            "inviteeUri": samples.invitee_uri(7),
        }),
    );
    assert_eq!(plain.get("body"), None);
    assert_eq!(stack.get(&format!("{path}?body=false")).await.ok(), plain);

    let mut with_body = stack.get(&format!("{path}?body=true")).await.ok();
    let shown = with_body.as_object_mut().unwrap().remove("body").unwrap();
    assert_eq!(shown, body, "byte for byte");
    assert_eq!(with_body, plain);

    // What is no text is given in another form.
    let torn = [body.as_bytes(), &[0xff, 0xfe]].concat();
    let answer = stack.post(torn).send().await.ok();
    let torn_id = answer["deliveryId"].as_str().unwrap();
    let path_of_torn = format!("/v1/deliveries/{torn_id}?body=true");
    let torn = stack.get(&path_of_torn).await.ok();
    assert_eq!(torn["status"], "unprocessable");
    assert!(
        torn["bodyBase64"].as_str().unwrap().ends_with("//4="),
        "{torn}"
    );

    let upper = id.to_uppercase();
    let unknown = format!("{0}{0}", uuid::Uuid::new_v4().simple());
    let part = id[..63].to_owned();
    let mut none = vec![upper, unknown, part, format!("{id}0"), format!("{id}%231")];
    none.extend(ODD.map(str::to_owned));
    for id in none {
        for more in ["", "?body=true"] {
            let answer = stack.get(&format!("/v1/deliveries/{id}{more}")).await;
            answer.problem(404, "NOT_FOUND");
        }
        let answer = stack
            .post_json(&format!("/v1/deliveries/{id}/replay"), &Value::Null)
            .await;
        answer.problem(404, "NOT_FOUND");
    }
    for bad in [
        "body=yes",
        "body=",
        "body=1",
        "body=true&body=true",
        "Body=true",
    ] {
        let answer = stack.get(&format!("{path}?{bad}")).await;
        answer.problem(400, "INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn a_sync() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Sid Sync").await;
    let desk = Desk::connected(&stack, &sandbox, account).await;
    let sync = stack.sync(&desk.account).await;
    let again = stack
        .get(&format!("/v1/sync/{}", sync["syncId"].as_str().unwrap()))
        .await
        .ok();
    assert_eq!(again, sync);

    for id in ODD.into_iter().chain([
        "7c1f4a70-2f7b-4a0e-9a51-5d3c3b1a6e56",
        "7C1F4A70-2F7B-4A0E-9A51-5D3C3B1A6E56",
        "1",
        &desk.account.id,
    ]) {
        let answer = stack.get(&format!("/v1/sync/{id}")).await;
        answer.problem(404, "NOT_FOUND");
    }
    for body in [
        json!({ "connection": "nobody" }),
        json!({ "connection": "../x" }),
        json!({ "connection": 1 }),
        json!({ "from": "yesterday" }),
        json!({ "from": "2027-02-01T00:00:00Z", "to": "2027-01-01T00:00:00Z" }),
        json!({ "from": "2027-02-01T00:00:00Z", "to": "2027-02-01T00:00:00Z" }),
        json!({ "conection": desk.account.id }),
        json!([]),
        json!("all"),
    ] {
        let answer = stack.post_json("/v1/sync", &body).await;
        answer.problem(400, "INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn connections_and_their_subscriptions() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let mut ours = BTreeSet::new();
    for name in ["Lena List", "Lars List", "Lotte List"] {
        let account = sandbox.account(name).await;
        stack.connect(&sandbox, &account).await;
        let one = format!("/v1/webhook-subscriptions?connection={}", account.id);
        let page = stack.get(&one).await.ok();
        assert_eq!(page["nextCursor"], Value::Null);
        assert_eq!(page["errors"], json!([]));
        let [subscription] = &page["subscriptions"].as_array().unwrap()[..] else {
            panic!("{page:#}");
        };
        assert_has(
            subscription,
            &json!({ "connection": account.id, "state": "active", "inUse": true }),
        );
        ours.insert(account.id);
    }
    // Others connect meanwhile: ours are there once each, whatever the size of the pages.
    for limit in [1, 2, 100] {
        let path = format!("/v1/connections?limit={limit}");
        let all = stack.pages(&path, "connections", limit).await.concat();
        let ids: Vec<&str> = all.iter().map(|it| it["id"].as_str().unwrap()).collect();
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len(), "one comes twice");
        for id in &ours {
            assert!(ids.contains(&id.as_str()), "{id} by {limit}");
        }
    }
}
