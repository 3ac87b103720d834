//! Webhook subscriptions.

use super::support::*;
use reqwest::Method;
use serde_json::{Value, json};

const HOOK: &str = "https://hooks.example.com/calendly";
const LIST: &str = "/webhook_subscriptions?scope=organization&organization=\
                    https://api.calendly.com/organizations/AAAAORG000000001";

#[tokio::test]
async fn a_url_is_subscribed_once_and_again_after_it_was_deleted() {
    let desk = start().await;
    let made = desk.subscribe(HOOK).await;
    assert_eq!(made.status(), 201);
    let made: Value = made.json().await.unwrap();
    let made = &made["resource"];
    assert_eq!(made["callback_url"], HOOK);
    assert_eq!(made["state"], "active");
    assert_eq!(made["retry_started_at"], Value::Null);
    assert_eq!(made["creator"], DANA);
    assert!(!made.to_string().contains(KEY));

    let again = desk.subscribe(HOOK).await;
    assert_eq!(again.status(), 409);
    let again: Value = again.json().await.unwrap();
    assert_eq!(
        again,
        json!({"title": "Already Exists", "message": "Hook with this url already exists"})
    );

    let listed = desk.get(LIST).await;
    assert_eq!(listed["collection"], json!([made]));
    let path = made["uri"].as_str().unwrap();
    let path = path.strip_prefix("https://api.calendly.com").unwrap();
    assert_eq!(desk.get(path).await["resource"], *made);
    assert_eq!(desk.status(Method::DELETE, path, None).await, 204);
    assert_eq!(desk.status(Method::GET, path, None).await, 404);
    assert_eq!(desk.subscribe(HOOK).await.status(), 201);
}

#[tokio::test]
async fn events_must_exist_fit_the_scope_and_be_permitted() {
    let desk = start().await;
    let body = |events: Value, scope: &str, url: &str| {
        Some(json!({
            "url": url, "events": events, "organization": ORGANIZATION,
            "user": DANA, "scope": scope,
        }))
    };
    for (events, scope, url, status) in [
        (json!(["invitee.created"]), "user", HOOK, 201),
        (
            json!(["routing_form_submission.created"]),
            "user",
            "https://a.example.com/",
            400,
        ),
        (
            json!(["meeting_recap.created"]),
            "organization",
            "https://b.example.com/",
            400,
        ),
        (
            json!(["invitee.rescheduled"]),
            "organization",
            "https://c.example.com/",
            400,
        ),
        (json!([]), "organization", "https://d.example.com/", 400),
        (
            json!(["invitee.created"]),
            "organization",
            "http://e.example.com/",
            400,
        ),
        (json!(["invitee.created"]), "organization", "not a url", 400),
    ] {
        let body = body(events, scope, url);
        let got = desk
            .status(Method::POST, "/webhook_subscriptions", body.clone())
            .await;
        assert_eq!(got, status, "{body:?}");
    }
    // The user's subscription is not in the organization's list.
    assert_eq!(desk.get(LIST).await["pagination"]["count"], 0);
    let users = format!("{LIST}&user={DANA}").replace("scope=organization", "scope=user");
    assert_eq!(desk.get(&users).await["pagination"]["count"], 1);
    assert_eq!(
        desk.status(Method::GET, "/webhook_subscriptions", None)
            .await,
        400
    );
}

#[tokio::test]
async fn one_that_is_switched_off_says_so_and_is_not_told() {
    let desk = start().await;
    let receiver = Receiver::start(&[]).await;
    desk.subscribe(&receiver.url).await;
    let id = desk.control(Method::GET, "/state", json!({})).await["subscriptions"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    desk.post(&format!("/subscriptions/{id}/disable"), json!({}))
        .await;
    assert_eq!(desk.get(LIST).await["collection"][0]["state"], "disabled");
    desk.book("Ada", "2030-01-01T10:00:00Z").await;
    desk.settle().await;
    assert!(receiver.received().is_empty());
    // Somebody else's, with a key that nobody here knows, at the same URL.
    let foreign = json!({
        "url": receiver.url, "events": ["invitee.created"], "signingKey": "theirs",
        "creator": "AAAAHOSTUSER0002",
    });
    desk.post("/subscriptions", foreign).await;
    assert_eq!(desk.get(LIST).await["pagination"]["count"], 2);
}
