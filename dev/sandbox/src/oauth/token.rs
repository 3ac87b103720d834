//! Tokens: traded, revoked, looked into.

use super::client::{ClientCall, OauthError};
use crate::app::{App, Shared};
use crate::faults::Body;
use crate::grants::{Access, Token};
use crate::{api, ids};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// `POST /oauth/token`.
pub(super) async fn token(State(app): State<Shared>, request: Request) -> Response {
    let (injected, body, hang) = {
        let mut state = app.state();
        let injected = state.faults.error(true);
        (injected, state.faults.token_body, state.faults.hang_for())
    };
    let (grant, response) = match ClientCall::read(&app.options, request).await {
        Ok(call) => {
            let grant = call.field("grant_type").unwrap_or("none").to_owned();
            let response = match injected {
                Some(status) => api::injected(&app, status),
                None => trade(&app, &call).unwrap_or_else(IntoResponse::into_response),
            };
            (grant, response)
        }
        Err(error) => ("refused".to_owned(), error.into_response()),
    };
    let route = format!("POST /oauth/token {grant}");
    app.state().calls.count(route, response.status().as_u16());
    if body == Body::Lost && response.status().is_success() {
        tokio::time::sleep(hang).await;
    }
    api::with_body(response, body)
}

fn trade(app: &App, call: &ClientCall) -> Result<Response, OauthError> {
    let lifetime = SignedDuration::try_from(app.options.token_lifetime).unwrap_or_default();
    let mut state = app.state();
    let state = &mut *state;
    let grant = call.needed("grant_type")?;
    let owner = match grant {
        "authorization_code" => {
            let code = call.needed("code")?;
            let known = state.grants.codes.iter().find(|known| known.value == code);
            known.map(|known| known.user.clone())
        }
        "refresh_token" => {
            let token = state.grants.by_either(call.needed("refresh_token")?);
            token.map(|token| token.user.clone())
        }
        _ => return Err(OauthError::UNSUPPORTED_GRANT),
    };
    let owner = owner.ok_or(OauthError::INVALID_GRANT)?;
    let now = state.clock.now();
    let left = state.token_budget.take(&owner);
    if left.exceeded {
        return Ok(api::limited(left));
    }
    let token = if grant == "refresh_token" {
        state
            .grants
            .refresh(call.needed("refresh_token")?, (now, lifetime))
    } else {
        state.grants.exchange(
            call.needed("code")?,
            call.needed("redirect_uri")?,
            call.field("code_verifier"),
            (now, lifetime),
        )
    };
    let token = token.ok_or(OauthError::INVALID_GRANT)?;
    let user = state.accounts.user(&token.user);
    let organization = user.map(crate::accounts::User::organization_uri);
    let mut body = json!({
        "token_type": "Bearer",
        "access_token": token.access,
        "refresh_token": token.refresh,
        "scope": token.scopes.join(" "),
        "created_at": token.issued_at.as_second(),
        "expires_in": app.options.token_lifetime.as_secs(),
        "owner": ids::user(&token.user),
        "organization": organization,
    });
    if app.options.is_old_app()
        && let Some(fields) = body.as_object_mut()
    {
        fields.remove("organization");
    }
    Ok(([("cache-control", "no-store")], Json(body)).into_response())
}

/// `POST /oauth/revoke`: either token of a pair ends both.
pub(super) async fn revoke(
    State(app): State<Shared>,
    request: Request,
) -> Result<Json<Value>, OauthError> {
    let call = ClientCall::read(&app.options, request).await?;
    let mut state = app.state();
    state.calls.count("POST /oauth/revoke".to_owned(), 200);
    if let Some(token) = state.grants.by_either(call.needed("token")?) {
        token.revoked = true;
        token.refresh_used = true;
    }
    Ok(Json(json!({})))
}

/// `POST /oauth/introspect`.
pub(super) async fn introspect(
    State(app): State<Shared>,
    request: Request,
) -> Result<Json<Value>, OauthError> {
    let call = ClientCall::read(&app.options, request).await?;
    let asked = call.needed("token")?;
    let mut state = app.state();
    let state = &mut *state;
    let now = state.clock.now();
    let good = |token: &Token| {
        if token.access == asked {
            token.access_state(now) == Access::Good
        } else {
            !token.refresh_used && !token.revoked
        }
    };
    let token = state.grants.by_either(asked).filter(|token| good(token));
    let Some(token) = token else {
        return Ok(Json(json!({"active": false})));
    };
    let user = state.accounts.user(&token.user);
    Ok(Json(json!({
        "active": true,
        "scope": token.scopes.join(" "),
        "client_id": app.options.client_id,
        "token_type": "Bearer",
        "exp": token.expires_at.as_second(),
        "iat": token.issued_at.as_second(),
        "owner": ids::user(&token.user),
        "organization": user.map(crate::accounts::User::organization_uri),
    })))
}
