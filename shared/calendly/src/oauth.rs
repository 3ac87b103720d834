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
use serde_json::Value;
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
    /// What was granted, in Calendly's words; empty where it doesn't say (older apps). What they mean
    /// [`covers`] knows.
    pub scopes: Vec<String>,
    /// URI of the user who granted it, where Calendly says so.
    pub owner: Option<String>,
    /// URI of their organization, where Calendly says so (older apps are not told).
    pub organization: Option<String>,
}

/// Whether scopes that were granted let an app do what `wanted` is for.
///
/// A `:write` scope includes its `:read`. Apps from before there were scopes may do everything, and
/// their grants say `default`, nothing, or another word without a topic: what can't be read is no
/// refusal, and Calendly itself refuses a call that it doesn't permit.
pub fn covers(granted: &[String], wanted: &str) -> bool {
    let is_one = |scope: &String| scope.ends_with(":read") || scope.ends_with(":write");
    if granted.is_empty() || !granted.iter().all(is_one) {
        return true;
    }
    let topic = wanted.strip_suffix(":read");
    granted.iter().any(|scope| {
        scope == wanted || topic.is_some_and(|topic| scope.strip_suffix(":write") == Some(topic))
    })
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
    /// Those of the [`REQUIRED_SCOPES`] that were not granted.
    pub fn missing_scopes(&self) -> Vec<&'static str> {
        let mut missing = REQUIRED_SCOPES.to_vec();
        missing.retain(|wanted| !covers(&self.scopes, wanted));
        missing
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
    /// Another refusal, in the form that OAuth has for it.
    #[error("Calendly's token endpoint answered {status} {code}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// OAuth's error code.
        code: String,
    },
    /// A refusal that isn't of that form: its content network answered, or something on the way. It
    /// says nothing about what was asked for.
    #[error("something before Calendly's token endpoint answered {status}")]
    Gateway {
        /// HTTP status.
        status: u16,
    },
    /// A success without what it must hold.
    #[error("Calendly's token answer has no {0}")]
    Unreadable(&'static str),
}

impl OAuthError {
    /// Whether a later try may succeed without anybody doing something.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable | Self::Gateway { .. } => true,
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

    /// Where a browser is sent to authorize. With no `scopes` none are asked for: the app grants what
    /// it may.
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
            .append_pair("state", state)
            .append_pair("code_challenge", &pkce.challenge())
            .append_pair("code_challenge_method", "S256");
        if !scopes.is_empty() {
            url.query_pairs_mut()
                .append_pair("scope", &scopes.join(" "));
        }
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

/// What a token answer holds. Only the tokens must be there: a grant works once, and must not be lost
/// for what is said beside them.
#[derive(Deserialize)]
struct TokenBody {
    access_token: Option<String>,
    refresh_token: Option<String>,
    #[serde(default)]
    expires_in: Value,
    #[serde(default)]
    created_at: Value,
    #[serde(default)]
    scope: Value,
    #[serde(default)]
    owner: Value,
    #[serde(default)]
    organization: Value,
}

/// How long an access token lives if the answer doesn't say, in seconds: Calendly's own figure.
const LIFETIME: i64 = 7200;

impl TokenBody {
    fn grant(self) -> Result<Grant, OAuthError> {
        let filled = |token: Option<String>| token.filter(|token| !token.is_empty());
        let now = ambient::now();
        let issued = seconds(&self.created_at).unwrap_or_else(|| now.as_second());
        let expires_at = issued.saturating_add(seconds(&self.expires_in).unwrap_or(LIFETIME));
        Ok(Grant {
            access_token: filled(self.access_token)
                .ok_or(OAuthError::Unreadable("access_token"))?,
            refresh_token: filled(self.refresh_token)
                .ok_or(OAuthError::Unreadable("refresh_token"))?,
            // A time that there isn't: the token is renewed at once, which tells another.
            expires_at: Timestamp::from_second(expires_at).unwrap_or(now),
            scopes: words(&self.scope),
            owner: uri(&self.owner),
            organization: uri(&self.organization),
        })
    }
}

fn seconds(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_str()?.trim().parse().ok())
}

fn uri(value: &Value) -> Option<String> {
    let uri = value.as_str().filter(|uri| !uri.is_empty())?;
    Some(uri.to_owned())
}

/// Words in a text, or in texts of a list.
fn words(value: &Value) -> Vec<String> {
    let texts: Vec<&str> = match value {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let words = texts
        .into_iter()
        .flat_map(|text| text.split(|c: char| c.is_whitespace() || c == ','));
    words
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
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
        "" => OAuthError::Gateway {
            status: status.as_u16(),
        },
        code => OAuthError::Refused {
            status: status.as_u16(),
            code: code.chars().take(50).collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn grant(more: &Value) -> Grant {
        let mut body = json!({"access_token": "a", "refresh_token": "r"});
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        let body: TokenBody = serde_json::from_value(body).unwrap();
        body.grant().unwrap()
    }

    #[test]
    fn only_scopes_that_were_surely_not_granted_are_missing() {
        for all in [
            json!({}),
            json!({"scope": null}),
            json!({"scope": ""}),
            json!({"scope": "default"}),
            json!({"scope": ["default"]}),
            json!({"scope": "default users:read"}),
            json!({"scope": "everything"}),
            json!({"scope": 7}),
            json!({"scope": "users:read scheduled_events:read webhooks:write"}),
            json!({"scope": "users:read,scheduled_events:write,webhooks:write"}),
            json!({"scope": ["users:read scheduled_events:write", "webhooks:write"]}),
        ] {
            assert!(grant(&all).missing_scopes().is_empty(), "{all}");
        }
        for (some, missing) in [
            (
                "users:read scheduled_events:read webhooks:read",
                "webhooks:write",
            ),
            ("users:read webhooks:write", "scheduled_events:read"),
            ("scheduled_events:read webhooks:write", "users:read"),
        ] {
            assert_eq!(grant(&json!({"scope": some})).missing_scopes(), [missing]);
        }
    }

    #[test]
    fn a_refusal_that_is_not_of_oauths_form_is_over_soon() {
        let refused = |status: u16, body: &str| {
            let status = StatusCode::from_u16(status).unwrap();
            refusal(status, body.as_bytes()).is_transient()
        };
        for body in [
            "<html>blocked</html>",
            "",
            "{}",
            "[]",
            r#"{"error":7}"#,
            r#"{"message":"x"}"#,
        ] {
            for status in [400, 401, 403, 404, 429, 500, 503] {
                assert!(refused(status, body), "{status} {body}");
            }
        }
        for code in [
            "invalid_grant",
            "invalid_client",
            "invalid_request",
            "unauthorized_client",
        ] {
            assert!(!refused(400, &format!(r#"{{"error":"{code}"}}"#)), "{code}");
        }
        assert!(refused(503, r#"{"error":"temporarily_unavailable"}"#));
    }

    #[test]
    fn a_grant_is_not_lost_for_what_is_said_beside_its_tokens() {
        let bare = grant(&json!({}));
        let odd = json!({"scope": {}, "owner": 7, "organization": null, "expires_in": "3600",
                         "created_at": "1795166101", "token_type": null});
        let odd = grant(&odd);
        assert_eq!(odd.expires_at.as_second(), 1_795_166_101 + 3600);
        assert_eq!((bare.owner, odd.owner), (None, None));
        let full = json!({"owner": "https://api.calendly.com/users/U", "organization": "o"});
        let full = grant(&full);
        assert_eq!(
            full.owner.as_deref(),
            Some("https://api.calendly.com/users/U")
        );
        assert_eq!(full.organization.as_deref(), Some("o"));
        for missing in [json!({"access_token": "a"}), json!({"refresh_token": "r"})] {
            let body: TokenBody = serde_json::from_value(missing).unwrap();
            assert!(matches!(body.grant(), Err(OAuthError::Unreadable(_))));
        }
    }
}
