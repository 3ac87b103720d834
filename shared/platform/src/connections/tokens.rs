//! One refresher a connection: take the lease, read again, refresh, store both tokens, use them.

use super::budget::{REFRESH, STORING, WAIT};
use super::kept::newest;
use super::store::{Connection, ConnectionStatus, ConnectionStore, Lease, LeaseFor};
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
    /// The tokens that were stored last are not seen yet.
    #[error("the tokens that were stored last can't be read yet; try again")]
    NotYet,
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

/// Where the tokens are after somebody had the lease.
enum End {
    /// Where the connection's item says.
    Unchanged,
    /// In this version of the secret.
    In(String),
    /// Perhaps in the version that was announced.
    Unknown,
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
            // Former ones may be shown for a moment: they do, too, as long as they are good.
            let shown = self.vault.read(&self.id, None).await?;
            let gone = shown.is_none();
            if let Some(shown) = shown.filter(|shown| good(&shown.tokens)) {
                return Ok(shown.tokens.access_token);
            }
            if let Some(lease) = self
                .connections
                .lease(&self.id, LeaseFor::Refresh, STORING)
                .await?
            {
                return self.renew_and_give_back(&lease, &good).await;
            }
            // Of a connection that is gone no lease is to be had.
            if gone && self.connections.get(&self.id).await?.is_none() {
                return Err(TokenError::NeedsReauth);
            }
            if began.elapsed() > WAIT {
                return Err(TokenError::Busy);
            }
            self.in_time()?;
            let pause = ambient::rng().random_range(50..=250);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    async fn renew_and_give_back(
        &self,
        lease: &Lease,
        good: &impl Fn(&Tokens) -> bool,
    ) -> Result<String, TokenError> {
        let mut end = End::Unchanged;
        let renewed = self.renew(lease, good, &mut end).await;
        let version = match &end {
            End::Unchanged => None,
            End::In(version) => Some(version.as_str()),
            // The next one begins when it is seen whether they are there.
            End::Unknown => return renewed,
        };
        // Not given back it ends by itself; that must not cost the new token.
        let given = self.connections.give_back(&self.id, lease, version).await;
        if let Err(error) = given {
            tracing::warn!(connection = self.id.as_str(), %error, "lease not given back");
        }
        renewed
    }

    /// Renews while holding the lease.
    async fn renew(
        &self,
        lease: &Lease,
        good: &impl Fn(&Tokens) -> bool,
        end: &mut End,
    ) -> Result<String, TokenError> {
        let connection = self.connections.get(&self.id).await?;
        let connection = connection.ok_or(TokenError::NeedsReauth)?;
        // A refresh token that Calendly refused is not sent again and again.
        if connection.status == ConnectionStatus::NeedsReauth {
            return Err(TokenError::NeedsReauth);
        }
        let Some(newest) = newest(&self.vault, &connection).await? else {
            return self.lost(&connection).await;
        };
        let (tokens, version) = (newest.stored.tokens, newest.stored.version);
        if newest.unnoted {
            *end = End::In(version);
        }
        if good(&tokens) {
            return Ok(tokens.access_token);
        }
        let Some(refresh_token) = &tokens.refresh_token else {
            // A personal access token that was refused.
            return self.lost(&connection).await;
        };
        self.in_time()?;
        // Before the refresh: after it nothing must come between the new tokens and the vault.
        let version = ambient::uuid();
        if !self.connections.announce(&self.id, lease, &version).await? {
            return Err(TokenError::Busy);
        }
        self.in_time()?;
        let mut result = self.oauth.refresh(refresh_token).await;
        if result == Err(OAuthError::Unreachable) && self.in_time().is_ok() {
            // Whether it took effect is not known. If it did, this tells.
            result = self.oauth.refresh(refresh_token).await;
        }
        match result {
            Ok(grant) => {
                self.store(&grant, version, end).await?;
                Ok(grant.access_token)
            }
            Err(OAuthError::InvalidGrant) => {
                metrics::count(Metric::TokenRefreshFailures);
                self.refused(&connection, refresh_token).await
            }
            Err(error) => {
                metrics::count(Metric::TokenRefreshFailures);
                Err(error.into())
            }
        }
    }

    async fn store(&self, grant: &Grant, version: String, end: &mut End) -> Result<(), TokenError> {
        *end = End::Unknown;
        let tokens = Tokens::from(grant);
        if let Err(error) = self.vault.write(&self.id, &tokens, &version).await {
            // The new refresh token is lost, and the old one void.
            metrics::count(Metric::TokenRefreshFailures);
            return Err(error.into());
        }
        *end = End::In(version);
        metrics::count(Metric::TokensRefreshed);
        tracing::info!(
            connection = self.id.as_str(),
            outcome = "refreshed",
            "token"
        );
        Ok(())
    }

    /// Calendly did not take `refresh_token`. The connection is lost, unless other tokens are shown:
    /// former ones are for a moment only, so the next one sees which they are.
    async fn refused(
        &self,
        connection: &Connection,
        refresh_token: &str,
    ) -> Result<String, TokenError> {
        let shown = self.vault.read(&self.id, None).await?;
        match shown {
            Some(shown) if shown.tokens.refresh_token.as_deref() != Some(refresh_token) => {
                Err(TokenError::NotYet)
            }
            _ => self.lost(connection).await,
        }
    }

    /// Whether a refresh that is sent now is over, and its tokens stored, before this process ends.
    fn in_time(&self) -> Result<(), TokenError> {
        if Instant::now() + REFRESH > self.until {
            return Err(TokenError::OutOfTime);
        }
        Ok(())
    }

    async fn lost(&self, connection: &Connection) -> Result<String, TokenError> {
        self.connections
            .needs_reauth(&self.id, connection.authorized_at)
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
        TokenError::Busy | TokenError::NotYet => true,
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
