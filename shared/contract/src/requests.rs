//! Request bodies.

use crate::params;
use jiff::Timestamp;
use lambda_http::Request;
use platform::deliveries::DeliveryId;
use platform::http::Problem;
use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

/// The largest body, in bytes, that a route other than a webhook's reads.
pub const MAX_BODY: usize = 64 * 1024;

/// Which dead letters to send back. Each part that is given must fit.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RedriveRequest {
    /// Only tell what would be sent back.
    pub dry_run: bool,
    /// At most so many.
    #[serde(deserialize_with = "whole")]
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

/// Why a dead letter is put away.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardRequest {
    /// For people, and kept on the delivery: shown to whoever may read, so it names nobody.
    #[schemars(length(min = 1, max = 500))]
    pub reason: String,
}

/// What to sync: all connections and the usual window, unless told otherwise.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SyncRequest {
    /// Only this connection.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,100}$"))]
    pub connection: Option<String>,
    /// Only events that start at this time or later; two days ago by default.
    #[serde(deserialize_with = "time")]
    pub from: Option<Timestamp>,
    /// Only events that start before this time; by default as far ahead as people can book.
    #[serde(deserialize_with = "time")]
    pub to: Option<Timestamp>,
}

/// A personal access token of Calendly's, for one's own account.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConnectRequest {
    /// The token.
    #[schemars(regex(pattern = r"^[!-~]+$"))]
    pub personal_access_token: String,
}

/// Whose subscription to look after.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SubscribeRequest {
    /// The connection's id.
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]{1,100}$"))]
    pub connection: String,
}

/// Whom to erase.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EraseRequest {
    /// An e-mail address, in whichever way it is written: in any case of letters, in quotes, with a
    /// name before it, with an IDNA domain.
    #[schemars(length(min = 3, max = 1024))]
    pub email: String,
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

/// A whole number, however it is written: to JSON Schema, and to programs with one kind of number,
/// `100.0` is one.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<usize, D::Error> {
    let number = Number::deserialize(from)?;
    let text = number.to_string();
    let text = text.strip_suffix(".0").unwrap_or(&text);
    text.parse()
        .map_err(|_| D::Error::custom(format!("{number} is no whole number from 0")))
}

/// A time, as parameters have it, or none.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    let time = text.map(|text| {
        params::time(&text).ok_or_else(|| {
            D::Error::custom("a time must be an RFC 3339 one such as 2027-01-31T09:00:00Z")
        })
    });
    time.transpose()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_be_written_as_a_float() {
        let limit = |text: &str| {
            let body = format!("{{\"limit\": {text}}}");
            read::<RedriveRequest>(body.as_bytes()).map(|redrive| redrive.limit)
        };
        for (text, number) in [("261", 261), ("261.0", 261), ("1e2", 100), ("2.61e2", 261)] {
            assert_eq!(limit(text), Ok(number), "{text}");
        }
        for text in ["2.5", "-1", "1e30", "\"20\"", "null", "true"] {
            assert!(limit(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_of_a_body_is_read_as_one_of_the_query() {
        let to = |text: &str| {
            let body = format!("{{\"to\": {text}}}");
            read::<SyncRequest>(body.as_bytes()).map(|sync| sync.to)
        };
        assert_eq!(to("null"), Ok(None));
        assert_eq!(to("\"9999-12-31T23:59:59Z\""), Ok(Some(Timestamp::MAX)));
        for bad in ["\"tomorrow\"", "\"\"", "7", "{}"] {
            assert!(to(bad).is_err(), "{bad}");
        }
        assert_eq!(read::<SyncRequest>(b"{}").unwrap().to, None);
    }
}
