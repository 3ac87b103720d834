//! What recorded answers of Calendly have, and other people's clients count on.

use super::support::*;
use reqwest::{Method, StatusCode};
use sandbox::Options;
use serde_json::{Value, json};
use std::time::Duration;

/// The payload of a booking's last webhook, and what the API answers for its event.
async fn booked(desk: &Desk, body: Value) -> (Value, Value) {
    let booked = desk.post("/bookings", body).await;
    let event = desk.get(&path(&booked["eventUri"])).await["resource"].clone();
    let invitee = desk.get(&path(&booked["inviteeUri"])).await["resource"].clone();
    (event, invitee)
}

fn path(uri: &Value) -> String {
    let path = uri
        .as_str()
        .unwrap()
        .strip_prefix("https://api.calendly.com");
    path.unwrap().to_owned()
}

fn ada(more: Value) -> Value {
    let mut body = json!({
        "name": "Ada", "email": "ada@example.com", "startTime": "2030-01-01T10:00:00Z",
    });
    body.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    body
}

fn is_uuid(id: &str) -> bool {
    let parts: Vec<_> = id.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12]
}

#[tokio::test]
async fn a_move_takes_the_guests_along_and_keeps_the_calendars_entry() {
    let desk = start().await;
    let body = ada(json!({"guests": ["guest@example.net"]}));
    let old = desk.post("/bookings", body).await;
    let first = desk.get(&path(&old["eventUri"])).await["resource"].clone();
    let id = old["inviteeId"].as_str().unwrap();
    let moved = json!({"startTime": "2030-01-02T10:00:00Z"});
    let new = desk
        .post(&format!("/bookings/{id}/reschedule"), moved)
        .await;
    let old_event = desk.get(&path(&old["eventUri"])).await["resource"].clone();
    let new_event = desk.get(&path(&new["eventUri"])).await["resource"].clone();
    let new_invitee = desk.get(&path(&new["inviteeUri"])).await["resource"].clone();

    assert_eq!(old_event["event_guests"], json!([]));
    let (before, after) = (&first["event_guests"][0], &new_event["event_guests"][0]);
    assert_eq!(after["email"], "guest@example.net");
    assert_eq!(after["created_at"], before["created_at"]);
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
    assert_eq!(new_event["calendar_event"], old_event["calendar_event"]);
    let order = [
        &old_event["cancellation"]["created_at"],
        &old_event["updated_at"],
        &new_event["created_at"],
        &new_invitee["created_at"],
    ];
    assert!(
        order.is_sorted_by(|a, b| a.as_str() < b.as_str()),
        "{order:?}"
    );
}

#[tokio::test]
async fn a_move_within_a_group_takes_only_ones_own_guests_along() {
    let desk = start().await;
    let book = async |guest: &str, start: &str| {
        let body = json!({
            "eventType": "Weekly Webinar", "startTime": start, "guests": [guest],
        });
        desk.post("/bookings", ada(body)).await
    };
    let one = book("one@example.net", "2030-01-01T10:00:00Z").await;
    book("two@example.net", "2030-01-01T10:00:00Z").await;
    let target = book("three@example.net", "2030-01-08T10:00:00Z").await;
    let id = one["inviteeId"].as_str().unwrap();
    let moved = json!({"startTime": "2030-01-08T10:00:00Z"});
    let new = desk
        .post(&format!("/bookings/{id}/reschedule"), moved)
        .await;
    assert_eq!(
        new["eventId"], target["eventId"],
        "it joins the group that is there"
    );
    let guests = async |uri: &Value| {
        let event = desk.get(&path(uri)).await["resource"].clone();
        let guests = event["event_guests"].as_array().unwrap().iter();
        guests
            .map(|guest| guest["email"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(guests(&one["eventUri"]).await, ["two@example.net"]);
    let both = ["three@example.net", "one@example.net"];
    assert_eq!(guests(&new["eventUri"]).await, both);
}

#[tokio::test]
async fn what_is_made_now_has_uuids_and_hosts_have_buffered_times() {
    let desk = start().await;
    let added = json!({"name": "Ny Account", "email": "ny@example.org"});
    let added = desk.post("/accounts", added).await;
    for uri in ["userUri", "organizationUri", "eventType"] {
        let uri = added[uri].as_str().unwrap();
        assert!(is_uuid(uri.rsplit('/').next().unwrap()), "{uri}");
    }
    let (event, _) = booked(&desk, ada(json!({}))).await;
    let host = &event["event_memberships"][0];
    assert_eq!(host["user_name"], "Dana Host");
    assert_eq!(host["buffered_start_time"], event["start_time"]);
    assert_eq!(host["buffered_end_time"], event["end_time"]);
}

#[tokio::test]
async fn every_kind_of_place_and_none_can_be_booked() {
    let options = Options {
        conference_delay: Duration::from_secs(600),
        ..Options::default()
    };
    let desk = start_with(options).await;
    for (place, kind, status, location) in [
        (
            "google_conference",
            "google_conference",
            Some("processing"),
            None,
        ),
        ("zoom", "zoom", Some("pushed"), None),
        (
            "microsoft_teams_conference",
            "microsoft_teams_conference",
            Some("initiated"),
            None,
        ),
        (
            "webex_conference",
            "webex_conference",
            Some("processing"),
            None,
        ),
        ("gotomeeting", "gotomeeting", Some("pushed"), None),
        ("physical", "physical", None, Some("1 Example Street")),
        (
            "outbound_call",
            "outbound_call",
            None,
            Some("+1 212-555-0142"),
        ),
        (
            "inbound_call",
            "inbound_call",
            None,
            Some("+1 212-555-0143"),
        ),
        (
            "ask_invitee",
            "ask_invitee",
            None,
            Some("The café by the station"),
        ),
        ("custom", "custom", None, Some("By the fountain")),
        ("custom_empty", "custom", None, None),
    ] {
        let (event, _) = booked(&desk, ada(json!({"place": place}))).await;
        let told = &event["location"];
        assert_eq!(told["type"], kind);
        assert_eq!(told["status"].as_str(), status, "{place}");
        assert_eq!(told["location"].as_str(), location, "{place}");
    }
    let (event, _) = booked(&desk, ada(json!({"place": "none", "noCalendar": true}))).await;
    assert_eq!(event["location"], Value::Null);
    assert_eq!(event["calendar_event"], Value::Null);
}

#[tokio::test]
async fn what_is_mostly_null_can_be_filled_and_what_is_mostly_filled_can_be_null() {
    let desk = start().await;
    let payment = json!({
        "external_id": "ch_made_up", "provider": "stripe", "amount": 249.99,
        "currency": "GBP", "terms": null, "successful": true,
    });
    let asked = json!({"created_at": "2029-12-31T10:00:00.000000Z", "confirmed_at": null});
    let (_, filled) = booked(
        &desk,
        ada(json!({
            "firstName": "Ada", "lastName": "Booker", "noTimezone": true, "payment": payment,
            "reconfirmation": asked, "schedulingMethod": "instant_book",
            "scheduledBy": "AAAAHOSTUSER0002",
            "routingFormSubmission": "https://api.calendly.com/routing_form_submissions/x",
        })),
    )
    .await;
    assert_eq!(filled["first_name"], "Ada");
    assert_eq!(filled["last_name"], "Booker");
    assert_eq!(filled["timezone"], Value::Null);
    assert_eq!(filled["payment"], payment);
    assert_eq!(filled["reconfirmation"], asked);
    assert_eq!(filled["scheduling_method"], "instant_book");
    let host = "https://api.calendly.com/users/AAAAHOSTUSER0002";
    assert_eq!(filled["invitee_scheduled_by"], host);

    let (plain, invitee) = booked(&desk, ada(json!({}))).await;
    for field in [
        "first_name",
        "payment",
        "reconfirmation",
        "scheduling_method",
    ] {
        assert_eq!(invitee[field], Value::Null, "{field}");
    }
    let id = plain["uri"].as_str().unwrap().rsplit('/').next().unwrap();
    let change = json!({"name": null, "location": null, "notes": "Bring the plan"});
    let changed = desk
        .control(Method::PATCH, &format!("/events/{id}"), change)
        .await;
    let changed = &changed["resource"];
    assert_eq!(changed["name"], Value::Null);
    assert_eq!(changed["location"], Value::Null);
    assert_eq!(changed["meeting_notes_plain"], "Bring the plan");
    assert_eq!(changed["meeting_notes_html"], "<p>Bring the plan</p>");
    let id = invitee["uri"].as_str().unwrap().rsplit('/').next().unwrap();
    let change = json!({"email": "new@example.com", "payment": payment});
    desk.control(Method::PATCH, &format!("/bookings/{id}"), change)
        .await;
    let invitee = desk.get(&path(&invitee["uri"])).await["resource"].clone();
    assert_eq!(invitee["email"], "new@example.com");
    assert_eq!(invitee["name"], "Ada");
    assert_eq!(invitee["payment"], payment);
}

#[tokio::test]
async fn every_answer_has_the_recorded_headers() {
    let desk = start().await;
    let answer = desk.call(Method::GET, "/users/me", None).await;
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/json; charset=utf-8");
    assert_eq!(header("x-ratelimit-limit"), "500");
    assert_eq!(header("x-ratelimit-reset"), "60");
    assert_eq!(header("x-ratelimit-tier"), "trial");
    assert_eq!(header("x-ratelimit-key"), "AAAAHOSTUSER0001");
    assert_eq!(header("server"), "cloudflare");
    assert!(header("etag").starts_with("W/\""));
    assert!(is_uuid(&header("x-request-id")));
    let again = desk.call(Method::GET, "/users/me", None).await;
    assert_eq!(again.headers()["etag"], header("etag").as_str());
    assert_ne!(
        again.headers()["x-request-id"],
        header("x-request-id").as_str()
    );
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json_with_the_rate_limit() {
    let desk = start().await;
    for (method, path, status, title) in [
        (Method::GET, "/no_such_thing", 404, "Resource Not Found"),
        (
            Method::GET,
            "/routing_forms/unknown",
            404,
            "Resource Not Found",
        ),
        (Method::PUT, "/users/me", 405, "Method Not Allowed"),
    ] {
        let answer = desk.call(method, path, None).await;
        assert_eq!(answer.status(), status, "{path}");
        assert!(answer.headers().contains_key("x-ratelimit-remaining"));
        let error: Value = answer.json().await.unwrap();
        assert_eq!(error["title"], title);
        assert!(error["message"].is_string());
    }
}

#[tokio::test]
async fn forms_are_read_as_json_is() {
    let desk = start().await;
    let post = async |path: &str, form: &[(&str, &str)]| {
        let request = desk.http.post(desk.url(path)).bearer_auth(&desk.token);
        request.form(form).send().await.unwrap()
    };
    let hook = [
        ("url", "https://hooks.example.com/form"),
        ("events[]", "invitee.created"),
        ("events[]", "invitee.canceled"),
        ("organization", ORGANIZATION),
        ("scope", "organization"),
    ];
    let made = post("/webhook_subscriptions", &hook).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.unwrap();
    let events = json!(["invitee.created", "invitee.canceled"]);
    assert_eq!(made["resource"]["events"], events);
    let (event, invitee) = desk.book("Ada", "2030-01-01T10:00:00Z").await;
    let uri = format!("https://api.calendly.com/scheduled_events/{event}/invitees/{invitee}");
    let marked = post("/invitee_no_shows", &[("invitee", &uri)]).await;
    assert_eq!(marked.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn the_link_to_the_next_page_is_encoded_and_leads_there() {
    let desk = start().await;
    desk.post("/bookings/bulk", json!({"count": 3})).await;
    let list = format!("/scheduled_events?organization={ORGANIZATION}&count=2&sort=start_time:asc");
    let page = desk.get(&list).await;
    let next = page["pagination"]["next_page"].as_str().unwrap();
    assert!(next.contains("organization=https%3A%2F%2Fapi.calendly.com%2Forganizations%2F"));
    let rest = desk.get(&path(&json!(next))).await;
    assert_eq!(rest["pagination"]["count"], 1);
}

#[tokio::test]
async fn a_receiver_that_is_gone_ends_its_subscription_at_once() {
    let desk = start_with(in_order()).await;
    let receiver = Receiver::start(&[410]).await;
    desk.subscribe(&receiver.url).await;
    desk.book("Ada", "2030-01-01T10:00:00Z").await;
    desk.settle().await;
    assert_eq!(receiver.received().len(), 1, "it is not tried again");
    let state = desk.control(Method::GET, "/state", json!({})).await;
    assert_eq!(state["subscriptions"], json!([]));
}

#[tokio::test]
async fn an_app_from_before_scopes_is_granted_default_without_an_organization() {
    let options = Options {
        app_scopes: vec!["default".to_owned()],
        ..Options::default()
    };
    let mut desk = start_with(options).await;
    let back = "http://127.0.0.1:9/callback";
    let url = desk.url(&format!(
        "/oauth/authorize?client_id=sandbox-client-id&response_type=code&redirect_uri={back}\
         &scope=users:read&auto=approve"
    ));
    let answer = desk.http.get(url).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap();
    let code = location.split_once("code=").unwrap().1;
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", back),
    ];
    let request = desk.http.post(desk.url("/oauth/token")).form(&fields);
    let request = request.basic_auth("sandbox-client-id", Some("sandbox-client-secret"));
    let token: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(token["scope"], "default");
    assert_eq!(token["owner"], DANA);
    assert!(token.get("organization").is_none());
    desk.token = token["access_token"].as_str().unwrap().to_owned();
    let list = format!("/webhook_subscriptions?scope=organization&organization={ORGANIZATION}");
    assert_eq!(desk.status(Method::GET, &list, None).await, 200);
}

#[tokio::test]
async fn the_content_networks_page_can_stand_in_the_way_of_one_call() {
    let desk = start().await;
    let fault = json!({"route": "GET /scheduled_events", "answer": "cdnPage"});
    desk.post("/faults/calls", fault).await;
    desk.get("/users/me").await;
    let list = format!("/scheduled_events?organization={ORGANIZATION}");
    let refused = desk.call(Method::GET, &list, None).await;
    assert_eq!(refused.status(), 403);
    assert!(refused.headers().get("x-ratelimit-limit").is_none());
    let kind = refused.headers()["content-type"].to_str().unwrap();
    assert!(kind.starts_with("text/html"), "{kind}");
    desk.get(&list).await;
    desk.post("/faults/calls", json!({"answer": "upgradePlan"}))
        .await;
    let refused = desk.call(Method::GET, &list, None).await;
    let error: Value = refused.json().await.unwrap();
    assert_eq!(
        error["message"],
        "Please upgrade to a paid Calendly account."
    );
}
