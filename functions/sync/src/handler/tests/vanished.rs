//! Events that Calendly no longer lists.

use super::*;

impl Stage {
    /// Books an event, stores it, and deletes it at Calendly with its data.
    async fn vanished(&self, hours: i64) -> String {
        let (event, _) = self.book(hours).await;
        self.sync(LONG).await;
        self.delete(&event).await;
        event
    }

    async fn delete(&self, event: &str) {
        self.control("DELETE", &format!("events/{event}"), json!({}))
            .await;
    }

    /// Whether an event, and whoever was coming, is shown as active or canceled.
    async fn status(&self, event: &str) -> (Value, Value) {
        let stored = self.stored().await;
        let event = &stored[event];
        (
            event["status"].clone(),
            event["invitees"][0]["status"].clone(),
        )
    }
}

fn both(status: &str) -> (Value, Value) {
    (json!(status), json!(status))
}

#[tokio::test]
async fn an_event_that_two_runs_some_time_apart_do_not_find_is_canceled_and_shown_as_inferred() {
    let stage = Stage::new().await;
    let gone = stage.vanished(30).await;
    let (stays, _) = stage.book(36).await;
    stage.sync(LONG).await;
    assert_eq!(stage.told().await.vanished, 1);
    stage.sync(LONG).await;
    assert_eq!(
        stage.status(&gone).await,
        both("active"),
        "no time has passed"
    );
    let event = stage.stored().await[&gone].clone();
    assert!(event["missingSince"].is_string(), "{event:#}");

    stage.clock.minutes(15);
    stage.sync(LONG).await;
    assert_eq!(stage.status(&gone).await, both("canceled"));
    assert_eq!(stage.status(&stays).await, both("active"));
    let event = stage.stored().await[&gone].clone();
    for cancellation in [
        &event["cancellation"],
        &event["invitees"][0]["cancellation"],
    ] {
        assert_eq!(cancellation["reason"], "no longer at Calendly");
        assert_eq!(cancellation["inferred"], true);
    }

    // From then on it is not looked for.
    stage.wire.asked();
    stage.sync(LONG).await;
    let asked = stage.wire.asked();
    assert!(
        !asked.iter().any(|url| url.path().contains(&gone)),
        "{asked:?}"
    );
}

#[tokio::test]
async fn an_event_that_is_listed_again_is_back() {
    let stage = Stage::new().await;
    let (event, _) = stage.book(30).await;
    stage.sync(LONG).await;
    // A read that lags behind: neither the list nor the event itself shows it.
    let hidden = event.clone();
    stage.wire.instead({
        let hidden = hidden.clone();
        move |url| {
            url.path()
                .ends_with(&hidden)
                .then(|| refusal(404, "Resource Not Found"))
        }
    });
    stage.wire.edit(move |_, answer| {
        if let Some(all) = answer["collection"].as_array_mut() {
            all.retain(|one| !one["uri"].as_str().unwrap().ends_with(&hidden));
        }
    });
    for _ in 0..2 {
        stage.sync(LONG).await;
        stage.clock.minutes(15);
    }
    assert_eq!(stage.status(&event).await, both("canceled"));

    stage.wire.straighten();
    stage.sync(LONG).await;
    assert_eq!(stage.status(&event).await, both("active"));
    assert_eq!(stage.stored().await[&event]["missingSince"], Value::Null);
    assert_eq!(stage.stored().await[&event]["cancellation"], Value::Null);
}

#[tokio::test]
async fn a_meeting_that_has_begun_is_not_canceled() {
    let stage = Stage::new().await;
    let event = stage.vanished(-5).await;
    for _ in 0..3 {
        stage.sync(LONG).await;
        stage.clock.minutes(15);
    }
    assert_eq!(stage.status(&event).await, both("active"));
    assert_eq!(stage.told().await.vanished, 0);
}

#[tokio::test]
async fn what_only_a_member_does_not_find_is_not_gone() {
    let stage = Stage::new().await;
    let event = stage.vanished(30).await;
    stage.wire.instead(|url| {
        let all = url
            .query()
            .is_some_and(|query| query.contains("organization="));
        all.then(|| refusal(403, "Permission Denied"))
    });
    for _ in 0..3 {
        stage.sync(LONG).await;
        stage.clock.minutes(15);
    }
    assert_eq!(stage.status(&event).await, both("active"));
    let sync = stage.told().await;
    assert_eq!(sync.vanished, 0);
    assert!(sync.errors[0].error.contains(&event), "{:?}", sync.errors);
}

#[tokio::test]
async fn a_page_of_the_content_network_is_no_sign_that_an_event_is_gone() {
    let stage = Stage::new().await;
    stage.book(24).await;
    let event = stage.vanished(30).await;
    let asked = event.clone();
    stage
        .wire
        .instead(move |url| url.path().ends_with(&asked).then(|| page(404)));
    for _ in 0..3 {
        stage.sync(LONG).await;
        stage.clock.minutes(15);
    }
    assert_eq!(stage.status(&event).await, both("active"));
    let errors = stage.told().await.errors;
    assert!(errors[0].error.contains(&event), "{errors:?}");
}

#[tokio::test]
async fn a_vanished_group_is_canceled_whole_whatever_step_is_stopped() {
    let mut crashed = 0;
    for step in 0..8 {
        let stage = Stage::new().await;
        // Of more than a step holds. The webhooks told of it, and Calendly has it no longer.
        let start = ambient::now() + SignedDuration::from_hours(30);
        for number in 0..60 {
            stage.told_of("GROUP", &format!("P{number}"), start).await;
        }
        stage.sync(LONG).await;
        stage.clock.minutes(15);

        stage.calls.at(step);
        let before = stage.calls.happened();
        stage.once(&scheduled()).await;
        crashed += stage.calls.happened() - before;
        stage.calls.at(u8::MAX);
        stage.sync(LONG).await;

        let stored = stage.stored().await;
        let invitees = stored["GROUP"]["invitees"].as_array().unwrap();
        let statuses: Vec<_> = invitees.iter().map(|one| one["status"].clone()).collect();
        assert_eq!(stored["GROUP"]["status"], "canceled", "step {step}");
        assert_eq!(statuses, ["canceled"; 60], "step {step}");
        let uri = "https://api.calendly.com/scheduled_events/GROUP";
        let uri = booking::EventUri::parse(uri).unwrap();
        let records = stage
            .function
            .bookings
            .events(Provider::Calendly, [uri.clone()]);
        let records = records.await.unwrap();
        assert!(records[&uri].is_settled(), "all copies follow, step {step}");
    }
    assert!(crashed > 3, "only {crashed} were stopped");
}
