//! `GET /v1/auth/callback`: Calendly sends the browser back.

use crate::connect::Means;
use crate::handler::{Connector, Reply, unavailable};
use crate::outcome;
use booking::ConnectionId;
use calendly::oauth::{Grant, OAuth, OAuthError, Pkce};
use contract::Params;
use lambda_http::Request;
use lambda_http::http::StatusCode;
use platform::aws::CALL;
use platform::connections::{Pending, REFRESH, Taken, Tokens, Vault};
use platform::http::{Problem, TrackingId};
use platform::queue::Jobs;
use platform::secrets::Versions;
use platform::syncs::SyncJob;
use tokio::time::Instant;

impl<V: Vault + Clone + Send + Sync, S: Versions, J: Jobs<SyncJob>> Connector<V, S, J> {
    pub(crate) async fn callback(
        &self,
        request: &Request,
        params: &Params,
        tracking_id: &TrackingId,
        until: Instant,
    ) -> Result<Reply, Problem> {
        let Some(state) = params.get("state").filter(|state| !state.is_empty()) else {
            return Err(bad("STATE_MISSING", "the answer has no state; start again"));
        };
        // Ours are 64 characters.
        let answer = outcome::answer(params);
        let ready = match code(params) {
            // What is needed is had before the state is taken: a page that is loaded again after a
            // failure in this tries again.
            Ok(code) => Ok((code, self.app_in_time(until).await?)),
            Err(problem) => Err(problem),
        };
        let taken = if state.len() == 64 {
            let taken = self.connections.take(state, &answer).await;
            taken.map_err(unavailable)?
        } else {
            Taken::Unknown
        };
        match taken {
            // Finished whatever comes of it: a state works once.
            Taken::First(pending) => {
                let result = match ready {
                    Ok(ready) => {
                        self.finish(request, ready, pending, until, tracking_id)
                            .await
                    }
                    Err(problem) => Err(problem),
                };
                self.remember(state, &result).await;
                result
            }
            Taken::Again(outcome) => self.again(request, state, &answer, outcome, until).await,
            Taken::Unknown => Err(bad(
                "STATE_INVALID",
                "this authorization is not known: it began more than ten minutes ago, or elsewhere, \
                 or was used already. What was connected before still is; start again to connect an \
                 account",
            )),
        }
    }

    /// The OAuth app, if a code can still be exchanged and its tokens be stored before `until`.
    async fn app_in_time(&self, until: Instant) -> Result<OAuth, Problem> {
        let oauth = self.oauth().await?;
        if Instant::now() + CALL + REFRESH > until {
            tracing::error!("the Calendly secret was read too late to exchange a code");
            return Err(Problem::unavailable());
        }
        Ok(oauth)
    }

    async fn finish(
        &self,
        request: &Request,
        (code, oauth): (&str, OAuth),
        pending: Pending,
        until: Instant,
        tracking_id: &TrackingId,
    ) -> Result<Reply, Problem> {
        let pkce = Pkce {
            verifier: pending.verifier,
        };
        let grant = oauth.exchange(code, &pending.redirect_uri, &pkce).await;
        let grant = grant.map_err(|error| exchange_failed(&error))?;
        let missing = grant.missing_scopes();
        if !missing.is_empty() {
            self.revoke_narrow(&oauth, &grant).await;
            return Err(missing_scopes(&missing));
        }
        let tokens = Tokens::from(&grant);
        // From here on the grant is kept at Calendly, whatever happens: one that could not be read
        // or stored now is none that its owner took back.
        let account = self.owner(&grant, &tokens, until).await?;
        let account = self.keep(account, &tokens, until).await;
        let means = Means {
            tokens: &tokens,
            scopes: &grant.scopes,
            signing_key: None,
        };
        self.connect(
            request,
            account.map_err(start_again)?,
            means,
            until,
            tracking_id,
        )
        .await
        .map_err(start_again)
    }

    /// Revokes a grant that its owner gave too narrowly to be of use. Not of an account that is
    /// connected: whether Calendly ends the grants before with it is not documented.
    async fn revoke_narrow(&self, oauth: &OAuth, grant: &Grant) {
        let owner = grant.owner.as_deref().map(ConnectionId::from_user_uri);
        let Some(Ok(owner)) = owner else {
            return;
        };
        if !matches!(self.connections.get(&owner).await, Ok(None)) {
            return;
        }
        if let Err(error) = oauth.revoke(&grant.refresh_token).await {
            tracing::warn!(%error, "a grant was not revoked");
        }
    }
}

/// The code that Calendly gave to the browser.
fn code(params: &Params) -> Result<&str, Problem> {
    if let Some(error) = params.get("error") {
        return Err(declined(error));
    }
    let code = params.get("code").filter(|code| !code.is_empty());
    code.ok_or_else(|| bad("CODE_MISSING", "the answer has no code; start again"))
}

/// The code was used, so that to try again is to start again.
fn start_again(problem: Problem) -> Problem {
    Problem {
        message: format!("{}: start the authorization again", problem.message),
        ..problem
    }
}

fn missing_scopes(missing: &[&str]) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "MISSING_SCOPE",
        format!(
            "Calendly did not grant {}; switch these scopes on for the OAuth app, then start again",
            missing.join(", ")
        ),
    )
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
            "Calendly refused the scopes: switch on users:read, scheduled_events:read and \
             webhooks:write for the OAuth app (and routing_forms:read, where routing forms were \
             asked for). For an older app, which has no scopes, set the parameter CalendlyScopes of \
             the stack to none",
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
