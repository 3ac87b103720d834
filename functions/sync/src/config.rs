//! What the function is told by its environment.

use calendly::api::Endpoints;
use platform::config::{ConfigError, Env};
use platform::health::Settings;

/// The function's configuration.
pub struct Config {
    /// Table of connections and syncs.
    pub connections_table: String,
    /// Table of bookings.
    pub bookings_table: String,
    /// Table of the delivery log.
    pub deliveries_table: String,
    /// Queue of sync jobs.
    pub sync_queue_url: String,
    /// Queue of deliveries to be processed.
    pub webhook_queue_url: String,
    /// Secrets with tokens are named by this and the connection's id.
    pub token_secret_prefix: String,
    /// Secret with the OAuth app.
    pub calendly_secret_id: String,
    /// Where Calendly is.
    pub endpoints: Endpoints,
    /// Table of what became of webhooks.
    pub limits_table: String,
    /// What is to be called late.
    pub settings: Settings,
}

impl Config {
    /// Reads it all, or says everything that is wrong.
    pub fn read<F: Fn(&str) -> Option<String>>(mut env: Env<F>) -> Result<Self, ConfigError> {
        let calendly = Endpoints::default();
        let config = Self {
            connections_table: env.text("CONNECTIONS_TABLE"),
            bookings_table: env.text("BOOKINGS_TABLE"),
            deliveries_table: env.text("DELIVERIES_TABLE"),
            sync_queue_url: env.text("SYNC_QUEUE_URL"),
            webhook_queue_url: env.text("WEBHOOK_QUEUE_URL"),
            token_secret_prefix: env.text("TOKEN_SECRET_PREFIX"),
            calendly_secret_id: env.text("CALENDLY_SECRET_ID"),
            endpoints: Endpoints {
                api: env.or("CALENDLY_API_URL", calendly.api),
                auth: env.or("CALENDLY_AUTH_URL", calendly.auth),
            },
            limits_table: env.text("LIMITS_TABLE"),
            settings: Settings::read(&mut env),
        };
        env.finish(config)
    }
}
