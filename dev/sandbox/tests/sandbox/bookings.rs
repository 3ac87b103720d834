//! Group events, quiet changes, and what a sandbox shows of itself.

use super::support::*;
use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};
use std::time::Duration;

async fn join(desk: &Desk, name: &str) -> Value {
    let body = json!({
        "name": name, "email": format!("{name}@example.com"),
        "startTime": "2030-01-01T18:00:00Z", "eventType": "Weekly Webinar",
        "guests": ["guest@example.net"],
    });
    desk.post("/bookings", body).await
}

#[tokio::test]
async fn invitees_of_a_group_event_come_and_go_one_by_one() {
    let desk = start().await;
    let ada = join(&desk, "ada").await;
    let bo = join(&desk, "bo").await;
    assert_eq!(ada["eventUri"], bo["eventUri"]);
    let path = format!("/scheduled_events/{}", ada["eventId"].as_str().unwrap());
    let cancel = async |who: &Value| {
        let id = who["inviteeId"].as_str().unwrap();
        desk.post(&format!("/bookings/{id}/cancel"), json!({}))
            .await;
        desk.get(&path).await["resource"].clone()
    };
    let event = cancel(&ada).await;
    assert_eq!(event["status"], "active");
    assert_eq!(
        event["invitees_counter"],
        json!({"total": 2, "active": 1, "limit": 20})
    );
    assert_eq!(event["event_memberships"].as_array().unwrap().len(), 2);
    assert_eq!(event["event_guests"][0]["email"], "guest@example.net");
    assert_eq!(cancel(&bo).await["status"], "canceled");
    // The canceled one is not joined again.
    assert_ne!(join(&desk, "cy").await["eventUri"], ada["eventUri"]);
}

#[tokio::test]
async fn a_quiet_change_tells_nobody() {
    let desk = start().await;
    let receiver = Receiver::start(&[]).await;
    desk.subscribe(&receiver.url).await;
    let (event, _) = desk.book("Ada", "2030-01-01T10:00:00Z").await;
    let path = format!("/scheduled_events/{event}");
    let before = desk.get(&path).await["resource"].clone();
    let change = json!({
        "startTime": "2030-01-01T11:00:00Z", "location": "2 Example Street",
        "host": "AAAAHOSTUSER0002",
    });
    desk.control(Method::PATCH, &format!("/events/{event}"), change)
        .await;
    let after = desk.get(&path).await["resource"].clone();
    assert_eq!(after["start_time"], "2030-01-01T11:00:00.000000Z");
    assert_eq!(after["end_time"], "2030-01-01T11:30:00.000000Z");
    assert_eq!(
        after["location"],
        json!({"type": "physical", "location": "2 Example Street"})
    );
    assert_eq!(after["event_memberships"][0]["user_name"], "Sam Cohost");
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    desk.control(Method::DELETE, &format!("/events/{event}"), json!({}))
        .await;
    assert_eq!(desk.status(Method::GET, &path, None).await, 404);
    desk.settle().await;
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_conference_link_is_ready_a_little_later() {
    let options = Options {
        conference_delay: Duration::from_secs(600),
        ..Options::default()
    };
    let desk = start_with(options).await;
    let (event, _) = desk.book("Ada", "2030-01-01T10:00:00Z").await;
    let path = format!("/scheduled_events/{event}");
    let event = async || desk.get(&path).await["resource"].clone();
    let first = event().await;
    assert_eq!(first["location"]["status"], "processing");
    let later = json!({"aheadMs": 600_000});
    desk.control(Method::PUT, "/clock", later).await;
    let ready = event().await;
    assert_eq!(ready["location"]["status"], "pushed");
    // The link stays one of Calendly's own, as recorded.
    assert_eq!(ready["location"]["join_url"], first["location"]["join_url"]);
    assert!(ready["updated_at"].as_str() > first["updated_at"].as_str());
}

#[tokio::test]
async fn ten_thousand_bookings_are_made_and_listed() {
    let desk = start().await;
    let made = desk.post("/bookings/bulk", json!({"count": 10_000})).await;
    assert_eq!(made["count"], 10_000);
    let path = format!("/scheduled_events?organization={ORGANIZATION}&count=100");
    let page = desk.get(&path).await;
    assert_eq!(page["pagination"]["count"], 100);
    let state = desk.control(Method::GET, "/state?limit=2", json!({})).await;
    assert_eq!(state["eventCount"], 10_000);
    assert_eq!(state["events"].as_array().unwrap().len(), 2);
    assert_eq!(state["events"][0]["invitees"][0]["name"], "Booker 9999");
}

#[tokio::test]
async fn the_state_holds_everything_and_the_page_is_there() {
    let desk = start().await;
    desk.book("Ada", "2030-01-01T10:00:00Z").await;
    let state = desk.control(Method::GET, "/state", json!({})).await;
    assert_eq!(state["users"].as_array().unwrap().len(), 3);
    assert_eq!(state["tokens"][0]["accessToken"], desk.token.as_str());
    let added = json!({"name": "Ny Account", "email": "ny@example.org"});
    let added = desk.post("/accounts", added).await;
    let body = json!({
        "name": "Bo", "email": "bo@example.com", "startTime": "2030-01-01T10:00:00Z",
        "eventType": added["eventType"],
    });
    let booked = desk.post("/bookings", body).await;
    // It belongs to another organization.
    let id = booked["eventId"].as_str().unwrap();
    let path = format!("/scheduled_events/{id}");
    assert_eq!(desk.status(Method::GET, &path, None).await, 403);
    for (path, kind) in [
        ("/", "text/html"),
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
    ] {
        let response = desk.http.get(desk.url(path)).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let got = response.headers()["content-type"].to_str().unwrap();
        assert!(got.starts_with(kind), "{path}: {got}");
    }
    desk.sandbox.shutdown().await;
}
