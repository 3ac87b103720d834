//! What happens at Calendly is stored as it is there: every field of every booking.

use reqwest::Method;
use serde_json::{Value, json};
use stack_tests::{Desk, Sandbox, Stack, eventually};

#[tokio::test]
async fn one_to_one_meetings() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Dora Desk").await;
    let mut desk = Desk::connected(&stack, &sandbox, account).await;
    let start = |day: u8| format!("2041-03-{day:02}T10:00:00Z");

    let host = desk.account.id.clone();
    let mut full = json!({
        "name": "Søren 日本 O'Booker",
        "email": "søren@exämple.test",
        "eventType": "Product Demo",
        "startTime": start(1),
        "host": host,
        "guests": ["guest.one@example.com", "guest.two@example.com"],
        "timezone": "America/New_York",
        "phone": "+1 212-555-0142",
        "answers": [
            { "question": "What is it about?", "answer": "A \"demo\",\nin two lines" },
            { "question": "Company", "answer": "Exämple & Co" },
        ],
        "tracking": { "utm_source": "newsletter", "utm_campaign": "spring", "salesforce_uuid": "x-1" },
    });
    let moved = desk.book_with(&full).await;
    let canceled = desk.book("Cara Cancels", "Phone Call", &start(2)).await;
    let by_host = desk.book("Hal Hosted", "Office Visit", &start(3)).await;
    let absent = desk.book("Ned Noshow", "Product Demo", &start(4)).await;
    let back = desk.book("Bea Back", "Office Visit", &start(5)).await;
    full["startTime"] = start(6).into();
    desk.book_with(&full).await;
    desk.assert_stored().await;

    // A chain of three, moved by both sides.
    let change = json!({ "startTime": start(11), "reason": "Need a later slot" });
    let moved = desk.reschedule(&moved, &change).await;
    let change = json!({ "startTime": start(12), "by": "host" });
    let moved = desk.reschedule(&moved, &change).await;
    let change = json!({ "startTime": start(13), "reason": "" });
    let moved = desk.reschedule(&moved, &change).await;
    desk.cancel(&canceled, &json!({})).await;
    let change = json!({ "by": "host", "reason": "The host is ill" });
    desk.cancel(&by_host, &change).await;
    desk.no_show(&absent, true).await;
    desk.no_show(&back, true).await;
    desk.assert_stored().await;

    // What was moved is canceled in the end; a mark is taken back, and one set again.
    desk.cancel(&moved, &json!({ "reason": "After all" })).await;
    desk.no_show(&back, false).await;
    desk.no_show(&absent, false).await;
    desk.no_show(&absent, true).await;
    desk.assert_stored().await;
    assert_eq!(desk.events.len(), 9);
    desk.assert_listed("2041-03-01T00:00:00Z", "2041-04-01T00:00:00Z")
        .await;
}

#[tokio::test]
async fn group_events_of_an_organization() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    // The one with a colleague: a group event has both of them as hosts.
    let account = sandbox.first_account().await;
    let mut desk = Desk::connected(&stack, &sandbox, account).await;
    let (first, second) = ("2042-05-01T16:00:00Z", "2042-05-08T16:00:00Z");
    let mut invitees = Vec::new();
    for (name, start) in [
        ("Ada Joins", first),
        ("Ben Joins", first),
        ("Cleo Joins", first),
        ("Dan Joins", second),
    ] {
        let booking = json!({
            "name": name,
            "email": "group@example.com",
            "startTime": start,
            "eventType": "Weekly Webinar",
            "timezone": "Asia/Tokyo",
            "guests": [format!("guest.of.{}@example.com", &name[..3])],
        });
        invitees.push(desk.book_with(&booking).await);
    }
    assert_eq!(desk.events.len(), 2, "who joins has the same event");
    desk.assert_stored().await;

    // From one full group into the other, out of it, and marked within it.
    let change = json!({ "startTime": second, "reason": "Next week" });
    let moved = desk.reschedule(&invitees[0], &change).await;
    desk.cancel(&invitees[1], &json!({ "reason": "Ill" })).await;
    desk.no_show(&invitees[2], true).await;
    assert_eq!(desk.events.len(), 2);
    desk.assert_stored().await;

    // The last one leaves, and the event with them; somebody else books that slot anew.
    desk.cancel(&invitees[2], &json!({ "by": "host" })).await;
    desk.no_show(&moved, true).await;
    desk.book_with(&json!({
        "name": "Eve Again", "email": "eve@example.com",
        "startTime": first, "eventType": "Weekly Webinar",
    }))
    .await;
    assert_eq!(desk.events.len(), 3);
    // A colleague's own meeting belongs to the organization, too.
    desk.book_with(&json!({
        "name": "Fay Visits", "email": "fay@example.com",
        "startTime": "2042-05-02T09:00:00Z", "eventType": "Office Visit",
    }))
    .await;
    desk.assert_stored().await;
    desk.assert_listed("2042-05-01T00:00:00Z", "2042-06-01T00:00:00Z")
        .await;
}

#[tokio::test]
async fn a_conference_link_comes_with_the_next_webhook() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Connie Conference").await;
    let mut desk = Desk::connected(&stack, &sandbox, account).await;
    let kind = "30 Minute Consultation";
    let invitee = desk.book("Mia Meets", kind, "2043-06-01T10:00:00Z").await;
    desk.applied().await;
    let id = desk.events.first().unwrap().clone();
    assert_eq!(stack.event(&id).await["location"]["status"], "processing");
    eventually("the link is made", async || {
        let state = sandbox.control(Method::GET, "/state", &Value::Null).await;
        let events = state["events"].as_array().unwrap();
        let is_it = |event: &&Value| event["uri"].as_str().unwrap().ends_with(&id);
        let location = events.iter().find(is_it).unwrap()["location"].clone();
        if location["status"] == "pushed" {
            Ok(())
        } else {
            Err(location)
        }
    })
    .await;
    desk.no_show(&invitee, true).await;
    desk.assert_stored().await;
}
