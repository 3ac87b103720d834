//! How a run gets on: message by message, within time and rate limit.

use super::*;

#[tokio::test]
async fn a_run_goes_on_over_many_messages_and_ends_exact() {
    let stage = Stage::new().await;
    let bulk = json!({"count": 450, "webhooks": false});
    stage.control("POST", "bookings/bulk", bulk).await;
    // No time is left for work when what is kept free is taken off.
    let messages = stage.sync(crate::time::NONE_TO_WORK).await;
    assert!(messages > 1, "{messages} messages");
    assert_eq!(stage.stored().await.len(), 450);
}

#[tokio::test]
async fn a_message_that_had_no_time_for_a_single_call_is_not_followed_at_once() {
    let stage = Stage::new().await;
    let none = Deadlines::after(Duration::ZERO);
    stage
        .function
        .work(scheduled(), &id(), none, 1)
        .await
        .unwrap();
    let next = stage.jobs.drain();
    assert_eq!(next.len(), 1);
    assert!(next[0].1 >= Duration::from_secs(10), "{:?}", next[0].1);
}

#[tokio::test]
async fn the_rate_limit_pauses_a_run_and_a_reserve_is_left() {
    let stage = Stage::with(Options {
        rate_limit: 50,
        // Longer than a slow machine takes for as many calls.
        rate_window: Duration::from_secs(60),
        disable_after: 0,
        conference_delay: Duration::ZERO,
        ..Options::default()
    })
    .await;
    let bulk = json!({"count": 120, "webhooks": false});
    stage.control("POST", "bookings/bulk", bulk).await;
    let messages = stage.sync(LONG).await;
    assert!(messages > 2, "{messages} messages");
    assert_eq!(stage.stored().await.len(), 120);
    let calls = stage.control("GET", "calls", json!({})).await.to_string();
    assert!(!calls.contains("429"), "{calls}");
}

#[tokio::test]
async fn two_runs_of_one_connection_never_overlap() {
    let stage = Stage::new().await;
    stage.book(24).await;
    let lease = LeaseFor::Sync;
    let minute = SignedDuration::from_secs(60);
    let held = stage.function.connections.lease(&id(), lease, minute).await;
    assert!(held.unwrap().is_some());
    let job = |sync_id: Option<&str>| SyncJob {
        sync_id: sync_id.map(str::to_owned),
        connection_id: Some(id()),
        ..SyncJob::default()
    };
    let deadline = Deadlines::after(LONG);
    stage
        .function
        .work(job(None), &id(), deadline, 1)
        .await
        .unwrap();
    assert!(stage.jobs.drain().is_empty(), "a scheduled one is left out");
    stage
        .function
        .work(job(Some("s-1")), &id(), deadline, 1)
        .await
        .unwrap();
    let waits = stage.jobs.drain();
    assert_eq!(waits.len(), 1);
    assert!(waits[0].1 > Duration::ZERO);
    assert!(stage.stored().await.is_empty());
}

#[tokio::test]
async fn the_schedule_plans_a_job_for_each_connection_that_works() {
    let stage = Stage::new().await;
    for number in 0..3 {
        let user = format!("https://api.calendly.com/users/U{number}");
        let other = ConnectionId::from_user_uri(&user).unwrap();
        let connections = &stage.function.connections;
        let base = "https://example.com";
        connections
            .authorized(&other, &user, ORGANIZATION, &[], base)
            .await
            .unwrap();
        if number == 0 {
            connections.needs_reauth(&other, None).await.unwrap();
            let lost = connections.get(&other).await.unwrap().unwrap();
            assert_eq!(lost.status, ConnectionStatus::NeedsReauth);
        }
    }
    let until = SystemTime::now() + LONG;
    let answer = stage.function.handle(json!({}), until).await.unwrap();
    assert_eq!(answer["planned"], 3);
    assert_eq!(stage.jobs.drain().len(), 3);

    // With no time at all it still goes on, a page a message.
    stage.function.syncs.requested("all").await.unwrap();
    let all = SyncJob {
        sync_id: Some("all".to_owned()),
        ..SyncJob::default()
    };
    stage.function.plan(&all, Instant::now()).await.unwrap();
    let sync = stage.function.syncs.get("all").await.unwrap().unwrap();
    assert_eq!((sync.state, sync.connections), ("queued", 3));
}

/// An hour's window: it starts anew when a test says so.
fn calls_a_window(rate_limit: u32) -> Options {
    Options {
        rate_limit,
        rate_window: Duration::from_secs(3600),
        disable_after: 0,
        conference_delay: Duration::ZERO,
        ..Options::default()
    }
}

impl Stage {
    /// Does one message; answers the next one.
    async fn message(&self, job: &SyncJob) -> Option<(SyncJob, Duration)> {
        assert_eq!(self.once(job).await["batchItemFailures"], json!([]));
        self.jobs.drain().pop()
    }

    /// Runs a sync of which each message has a window of calls to itself; answers how many there
    /// were, and with how many calls.
    pub(super) async fn windows(&self, most: usize) -> (usize, usize) {
        let mut job = scheduled();
        self.wire.asked();
        for messages in 1..=most {
            match self.message(&job).await {
                Some((next, _)) => job = next,
                None => return (messages, self.wire.asked().len()),
            }
            self.control("PUT", "limits", json!({})).await;
        }
        panic!("{most} messages, and still at {:?}", job.place);
    }

    async fn bulk_from(&self, hours: i64, count: usize) {
        let start = ambient::now() + SignedDuration::from_hours(hours);
        let bulk = json!({"count": count, "webhooks": false, "startTime": start, "stepMinutes": 5});
        self.control("POST", "bookings/bulk", bulk).await;
    }
}

#[tokio::test]
async fn as_many_begun_events_as_a_window_has_calls_are_read_once_each() {
    let stage = Stage::with(calls_a_window(20)).await;
    stage.bulk_from(-20, 60).await;
    let (messages, calls) = stage.windows(10).await;
    assert_eq!(stage.stored().await.len(), 60);
    // Of 20 calls 16 may be used, and four are under way at a time.
    assert!(messages <= 6, "{messages} messages");
    assert!(calls <= 60 + 2 * messages + 4, "{calls} calls");
    // And again, as each run reads the events that have begun.
    let (again, calls) = stage.windows(10).await;
    assert!(
        again <= 6 && calls <= 60 + 2 * again + 4,
        "{again} messages, {calls} calls"
    );
}

#[tokio::test]
async fn a_first_sync_of_500_events_ends_on_the_free_plan_in_13_messages() {
    let stage = Stage::with(calls_a_window(50)).await;
    stage.bulk_from(1, 500).await;
    let (messages, calls) = stage.windows(30).await;
    assert_eq!(stage.stored().await.len(), 500);
    assert_eq!(messages, 13, "with {calls} calls");
}

#[tokio::test]
async fn what_began_while_nothing_was_compared_is_compared_by_the_next_run() {
    // The account is authorized again, or was disconnected and is connected again.
    for removed in [false, true] {
        let stage = Stage::new().await;
        let (canceled, invitee) = stage.book(30).await;
        stage.sync(LONG).await;
        stage.clock.minutes(60);
        stage.sync(LONG).await;
        let path = format!("bookings/{invitee}/cancel");
        stage.control("POST", &path, json!({})).await;
        let (held, _) = stage.book(40).await;
        let (coming, _) = stage.book(24 * 40).await;
        let connections = &stage.function.connections;
        if removed {
            connections.remove(&id()).await.unwrap();
        } else {
            connections.needs_reauth(&id(), None).await.unwrap();
        }
        stage.clock.minutes(60 * 24 * 30);
        let own = id();
        let made = connections.authorized(&own, USER, ORGANIZATION, &[], "http://127.0.0.1:1");
        made.await.unwrap();
        stage.sync(LONG).await;
        let stored = stage.stored().await;
        assert_eq!(stored[&canceled]["status"], "canceled", "{removed}");
        assert_eq!(stored[&held]["status"], "active");
        assert_eq!(stored[&coming]["status"], "active");
        // From then on as ever.
        stage.clock.minutes(15);
        stage.wire.asked();
        stage.sync(LONG).await;
        let asked = stage.wire.asked();
        assert!(!asked.iter().any(|url| url.path().contains(&held)));
    }
}

#[tokio::test]
async fn a_connection_is_noted_as_compared_every_half_hour_and_by_whole_runs_alone() {
    let stage = Stage::new().await;
    let noted = async || {
        let connection = stage.function.connections.get(&id()).await.unwrap();
        connection.unwrap().compared_at
    };
    let part = SyncJob {
        to: Some(ambient::now() + SignedDuration::from_hours(5)),
        ..scheduled()
    };
    stage.message(&part).await;
    assert_eq!(noted().await, None);
    stage.sync(LONG).await;
    let first = noted().await.unwrap();
    assert!(ambient::now().duration_since(first) < SignedDuration::from_mins(5));
    stage.clock.minutes(25);
    stage.sync(LONG).await;
    assert_eq!(noted().await, Some(first));
    stage.clock.minutes(10);
    stage.sync(LONG).await;
    assert!(noted().await > Some(first));
}

#[tokio::test]
async fn a_429_in_the_middle_keeps_what_was_done() {
    let stage = Stage::new().await;
    stage.bulk_from(1, 90).await;
    let mut calls = 0;
    stage.wire.instead(move |url| {
        calls += usize::from(url.path().ends_with("/invitees"));
        (calls == 30).then(|| {
            calls += 1;
            (429, String::new())
        })
    });
    let (next, after) = stage.message(&scheduled()).await.unwrap();
    assert!(after > Duration::ZERO);
    assert!(stage.stored().await.len() >= 28);
    stage.wire.asked();
    assert!(stage.message(&next).await.is_none());
    assert_eq!(stage.stored().await.len(), 90);
    let asked = stage.wire.asked().len();
    assert!(asked <= 90 - 28 + 2, "{asked} calls");
}

#[tokio::test]
async fn a_run_that_never_gets_any_calls_is_given_up() {
    let stage = Stage::new().await;
    stage.bulk_from(1, 3).await;
    stage
        .wire
        .instead(|url| (url.path() == "/scheduled_events").then(|| (429, String::new())));
    let mut job = stage.asked_for().await;
    let mut messages = 1;
    while let Some((next, after)) = stage.message(&job).await {
        assert!(after >= Duration::from_secs(1));
        job = next;
        messages += 1;
        assert!(messages < 100, "it comes to an end");
    }
    let sync = stage.told().await;
    assert_eq!((sync.state, sync.failed), ("failed", 1));
    assert!(
        sync.errors[0].error.contains("came no further"),
        "{:?}",
        sync.errors
    );
}

#[tokio::test]
async fn a_sync_whose_messages_are_handed_out_twice_is_done_when_every_connection_is() {
    let stage = Stage::new().await;
    stage.book(24).await;
    let other = "https://api.calendly.com/users/U9";
    let other = (ConnectionId::from_user_uri(other).unwrap(), other);
    let connections = &stage.function.connections;
    let made = connections.authorized(&other.0, other.1, ORGANIZATION, &[], "https://example.com");
    made.await.unwrap();
    let all = SyncJob {
        connection_id: None,
        sync_id: Some("s-1".to_owned()),
        ..SyncJob::default()
    };
    stage.function.syncs.requested("s-1").await.unwrap();
    let told = async || stage.function.syncs.get("s-1").await.unwrap().unwrap();
    for _ in 0..2 {
        stage.once(&all).await;
    }
    assert_eq!(told().await.connections, 2);
    let jobs = stage.jobs.drain();
    assert_eq!(jobs.len(), 4);
    let is_of = |job: &SyncJob, wanted: &ConnectionId| job.connection_id.as_ref() == Some(wanted);
    for (job, _) in jobs.iter().filter(|(job, _)| is_of(job, &id())) {
        stage.once(job).await;
        assert_eq!((told().await.state, told().await.finished), ("running", 1));
    }
    connections.remove(&other.0).await.unwrap();
    for (job, _) in jobs.iter().filter(|(job, _)| is_of(job, &other.0)) {
        stage.once(job).await;
        let told = told().await;
        assert_eq!((told.state, told.finished, told.failed), ("failed", 1, 1));
    }
}

#[tokio::test]
async fn a_copy_of_a_message_of_a_sync_does_nothing_when_its_run_has_ended() {
    let stage = Stage::with(calls_a_window(20)).await;
    stage.bulk_from(1, 40).await;
    let first = stage.asked_for().await;
    let mut job = first.clone();
    let mut copies = Vec::new();
    while let Some((next, _)) = stage.message(&job).await {
        stage.control("PUT", "limits", json!({})).await;
        copies.push(next.clone());
        let (busy, _) = stage.message(&first).await.unwrap();
        assert_eq!(busy, first, "it waits");
        job = next;
    }
    let ended = stage.told().await;
    assert_eq!((ended.state, ended.synced_count), ("done", 40));
    assert_eq!(ended.total, Some(40));
    stage.control("PUT", "limits", json!({})).await;
    stage.wire.asked();
    for copy in copies.iter().chain([&first]) {
        assert!(stage.message(copy).await.is_none());
    }
    assert_eq!(stage.wire.asked().len(), 0);
    assert_eq!(stage.told().await, ended);
}

#[tokio::test]
async fn one_connection_that_cannot_be_read_is_left_out_of_the_plan_and_no_other() {
    let stage = Stage::new().await;
    let other = "https://api.calendly.com/users/U9";
    let other = (ConnectionId::from_user_uri(other).unwrap(), other);
    let connections = &stage.function.connections;
    let made = connections.authorized(&other.0, other.1, ORGANIZATION, &[], "https://example.com");
    made.await.unwrap();
    stage
        .dynamo
        .spoil(
            "connections",
            &format!("connection#{}", other.0.as_str()),
            "userUri",
        )
        .await;
    let until = SystemTime::from(ambient::now()) + LONG;
    let answer = stage.function.handle(json!({}), until).await.unwrap();
    assert_eq!(answer["planned"], 1);
}

#[tokio::test]
async fn a_run_that_goes_on_is_not_joined_by_another_and_a_copy_of_its_message_forks_nothing() {
    let stage = Stage::with(calls_a_window(20)).await;
    stage.bulk_from(1, 40).await;
    let (next, _) = stage.message(&scheduled()).await.unwrap();
    stage.control("PUT", "limits", json!({})).await;
    stage.wire.asked();
    assert!(
        stage.message(&scheduled()).await.is_none(),
        "it is left out"
    );
    assert_eq!(stage.wire.asked().len(), 0);
    // One that somebody asked for waits.
    let asked = SyncJob {
        sync_id: Some("s-1".to_owned()),
        ..scheduled()
    };
    let (waits, after) = stage.message(&asked).await.unwrap();
    assert_eq!(waits, asked);
    assert!(after > Duration::ZERO);

    let (last, _) = stage.message(&next).await.unwrap();
    assert!(
        stage.message(&next).await.is_none(),
        "a copy finds its ticket used"
    );
    stage.control("PUT", "limits", json!({})).await;
    assert!(stage.message(&last).await.is_none(), "the end");
    assert_eq!(stage.stored().await.len(), 40);
    // Then others may.
    stage.control("PUT", "limits", json!({})).await;
    stage.wire.asked();
    stage.message(&scheduled()).await;
    assert!(!stage.wire.asked().is_empty());
}

#[tokio::test]
async fn a_run_whose_next_message_is_lost_does_not_keep_others_out_for_long() {
    let stage = Stage::with(calls_a_window(20)).await;
    stage.bulk_from(1, 40).await;
    stage.message(&scheduled()).await.unwrap();
    stage.clock.minutes(5);
    stage.control("PUT", "limits", json!({})).await;
    assert!(
        stage.message(&scheduled()).await.is_some(),
        "it goes on from what is stored"
    );
}
