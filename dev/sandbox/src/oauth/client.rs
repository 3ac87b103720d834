//! Who calls a token endpoint, and the errors it answers.

use crate::Options;
use axum::extract::{FromRequest, Request};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::collections::HashMap;

/// An error in OAuth's shape.
#[derive(Debug)]
pub(super) struct OauthError(StatusCode, &'static str, &'static str);

impl OauthError {
    pub(super) const INVALID_GRANT: Self = Self(
        StatusCode::BAD_REQUEST,
        "invalid_grant",
        "The provided authorization grant is invalid, expired, revoked, does not match the \
         redirection URI used in the authorization request, or was issued to another client.",
    );
    pub(super) const INVALID_CLIENT: Self = Self(
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        "Client authentication failed due to unknown client, no client authentication included, \
         or unsupported authentication method.",
    );
    pub(super) const UNSUPPORTED_GRANT: Self = Self(
        StatusCode::BAD_REQUEST,
        "unsupported_grant_type",
        "The authorization grant type is not supported by the authorization server.",
    );
    pub(super) const INVALID_REQUEST: Self = Self(
        StatusCode::BAD_REQUEST,
        "invalid_request",
        "The request is missing a required parameter, includes an unsupported parameter value, \
         or is otherwise malformed.",
    );
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let body = json!({"error": self.1, "error_description": self.2});
        (self.0, Json(body)).into_response()
    }
}

/// What a client sent, with its credentials checked.
#[derive(Debug)]
pub(super) struct ClientCall(HashMap<String, String>);

impl ClientCall {
    /// Reads a form, or JSON as Calendly's own demo sends it.
    pub(super) async fn read(options: &Options, request: Request) -> Result<Self, OauthError> {
        let headers = request.headers().clone();
        let is_json = headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let fields: HashMap<String, String> = if is_json {
            let json = Json::from_request(request, &()).await;
            json.map_err(|_| OauthError::INVALID_REQUEST)?.0
        } else {
            let form = Form::from_request(request, &()).await;
            form.map_err(|_| OauthError::INVALID_REQUEST)?.0
        };
        let (id, secret) = credentials(&headers, &fields).ok_or(OauthError::INVALID_CLIENT)?;
        if id != options.client_id || secret != options.client_secret {
            return Err(OauthError::INVALID_CLIENT);
        }
        Ok(Self(fields))
    }

    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn needed(&self, name: &str) -> Result<&str, OauthError> {
        self.field(name).ok_or(OauthError::INVALID_REQUEST)
    }
}

/// Id and secret, from Basic authentication or from the body.
fn credentials(headers: &HeaderMap, fields: &HashMap<String, String>) -> Option<(String, String)> {
    if let Some(header) = headers.get(AUTHORIZATION) {
        let encoded = header.to_str().ok()?.strip_prefix("Basic ")?;
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        return Some((id.to_owned(), secret.to_owned()));
    }
    Some((
        fields.get("client_id")?.clone(),
        fields.get("client_secret")?.clone(),
    ))
}
