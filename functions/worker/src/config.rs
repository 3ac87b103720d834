//! What the function is told by its environment.

use platform::config::{ConfigError, Env};
use std::time::Duration;

/// The function's configuration.
pub struct Config {
    /// Table of the delivery log.
    pub deliveries_table: String,
    /// Table of bookings.
    pub bookings_table: String,
    /// Queue that the messages come from.
    pub webhook_queue_url: String,
    /// Queue for what was given up.
    pub webhook_dlq_url: String,
    /// Queue of events to be read again.
    pub sync_queue_url: String,
    /// Waits between attempts; one attempt more than waits is made.
    pub schedule: Vec<Duration>,
    /// How long one record may take. A batch runs concurrently, so the function's own limit
    /// needs to be only a little longer.
    pub record_limit: Duration,
}

impl Config {
    /// Reads it all, or says everything that is wrong.
    pub fn read<F: Fn(&str) -> Option<String>>(mut env: Env<F>) -> Result<Self, ConfigError> {
        let config = Self {
            deliveries_table: env.text("DELIVERIES_TABLE"),
            bookings_table: env.text("BOOKINGS_TABLE"),
            webhook_queue_url: env.text("WEBHOOK_QUEUE_URL"),
            webhook_dlq_url: env.text("WEBHOOK_DLQ_URL"),
            sync_queue_url: env.text("SYNC_QUEUE_URL"),
            schedule: env.schedule("RETRY_SCHEDULE", "60,300,900,1800,3600"),
            record_limit: env.seconds("RECORD_TIMEOUT_SECONDS", 30),
        };
        env.finish(config)
    }
}
