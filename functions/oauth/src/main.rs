//! Connects Calendly accounts by OAuth, and disconnects them.

mod authorize;
mod callback;
mod config;
mod connect;
mod handler;
mod outcome;
mod page;
mod start_link;
mod subscriptions;

use config::Config;
use handler::Connector;
use lambda_http::{Error, RequestExt};
use platform::auth::ApiKeys;
use platform::connections::{ConnectionStore, SecretVault};
use platform::gateway;
use platform::invocation::over_by;
use platform::queue::Queue;
use platform::ready::{self, step};
use platform::secrets::{ManagedSecret, RotatingSecret};
use std::time::Duration;

/// How long keys are cached.
const KEY_LIFETIME: Duration = Duration::from_secs(60);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    platform::logs::init(env!("CARGO_PKG_NAME"));
    let config = Config::read(platform::config::Env::process())?;
    let aws = platform::aws::load().await;
    let secrets = platform::aws::secrets(&aws);
    let secret = |id| ManagedSecret::new(secrets.clone(), id);
    let connector = Connector {
        connections: ConnectionStore::new(platform::aws::dynamodb(&aws), config.connections_table),
        vault: SecretVault::new(secrets.clone(), config.token_secret_prefix).making(config.making),
        app: RotatingSecret::new(
            secret(config.calendly_secret_id),
            "Calendly secret",
            KEY_LIFETIME,
        ),
        keys: ApiKeys {
            all: RotatingSecret::new(
                secret(config.api_key_secret_id),
                "API key secret",
                KEY_LIFETIME,
            ),
            readers: RotatingSecret::new(
                secret(config.read_key_secret_id),
                "read key secret",
                KEY_LIFETIME,
            ),
        },
        jobs: Queue::new(platform::aws::sqs(&aws), config.sync_queue_url),
        http: platform::http::outgoing()?,
        endpoints: config.endpoints,
        scopes: config.scopes,
        public_url: config.public_url,
        cors: config.cors,
    };
    ready::make([
        step("API keys", connector.keys.all.values()),
        step("OAuth app", connector.app.values()),
        step("connections table", connector.connections.reach()),
    ])
    .await;
    gateway::run(async |request, tracking_id| {
        let context = request.lambda_context_ref();
        let until = over_by(context.map(|context| context.deadline()));
        connector.handle(request, tracking_id, until).await
    })
    .await
}
