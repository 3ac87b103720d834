//! Tokens in Secrets Manager: one secret a connection, never cached: a refresh token works once.

use crate::error::{failed, not_found};
use crate::{Error, Result};
use aws_sdk_secretsmanager::Client;
use booking::ConnectionId;
use calendly::oauth::Grant;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often a write of tokens is tried: it is the only copy.
const WRITE_TRIES: u32 = 5;

/// A connection's tokens. All of it is secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    /// For calls.
    pub access_token: String,
    /// For the next refresh; nothing for a personal access token.
    pub refresh_token: Option<String>,
    /// When the access token ends; never, for a personal access token.
    pub expires_at: Option<Timestamp>,
}

impl From<&Grant> for Tokens {
    fn from(grant: &Grant) -> Self {
        Self {
            access_token: grant.access_token.clone(),
            refresh_token: Some(grant.refresh_token.clone()),
            expires_at: Some(grant.expires_at),
        }
    }
}

/// Where tokens lie.
pub trait Vault {
    /// A connection's tokens as they are now.
    fn read(&self, id: &ConnectionId) -> impl Future<Output = Result<Option<Tokens>>> + Send;
    /// Stores a connection's tokens, before anybody uses them.
    fn write(&self, id: &ConnectionId, tokens: &Tokens) -> impl Future<Output = Result<()>> + Send;
    /// Forgets a connection's tokens for good.
    fn forget(&self, id: &ConnectionId) -> impl Future<Output = Result<()>> + Send;
}

/// Secrets Manager.
#[derive(Clone)]
pub struct SecretVault {
    client: Client,
    prefix: String,
}

impl SecretVault {
    /// Secrets named `{prefix}{connection id}`.
    pub fn new(client: Client, prefix: String) -> Self {
        Self { client, prefix }
    }

    async fn put(&self, id: &ConnectionId, text: &str) -> Result<()> {
        let name = self.name(id);
        let put = self
            .client
            .put_secret_value()
            .secret_id(&name)
            .secret_string(text)
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(error) if not_found(&error) => {
                let create = self.client.create_secret().name(&name).secret_string(text);
                create
                    .send()
                    .await
                    .map_err(failed("make the secret for tokens"))?;
                Ok(())
            }
            Err(error) => Err(failed("write tokens")(error)),
        }
    }

    fn name(&self, id: &ConnectionId) -> String {
        format!("{}{}", self.prefix, id.as_str())
    }
}

impl Vault for SecretVault {
    async fn read(&self, id: &ConnectionId) -> Result<Option<Tokens>> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(self.name(id))
            .send()
            .await;
        let secret = match answer {
            Ok(answer) => answer.secret_string.unwrap_or_default(),
            Err(error) if not_found(&error) => {
                return Ok(None);
            }
            Err(error) => return Err(failed("read tokens")(error)),
        };
        // The parser's own error would quote a token.
        let tokens = serde_json::from_str(&secret);
        tokens.map(Some).map_err(|_| Error::Secret {
            name: "connection's tokens",
            cause: "its value is not what was written; authorize the account again",
        })
    }

    // Tried hard: for tokens that were just refreshed there is no other copy.
    async fn write(&self, id: &ConnectionId, tokens: &Tokens) -> Result<()> {
        let text = serde_json::to_string(tokens).map_err(|e| Error::corrupt("tokens", e))?;
        let mut last = None;
        for attempt in 0..WRITE_TRIES {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
            }
            match self.put(id, &text).await {
                Ok(()) => return Ok(()),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or(Error::Secret {
            name: "connection's tokens",
            cause: "they could not be written",
        }))
    }

    // At once: they are revoked, so there is nothing to restore, and the account may connect
    // again under the same name.
    async fn forget(&self, id: &ConnectionId) -> Result<()> {
        let call = self.client.delete_secret().secret_id(self.name(id));
        match call.force_delete_without_recovery(true).send().await {
            Err(error) if !not_found(&error) => Err(failed("delete tokens")(error)),
            _ => Ok(()),
        }
    }
}
