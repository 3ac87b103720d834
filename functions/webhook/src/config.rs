//! What the function is told by its environment.

use jiff::SignedDuration;
use platform::config::{ConfigError, Env};
use std::time::Duration;

/// The function's configuration.
pub struct Config {
    /// Table of the delivery log.
    pub deliveries_table: String,
    /// Queue of deliveries to be processed.
    pub webhook_queue_url: String,
    /// Table of the counts of refused requests.
    pub limits_table: String,
    /// Whether tests are taken; all of the next three is for them alone.
    pub test_endpoint: bool,
    /// Table of bookings.
    pub bookings_table: String,
    /// Queue of events to be read again.
    pub sync_queue_url: String,
    /// Secret with the API keys.
    pub api_key_secret_id: String,
    /// Secret with the signing key.
    pub calendly_secret_id: String,
    /// How far a signature's time may lie from now. Calendly's own samples use 180 s.
    pub tolerance: Duration,
    /// How long the signing key is cached.
    pub key_lifetime: Duration,
    /// How long deliveries are kept.
    pub retention: SignedDuration,
}

impl Config {
    /// Reads it all, or says everything that is wrong.
    pub fn read<F: Fn(&str) -> Option<String>>(mut env: Env<F>) -> Result<Self, ConfigError> {
        let config = Self {
            deliveries_table: env.text("DELIVERIES_TABLE"),
            webhook_queue_url: env.text("WEBHOOK_QUEUE_URL"),
            limits_table: env.text("LIMITS_TABLE"),
            test_endpoint: env.or("TEST_ENDPOINT", false),
            bookings_table: env.text("BOOKINGS_TABLE"),
            sync_queue_url: env.text("SYNC_QUEUE_URL"),
            api_key_secret_id: env.text("API_KEY_SECRET_ID"),
            calendly_secret_id: env.text("CALENDLY_SECRET_ID"),
            tolerance: env.seconds("SIGNATURE_TOLERANCE_SECONDS", 180),
            key_lifetime: env.seconds("SIGNING_KEY_CACHE_SECONDS", 60),
            retention: SignedDuration::from_hours(24 * env.or("DELIVERY_RETENTION_DAYS", 30)),
        };
        env.finish(config)
    }
}
