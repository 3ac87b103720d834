//! Applies queued deliveries to the bookings.

use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use platform::apply::Bookkeeper;
use platform::bookings::BookingStore;
use platform::deliveries::DeliveryStore;
use platform::invocation::invoked;
use platform::queue::Queue;
use platform::ready::{self, step};
use std::sync::Arc;
use worker::config::Config;
use worker::handler::Worker;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    platform::logs::init(env!("CARGO_PKG_NAME"));
    let config = Config::read(platform::config::Env::process())?;
    let aws = platform::aws::load().await;
    let dynamodb = platform::aws::dynamodb(&aws);
    let sqs = platform::aws::sqs(&aws);
    let deliveries = DeliveryStore::new(dynamodb.clone(), config.deliveries_table);
    let worker = Arc::new(Worker {
        bookkeeper: Bookkeeper {
            jobs: Queue::new(sqs.clone(), config.sync_queue_url),
            deliveries: deliveries.clone(),
            bookings: BookingStore::new(dynamodb, config.bookings_table),
        },
        deliveries,
        inbox: Queue::new(sqs.clone(), config.webhook_queue_url),
        dead_letters: Queue::new(sqs, config.webhook_dlq_url),
        schedule: config.schedule,
        record_limit: config.record_limit,
    });
    ready::make([
        step("deliveries table", worker.deliveries.reach()),
        step("webhook queue", worker.inbox.reach()),
    ])
    .await;
    run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        let work = worker.clone().handle(event.payload);
        Ok::<_, Error>(invoked(Some(&event.context), work).await)
    }))
    .await
}
