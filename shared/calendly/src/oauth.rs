//! OAuth 2 with PKCE: the authorize URL, the token endpoint, revocation.
//!
//! Source: Calendly's documentation on OAuth and on refresh-token rotation.

use crate::api::Endpoints;
use crate::call::Http;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fmt;

/// The scopes without which the service can't work.
pub const REQUIRED_SCOPES: [&str; 3] = ["users:read", "scheduled_events:read", "webhooks:write"];

/// An OAuth app, as Calendly registered it.
#[derive(Clone)]
pub struct App {
    /// Public id.
    pub client_id: String,
    /// Secret.
    pub client_secret: String,
}

/// What a successful token call gives. Both tokens are secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// For calls; lives for two hours.
    pub access_token: String,
    /// For the next grant; works once.
    pub refresh_token: String,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// What was granted; nothing where Calendly doesn't say (older apps).
    pub scopes: Option<Vec<String>>,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

impl Grant {
    /// Those of the [`REQUIRED_SCOPES`] that were not granted. A `:write` scope includes its `:read`.
    pub fn missing_scopes(&self) -> Vec<&'static str> {
        let Some(granted) = &self.scopes else {
            return Vec::new();
        };
        let has = |wanted: &str| granted.iter().any(|scope| scope == wanted);
        let covered = |wanted: &str| {
            has(wanted)
                || wanted
                    .strip_suffix(":read")
                    .is_some_and(|thing| has(&format!("{thing}:write")))
        };
        REQUIRED_SCOPES
            .into_iter()
            .filter(|wanted| !covered(wanted))
            .collect()
    }
}

/// Why a token call gave no tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// The code or the refresh token was used, expired or revoked.
    #[error("Calendly no longer takes this grant (invalid_grant)")]
    InvalidGrant,
    /// The app's id or secret is wrong.
    #[error("Calendly does not know this client id with this secret; check the Calendly secret")]
    InvalidClient,
    /// Calendly did not answer, so what became of a refresh token is not known.
    #[error("Calendly's token endpoint could not be reached")]
    Unreachable,
    /// Another refusal.
    #[error("Calendly's token endpoint answered {status} {code}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// OAuth's error code, if the body had one.
        code: String,
    },
    /// A success without what it must hold.
    #[error("Calendly's token answer has no {0}")]
    Unreadable(&'static str),
}

impl OAuthError {
    /// Whether a later try may succeed without anybody doing something.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable => true,
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
            _ => false,
        }
    }
}

/// A proof key: the verifier stays here, its hash goes along with the browser.
#[derive(Clone)]
pub struct Pkce {
    /// Kept until the code is exchanged.
    pub verifier: String,
}

impl Pkce {
    /// From 32 random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self {
            verifier: URL_SAFE_NO_PAD.encode(bytes),
        }
    }

    /// The `S256` challenge.
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier))
    }
}

/// The OAuth endpoints of one app.
#[derive(Clone)]
pub struct OAuth {
    http: Http,
    auth: String,
    app: App,
}

impl OAuth {
    /// Those of `app`.
    pub fn new(http: Http, endpoints: &Endpoints, app: App) -> Self {
        Self {
            http,
            auth: endpoints.auth.trim_end_matches('/').to_owned(),
            app,
        }
    }

    /// Where a browser is sent to authorize.
    pub fn authorize_url(
        &self,
        redirect_uri: &str,
        state: &str,
        pkce: &Pkce,
        scopes: &[&str],
    ) -> Result<String, OAuthError> {
        let mut url = reqwest::Url::parse(&format!("{}/oauth/authorize", self.auth))
            .map_err(|_| OAuthError::Unreadable("valid address"))?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.app.client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("scope", &scopes.join(" "))
            .append_pair("state", state)
            .append_pair("code_challenge", &pkce.challenge())
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Exchanges an authorization code.
    pub async fn exchange(
        &self,
        code: &str,
        redirect_uri: &str,
        pkce: &Pkce,
    ) -> Result<Grant, OAuthError> {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", &pkce.verifier),
        ])
        .await
    }

    /// Uses a refresh token, which is void from then on.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Grant, OAuthError> {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ])
        .await
    }

    /// Revokes a token.
    pub async fn revoke(&self, token: &str) -> Result<(), OAuthError> {
        let form = [
            ("client_id", self.app.client_id.as_str()),
            ("client_secret", self.app.client_secret.as_str()),
            ("token", token),
        ];
        let url = format!("{}/oauth/revoke", self.auth);
        let request = self.http.request(Method::POST, url).form(&form);
        let reply = self.http.call("revoke a token", request).await;
        let reply = reply.map_err(|_| OAuthError::Unreachable)?;
        if reply.status.is_success() {
            return Ok(());
        }
        Err(refusal(reply.status, &reply.body))
    }

    async fn token(&self, form: &[(&str, &str)]) -> Result<Grant, OAuthError> {
        let request = self
            .http
            .request(Method::POST, format!("{}/oauth/token", self.auth))
            .basic_auth(&self.app.client_id, Some(&self.app.client_secret))
            .form(form);
        let reply = self.http.call("get tokens", request).await;
        let reply = reply.map_err(|_| OAuthError::Unreachable)?;
        if !reply.status.is_success() {
            return Err(refusal(reply.status, &reply.body));
        }
        let body: TokenBody =
            serde_json::from_slice(&reply.body).map_err(|_| OAuthError::Unreadable("JSON body"))?;
        body.grant()
    }
}

#[derive(Deserialize)]
struct TokenBody {
    access_token: Option<String>,
    refresh_token: Option<String>,
    expires_in: Option<i64>,
    created_at: Option<i64>,
    scope: Option<String>,
}

/// How long an access token lives if the answer doesn't say, in seconds: Calendly's own figure.
const LIFETIME: i64 = 7200;

impl TokenBody {
    fn grant(self) -> Result<Grant, OAuthError> {
        let filled = |token: Option<String>| token.filter(|token| !token.is_empty());
        let issued = self
            .created_at
            .unwrap_or_else(|| ambient::now().as_second());
        let expires_at = issued.saturating_add(self.expires_in.unwrap_or(LIFETIME));
        Ok(Grant {
            access_token: filled(self.access_token)
                .ok_or(OAuthError::Unreadable("access_token"))?,
            refresh_token: filled(self.refresh_token)
                .ok_or(OAuthError::Unreadable("refresh_token"))?,
            expires_at: Timestamp::from_second(expires_at)
                .map_err(|_| OAuthError::Unreadable("usable expires_in"))?,
            scopes: self
                .scope
                .map(|scope| scope.split_whitespace().map(str::to_owned).collect()),
        })
    }
}

fn refusal(status: StatusCode, bytes: &[u8]) -> OAuthError {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        error: String,
    }
    let body: Body = serde_json::from_slice(bytes).unwrap_or_default();
    match body.error.as_str() {
        "invalid_grant" => OAuthError::InvalidGrant,
        "invalid_client" => OAuthError::InvalidClient,
        code => OAuthError::Refused {
            status: status.as_u16(),
            code: code.chars().take(50).collect(),
        },
    }
}
