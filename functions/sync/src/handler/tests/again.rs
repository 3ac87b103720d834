//! Events that are read again on their own.

use super::*;
use platform::syncs::{ReadAgain, Why};

#[tokio::test]
async fn a_conference_link_is_read_again_until_it_is_ready() {
    let stage = Stage::with(Options {
        disable_after: 0,
        conference_delay: Duration::from_secs(600),
        ..Options::default()
    })
    .await;
    let (event, _) = stage.book(24).await;
    stage.sync(LONG).await;
    let status = async || stage.stored().await[&event]["location"]["status"].clone();
    assert_eq!(status().await, "processing");
    let mut job = SyncJob {
        connection_id: Some(id()),
        event: Some(ReadAgain {
            why: Why::LinkPending,
            event_id: event.clone(),
            reads: 0,
        }),
        ..SyncJob::default()
    };
    stage
        .function
        .read_event(job, &id(), Deadlines::after(LONG))
        .await
        .unwrap();
    let (again, delay) = stage.jobs.drain().pop().unwrap();
    assert_eq!(delay.as_secs(), 120, "later than before");
    job = again;
    // Once the link is ready, nothing more is queued.
    let later = json!({"aheadMs": 600_000});
    stage.control("PUT", "clock", later).await;
    stage
        .function
        .read_event(job, &id(), Deadlines::after(LONG))
        .await
        .unwrap();
    assert!(stage.jobs.drain().is_empty());
    assert_eq!(status().await, "pushed");
}

impl Stage {
    /// How many events somebody has around `start`.
    async fn found(&self, person: &str, start: Timestamp) -> usize {
        let hour = SignedDuration::from_hours(1);
        let query = EventQuery {
            limit: 10,
            invitee: Some(booking::ContactKey::of(&format!("{person}@example.com"))),
            from: Some(start - hour),
            to: Some(start + hour),
            ..EventQuery::default()
        };
        self.function
            .bookings
            .list(&query)
            .await
            .unwrap()
            .items
            .len()
    }

    async fn read_again(&self, event: &str, why: Why) {
        let job = SyncJob {
            connection_id: Some(id()),
            event: Some(ReadAgain {
                why,
                event_id: event.to_owned(),
                reads: 0,
            }),
            ..SyncJob::default()
        };
        let deadlines = Deadlines::after(LONG);
        self.function
            .read_event(job, &id(), deadlines)
            .await
            .unwrap();
    }

    async fn join(&self, person: &str, start: Timestamp) -> String {
        let body = json!({"name": person, "email": format!("{person}@example.com"),
            "startTime": start, "eventType": "Weekly Webinar"});
        let made = self.control("POST", "bookings", body).await;
        made["eventId"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn an_event_that_is_read_again_brings_its_invitees_along() {
    for why in [Why::LinkPending, Why::ToldLate] {
        let stage = Stage::new().await;
        let start = ambient::now() + SignedDuration::from_hours(24);
        let event = stage.join("one", start).await;
        stage.sync(LONG).await;
        stage.join("two", start).await;
        let later = start + SignedDuration::from_hours(240);
        let path = format!("events/{event}");
        stage
            .control("PATCH", &path, json!({"startTime": later}))
            .await;
        stage.read_again(&event, why).await;
        for person in ["one", "two"] {
            assert_eq!(stage.found(person, later).await, 1, "{person}");
            assert_eq!(stage.found(person, start).await, 0, "{person}");
        }
    }
}

#[tokio::test]
async fn an_event_that_was_canceled_shows_nobody_active_after_it_is_read_again() {
    let stage = Stage::new().await;
    let (event, invitee) = stage.book(24).await;
    stage.sync(LONG).await;
    stage
        .control("POST", &format!("bookings/{invitee}/cancel"), json!({}))
        .await;
    stage.read_again(&event, Why::LinkPending).await;
    let stored = stage.stored().await;
    assert_eq!(stored[&event]["status"], "canceled");
    assert_eq!(stored[&event]["invitees"][0]["status"], "canceled");
    assert_eq!(
        stored[&event]["invitees"][0]["cancellation"]["inferred"],
        false
    );
}

#[tokio::test]
async fn after_a_quiet_move_everybody_finds_a_group_event_at_its_new_time() {
    let stage = Stage::new().await;
    let start = ambient::now() + SignedDuration::from_hours(24);
    let event = stage.join("one", start).await;
    stage.sync(LONG).await;
    let later = start + SignedDuration::from_hours(240);
    let path = format!("events/{event}");
    stage
        .control("PATCH", &path, json!({"startTime": later}))
        .await;
    assert_eq!(stage.join("two", later).await, event, "joined");
    // The webhook of the second one comes first.
    let client = stage
        .function
        .connections
        .get(&id())
        .await
        .unwrap()
        .unwrap();
    let client = stage
        .function
        .calendly(&client, Deadlines::after(LONG))
        .await
        .unwrap();
    let people = client.invitees(&event).await.items;
    let mut payload = people
        .iter()
        .find(|one| one["name"] == "two")
        .unwrap()
        .clone();
    payload["scheduled_event"] = client.event(&event).await.unwrap();
    let now = format!("{:.6}", ambient::now());
    let body = json!({"created_at": now, "created_by": USER, "event": "invitee.created",
        "payload": payload});
    let Ok(Webhook::Booking(told)) = read(body.to_string().as_bytes(), ambient::now()) else {
        panic!("not a booking");
    };
    stage.function.bookings.apply(told.facts).await.unwrap();
    for _ in 0..2 {
        for person in ["one", "two"] {
            assert_eq!(stage.found(person, later).await, 1, "{person}");
            assert_eq!(stage.found(person, start).await, 0, "{person}");
        }
        stage.sync(LONG).await;
    }
}

#[tokio::test]
async fn what_was_left_behind_of_a_large_group_is_brought_in_line_by_the_run_that_meets_it() {
    let mut crashed = 0;
    for step in 0..8 {
        let stage = Stage::new().await;
        let start = ambient::now() + SignedDuration::from_hours(24);
        let event = stage.join("one", start).await;
        for number in 1..60 {
            stage.told_of(&event, &format!("P{number}"), start).await;
        }
        // Who is coming, beside the one whom the sandbox knows.
        stage.wire.edit(|url, answer| {
            if url.path() == "/scheduled_events" {
                answer["collection"][0]["invitees_counter"] =
                    json!({"total": 60, "active": 60, "limit": 100});
            }
        });
        stage.sync(LONG).await;
        let later = start + SignedDuration::from_hours(240);
        let path = format!("events/{event}");
        stage
            .control("PATCH", &path, json!({"startTime": later}))
            .await;
        let before = stage.calls.happened();
        stage.calls.at(step);
        stage.once(&scheduled()).await;
        stage.jobs.drain();
        crashed += stage.calls.happened() - before;
        stage.calls.at(u8::MAX);
        stage.sync(LONG).await;
        for person in ["one", "r"] {
            assert_eq!(stage.found(person, later).await, 1, "{person}, step {step}");
            assert_eq!(stage.found(person, start).await, 0, "{person}, step {step}");
        }
        let written = stage.calls.writes();
        stage.sync(LONG).await;
        assert_eq!(stage.calls.writes(), written, "step {step}");
    }
    assert!(crashed > 3, "only {crashed} were stopped");
}

#[tokio::test]
async fn a_second_sync_of_what_was_booked_a_moment_ago_changes_what_calendly_changed_alone() {
    for kind in ["30 Minute Consultation", "Product Demo", "Weekly Webinar"] {
        let stage = Stage::with(Options {
            rate_limit: 1_000_000,
            disable_after: 0,
            conference_delay: Duration::ZERO,
            ..Options::default()
        })
        .await;
        let bulk = json!({"count": 120, "webhooks": false, "eventType": kind});
        stage.control("POST", "bookings/bulk", bulk).await;
        stage.sync(LONG).await;
        let before = stage.dynamo.dump("bookings").await;
        stage.sync(LONG).await;
        assert_eq!(stage.dynamo.dump("bookings").await, before, "{kind}");
    }
}
