//! What a sandbox is started with.

use std::time::Duration;

/// How a sandbox behaves. The defaults suit a test: quick retries, real rate limits.
#[derive(Debug, Clone)]
pub struct Options {
    /// Port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// The app's id.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: String,
    /// The app's webhook signing key: signs for every subscription made with its OAuth tokens.
    pub signing_key: String,
    /// A personal access token of the first user that never expires.
    pub personal_access_token: String,
    /// Where an authorization may return to; empty allows any address of this machine.
    pub redirect_uris: Vec<String>,
    /// Scopes that are switched on for the app. With `default` alone it is an app of the time before
    /// scopes: it is granted that, whatever it asks for.
    pub app_scopes: Vec<String>,
    /// Life of an authorization code.
    pub code_lifetime: Duration,
    /// Life of an access token.
    pub token_lifetime: Duration,
    /// API calls a user has in one window.
    pub rate_limit: u32,
    /// Token calls a user has in one window.
    pub token_rate_limit: u32,
    /// Length of the window.
    pub rate_window: Duration,
    /// Wait before each retry of a webhook; as many retries as there are waits.
    pub retry_delays: Vec<Duration>,
    /// Messages that may use up all their retries, with no success between them, before the
    /// subscription is switched off; 0 never switches it off.
    pub disable_after: u32,
    /// How long a receiver may take to accept a connection.
    pub connect_timeout: Duration,
    /// How long a receiver may take to answer.
    pub read_timeout: Duration,
    /// Webhooks that may be under way at a time; 1 keeps first attempts in order.
    pub parallel_deliveries: usize,
    /// How long a conference link stays `processing` after the booking.
    pub conference_delay: Duration,
    /// How far back reads may be made to lag; nothing of the past is kept by default.
    pub memory: Duration,
}

/// Every scope that Calendly has had since March 2026.
pub(crate) const SCOPES: [&str; 23] = [
    "activity_log:read",
    "availability:read",
    "availability:write",
    "contacts:read",
    "contacts:write",
    "data_compliance:write",
    "event_types:read",
    "event_types:write",
    "groups:read",
    "locations:read",
    "meeting_recaps:read",
    "meeting_recaps:write",
    "organizations:read",
    "organizations:write",
    "outgoing_communications:read",
    "routing_forms:read",
    "scheduled_events:read",
    "scheduled_events:write",
    "scheduling_links:write",
    "shares:write",
    "users:read",
    "webhooks:read",
    "webhooks:write",
];

/// The one scope of apps that were made before there were scopes: it stands for all of them.
pub(crate) const DEFAULT_SCOPE: &str = "default";

impl Options {
    /// The app is of the time before scopes.
    pub(crate) fn is_old_app(&self) -> bool {
        self.app_scopes == [DEFAULT_SCOPE]
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            client_id: "sandbox-client-id".to_owned(),
            client_secret: "sandbox-client-secret".to_owned(),
            signing_key: "sandbox-signing-key-0123456789abcdef".to_owned(),
            personal_access_token: "sandbox-personal-access-token".to_owned(),
            redirect_uris: Vec::new(),
            app_scopes: SCOPES.map(str::to_owned).to_vec(),
            code_lifetime: Duration::from_secs(600),
            token_lifetime: Duration::from_secs(7200),
            rate_limit: 500,
            token_rate_limit: 8,
            rate_window: Duration::from_secs(60),
            retry_delays: [100, 200, 400, 800, 1600]
                .map(Duration::from_millis)
                .to_vec(),
            disable_after: 1,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(15),
            parallel_deliveries: 8,
            conference_delay: Duration::from_secs(2),
            memory: Duration::ZERO,
        }
    }
}
