//! Tokens in Secrets Manager: one secret a connection, never cached: a refresh token works once.

use super::budget::{DELETION, STORE, TRY};
use super::made::Making;
use crate::error::{being_deleted, failed, not_found};
use crate::{Error, Result};
use aws_sdk_secretsmanager::Client;
use booking::ConnectionId;
use calendly::oauth::Grant;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::time::Instant;

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

/// Tokens as they lie in the vault.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// They.
    pub tokens: Tokens,
    /// The name of the writing that put them there.
    pub version: String,
}

/// Where tokens lie.
pub trait Vault {
    /// A connection's tokens: those that were written as `version`, or the last ones. For a moment
    /// after a writing they may not be seen yet, and the former ones in their place.
    fn read(
        &self,
        id: &ConnectionId,
        version: Option<&str>,
    ) -> impl Future<Output = Result<Option<Stored>>> + Send;
    /// Stores a connection's tokens, before anybody uses them. `version` is a new UUID.
    fn write(
        &self,
        id: &ConnectionId,
        tokens: &Tokens,
        version: &str,
    ) -> impl Future<Output = Result<()>> + Send;
    /// Forgets a connection's tokens for good.
    fn forget(&self, id: &ConnectionId) -> impl Future<Output = Result<()>> + Send;
}

/// Secrets Manager.
#[derive(Clone)]
pub struct SecretVault {
    client: Client,
    prefix: String,
    making: Making,
}

impl SecretVault {
    /// Secrets named `{prefix}{connection id}`.
    pub fn new(client: Client, prefix: String) -> Self {
        let making = Making::default();
        Self {
            client,
            prefix,
            making,
        }
    }

    /// The same, and new secrets are made so.
    #[must_use]
    pub fn making(self, making: Making) -> Self {
        Self { making, ..self }
    }

    async fn put(
        &self,
        id: &ConnectionId,
        text: &str,
        version: &str,
    ) -> std::result::Result<(), NotPut> {
        let name = self.name(id);
        let put = self
            .client
            .put_secret_value()
            .secret_id(&name)
            .secret_string(text)
            // This becomes the version's id. A try that is made again is the same version.
            .client_request_token(version)
            .send()
            .await;
        match put {
            Ok(_) => Ok(()),
            Err(error) if not_found(&error) => {
                let create = self.client.create_secret().name(&name).secret_string(text);
                let create = create
                    .set_kms_key_id(self.making.key.clone())
                    .set_tags(self.making.tags.sdk());
                match create.client_request_token(version).send().await {
                    Ok(_) => Ok(()),
                    Err(error) => Err(NotPut {
                        deleted: being_deleted(&error),
                        error: failed("make the secret for tokens")(error),
                    }),
                }
            }
            Err(error) => Err(NotPut {
                deleted: being_deleted(&error),
                error: failed("write tokens")(error),
            }),
        }
    }

    fn name(&self, id: &ConnectionId) -> String {
        format!("{}{}", self.prefix, id.as_str())
    }
}

/// A secret that was not written.
struct NotPut {
    error: Error,
    /// One of its name is still being deleted.
    deleted: bool,
}

/// The first pause between two tries; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Writes a secret: in as many tries as fit into [`STORE`], or into [`DELETION`] when its name
/// isn't free yet because it was deleted a moment ago.
async fn insist<P>(mut put: impl FnMut() -> P) -> Result<()>
where
    P: Future<Output = std::result::Result<(), NotPut>>,
{
    let began = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let Err(NotPut { error, deleted }) = put().await else {
            return Ok(());
        };
        let most = if deleted { DELETION } else { STORE };
        if began.elapsed() + pause + TRY > most {
            return Err(error);
        }
        tokio::time::sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

impl Vault for SecretVault {
    async fn read(&self, id: &ConnectionId, version: Option<&str>) -> Result<Option<Stored>> {
        let answer = self
            .client
            .get_secret_value()
            .secret_id(self.name(id))
            .set_version_id(version.map(str::to_owned))
            .send()
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if not_found(&error) => {
                return Ok(None);
            }
            Err(error) => return Err(failed("read tokens")(error)),
        };
        let secret = answer.secret_string.unwrap_or_default();
        // The parser's own error would quote a token.
        let tokens = serde_json::from_str(&secret).map_err(|_| Error::Secret {
            name: "connection's tokens",
            cause: "its value is not what was written; authorize the account again",
        })?;
        let version = answer.version_id.unwrap_or_default();
        Ok(Some(Stored { tokens, version }))
    }

    // Tried hard: for tokens that were just refreshed there is no other copy.
    async fn write(&self, id: &ConnectionId, tokens: &Tokens, version: &str) -> Result<()> {
        let text = serde_json::to_string(tokens).map_err(|e| Error::corrupt("tokens", e))?;
        insist(|| self.put(id, &text, version)).await
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries to write a secret of which each try takes `each` and fails until `until`; answers
    /// whether it was written, after how long, and in how many tries.
    async fn tried(each: Duration, until: Duration, deleted: bool) -> (bool, Duration, u32) {
        let began = Instant::now();
        let mut tries = 0;
        let written = insist(|| {
            tries += 1;
            async {
                tokio::time::sleep(each).await;
                if began.elapsed() >= until {
                    return Ok(());
                }
                let error = Error::corrupt("a secret", "not now");
                Err(NotPut { error, deleted })
            }
        })
        .await;
        (written.is_ok(), began.elapsed(), tries)
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn tokens_are_stored_after_some_seconds_without_a_store() {
        let quick = Duration::from_millis(20);
        let (written, after, tries) = tried(quick, 4 * SECOND, false).await;
        assert!(written && tries > 3, "{tries} tries in {after:?}");
        // A try that hangs leaves time for another.
        let (written, after, tries) = tried(TRY, TRY + quick, false).await;
        assert!(written && tries == 2, "{tries} tries in {after:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn storing_ends_within_its_time_however_long_each_try_takes() {
        for millis in (0..=5000).step_by(250) {
            let (written, after, _) =
                tried(Duration::from_millis(millis), 60 * SECOND, false).await;
            assert!(!written && after <= STORE, "{after:?} by {millis} ms");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_is_not_free_yet_is_waited_for_longer() {
        let quick = Duration::from_millis(20);
        let (written, after, _) = tried(quick, 9 * SECOND, true).await;
        assert!(written && after < DELETION, "{after:?}");
        let (written, after, _) = tried(quick, 60 * SECOND, true).await;
        assert!(!written && after <= DELETION, "{after:?}");
    }
}
