//! Receives Calendly's webhooks: verifies, logs and queues them.

mod config;
mod handler;

use config::Config;
use handler::Receiver;
use lambda_http::{Error, run, service_fn};
use platform::deliveries::DeliveryStore;
use platform::queue::Queue;
use platform::secrets::{ManagedSecret, RotatingSecret};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    platform::logs::init();
    let config = Config::read(platform::config::Env::process())?;
    let aws = platform::aws::load().await;
    let receiver = Receiver {
        log: DeliveryStore::new(aws_sdk_dynamodb::Client::new(&aws), config.deliveries_table),
        queue: Queue::new(aws_sdk_sqs::Client::new(&aws), config.webhook_queue_url),
        keys: RotatingSecret::new(
            ManagedSecret::new(
                aws_sdk_secretsmanager::Client::new(&aws),
                config.calendly_secret_id,
            ),
            "Calendly secret",
            config.key_lifetime,
        ),
        tolerance: config.tolerance,
        retention: config.retention,
    };
    run(service_fn(async |request| {
        Ok::<_, Error>(receiver.handle(&request).await)
    }))
    .await
}
