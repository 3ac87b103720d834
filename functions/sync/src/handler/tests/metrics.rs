//! What syncs count.

use super::*;
use platform::deliveries::{DeliveryId, NewDelivery, Status};
use platform::metrics::{Captured, capture};

impl Stage {
    /// Does one job with its first message, received for the `receives`th time.
    async fn job(&self, job: &SyncJob, receives: &str) -> Captured {
        let body = serde_json::to_string(job).unwrap();
        let batch = json!({"Records": [{
            "messageId": "m",
            "body": body,
            "attributes": {"ApproximateReceiveCount": receives},
        }]});
        let captured = capture();
        let until = SystemTime::now() + LONG;
        self.function.handle(batch, until).await.unwrap();
        captured
    }
}

#[tokio::test]
async fn what_a_scheduled_run_heals_is_drift_and_what_others_find_is_not() {
    let stage = Stage::new().await;
    let jobs = [
        (
            SyncJob {
                first: true,
                ..scheduled()
            },
            0,
        ),
        (
            SyncJob {
                sync_id: Some("s-1".to_owned()),
                ..scheduled()
            },
            0,
        ),
        (scheduled(), 2),
    ];
    for (number, (job, drift)) in jobs.into_iter().enumerate() {
        let hours = 24 + 4 * i64::try_from(number).unwrap();
        let (_, canceled) = stage.book(hours).await;
        stage.book(hours + 1).await;
        let path = format!("bookings/{canceled}/cancel");
        stage.control("POST", &path, json!({})).await;
        let captured = stage.job(&job, "1").await;
        for (metric, expected) in [
            (Metric::SyncPages, 1),
            (Metric::SyncEventsChanged, 2),
            (Metric::DriftHealed, drift),
            (Metric::SyncsFinished, 1),
            (Metric::SyncsFailed, 0),
            (Metric::BookingsScheduled, 2),
            (Metric::BookingsCanceled, 1),
        ] {
            assert_eq!(captured.sum(metric), expected, "{metric:?} of run {number}");
        }
        // Each run's client asks for at least the list and the invitees of two events.
        let left = captured.values(Metric::CalendlyCallsLeft);
        let seen = |left: &u64| (900_000..1_000_000).contains(left);
        assert!(left.len() == 1 && left.iter().all(seen), "{left:?}");
    }
    let captured = stage.job(&scheduled(), "1").await;
    assert_eq!(captured.sum(Metric::SyncsFinished), 1);
    assert_eq!(captured.sum(Metric::SyncEventsChanged), 0);
}

#[tokio::test]
async fn a_run_that_is_given_up_has_failed_once() {
    let stage = Stage::new().await;
    stage.book(24).await;
    let faults = json!({"apiErrors": {"500": 1}});
    stage.control("PUT", "faults", faults).await;
    for (receives, failed) in [("1", 0), ("5", 1)] {
        let captured = stage.job(&scheduled(), receives).await;
        assert_eq!(captured.sum(Metric::SyncsFailed), failed, "{receives}");
        assert_eq!(captured.sum(Metric::SyncsFinished), 0);
    }
    stage.function.connections.remove(&id()).await.unwrap();
    let captured = stage.job(&scheduled(), "1").await;
    assert_eq!(captured.sum(Metric::SyncsFailed), 1);
}

#[tokio::test]
async fn a_tick_counts_itself_and_what_it_queues_again() {
    let stage = Stage::new().await;
    let hour_ago = Timestamp::now() - SignedDuration::from_hours(1);
    for body in [b"one", b"two"] {
        let delivery = NewDelivery {
            id: &DeliveryId::of(body),
            tracking_id: "t-1",
            provider: "calendly",
            event: None,
            status: Status::Received,
            reason: None,
            event_uri: None,
            invitee_uri: None,
            warnings: &[],
            about: None,
            occurred_at: None,
            received_at: hour_ago,
            body,
        };
        let retention = SignedDuration::from_hours(24);
        let log = &stage.function.deliveries;
        log.record(&delivery, retention).await.unwrap();
    }
    let captured = capture();
    let until = SystemTime::now() + LONG;
    stage.function.handle(json!({}), until).await.unwrap();
    assert_eq!(captured.sum(Metric::SyncsPlanned), 1);
    assert_eq!(captured.sum(Metric::DeliveriesRequeued), 2);
}

#[tokio::test]
async fn a_subscription_that_was_switched_off_is_counted_and_so_is_its_successor() {
    let stage = Stage::new().await;
    stage.job(&scheduled(), "1").await;
    let state = stage.control("GET", "state", json!({})).await;
    let uri = state["subscriptions"][0]["uri"].as_str().unwrap();
    let path = format!("subscriptions/{}/disable", uri.rsplit('/').next().unwrap());
    stage.control("POST", &path, json!({})).await;
    for expected in [1, 0] {
        let captured = stage.job(&scheduled(), "1").await;
        assert_eq!(captured.sum(Metric::SubscriptionsDisabled), expected);
        assert_eq!(captured.sum(Metric::SubscriptionsReplaced), expected);
    }
}
