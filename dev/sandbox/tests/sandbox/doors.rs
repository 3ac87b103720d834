//! What a web page of another site can send to a sandbox does nothing, and its own page works.

use crate::support::{Desk, start};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::json;

/// A booking by the controls, as a page may send it without asking the browser's leave.
async fn book(desk: &Desk, path: &str, headers: &[(&str, &str)]) -> StatusCode {
    let start = desk.sandbox.world().now() + SignedDuration::from_hours(1);
    let booking = json!({ "name": "Eve", "email": "eve@example.com", "startTime": start });
    let mut request = desk
        .http
        .post(desk.url(path))
        .header("content-type", "text/plain")
        .body(booking.to_string());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status()
}

fn port(desk: &Desk) -> &str {
    desk.sandbox.base_url().rsplit(':').next().unwrap()
}

#[tokio::test]
async fn another_page_can_not_use_the_controls() {
    let desk = start().await;
    let own = desk.sandbox.base_url();
    for page in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        // Another port of this machine is another site's, too.
        ("origin", "http://127.0.0.1:1"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let status = book(&desk, "/_sandbox/bookings", &[page]).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{page:?}");
    }
    // Nor by another spelling of the path, which leads nowhere.
    let evil = [("origin", "https://evil.example")];
    for path in [
        "/%5Fsandbox/bookings",
        "//_sandbox/bookings",
        "/x/../%5fsandbox/bookings",
    ] {
        let status = book(&desk, path, &evil).await;
        assert!(status.is_client_error(), "{path}: {status}");
    }
    assert_eq!(desk.sandbox.world().events().len(), 0);

    let own_page = [("origin", own), ("sec-fetch-site", "same-origin")];
    let status = book(&desk, "/_sandbox/bookings", &own_page).await;
    assert!(status.is_success(), "{status}");
    assert_eq!(desk.sandbox.world().events().len(), 1);
}

#[tokio::test]
async fn a_name_that_was_pointed_here_is_refused_everywhere() {
    let desk = start().await;
    let port = port(&desk);
    let foreign = ["evil.example", "127.0.0.1.evil.example", "bucket.localhost"];
    for path in ["/", "/_sandbox/state", "/oauth/authorize", "/users/me"] {
        for name in foreign {
            let host = format!("{name}:{port}");
            let answer = desk.http.get(desk.url(path)).header("host", host);
            assert_eq!(answer.send().await.unwrap().status(), 403, "{name}{path}");
        }
        let here = desk
            .http
            .get(desk.url(path))
            .header("host", format!("localhost:{port}"));
        assert_ne!(here.send().await.unwrap().status(), 403, "{path}");
    }
}

#[tokio::test]
async fn browsers_are_sent_here_from_the_stack_to_give_their_leave() {
    let desk = start().await;
    let answer = desk
        .http
        .request(Method::GET, desk.url("/oauth/authorize"))
        .header("sec-fetch-site", "same-site");
    assert_ne!(answer.send().await.unwrap().status(), 403);
}
