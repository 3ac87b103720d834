//! `GET /v1/auth/callback`: Calendly sends the browser back.

use crate::handler::{Connector, Reply, unavailable};
use calendly::oauth::{Grant, OAuth, OAuthError, Pkce};
use contract::Params;
use lambda_http::Request;
use lambda_http::http::StatusCode;
use platform::connections::{Tokens, Vault};
use platform::http::{Problem, TrackingId};
use platform::queue::Jobs;
use platform::secrets::Versions;
use platform::syncs::SyncJob;

impl<V: Vault + Clone + Send + Sync, S: Versions, J: Jobs<SyncJob>> Connector<V, S, J> {
    pub(crate) async fn callback(
        &self,
        request: &Request,
        params: &Params,
        tracking_id: &TrackingId,
    ) -> Result<Reply, Problem> {
        let Some(state) = params.get("state").filter(|state| !state.is_empty()) else {
            return Err(bad("STATE_MISSING", "the answer has no state; start again"));
        };
        // Taken whatever comes of it: a state works once. Ours are 64 characters.
        let pending = if state.len() == 64 {
            let taken = self.connections.take(state).await;
            taken.map_err(unavailable)?
        } else {
            None
        };
        let pending = pending.ok_or_else(|| {
            bad(
                "STATE_INVALID",
                "this authorization is not known: it was used already, began more than ten \
                 minutes ago, or elsewhere; start again",
            )
        })?;
        if let Some(error) = params.get("error") {
            return Err(declined(error));
        }
        let Some(code) = params.get("code").filter(|code| !code.is_empty()) else {
            return Err(bad("CODE_MISSING", "the answer has no code; start again"));
        };

        let oauth = self.oauth().await?;
        let pkce = Pkce {
            verifier: pending.verifier,
        };
        let grant = oauth.exchange(code, &pending.redirect_uri, &pkce).await;
        let grant = grant.map_err(|error| exchange_failed(&error))?;
        let missing = grant.missing_scopes();
        if !missing.is_empty() {
            give_back(&oauth, &grant).await;
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "MISSING_SCOPE",
                format!(
                    "Calendly did not grant {}; switch these scopes on for the OAuth app, then \
                     start again",
                    missing.join(", ")
                ),
            ));
        }
        let tokens = Tokens::from(&grant);
        let kept = match self.identify(&tokens).await {
            Ok(account) => self.keep(account, &tokens).await,
            Err(problem) => Err(problem),
        };
        let account = match kept {
            Ok(account) => account,
            Err(problem) => {
                // Nothing is kept of an account that could not be read, or tokens not stored.
                give_back(&oauth, &grant).await;
                return Err(problem);
            }
        };
        let scopes = grant.scopes.clone().unwrap_or_default();
        self.connect(request, account, &tokens, &scopes, None, tracking_id)
            .await
    }
}

/// Revokes tokens that nobody will use.
async fn give_back(oauth: &OAuth, grant: &Grant) {
    if let Err(error) = oauth.revoke(&grant.refresh_token).await {
        tracing::warn!(%error, "a grant was not revoked");
    }
}

fn declined(error: &str) -> Problem {
    match error {
        "access_denied" => Problem::new(
            StatusCode::FORBIDDEN,
            "ACCESS_DENIED",
            "access was not granted; nothing was connected. Start again to grant it",
        ),
        "invalid_scope" => Problem::new(
            StatusCode::FORBIDDEN,
            "MISSING_SCOPE",
            "Calendly refused the scopes; switch on users:read, scheduled_events:read and \
             webhooks:write for the OAuth app",
        ),
        // An error of another name is not shown: it came by the browser, from anywhere.
        _ => bad(
            "AUTHORIZATION_FAILED",
            "Calendly ended the authorization with an error; start again",
        ),
    }
}

fn exchange_failed(error: &OAuthError) -> Problem {
    tracing::warn!(%error, "code not exchanged");
    match error {
        OAuthError::InvalidGrant => bad(
            "CODE_INVALID",
            "Calendly does not take this code: it has expired or was used already; start again",
        ),
        OAuthError::InvalidClient => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "OAUTH_APP_REFUSED",
            "Calendly does not know this app: check clientId and clientSecret in the Calendly secret",
        ),
        _ => Problem::new(
            StatusCode::BAD_GATEWAY,
            "CALENDLY_UNAVAILABLE",
            format!("{error}; start again in a moment"),
        ),
    }
}

pub(crate) fn bad(code: &'static str, message: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, message)
}
