//! What the function is told by its environment.

use jiff::SignedDuration;
use platform::config::{ConfigError, Env};
use platform::cors::Cors;
use platform::health::Settings;

/// The function's configuration.
pub struct Config {
    /// Table of the delivery log.
    pub deliveries_table: String,
    /// Table of bookings.
    pub bookings_table: String,
    /// Table of connections.
    pub connections_table: String,
    /// Queue of deliveries to be processed.
    pub webhook_queue_url: String,
    /// Queue of sync jobs.
    pub sync_queue_url: String,
    /// Queue of what was given up.
    pub webhook_dlq_url: String,
    /// Secret with the API keys that may do what it says.
    pub api_key_secret_id: String,
    /// Secret with the API keys that may only look.
    pub read_key_secret_id: String,
    /// How long deliveries are kept, and so how far back dead letters can lie.
    pub retention: SignedDuration,
    /// Which web pages of others may call.
    pub cors: Cors,
    /// Table of what became of webhooks.
    pub limits_table: String,
    /// What is to be called late.
    pub settings: Settings,
}

impl Config {
    /// Reads it all, or says everything that is wrong.
    pub fn read<F: Fn(&str) -> Option<String>>(mut env: Env<F>) -> Result<Self, ConfigError> {
        let config = Self {
            deliveries_table: env.text("DELIVERIES_TABLE"),
            bookings_table: env.text("BOOKINGS_TABLE"),
            connections_table: env.text("CONNECTIONS_TABLE"),
            webhook_queue_url: env.text("WEBHOOK_QUEUE_URL"),
            sync_queue_url: env.text("SYNC_QUEUE_URL"),
            webhook_dlq_url: env.text("WEBHOOK_DLQ_URL"),
            api_key_secret_id: env.text("API_KEY_SECRET_ID"),
            read_key_secret_id: env.text("READ_KEY_SECRET_ID"),
            retention: SignedDuration::from_hours(24 * env.or("DELIVERY_RETENTION_DAYS", 30)),
            cors: Cors::new(&env.or("CORS_ALLOW_ORIGINS", String::new())),
            limits_table: env.text("LIMITS_TABLE"),
            settings: Settings::read(&mut env),
        };
        env.finish(config)
    }
}
