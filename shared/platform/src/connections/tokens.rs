//! One refresher a connection: take the lease, read again, refresh, store both tokens, use them.

use super::budget::{LEASE, REFRESH, WAIT};
use super::store::{ConnectionStatus, ConnectionStore, LeaseFor};
use super::vault::{Tokens, Vault};
use crate::Error;
use crate::metrics::{self, Metric};
use booking::ConnectionId;
use calendly::api::{Access, ApiError};
use calendly::oauth::{Grant, OAuth, OAuthError};
use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use std::time::Duration;
use tokio::time::Instant;

/// Tokens are renewed this long before they end, or up to five minutes earlier: not all at once.
const EARLY: SignedDuration = SignedDuration::from_mins(10);
const EARLY_JITTER_SECONDS: i64 = 300;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The account must be authorized again.
    #[error("the connection needs to be authorized again")]
    NeedsReauth,
    /// Somebody else refreshes, and takes long.
    #[error("another refresh of this connection takes long; try again")]
    Busy,
    /// The process may be stopped before a refresh is over: the next one does it.
    #[error("there is no time left to renew the access token")]
    OutOfTime,
    /// Calendly's token endpoint did not do it; it may next time.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// A store did not do it; it may next time.
    #[error(transparent)]
    Store(#[from] Error),
}

/// What gives new tokens for a refresh token.
pub trait Refresh {
    /// Uses `refresh_token`, which is void from then on.
    fn refresh(
        &self,
        refresh_token: &str,
    ) -> impl Future<Output = Result<Grant, OAuthError>> + Send;
}

impl Refresh for OAuth {
    async fn refresh(&self, refresh_token: &str) -> Result<Grant, OAuthError> {
        OAuth::refresh(self, refresh_token).await
    }
}

/// With no OAuth app there is nothing to renew with; a personal access token needs none.
impl Refresh for Option<OAuth> {
    async fn refresh(&self, refresh_token: &str) -> Result<Grant, OAuthError> {
        match self {
            Some(oauth) => oauth.refresh(refresh_token).await,
            None => Err(OAuthError::InvalidClient),
        }
    }
}

/// Gives the access token of one connection, and renews it in time.
pub struct TokenKeeper<R, V> {
    /// Connections, whose items hold the lease.
    pub connections: ConnectionStore,
    /// Where the tokens lie.
    pub vault: V,
    /// What renews them.
    pub oauth: R,
    /// Whose tokens.
    pub id: ConnectionId,
    /// When this process may be stopped. A refresh that might not be over by then isn't begun.
    pub until: Instant,
}

impl<R: Refresh + Sync, V: Vault + Sync> TokenKeeper<R, V> {
    /// A token that is good for some minutes yet.
    pub async fn token(&self) -> Result<String, TokenError> {
        let early = ambient::rng().random_range(0..=EARLY_JITTER_SECONDS);
        let early = EARLY + SignedDuration::from_secs(early);
        let soon = ambient::now()
            .saturating_add(early)
            .unwrap_or(Timestamp::MAX);
        self.good_token(|tokens| tokens.expires_at.is_none_or(|end| end > soon))
            .await
    }

    /// A token other than `refused`. Somebody may have renewed it since it was read; if not, it is
    /// renewed now.
    pub async fn token_after(&self, refused: &str) -> Result<String, TokenError> {
        self.good_token(|tokens| tokens.access_token != refused)
            .await
    }

    async fn good_token(&self, good: impl Fn(&Tokens) -> bool) -> Result<String, TokenError> {
        let began = Instant::now();
        loop {
            let tokens = self.read().await?;
            if good(&tokens) {
                return Ok(tokens.access_token);
            }
            if let Some(lease) = self
                .connections
                .lease(&self.id, LeaseFor::Refresh, LEASE)
                .await?
            {
                let renewed = self.renew(&good).await;
                // Not given back it ends by itself; that must not cost the new token.
                if let Err(error) = self.connections.release(&self.id, &lease).await {
                    tracing::warn!(connection = self.id.as_str(), %error, "lease not given back");
                }
                return renewed;
            }
            if began.elapsed() > WAIT {
                return Err(TokenError::Busy);
            }
            self.in_time()?;
            let pause = ambient::rng().random_range(50..=250);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// Renews while holding the lease.
    async fn renew(&self, good: &impl Fn(&Tokens) -> bool) -> Result<String, TokenError> {
        let connection = self.connections.get(&self.id).await?;
        let connection = connection.ok_or(TokenError::NeedsReauth)?;
        // A refresh token that Calendly refused is not sent again and again.
        if connection.status == ConnectionStatus::NeedsReauth {
            return Err(TokenError::NeedsReauth);
        }
        let authorized_at = connection.authorized_at;
        let tokens = self.read().await?;
        if good(&tokens) {
            return Ok(tokens.access_token);
        }
        let Some(refresh_token) = &tokens.refresh_token else {
            // A personal access token that was refused.
            return self.lost(authorized_at).await;
        };
        self.in_time()?;
        let mut result = self.oauth.refresh(refresh_token).await;
        if result == Err(OAuthError::Unreachable) && self.in_time().is_ok() {
            // Whether it took effect is not known. If it did, this tells.
            result = self.oauth.refresh(refresh_token).await;
        }
        match result {
            Ok(grant) => {
                let stored = self.vault.write(&self.id, &Tokens::from(&grant)).await;
                metrics::count(if stored.is_ok() {
                    Metric::TokensRefreshed
                } else {
                    // The new refresh token is lost, and the old one void.
                    Metric::TokenRefreshFailures
                });
                stored?;
                tracing::info!(
                    connection = self.id.as_str(),
                    outcome = "refreshed",
                    "token"
                );
                Ok(grant.access_token)
            }
            Err(OAuthError::InvalidGrant) => {
                // Only if the stored token is still the one that was refused is it lost: an
                // authorization may have stored new ones meanwhile.
                let now = self.read().await?;
                if now.refresh_token.as_ref() != Some(refresh_token) {
                    return Ok(now.access_token);
                }
                metrics::count(Metric::TokenRefreshFailures);
                self.lost(authorized_at).await
            }
            Err(error) => {
                metrics::count(Metric::TokenRefreshFailures);
                Err(error.into())
            }
        }
    }

    /// Whether a refresh that is sent now is over, and its tokens stored, before this process ends.
    fn in_time(&self) -> Result<(), TokenError> {
        if Instant::now() + REFRESH > self.until {
            return Err(TokenError::OutOfTime);
        }
        Ok(())
    }

    async fn read(&self) -> Result<Tokens, TokenError> {
        self.vault
            .read(&self.id)
            .await?
            .ok_or(TokenError::NeedsReauth)
    }

    async fn lost(&self, authorized_at: Option<Timestamp>) -> Result<String, TokenError> {
        self.connections
            .needs_reauth(&self.id, authorized_at)
            .await?;
        tracing::error!(
            connection = self.id.as_str(),
            outcome = "needs_reauth",
            "token"
        );
        metrics::count(Metric::ConnectionsLost);
        Err(TokenError::NeedsReauth)
    }
}

fn no_token(error: TokenError) -> ApiError {
    let transient = match &error {
        TokenError::OutOfTime => {
            let action = "renew the access token";
            return ApiError::OutOfTime { action };
        }
        TokenError::NeedsReauth => false,
        TokenError::Busy => true,
        TokenError::OAuth(error) => error.is_transient(),
        TokenError::Store(error) => error.is_transient(),
    };
    ApiError::NoToken {
        message: error.to_string(),
        transient,
    }
}

impl<R: Refresh + Sync + Send, V: Vault + Sync + Send> Access for TokenKeeper<R, V> {
    async fn token(&self) -> Result<String, ApiError> {
        TokenKeeper::token(self).await.map_err(no_token)
    }

    async fn token_after(&self, refused: &str) -> Result<String, ApiError> {
        let token = TokenKeeper::token_after(self, refused).await;
        token.map_err(no_token)
    }
}
