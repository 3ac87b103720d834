//! Reads and operates the service over HTTP.

mod cacheable;
mod config;
mod connections;
mod contacts;
mod dead_letters;
mod deliveries;
mod docs;
mod erasing;
mod events;
mod handler;
mod openapi;
mod pages;
mod status;
mod syncs;

use config::Config;
use handler::Api;
use lambda_http::Error;
use platform::auth::ApiKeys;
use platform::bookings::BookingStore;
use platform::connections::ConnectionStore;
use platform::deliveries::DeliveryStore;
use platform::gateway;
use platform::health::Sources;
use platform::queue::Queue;
use platform::ready::{self, step};
use platform::secrets::{ManagedSecret, RotatingSecret};
use platform::syncs::SyncStore;
use platform::ticks::TickStore;
use platform::traffic::TrafficStore;
use std::time::Duration;

/// How long API keys are cached.
const KEY_LIFETIME: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    platform::logs::init(env!("CARGO_PKG_NAME"));
    let config = Config::read(platform::config::Env::process())?;
    let aws = platform::aws::load().await;
    let dynamodb = platform::aws::dynamodb(&aws);
    let sqs = platform::aws::sqs(&aws);
    let secrets = platform::aws::secrets(&aws);
    let keys =
        |id, name| RotatingSecret::new(ManagedSecret::new(secrets.clone(), id), name, KEY_LIFETIME);
    let deliveries = DeliveryStore::new(dynamodb.clone(), config.deliveries_table);
    let connections = ConnectionStore::new(dynamodb.clone(), config.connections_table.clone());
    let api = Api {
        sources: Sources {
            deliveries: deliveries.clone(),
            connections: connections.clone(),
            traffic: TrafficStore::new(dynamodb.clone(), config.limits_table),
            ticks: TickStore::new(dynamodb.clone(), config.connections_table.clone()),
            settings: config.settings,
        },
        bookings: BookingStore::new(dynamodb.clone(), config.bookings_table),
        deliveries,
        connections,
        syncs: SyncStore::new(dynamodb, config.connections_table),
        sync_jobs: Queue::new(sqs.clone(), config.sync_queue_url),
        queue: Queue::new(sqs.clone(), config.webhook_queue_url),
        dead_letters: Queue::new(sqs, config.webhook_dlq_url),
        keys: ApiKeys {
            all: keys(config.api_key_secret_id, "API key secret"),
            readers: keys(config.read_key_secret_id, "read key secret"),
        },
        retention: config.retention,
        cors: config.cors,
    };
    ready::make([
        step("API keys", api.keys.all.values()),
        step("read keys", api.keys.readers.values()),
        step("deliveries table", api.deliveries.reach()),
        step("dead letter queue", api.dead_letters.reach()),
    ])
    .await;
    gateway::run(async |request, tracking_id| api.handle(request, tracking_id).await).await
}
