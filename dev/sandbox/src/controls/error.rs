//! Errors of the controls: `{"error": "…"}`.

use crate::bookings::Refused;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

/// An error answer.
#[derive(Debug)]
pub(super) struct ControlError(StatusCode, String);

impl ControlError {
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, message.into())
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, message.into())
    }
}

impl From<Refused> for ControlError {
    fn from(refused: Refused) -> Self {
        let (status, message) = match refused {
            Refused::NotFound => (StatusCode::NOT_FOUND, "there is no such booking"),
            Refused::AlreadyCanceled => (StatusCode::CONFLICT, "it is already canceled"),
            Refused::AlreadyMarked => (StatusCode::CONFLICT, "it is already marked as a no-show"),
            Refused::NotMarked => (StatusCode::CONFLICT, "it is not marked as a no-show"),
        };
        Self(status, message.to_owned())
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

/// Reads a body; none at all is `{}`.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ControlError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| ControlError::bad(error.to_string()))
}
