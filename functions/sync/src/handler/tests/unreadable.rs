//! What can't be read is told, and takes nothing else with it.

use super::*;

fn is_invitees_of(url: &reqwest::Url, event: &str) -> bool {
    url.path().ends_with(&format!("{event}/invitees"))
}

impl Stage {
    pub(super) async fn bulk(&self, count: usize) {
        let bulk = json!({"count": count, "webhooks": false});
        self.control("POST", "bookings/bulk", bulk).await;
    }
}

#[tokio::test]
async fn one_event_that_may_not_be_seen_any_more_stops_nothing_else() {
    let stage = Stage::new().await;
    // In another organization: this account gets 403.
    let start = ambient::now() + SignedDuration::from_hours(24);
    let body = json!({"name": "R", "email": "r@example.com", "startTime": start,
        "eventType": "Phone Call"});
    let made = stage.control("POST", "bookings", body).await;
    let (event, invitee) = (&made["eventId"], &made["inviteeId"]);
    let (event, invitee) = (event.as_str().unwrap(), invitee.as_str().unwrap());
    stage.told_of(event, invitee, start).await;
    stage.bulk(150).await;
    stage.book(24 * 60).await;
    for _ in 0..2 {
        stage.sync(LONG).await;
        let sync = stage.told().await;
        assert_eq!((sync.state, sync.synced_count), ("done", 151));
        assert_eq!(sync.errors.len(), sync.error_count);
        assert!(
            sync.errors[0].error.contains(event) && sync.errors[0].error.contains("did not permit")
        );
        stage.clock.minutes(15);
    }
    let stored = stage.stored().await;
    assert_eq!(stored.len(), 152);
    assert_eq!(stored[event]["status"], "active");
}

#[tokio::test]
async fn an_invitee_that_cannot_be_read_takes_neither_its_event_nor_the_others_with_it() {
    let stage = Stage::new().await;
    let start = ambient::now() + SignedDuration::from_hours(24);
    for person in ["one", "two", "three"] {
        let body = json!({"name": person, "email": format!("{person}@example.com"),
            "startTime": start, "eventType": "Weekly Webinar"});
        stage.control("POST", "bookings", body).await;
    }
    stage.wire.edit(|url, answer| {
        if url.path().ends_with("/invitees") {
            answer["collection"][1]["uri"] = json!(null);
        }
    });
    stage.sync(LONG).await;
    let sync = stage.told().await;
    assert_eq!((sync.state, sync.error_count), ("done", 1));
    let stored = stage.stored().await;
    let (id, event) = stored.first_key_value().unwrap();
    assert!(sync.errors[0].error.contains(id), "{:?}", sync.errors);
    assert_eq!(event["invitees"].as_array().unwrap().len(), 2);

    stage.wire.straighten();
    stage.sync(LONG).await;
    assert_eq!(
        stage.stored().await[id]["invitees"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn invitees_that_are_refused_cost_their_own_event_only() {
    for (status, title) in [
        (404, "Resource Not Found"),
        (403, "Permission Denied"),
        (400, "Invalid Argument"),
    ] {
        let stage = Stage::new().await;
        let (event, _) = stage.book(24).await;
        stage.bulk(20).await;
        let refused = event.clone();
        stage
            .wire
            .instead(move |url| is_invitees_of(url, &refused).then(|| refusal(status, title)));
        stage.sync(LONG).await;
        let sync = stage.told().await;
        assert_eq!(
            (sync.state, sync.error_count),
            ("done", 1),
            "{:?}",
            sync.errors
        );
        assert!(sync.errors[0].error.contains(&event), "{:?}", sync.errors);
        assert_eq!(stage.stored().await.len(), 21);

        stage.wire.straighten();
        stage.sync(LONG).await;
        assert_eq!(stage.told().await.error_count, 0);
        assert_eq!(
            stage.stored().await[&event]["invitees"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn a_second_page_of_invitees_that_is_refused_keeps_the_first() {
    let stage = Stage::new().await;
    let (event, _) = stage.book(24).await;
    let paged = event.clone();
    stage.wire.edit(move |url, answer| {
        if is_invitees_of(url, &paged) && answer["pagination"].is_object() {
            answer["pagination"]["next_page_token"] = json!("stale");
        }
    });
    stage.sync(LONG).await;
    let sync = stage.told().await;
    assert_eq!(
        (sync.state, sync.error_count),
        ("done", 1),
        "{:?}",
        sync.errors
    );
    assert_eq!(
        stage.stored().await[&event]["invitees"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

/// What a list may name as its next page, in place of the true token, while there is one.
#[tokio::test]
async fn a_list_whose_pages_lead_nowhere_is_read_to_its_end_all_the_same() {
    type Wrong = fn(&mut Value);
    let wrongs: [(&str, Wrong); 5] = [
        ("empty", |pages| pages["next_page_token"] = json!("")),
        ("empty without a link", |pages| {
            pages["next_page_token"] = json!("");
            pages["next_page"] = json!("https://api.calendly.com/scheduled_events");
        }),
        ("refused", |pages| pages["next_page_token"] = json!("stale")),
        ("a number", |pages| pages["next_page_token"] = json!(7)),
        ("none at all", |pages| *pages = json!(null)),
    ];
    for (name, wrong) in wrongs {
        let stage = Stage::new().await;
        stage.bulk(220).await;
        stage.wire.edit(move |url, answer| {
            let list = url.path() == "/scheduled_events";
            if list && answer["pagination"]["next_page_token"].is_string() {
                wrong(&mut answer["pagination"]);
            }
        });
        stage.sync(LONG).await;
        let sync = stage.told().await;
        assert_eq!(stage.stored().await.len(), 220, "{name}: {sync:?}");
        assert_eq!((sync.state, sync.synced_count), ("done", 220), "{name}");
        let lists = stage.wire.asked();
        let lists = lists
            .iter()
            .filter(|url| url.path() == "/scheduled_events")
            .count();
        assert!(lists <= 8, "{name}: {lists} lists");
    }
}

#[tokio::test]
async fn a_list_that_goes_in_circles_is_left_and_told() {
    let stage = Stage::new().await;
    stage.bulk(30).await;
    // Every page names the next one, and each is the first: no start to begin anew from leads on.
    let mut number = 0;
    stage.wire.instead(|url| {
        let first = url.path() == "/scheduled_events" && url.query()?.contains("page_token=");
        first.then(|| refusal(400, "Invalid Argument"))
    });
    stage.wire.edit(move |url, answer| {
        if url.path() == "/scheduled_events" {
            number += 1;
            answer["pagination"]["next_page_token"] = json!(format!("t{number}"));
        }
    });
    stage.sync(LONG).await;
    let sync = stage.told().await;
    assert_eq!((sync.state, sync.failed), ("failed", 1));
    assert!(
        sync.errors[0].error.contains("not read to its end"),
        "{:?}",
        sync.errors
    );
    assert_eq!(stage.stored().await.len(), 30, "what was listed is stored");
    assert!(stage.wire.asked().len() < 60);
}

#[tokio::test]
async fn a_page_of_the_content_network_makes_nobody_a_member() {
    let stage = Stage::new().await;
    let start = ambient::now() + SignedDuration::from_hours(24);
    let body = json!({"name": "S", "email": "s@example.com", "startTime": start,
        "eventType": "Office Visit"});
    stage.control("POST", "bookings", body).await;
    let mut calls = 0;
    stage.wire.instead(move |url| {
        calls += usize::from(url.path() == "/scheduled_events");
        (url.path() == "/scheduled_events" && calls < 10).then(|| page(403))
    });
    let answer = stage.once(&scheduled()).await;
    assert_eq!(
        answer["batchItemFailures"][0]["itemIdentifier"], "m",
        "it is tried again"
    );
    stage.wire.straighten();
    stage.sync(LONG).await;
    assert_eq!(stage.stored().await.len(), 1, "a colleague's event");
    let as_member = |url: &reqwest::Url| url.query().is_some_and(|query| query.contains("user="));
    let asked = stage.wire.asked();
    let lists = asked.iter().filter(|url| url.path() == "/scheduled_events");
    assert!(!lists.into_iter().any(as_member), "{asked:?}");
}

#[tokio::test]
async fn an_event_that_fails_for_now_is_left_to_the_next_run() {
    let stage = Stage::new().await;
    let (event, _) = stage.book(24).await;
    stage.bulk(20).await;
    let failing = event.clone();
    stage.wire.instead(move |url| {
        is_invitees_of(url, &failing).then(|| refusal(500, "Internal Server Error"))
    });
    stage.sync(LONG).await;
    let sync = stage.told().await;
    assert_eq!((sync.state, sync.error_count), ("done", 1));
    assert!(sync.errors[0].error.contains(&event));
    assert_eq!(stage.stored().await.len(), 20);
}

#[tokio::test]
async fn events_that_all_fail_for_now_are_tried_again_by_the_same_run() {
    // With some stored before, the run may have come further until it stops: it goes on by itself.
    for stored in [0, 20] {
        let stage = Stage::new().await;
        stage.bulk(stored).await;
        stage.sync(LONG).await;
        stage.bulk(20).await;
        stage.wire.instead(|url| {
            url.path()
                .ends_with("/invitees")
                .then(|| refusal(500, "Internal Server Error"))
        });
        let answer = stage.once(&scheduled()).await;
        let comes_back = answer["batchItemFailures"][0]["itemIdentifier"] == "m";
        let goes_on = stage.jobs.drain().pop();
        assert!(comes_back == goes_on.is_none(), "{answer}");
        assert!(stored > 0 || comes_back, "it came no further");
        assert_eq!(stage.stored().await.len(), stored);
        stage.wire.straighten();
        let next = goes_on.map_or_else(scheduled, |(next, _)| next);
        stage.once(&next).await;
        assert_eq!(stage.stored().await.len(), stored + 20);
    }
}

#[tokio::test]
async fn a_stored_event_that_cannot_be_read_is_told_and_stops_no_other() {
    let stage = Stage::new().await;
    let (event, _) = stage.book(24).await;
    stage.bulk(20).await;
    stage.sync(LONG).await;
    stage.dynamo.spoil("bookings", &event, "record").await;
    stage.book(48).await;
    stage.sync(LONG).await;
    let sync = stage.told().await;
    assert_eq!((sync.state, sync.changed), ("done", 1), "{sync:?}");
    assert!(
        sync.errors.iter().any(|error| error.error.contains(&event)),
        "{sync:?}"
    );
}
