//! Errors in the API's shape.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An error answer.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    body: Value,
}

impl ApiError {
    fn new(status: StatusCode, title: &str, message: &str) -> Self {
        let body = json!({"title": title, "message": message});
        Self { status, body }
    }

    /// A parameter that can't be used.
    pub(crate) fn invalid(parameter: &str, message: &str) -> Self {
        let what = "The supplied parameters are invalid.";
        let mut error = Self::new(StatusCode::BAD_REQUEST, "Invalid Argument", what);
        error.body["details"] = json!([{"parameter": parameter, "message": message}]);
        error
    }

    pub(crate) fn unauthenticated(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "Unauthenticated", message)
    }

    pub(crate) fn denied(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Permission Denied", message)
    }

    pub(crate) fn not_yours() -> Self {
        Self::denied("You do not have permission to access this resource.")
    }

    pub(crate) fn scope(needed: &str) -> Self {
        let what = "This operation requires the scopes listed in the 'required_scopes' array.";
        let mut error = Self::new(StatusCode::FORBIDDEN, "Insufficient scope", what);
        error.body["required_scopes"] = json!([needed]);
        error
    }

    pub(crate) fn not_found() -> Self {
        let what = "The server could not find the requested resource.";
        Self::new(StatusCode::NOT_FOUND, "Resource Not Found", what)
    }

    pub(crate) fn wrong_method() -> Self {
        let what = "The requested method is not allowed for this resource.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed", what)
    }

    pub(crate) fn hook_exists() -> Self {
        let what = "Hook with this url already exists";
        Self::new(StatusCode::CONFLICT, "Already Exists", what)
    }

    /// The error that a status alone stands for.
    pub(crate) fn of_status(status: u16) -> Self {
        match StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR) {
            StatusCode::BAD_REQUEST => Self::invalid("request", "is invalid"),
            StatusCode::UNAUTHORIZED => Self::unauthenticated("The access token is invalid"),
            StatusCode::FORBIDDEN => Self::not_yours(),
            StatusCode::NOT_FOUND => Self::not_found(),
            StatusCode::CONFLICT => Self::hook_exists(),
            StatusCode::TOO_MANY_REQUESTS => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "Too Many Requests",
                "Rate limit exceeded.",
            ),
            StatusCode::FAILED_DEPENDENCY => Self::new(
                StatusCode::FAILED_DEPENDENCY,
                "External Calendar Error",
                "Failed to connect to the external calendar.",
            ),
            other => Self::new(
                other,
                other.canonical_reason().unwrap_or("Error"),
                "The server encountered an unexpected condition.",
            ),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
