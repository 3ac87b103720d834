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
}

impl From<Refused> for ControlError {
    fn from(refused: Refused) -> Self {
        let status = match refused {
            Refused::NotFound | Refused::UnknownEventType | Refused::UnknownUser => {
                StatusCode::NOT_FOUND
            }
            Refused::AlreadyCanceled
            | Refused::AlreadyMarked
            | Refused::NotMarked
            | Refused::NoLink => StatusCode::CONFLICT,
        };
        Self(status, refused.to_string())
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
