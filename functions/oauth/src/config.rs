//! What the function is told by its environment.

use calendly::api::Endpoints;
use platform::config::{ConfigError, Env};
use platform::connections::{Making, Tags};
use platform::cors::Cors;
use std::str::FromStr;

/// Which scopes an authorization asks for: the template's `CalendlyScopes`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AskFor {
    /// Those that the service needs.
    #[default]
    Granular,
    /// None: the app is from before there were any, and Calendly refuses to be asked for them.
    Nothing,
}

impl FromStr for AskFor {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        match word {
            "granular" => Ok(Self::Granular),
            "none" => Ok(Self::Nothing),
            _ => Err(()),
        }
    }
}

/// The function's configuration.
pub struct Config {
    /// Table of connections.
    pub connections_table: String,
    /// Queue of sync jobs.
    pub sync_queue_url: String,
    /// Secrets with tokens are named by this and the connection's id.
    pub token_secret_prefix: String,
    /// How they are made.
    pub making: Making,
    /// Secret with the OAuth app.
    pub calendly_secret_id: String,
    /// Secret with the API keys that may do what it says.
    pub api_key_secret_id: String,
    /// Secret with the API keys that may only look.
    pub read_key_secret_id: String,
    /// Where Calendly is: the real one unless told otherwise.
    pub endpoints: Endpoints,
    /// Which scopes are asked for.
    pub scopes: AskFor,
    /// Where people and Calendly reach this service, if that isn't the API's own address.
    pub public_url: Option<String>,
    /// Which web pages of others may call.
    pub cors: Cors,
}

impl Config {
    /// Reads it all, or says everything that is wrong.
    pub fn read<F: Fn(&str) -> Option<String>>(mut env: Env<F>) -> Result<Self, ConfigError> {
        let calendly = Endpoints::default();
        let config = Self {
            connections_table: env.text("CONNECTIONS_TABLE"),
            sync_queue_url: env.text("SYNC_QUEUE_URL"),
            token_secret_prefix: env.text("TOKEN_SECRET_PREFIX"),
            making: Making {
                key: Some(env.or("TOKEN_SECRET_KEY_ARN", String::new()))
                    .filter(|key| !key.is_empty()),
                tags: env.or("TOKEN_SECRET_TAGS", Tags::default()),
            },
            calendly_secret_id: env.text("CALENDLY_SECRET_ID"),
            api_key_secret_id: env.text("API_KEY_SECRET_ID"),
            read_key_secret_id: env.text("READ_KEY_SECRET_ID"),
            endpoints: Endpoints {
                api: env.or("CALENDLY_API_URL", calendly.api),
                auth: env.or("CALENDLY_AUTH_URL", calendly.auth),
            },
            scopes: env.or("CALENDLY_SCOPES", AskFor::default()),
            public_url: Some(env.or("PUBLIC_URL", String::new())).filter(|url| !url.is_empty()),
            cors: Cors::new(&env.or("CORS_ALLOW_ORIGINS", String::new())),
        };
        env.finish(config)
    }
}
