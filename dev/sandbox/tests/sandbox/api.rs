//! Lists, pages, filters, permissions and the rate limit.

use super::support::*;
use reqwest::Method;
use sandbox::Options;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Every event's URI, page by page.
async fn walk(desk: &Desk, query: &str) -> (Vec<String>, usize) {
    let (mut uris, mut pages, mut token) = (Vec::new(), 0, String::new());
    loop {
        let path = format!("/scheduled_events?organization={ORGANIZATION}{query}{token}");
        let page = desk.get(&path).await;
        let rows = page["collection"].as_array().unwrap();
        assert_eq!(page["pagination"]["count"], rows.len());
        let uri = |row: &Value| row["uri"].as_str().unwrap().to_owned();
        uris.extend(rows.iter().map(uri));
        pages += 1;
        match page["pagination"]["next_page_token"].as_str() {
            Some(next) => token = format!("&page_token={next}"),
            None => return (uris, pages),
        }
    }
}

#[tokio::test]
async fn every_one_of_250_events_is_on_one_page() {
    let desk = start().await;
    desk.post("/bookings/bulk", json!({"count": 250})).await;
    for (query, want) in [("&count=100", 3), ("&count=50", 5), ("", 13)] {
        let (uris, pages) = walk(&desk, query).await;
        assert_eq!(pages, want);
        assert_eq!(uris.len(), 250);
        assert_eq!(uris.iter().collect::<BTreeSet<_>>().len(), 250);
    }
    let (up, _) = walk(&desk, "&count=100&sort=start_time:asc").await;
    let (mut down, _) = walk(&desk, "&count=100&sort=start_time:desc").await;
    down.reverse();
    assert_eq!(up, down);
    // Nobody was told of them.
    let sent = desk.control(Method::GET, "/deliveries", json!({})).await;
    assert_eq!(sent["total"], 0);
}

#[tokio::test]
async fn lists_are_filtered_by_time_state_person_and_host() {
    let desk = start().await;
    for day in 1..=4 {
        desk.book(&format!("N{day}"), &format!("2030-01-0{day}T10:00:00Z"))
            .await;
    }
    let other = json!({
        "name": "Bo", "email": "bo@example.com", "startTime": "2030-01-05T10:00:00Z",
        "eventType": "Office Visit",
    });
    let other = desk.post("/bookings", other).await;
    let id = other["inviteeId"].as_str().unwrap();
    desk.post(&format!("/bookings/{id}/cancel"), json!({}))
        .await;
    for (query, want) in [
        ("", 5),
        ("&min_start_time=2030-01-02T10:00:00.000000Z", 4),
        ("&max_start_time=2030-01-02T10:00:00.000000Z", 2),
        ("&status=active", 4),
        ("&status=canceled", 1),
        ("&invitee_email=bo@example.com", 1),
        ("&user=https://api.calendly.com/users/AAAAHOSTUSER0002", 1),
        (&format!("&user={DANA}"), 4),
    ] {
        assert_eq!(walk(&desk, query).await.0.len(), want, "{query}");
    }
    let event = other["eventId"].as_str().unwrap();
    let one = desk.get(&format!("/scheduled_events/{event}")).await;
    assert_eq!(one["resource"]["cancellation"]["canceler_type"], "invitee");
    assert_eq!(one["resource"]["calendar_event"]["kind"], "google");
    let path = format!("/scheduled_events/{event}/invitees");
    let invitees = desk.get(&path).await;
    assert_eq!(invitees["collection"][0]["email"], "bo@example.com");
    assert!(invitees["collection"][0].get("scheduled_event").is_none());
    let one = desk.get(&format!("{path}/{id}")).await;
    assert_eq!(one["resource"], invitees["collection"][0]);
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_said() {
    let mut desk = start().await;
    let list = "/scheduled_events";
    for (path, status) in [
        (list.to_owned(), 400),
        (format!("{list}?organization={ORGANIZATION}&count=101"), 400),
        (format!("{list}?organization={ORGANIZATION}&count=0"), 400),
        (
            format!("{list}?organization={ORGANIZATION}&status=open"),
            400,
        ),
        (
            format!("{list}?organization={ORGANIZATION}&min_start_time=soon"),
            400,
        ),
        (
            format!("{list}?organization={ORGANIZATION}&page_token=x"),
            400,
        ),
        (
            format!("{list}?organization=https://api.calendly.com/organizations/OTHER"),
            403,
        ),
        (format!("{list}/nothing"), 404),
        ("/users/AAAAHOSTUSER0003".to_owned(), 403),
    ] {
        assert_eq!(
            desk.status(Method::GET, &path, None).await,
            status,
            "{path}"
        );
    }
    // A page token goes with the parameters that it was given for.
    desk.post("/bookings/bulk", json!({"count": 3})).await;
    let path = format!("{list}?organization={ORGANIZATION}&count=1");
    let page = desk.get(&path).await;
    let token = page["pagination"]["next_page_token"].as_str().unwrap();
    let path = format!("{list}?organization={ORGANIZATION}&count=2&page_token={token}");
    assert_eq!(desk.status(Method::GET, &path, None).await, 400);

    desk.token = "guess".to_owned();
    assert_eq!(desk.status(Method::GET, "/users/me", None).await, 401);
}

#[tokio::test]
async fn over_the_limit_is_429_until_the_window_ends() {
    let options = Options {
        rate_limit: 3,
        rate_window: Duration::from_millis(3_599_500),
        ..Options::default()
    };
    let desk = start_with(options).await;
    for left in ["2", "1", "0"] {
        let response = desk.call(Method::GET, "/users/me", None).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-ratelimit-limit"], "3");
        assert_eq!(response.headers()["x-ratelimit-remaining"], left);
    }
    let refused = desk.call(Method::GET, "/users/me", None).await;
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-ratelimit-remaining"], "0");
    let reset = refused.headers()["x-ratelimit-reset"].to_str().unwrap();
    assert_eq!(reset, "3600");
    assert!(refused.headers().get("retry-after").is_none());
    let over = json!({"windowSeconds": 0});
    desk.control(Method::PUT, "/limits", over).await;
    desk.get("/users/me").await;
    desk.control(Method::PUT, "/limits", json!({"perWindow": 1000}))
        .await;
    let response = desk.call(Method::GET, "/users/me", None).await;
    assert_eq!(response.headers()["x-ratelimit-limit"], "1000");
}

#[tokio::test]
async fn an_event_is_canceled_once_and_no_shows_are_marked_and_cleared() {
    let desk = start().await;
    let (event, invitee) = desk.book("Ada", "2030-01-01T10:00:00Z").await;
    let uri = format!("https://api.calendly.com/scheduled_events/{event}/invitees/{invitee}");
    let body = || Some(json!({"invitee": uri}));
    let marked = desk.call(Method::POST, "/invitee_no_shows", body()).await;
    assert_eq!(marked.status(), 201);
    let marked: Value = marked.json().await.unwrap();
    assert_eq!(marked["resource"]["invitee"], uri);
    let again = desk.status(Method::POST, "/invitee_no_shows", body()).await;
    assert_eq!(again, 400);
    let mark = marked["resource"]["uri"].as_str().unwrap();
    let path = mark.strip_prefix("https://api.calendly.com").unwrap();
    assert_eq!(desk.status(Method::DELETE, path, None).await, 204);
    assert_eq!(desk.status(Method::DELETE, path, None).await, 404);

    let path = format!("/scheduled_events/{event}/cancellation");
    let reason = || Some(json!({"reason": "Host ill"}));
    let canceled = desk.call(Method::POST, &path, reason()).await;
    assert_eq!(canceled.status(), 201);
    let canceled: Value = canceled.json().await.unwrap();
    assert_eq!(canceled["resource"]["canceler_type"], "host");
    assert_eq!(canceled["resource"]["canceled_by"], "Dana Host");
    let again = desk.call(Method::POST, &path, reason()).await;
    assert_eq!(again.status(), 403);
    let again: Value = again.json().await.unwrap();
    assert_eq!(again["message"], "Event is already canceled");

    let (past, _) = desk.book("Old", "2020-01-01T10:00:00Z").await;
    let path = format!("/scheduled_events/{past}/cancellation");
    let refused = desk.call(Method::POST, &path, None).await;
    let refused: Value = refused.json().await.unwrap();
    assert_eq!(refused["message"], "Event in the past");
}
