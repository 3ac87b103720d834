//! Receives Calendly's webhooks: verifies, logs and queues them.

mod config;
mod handler;
mod refusals;

use config::Config;
use handler::Receiver;
use lambda_http::{Error, run, service_fn};
use platform::deliveries::DeliveryStore;
use platform::limits::Limiter;
use platform::queue::Queue;
use platform::secrets::{ManagedSecret, RotatingSecret};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    platform::logs::init();
    let config = Config::read(platform::config::Env::process())?;
    let aws = platform::aws::load().await;
    let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
    let receiver = Receiver {
        log: DeliveryStore::new(dynamodb.clone(), config.deliveries_table),
        queue: Queue::new(aws_sdk_sqs::Client::new(&aws), config.webhook_queue_url),
        keys: RotatingSecret::new(
            ManagedSecret::new(
                aws_sdk_secretsmanager::Client::new(&aws),
                config.calendly_secret_id,
            ),
            "Calendly secret",
            config.key_lifetime,
        ),
        limiter: Limiter::new(dynamodb, config.limits_table),
        tolerance: config.tolerance,
        retention: config.retention,
    };
    run(service_fn(async |request| {
        Ok::<_, Error>(receiver.handle(&request).await)
    }))
    .await
}
