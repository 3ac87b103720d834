//! Request bodies.

use jiff::Timestamp;
use lambda_http::Request;
use platform::deliveries::DeliveryId;
use platform::http::Problem;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The largest body, in bytes, that a route other than a webhook's reads.
pub const MAX_BODY: usize = 64 * 1024;

/// Which dead letters to send back. Each part that is given must fit.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RedriveRequest {
    /// Only tell what would be sent back.
    pub dry_run: bool,
    /// At most so many.
    #[schemars(range(min = 1, max = 1000))]
    pub limit: usize,
    /// Only those of this event.
    pub event: Option<String>,
    /// Only this one.
    pub delivery_id: Option<DeliveryId>,
}

impl Default for RedriveRequest {
    fn default() -> Self {
        Self {
            dry_run: false,
            limit: 100,
            event: None,
            delivery_id: None,
        }
    }
}

/// What to sync: all connections and the usual window, unless told otherwise.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SyncRequest {
    /// Only this connection.
    pub connection: Option<String>,
    /// Only events that start at this time or later; two days ago by default.
    pub from: Option<Timestamp>,
    /// Only events that start before this time; by default as far ahead as people can book.
    pub to: Option<Timestamp>,
}

/// A personal access token of Calendly's, for one's own account.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectRequest {
    /// The token.
    #[schemars(length(min = 1))]
    pub personal_access_token: String,
}

/// Whose subscription to look after.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscribeRequest {
    /// The connection's id.
    pub connection: String,
}

/// A webhook to be tried without Calendly.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestRequest {
    /// A webhook's body as Calendly sends it (`event`, `created_at`, `created_by`, `payload`), or the
    /// simple form `{"event", "time", "payload": {"event": {…}, "invitee": {…}}}`.
    pub event_data: Map<String, Value>,
}

/// A webhook's body as Calendly sends it.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct WebhookBody {
    /// Name of the event, such as `invitee.created`.
    pub event: String,
    /// When it happened.
    pub created_at: Option<String>,
    /// URI of the user who made the subscription.
    pub created_by: Option<String>,
    /// What it is about.
    pub payload: Option<Value>,
}

/// A JSON object as the body, all of whose fields are optional; nothing is an empty one. `form`
/// says in the error what is taken.
pub fn object<T: Default + DeserializeOwned>(request: &Request, form: &str) -> Result<T, Problem> {
    let body: &[u8] = request.body().as_ref();
    if body.trim_ascii().is_empty() {
        return Ok(T::default());
    }
    read(body).map_err(|error| {
        Problem::parameter("body", format!("must be {form}, all optional: {error}"))
    })
}

/// A JSON object that must be there.
pub fn required_object<T: DeserializeOwned>(request: &Request, form: &str) -> Result<T, Problem> {
    // The parser's own error could quote a token.
    read(request.body().as_ref()).map_err(|_| Problem::parameter("body", format!("must be {form}")))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    if body.len() > MAX_BODY {
        return Err(format!("longer than {MAX_BODY} bytes"));
    }
    // Read as an object first: a list would be taken for the fields in their order.
    serde_json::from_slice::<Map<_, _>>(body)
        .and_then(|fields| serde_json::from_value(fields.into()))
        .map_err(|error| error.to_string())
}
