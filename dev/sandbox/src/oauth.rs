//! OAuth 2 as Calendly has it: authorize, token, revoke, introspect.

mod authorize;
mod client;
mod token;

use crate::app::Shared;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/oauth/authorize", get(authorize::authorize))
        .route("/oauth/token", post(token::token))
        .route("/oauth/revoke", post(token::revoke))
        .route("/oauth/introspect", post(token::introspect))
        .route("/.well-known/oauth-authorization-server", get(metadata))
}

async fn metadata() -> Json<Value> {
    let auth = "https://auth.calendly.com";
    Json(json!({
        "issuer": "https://calendly.com",
        "authorization_endpoint": format!("{auth}/oauth/authorize"),
        "token_endpoint": format!("{auth}/oauth/token"),
        "revocation_endpoint": format!("{auth}/oauth/revoke"),
        "introspection_endpoint": format!("{auth}/oauth/introspect"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
    }))
}
