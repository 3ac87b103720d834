//! `GET /v1/auth/authorize`: sends a browser to Calendly, or tells a program where to.

use crate::handler::{Connector, Reply, data, unavailable, wants_html};
use crate::start_link;
use calendly::oauth::{OAuth, Pkce, REQUIRED_SCOPES};
use contract::Params;
use contract::answers::AuthorizeLinks;
use jiff::Timestamp;
use lambda_http::Request;
use lambda_http::http::StatusCode;
use platform::connections::{Pending, Vault};
use platform::http::Problem;
use platform::queue::Jobs;
use platform::secrets::{CalendlySecret, Scope, Versions};
use platform::syncs::SyncJob;
use rand::RngCore;

/// Asked for beside the required ones; an app that lacks it refuses the whole authorization, so it
/// is asked for only where the caller says `routingForms=true`.
const ROUTING_FORMS: &str = "routing_forms:read";

impl<V: Vault + Clone + Send + Sync, S: Versions, J: Jobs<SyncJob>> Connector<V, S, J> {
    pub(crate) async fn authorize(
        &self,
        request: &Request,
        params: &Params,
    ) -> Result<Reply, Problem> {
        let linked = match (params.get("expires"), params.get("signature")) {
            (Some(expires), Some(signature)) => {
                let keys = self.keys.values().await.map_err(unavailable)?;
                let now = ambient::now();
                if !start_link::verify(&keys, expires, signature, now) {
                    return Err(Problem::new(
                        StatusCode::UNAUTHORIZED,
                        "UNAUTHORIZED",
                        "this start link is not valid (any more); ask for a new one",
                    ));
                }
                true
            }
            _ => false,
        };
        if !linked {
            self.keys.caller(request, Scope::Operate).await?;
        }

        let oauth = self.oauth().await?;
        let base = self.base_url(request);
        let redirect_uri = format!("{base}/v1/auth/callback");
        let pkce = Pkce::from_random(random());
        let state = hex::encode(random());
        let mut scopes = REQUIRED_SCOPES.to_vec();
        let routing_forms = params.flag("routingForms");
        if routing_forms {
            scopes.push(ROUTING_FORMS);
        }
        let url = oauth
            .authorize_url(&redirect_uri, &state, &pkce, &scopes)
            .map_err(|error| {
                tracing::error!(%error, "no authorize URL");
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "CALENDLY_URL_INVALID",
                    "the address of Calendly's authorize page can't be read",
                )
            })?;
        let pending = Pending {
            verifier: pkce.verifier,
            redirect_uri,
        };
        self.connections
            .begin(&state, &pending)
            .await
            .map_err(unavailable)?;

        if linked || wants_html(request) {
            return Ok(Reply::Redirect(url));
        }
        data(AuthorizeLinks {
            authorize_url: url,
            start_url: self.start_url(&base, routing_forms).await?,
        })
    }

    async fn start_url(&self, base: &str, routing_forms: bool) -> Result<Option<String>, Problem> {
        let keys = self.keys.values().await.map_err(unavailable)?;
        let expires = ambient::now()
            .saturating_add(start_link::LIFETIME)
            .unwrap_or(Timestamp::MAX);
        let query = start_link::sign(&keys, expires);
        let more = if routing_forms {
            "&routingForms=true"
        } else {
            ""
        };
        Ok(query.map(|query| format!("{base}/v1/auth/authorize?{query}{more}")))
    }

    /// The OAuth app, if there is one.
    pub(crate) async fn oauth(&self) -> Result<OAuth, Problem> {
        let secrets = self.app.values().await.map_err(unavailable)?;
        let app = secrets
            .first()
            .and_then(CalendlySecret::app)
            .ok_or_else(|| {
                Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "OAUTH_APP_MISSING",
                    "no OAuth app is configured: put clientId and clientSecret into the Calendly \
                     secret, as the README says",
                )
            })?;
        Ok(OAuth::new(self.http.clone(), &self.endpoints, app))
    }
}

fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    ambient::rng().fill_bytes(&mut bytes);
    bytes
}
