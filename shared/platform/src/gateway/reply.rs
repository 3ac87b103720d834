//! An answer, as API Gateway takes it from a function (payload format 2.0), with the headers that
//! every answer has.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use lambda_http::{Body, http};
use serde::Serialize;
use std::collections::BTreeMap;

/// What is said with every answer that doesn't say otherwise itself: that a browser takes it for
/// nothing but what its content type says, comes back by HTTPS only, hands its address to nobody,
/// shows it in no other page, and lets it load and run nothing.
const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
];

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// HTTP status.
    pub status_code: u16,
    /// Each header once: API Gateway takes no lists.
    pub headers: BTreeMap<String, String>,
    /// What goes out, in base64 where it is no text.
    pub body: String,
    /// Whether that is so.
    pub is_base64_encoded: bool,
}

impl Reply {
    /// The answer that `response` is.
    pub fn of(response: Response<Body>) -> Self {
        let (
            http::response::Parts {
                status, headers, ..
            },
            body,
        ) = response.into_parts();
        let encoded = headers.contains_key(header::CONTENT_ENCODING);
        let (body, is_base64_encoded) = match body {
            Body::Text(text) => (text, false),
            // Lambda's limit is for the text that it carries, and text is shorter as it is.
            Body::Binary(bytes) if !encoded => match String::from_utf8(bytes) {
                Ok(text) => (text, false),
                Err(other) => (STANDARD.encode(other.into_bytes()), true),
            },
            Body::Binary(bytes) => (STANDARD.encode(bytes), true),
            _ => (String::new(), false),
        };
        Self {
            status_code: status.as_u16(),
            headers: told(headers),
            body,
            is_base64_encoded,
        }
    }
}

fn told(mut headers: HeaderMap) -> BTreeMap<String, String> {
    for (name, value) in ALWAYS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &headers {
        // One that is no text can only be what a caller sent: an `Origin`, say.
        let Ok(value) = value.to_str() else { continue };
        let so_far = told.entry(name.as_str().to_owned()).or_default();
        if !so_far.is_empty() {
            so_far.push_str(", ");
        }
        so_far.push_str(value);
    }
    told
}
