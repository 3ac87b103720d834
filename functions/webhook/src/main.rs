//! Receives Calendly's webhooks: verifies, logs and queues them. Takes tests, too, where the stage
//! switches that on.

use lambda_http::Error;
use platform::apply::Bookkeeper;
use platform::bookings::BookingStore;
use platform::deliveries::DeliveryStore;
use platform::gateway;
use platform::limits::Limiter;
use platform::queue::Queue;
use platform::ready::{self, step};
use platform::secrets::{ManagedSecret, RotatingSecret};
use platform::traffic::{TrafficCounter, TrafficStore};
use webhook::config::Config;
use webhook::handler::Receiver;
use webhook::routes::Webhooks;
use webhook::test_endpoint::Tester;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    platform::logs::init(env!("CARGO_PKG_NAME"));
    let config = Config::read(platform::config::Env::process())?;
    let aws = platform::aws::load().await;
    let dynamodb = platform::aws::dynamodb(&aws);
    let sqs = platform::aws::sqs(&aws);
    let secrets = platform::aws::secrets(&aws);
    let log = DeliveryStore::new(dynamodb.clone(), config.deliveries_table);
    let tester = config.test_endpoint.then(|| Tester {
        log: log.clone(),
        bookkeeper: Bookkeeper {
            jobs: Queue::new(sqs.clone(), config.sync_queue_url),
            deliveries: log.clone(),
            bookings: BookingStore::new(dynamodb.clone(), config.bookings_table),
        },
        keys: RotatingSecret::new(
            ManagedSecret::new(secrets.clone(), config.api_key_secret_id),
            "API key secret",
            config.key_lifetime,
        ),
        limiter: Limiter::new(dynamodb.clone(), config.limits_table.clone()),
        retention: config.retention,
    });
    let receiver = Receiver {
        log,
        queue: Queue::new(sqs, config.webhook_queue_url),
        keys: RotatingSecret::new(
            ManagedSecret::new(secrets, config.calendly_secret_id),
            "Calendly secret",
            config.key_lifetime,
        ),
        limiter: Limiter::new(dynamodb.clone(), config.limits_table.clone()),
        traffic: TrafficCounter::new(TrafficStore::new(dynamodb, config.limits_table)),
        tolerance: config.tolerance,
        retention: config.retention,
    };
    ready::make([
        step("signing key", receiver.keys.values()),
        step("limits table", receiver.limiter.reach()),
        step("webhook queue", receiver.queue.reach()),
    ])
    .await;
    let webhooks = Webhooks { receiver, tester };
    gateway::run(async |request, tracking_id| webhooks.handle(request, tracking_id).await).await
}
