//! `GET /v1/openapi.json`: the document of the contract, the same that the tests hold the API against.

use crate::cacheable::{Content, FOR_MINUTES, cacheable};
use lambda_http::{Body, Request, Response};
use platform::http::{Problem, TrackingId};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// The document's bytes and their digest: made once, for whoever asks first.
fn document() -> &'static (Vec<u8>, String) {
    static DOCUMENT: OnceLock<(Vec<u8>, String)> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let document = contract::openapi::document(env!("CARGO_PKG_VERSION"));
        let bytes = document.to_string().into_bytes();
        let hash = Sha256::digest(&bytes);
        (bytes, hex::encode(&hash[..16]))
    })
}

/// Answers with the document.
pub fn answer(request: &Request, tracking_id: &TrackingId) -> Result<Response<Body>, Problem> {
    let (bytes, hash) = document();
    let bytes = Content::Plain(bytes);
    cacheable(
        request,
        tracking_id,
        "application/json",
        FOR_MINUTES,
        hash,
        bytes,
    )
}
