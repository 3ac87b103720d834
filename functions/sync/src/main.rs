//! Reconciles connected accounts with what is stored, and watches their subscriptions.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use platform::bookings::BookingStore;
use platform::connections::{ConnectionStore, SecretVault};
use platform::deliveries::DeliveryStore;
use platform::health::Sources;
use platform::invocation::invoked;
use platform::queue::Queue;
use platform::ready::{self, step};
use platform::secrets::{ManagedSecret, RotatingSecret};
use platform::syncs::SyncStore;
use platform::ticks::TickStore;
use platform::traffic::TrafficStore;
use std::time::Duration;
use sync::config::Config;
use sync::handler::Syncer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    platform::logs::init(env!("CARGO_PKG_NAME"));
    let config = Config::read(platform::config::Env::process())?;
    let aws = platform::aws::load().await;
    let dynamodb = platform::aws::dynamodb(&aws);
    let sqs = platform::aws::sqs(&aws);
    let secrets = platform::aws::secrets(&aws);
    let table = config.connections_table;
    let connections = ConnectionStore::new(dynamodb.clone(), table.clone());
    let deliveries = DeliveryStore::new(dynamodb.clone(), config.deliveries_table);
    let syncer = Syncer {
        sources: Sources {
            deliveries: deliveries.clone(),
            connections: connections.clone(),
            traffic: TrafficStore::new(dynamodb.clone(), config.limits_table),
            ticks: TickStore::new(dynamodb.clone(), table.clone()),
            settings: config.settings,
        },
        connections,
        syncs: SyncStore::new(dynamodb.clone(), table),
        bookings: BookingStore::new(dynamodb, config.bookings_table),
        deliveries,
        jobs: Queue::new(sqs.clone(), config.sync_queue_url),
        webhooks: Queue::new(sqs, config.webhook_queue_url),
        vault: SecretVault::new(secrets.clone(), config.token_secret_prefix),
        app: RotatingSecret::new(
            ManagedSecret::new(secrets, config.calendly_secret_id),
            "Calendly secret",
            Duration::from_secs(60),
        ),
        http: platform::http::outgoing()?,
        endpoints: config.endpoints,
    };
    ready::make([
        step("connections table", syncer.connections.reach()),
        step("sync queue", syncer.jobs.reach()),
        step("OAuth app", syncer.app.values()),
    ])
    .await;
    Box::pin(run(service_fn(
        async |event: LambdaEvent<serde_json::Value>| {
            let deadline = event.context.deadline();
            let work = syncer.handle(event.payload, deadline);
            invoked(Some(&event.context), work).await
        },
    )))
    .await
}
