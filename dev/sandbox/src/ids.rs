//! URIs as Calendly writes them, and random ids. The URIs name Calendly's own host: clients match
//! by path, and the sandbox serves the same paths.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

const API: &str = "https://api.calendly.com";

/// The URI of a thing of the named collection.
pub(crate) fn uri(collection: &str, id: &str) -> String {
    format!("{API}/{collection}/{id}")
}

pub(crate) fn user(id: &str) -> String {
    uri("users", id)
}

pub(crate) fn organization(id: &str) -> String {
    uri("organizations", id)
}

pub(crate) fn event(id: &str) -> String {
    uri("scheduled_events", id)
}

pub(crate) fn invitee(event: &str, id: &str) -> String {
    format!("{API}/scheduled_events/{event}/invitees/{id}")
}

/// The last part of a URI, or the id itself.
pub(crate) fn last_part(uri_or_id: &str) -> &str {
    uri_or_id.rsplit('/').next().unwrap_or(uri_or_id)
}

pub(crate) fn new_uuid() -> String {
    Uuid::new_v4().to_string()
}

/// An id as users and organizations have it: 16 capital letters and digits.
pub(crate) fn new_account_id() -> String {
    Uuid::new_v4().simple().to_string()[..16].to_uppercase()
}

/// A secret of `parts` times 16 random bytes.
pub(crate) fn secret(parts: usize) -> String {
    let bytes: Vec<u8> = (0..parts)
        .flat_map(|_| Uuid::new_v4().into_bytes())
        .collect();
    URL_SAFE_NO_PAD.encode(bytes)
}
