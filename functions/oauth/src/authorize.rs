//! `GET /v1/auth/authorize`: sends a browser to Calendly, or tells a program where to.

use crate::config::AskFor;
use crate::handler::{Connector, Reply, data, unavailable, wants_html};
use crate::start_link::StartLink;
use calendly::oauth::{OAuth, Pkce, REQUIRED_SCOPES};
use contract::Params;
use contract::answers::AuthorizeLinks;
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
        let routing_forms = params.flag("routingForms");
        let linked = params.get("expires").is_some() || params.get("signature").is_some();
        if linked {
            self.check_link(params, routing_forms).await?;
        } else {
            self.keys.caller(request, Scope::Operate).await?;
        }

        let oauth = self.oauth().await?;
        let base = self.base_url(request);
        let redirect_uri = format!("{base}/v1/auth/callback");
        let pkce = Pkce::from_random(random());
        let state = hex::encode(random());
        let mut scopes = Vec::new();
        if self.scopes == AskFor::Granular {
            scopes.extend(REQUIRED_SCOPES);
            scopes.extend(routing_forms.then_some(ROUTING_FORMS));
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

    async fn check_link(&self, params: &Params, routing_forms: bool) -> Result<(), Problem> {
        let refused = |why| Err(Problem::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", why));
        let (Some(expires), Some(signature)) = (params.get("expires"), params.get("signature"))
        else {
            return refused("a part of this start link is missing; copy all of it, to its end");
        };
        let link = expires.trim().parse().map(|expires| StartLink {
            expires,
            routing_forms,
        });
        let keys = self.keys.all.values().await.map_err(unavailable)?;
        if link.is_ok_and(|link| link.verify(&keys, signature, ambient::now())) {
            return Ok(());
        }
        refused("this start link is not valid (any more); ask for a new one")
    }

    async fn start_url(&self, base: &str, routing_forms: bool) -> Result<Option<String>, Problem> {
        let keys = self.keys.all.values().await.map_err(unavailable)?;
        let query = StartLink::from(ambient::now(), routing_forms).sign(&keys);
        Ok(query.map(|query| format!("{base}/v1/auth/authorize?{query}")))
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
