//! The tick that looks whether all is well, and the gauges that alarms read.

use super::*;
use platform::deliveries::{DeliveryId, ErrorKind, Failure, NewDelivery, Status};
use platform::metrics::{Captured, Metric, capture};
use platform::traffic::{Outcome, TrafficCounter};

/// Gauges that are zero where nobody is needed.
const STATES: [Metric; 11] = [
    Metric::WaitingDeliveries,
    Metric::FailingDeliveries,
    Metric::DeadDeliveries,
    Metric::LostConnections,
    Metric::UncomparedConnections,
    Metric::UnplannedSyncs,
    Metric::InactiveSubscriptions,
    Metric::RefusedWebhooks,
    Metric::MissingWebhooks,
    Metric::NeedsSomebodyNow,
    Metric::NeedsSomebodyToday,
];

impl Stage {
    async fn tick(&self, payload: Value) -> Captured {
        let captured = capture();
        let until = SystemTime::from(ambient::now()) + LONG;
        self.function.handle(payload, until).await.unwrap();
        captured
    }

    async fn watched(&self) -> Captured {
        self.tick(json!({"watch": true})).await
    }

    async fn logged(&self, body: &[u8]) -> DeliveryId {
        let id = DeliveryId::of(body);
        let delivery = NewDelivery {
            id: &id,
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
            received_at: ambient::now(),
            body,
        };
        let retention = SignedDuration::from_hours(24);
        let log = &self.function.deliveries;
        log.record(&delivery, retention).await.unwrap();
        id
    }
}

/// The states that need somebody.
fn red(captured: &Captured) -> Vec<(Metric, u64)> {
    let all = STATES.map(|metric| {
        let values = captured.values(metric);
        assert_eq!(values.len(), 1, "{metric:?} is written each time");
        (metric, values[0])
    });
    all.into_iter().filter(|(_, value)| *value > 0).collect()
}

#[tokio::test]
async fn a_stack_that_is_well_writes_zeros() {
    let stage = Stage::new().await;
    stage.sync(LONG).await;
    stage.tick(json!({})).await;
    let captured = stage.watched().await;
    assert_eq!(red(&captured), []);
    assert_eq!(captured.values(Metric::SubscriptionHoursLeft), [24]);
    assert_eq!(captured.lines().len(), 1, "on one line");
    assert_eq!(captured.sum(Metric::SyncsPlanned), 0, "it plans nothing");
    let ticks = stage.function.sources.ticks.get().await.unwrap();
    assert!(ticks.planned_at.is_some() && ticks.watched_at.is_some());
}

#[tokio::test]
async fn idle_ticks_take_few_calls() {
    let stage = Stage::new().await;
    stage.sync(LONG).await;
    let mut function = stage.function;
    let calls = Crashes::none();
    let client = || stage.dynamo.crashing(&calls);
    function.connections = ConnectionStore::new(client(), "connections".to_owned());
    function.deliveries = DeliveryStore::new(client(), "deliveries".to_owned());
    function.sources = Sources {
        deliveries: function.deliveries.clone(),
        connections: function.connections.clone(),
        traffic: TrafficStore::new(client(), "limits".to_owned()),
        ticks: TickStore::new(client(), "connections".to_owned()),
        settings: function.sources.settings,
    };
    for (payload, most) in [(json!({}), 33), (json!({"watch": true}), 35)] {
        let before = calls.calls();
        let until = SystemTime::from(ambient::now()) + LONG;
        function.handle(payload, until).await.unwrap();
        assert_eq!(calls.calls() - before, most);
    }
}

#[tokio::test]
async fn each_state_is_red_while_it_lasts_and_no_longer() {
    let stage = Stage::new().await;
    stage.sync(LONG).await;
    stage.tick(json!({})).await;
    let log = &stage.function.deliveries;
    let dead = stage.logged(b"dead").await;
    log.dead(&dead, &Failure::new(ErrorKind::Aws, "no room"), 1)
        .await
        .unwrap();
    let waiting = stage.logged(b"waiting").await;
    stage.clock.minutes(45);
    assert_eq!(
        red(&stage.watched().await),
        [
            (Metric::WaitingDeliveries, 1),
            (Metric::DeadDeliveries, 1),
            (Metric::NeedsSomebodyNow, 1),
            (Metric::NeedsSomebodyToday, 2),
        ]
    );
    for id in [&dead, &waiting] {
        log.processed(id, None, &[]).await.unwrap();
    }
    assert_eq!(red(&stage.watched().await), []);

    // It lasts however long nobody does anything.
    let connections = &stage.function.connections;
    connections.needs_reauth(&id(), None).await.unwrap();
    for _ in 0..3 {
        let captured = stage.watched().await;
        assert_eq!(captured.values(Metric::LostConnections), [1]);
        stage.clock.minutes(5);
    }
    let own = id();
    let again = connections.authorized(&own, USER, ORGANIZATION, &[], "http://127.0.0.1:1");
    again.await.unwrap();
    assert_eq!(red(&stage.watched().await), []);

    stage.clock.minutes(76);
    assert_eq!(
        red(&stage.watched().await),
        [(Metric::UnplannedSyncs, 1), (Metric::NeedsSomebodyToday, 1)]
    );
    stage.tick(json!({})).await;
    assert_eq!(red(&stage.watched().await), []);
}

#[tokio::test]
async fn a_connection_whose_runs_fail_is_red_until_one_is_whole() {
    let stage = Stage::new().await;
    stage.sync(LONG).await;
    stage.tick(json!({})).await;
    stage
        .control("PUT", "faults", json!({"apiErrors": {"500": 1}}))
        .await;
    stage.once(&scheduled()).await;
    let captured = stage.watched().await;
    assert_eq!(captured.values(Metric::UncomparedConnections), [1]);
    let failing = stage
        .function
        .sources
        .look(tokio::time::Instant::now())
        .await;
    let failing = failing.connections.unwrap().failing;
    assert!(failing.error.unwrap().contains("Calendly answered 500"));
    assert_eq!(failing.ids, [id().as_str()]);
    stage.control("PUT", "faults", json!({})).await;
    stage.sync(LONG).await;
    assert_eq!(red(&stage.watched().await), []);
}

#[tokio::test]
async fn a_connection_that_is_not_compared_for_hours_is_red_without_any_failure() {
    let stage = Stage::new().await;
    stage.sync(LONG).await;
    for _ in 0..5 {
        stage.clock.minutes(60);
        stage.tick(json!({})).await;
    }
    let captured = stage.watched().await;
    assert_eq!(captured.values(Metric::UncomparedConnections), [1]);
    stage.sync(LONG).await;
    assert_eq!(red(&stage.watched().await), []);
}

#[tokio::test]
async fn a_subscription_that_cannot_be_made_is_red_until_it_is() {
    let stage = Stage::new().await;
    stage.tick(json!({})).await;
    stage.wire.instead(|url| {
        let made = url.path() == "/webhook_subscriptions" && url.query().is_none();
        made.then(|| twist::refusal(403, "Permission Denied"))
    });
    stage.sync(LONG).await;
    let captured = stage.watched().await;
    assert_eq!(captured.values(Metric::InactiveSubscriptions), [1]);
    stage.wire.straighten();
    stage.sync(LONG).await;
    assert_eq!(red(&stage.watched().await), []);
}

#[tokio::test]
async fn a_subscription_that_is_retried_tells_the_hours_that_are_left() {
    let stage = Stage::new().await;
    stage.sync(LONG).await;
    // Nobody answers at the address that the connection gave, so its webhook fails.
    stage.book(24).await;
    let retried = async || {
        let state = stage.control("GET", "state", json!({})).await;
        state["subscriptions"][0]["retry_started_at"].is_string()
    };
    while !retried().await {
        tokio::task::yield_now().await;
    }
    stage.sync(LONG).await;
    stage.tick(json!({})).await;
    let captured = stage.watched().await;
    assert_eq!(captured.values(Metric::SubscriptionHoursLeft), [24]);
    assert_eq!(captured.values(Metric::NeedsSomebodyToday), [1]);
    stage.clock.minutes(60 * 19);
    stage.tick(json!({})).await;
    let captured = stage.watched().await;
    assert_eq!(captured.values(Metric::SubscriptionHoursLeft), [5]);
    assert_eq!(captured.values(Metric::NeedsSomebodyNow), [1]);
}

#[tokio::test]
async fn webhooks_that_are_all_refused_are_red_until_one_is_accepted() {
    let stage = Stage::new().await;
    stage.sync(LONG).await;
    stage.tick(json!({})).await;
    let traffic = TrafficCounter::new(stage.function.sources.traffic.clone());
    for _ in 0..3 {
        traffic.count(&[Outcome::Mismatch]).await;
        stage.clock.minutes(1);
    }
    let captured = stage.watched().await;
    assert_eq!(captured.values(Metric::RefusedWebhooks), [3]);
    assert_eq!(captured.values(Metric::NeedsSomebodyNow), [0]);
    traffic.count(&[Outcome::Verified]).await;
    assert_eq!(red(&stage.watched().await), []);
}

#[tokio::test]
async fn what_cannot_be_looked_at_leaves_every_alarm_as_it_is() {
    let mut stage = Stage::new().await;
    stage.function.sources.traffic = TrafficStore::new(Dynamo::unreachable(), "limits".to_owned());
    let captured = capture();
    let until = SystemTime::from(ambient::now()) + LONG;
    let looked = stage.function.handle(json!({"watch": true}), until).await;
    assert!(looked.is_err());
    assert_eq!(captured.lines(), [Value::Null; 0]);
    let ticks = stage.function.sources.ticks.get().await.unwrap();
    assert_eq!(ticks.watched_at, None);
}
