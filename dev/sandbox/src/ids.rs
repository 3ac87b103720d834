//! URIs as Calendly writes them, and random ids. The URIs name Calendly's own host: clients match
//! by path, and the sandbox serves the same paths.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore;
use serde_json::{Value, json};

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

/// A name as it stands in the addresses of Calendly's pages.
pub(crate) fn slug(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// An id of a new thing: all that Calendly makes now have UUIDs, users and organizations too.
pub(crate) fn new_uuid() -> String {
    ambient::uuid()
}

/// A secret of `parts` times 16 random bytes.
pub(crate) fn secret(parts: usize) -> String {
    let mut bytes = vec![0; parts * 16];
    ambient::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Calendly's tracking object with these values.
pub(crate) fn tracking(values: &[(String, String)]) -> Value {
    let mut tracking = json!({
        "utm_campaign": null, "utm_source": null, "utm_medium": null,
        "utm_content": null, "utm_term": null, "salesforce_uuid": null,
    });
    for (name, value) in values {
        tracking[name] = value.as_str().into();
    }
    tracking
}
