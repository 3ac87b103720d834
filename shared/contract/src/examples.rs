//! Examples: of answers and requests as a stack gave and took them, in `examples.json` by operation.

use crate::params::{Kind, Parameter};
use crate::route::{Error, Operation};
use serde_json::{Value, json};
use std::sync::OnceLock;

fn all() -> &'static Value {
    static ALL: OnceLock<Value> = OnceLock::new();
    // A test reads the file; what can't be read is an example less, and no failure.
    ALL.get_or_init(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default())
}

fn found(pointer: &str) -> Option<Value> {
    all().pointer(pointer).cloned()
}

/// An example of a request's body.
pub(crate) fn input(operation: Operation) -> Option<Value> {
    found(&format!("/requests/{}", operation.id()))
}

/// An example of an answer's body.
pub(crate) fn answer(operation: Operation, status: u16) -> Option<Value> {
    found(&format!("/answers/{}/{status}", operation.id()))
}

/// An example of a parameter's value: the operation's own, or one that all have.
pub(crate) fn parameter(operation: Operation, parameter: &Parameter) -> Option<Value> {
    let own = found(&format!("/ids/{}/{}", operation.id(), parameter.name));
    if own.is_some() {
        return own;
    }
    Some(match parameter.kind {
        Kind::Id => found(&format!("/ids/{}", parameter.name))?,
        Kind::DeliveryId => found("/ids/deliveryId")?,
        Kind::DeliveryIdPrefix => json!("9247d3dd858f"),
        Kind::Uuid => json!("7c1f4a70-2f7b-4a0e-9a51-5d3c3b1a6e55"),
        Kind::Email => json!("jane.doe@example.com"),
        Kind::Limit => json!(20),
        Kind::Time if parameter.name == "to" => json!("2027-02-01T00:00:00Z"),
        Kind::Time => json!("2027-01-01T00:00:00Z"),
        Kind::Words(words) => json!(words.first()?),
        Kind::Text(_) if parameter.name == "event" => json!("invitee.created"),
        Kind::Flag | Kind::Cursor | Kind::Text(_) | Kind::Raw(_) => return None,
    })
}

/// An example of an error.
pub(crate) fn error(error: &Error) -> Value {
    json!({
        "error": error.about,
        "code": error.code,
        "trackingId": "3f0f3a1e-6d0c-4b7e-8a55-0d9d8e0b6c11",
        "timestamp": "2027-01-15T09:00:00Z",
    })
}
