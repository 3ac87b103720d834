//! What whoever asked for a sync is told of it.

use super::*;

impl Stage {
    /// Hands the function a job's message for the `receives`th time, which must fail.
    async fn fails(&self, job: &SyncJob, receives: usize) -> platform::syncs::Sync {
        let batch = json!({"Records": [{
            "messageId": "m",
            "body": json!(job).to_string(),
            "attributes": {"ApproximateReceiveCount": receives.to_string()},
        }]});
        let until = SystemTime::from(ambient::now()) + LONG;
        let answer = self.function.handle(batch, until).await.unwrap();
        assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], "m");
        self.told().await
    }
}

#[tokio::test]
async fn a_failed_attempt_is_told_at_once_with_when_the_next_one_is() {
    let stage = Stage::new().await;
    let faults = json!({"apiErrors": {"500": 1.0}});
    stage.control("PUT", "faults", faults).await;
    let job = stage.asked_for().await;
    let began = ambient::now();
    let sync = stage.fails(&job, 1).await;
    assert_eq!(sync.state, "retrying");
    let [error] = &sync.errors[..] else {
        panic!("{sync:?}");
    };
    assert_eq!(error.connection.as_deref(), Some(id().as_str()));
    assert_eq!(error.attempt, 1);
    assert!(error.error.contains("500") && error.at.unwrap() >= began);
    assert_eq!(error.next_attempt_at, sync.next_attempt_at);
    let wait = sync
        .next_attempt_at
        .unwrap()
        .duration_since(error.at.unwrap());
    assert!(
        (wait - COMES_BACK).abs() < SignedDuration::from_secs(1),
        "{wait}"
    );

    // The same error once more is the same entry.
    let again = stage.fails(&job, 2).await;
    assert_eq!((again.errors.len(), again.error_count), (1, 2), "{again:?}");
    assert_eq!(again.errors[0].attempt, 2);
    assert!(again.errors[0].at > error.at);

    // The last attempt leaves nothing to wait for.
    let last = stage.fails(&job, MAX_RECEIVES).await;
    assert_eq!((last.state, last.next_attempt_at), ("failed", None));
    assert_eq!(
        (last.errors.len(), last.errors[0].attempt),
        (1, MAX_RECEIVES)
    );
    assert_eq!(last.errors[0].next_attempt_at, None);
}

#[tokio::test]
async fn a_sync_whose_time_for_another_attempt_has_come_is_not_called_waiting() {
    let stage = Stage::new().await;
    let faults = json!({"apiErrors": {"500": 1.0}});
    stage.control("PUT", "faults", faults).await;
    let job = stage.asked_for().await;
    stage.fails(&job, 1).await;
    stage.clock.minutes(7);
    let told = stage.told().await;
    assert_eq!((told.state, told.next_attempt_at), ("queued", None));
    assert_eq!(told.errors.len(), 1);
}

#[tokio::test]
async fn a_sync_names_the_events_that_it_changed() {
    let stage = Stage::new().await;
    stage.book(24).await;
    stage.sync(LONG).await;
    let (event, _) = stage.book(48).await;
    stage.sync(LONG).await;
    assert_eq!(stage.told().await.changed_events, [event]);
    stage.bulk(30).await;
    stage.sync(LONG).await;
    let sync = stage.told().await;
    let named: std::collections::BTreeSet<_> = sync.changed_events.iter().collect();
    assert_eq!((sync.changed, named.len()), (30, 20), "{sync:?}");
    stage.sync(LONG).await;
    let nothing = stage.told().await;
    assert_eq!(nothing.changed_events, Vec::<String>::new());
}

#[tokio::test]
async fn connections_that_are_left_out_are_named() {
    let stage = Stage::new().await;
    let lost = "https://api.calendly.com/users/U9";
    let connections = &stage.function.connections;
    let lost_id = ConnectionId::from_user_uri(lost).unwrap();
    let made = connections.authorized(&lost_id, lost, ORGANIZATION, &[], "https://example.com");
    made.await.unwrap();
    connections.needs_reauth(&lost_id, None).await.unwrap();
    stage.function.syncs.requested("all").await.unwrap();
    let all = SyncJob {
        sync_id: Some("all".to_owned()),
        ..SyncJob::default()
    };
    // A copy of the message names nobody twice.
    stage.once(&all).await;
    stage.once(&all).await;
    let sync = stage.function.syncs.get("all").await.unwrap().unwrap();
    assert_eq!((sync.connections, sync.skipped), (1, 1));
    assert_eq!(sync.skipped_connections, ["U9"]);
}

#[test]
fn a_failed_job_comes_back_when_the_queue_hands_it_out_again() {
    let template = include_str!("../../../../../template.yaml");
    let (_, queue) = template.split_once("\n  SyncQueue:\n").unwrap();
    let (queue, _) = queue.split_once("\n\n").unwrap();
    let given = |name: &str| {
        let mut lines = queue
            .lines()
            .filter_map(|line| line.trim().strip_prefix(name));
        lines.next().unwrap().parse::<i64>().unwrap()
    };
    assert_eq!(given("VisibilityTimeout: "), COMES_BACK.as_secs());
    assert_eq!(
        given("maxReceiveCount: "),
        i64::try_from(MAX_RECEIVES).unwrap()
    );
}
