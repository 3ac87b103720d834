//! Which version of its secret a connection's tokens are in.
//!
//! Secrets Manager doesn't promise that what was written is read at once: for a moment a reader may be
//! shown the former tokens, whose refresh token is void. DynamoDB does promise it. So each writing of
//! tokens has a name of its own, the version of the secret, which the connection's item tells; and
//! whoever uses a refresh token reads that very version:
//!
//! | step | the item then says | should the process be stopped here |
//! |---|---|---|
//! | the lease is taken | V is kept | V counts |
//! | N is announced | V is kept, N is announced | there is no N: V counts |
//! | the refresh token in V is used, and N is written | the same | N is there, and counts |
//! | the lease is given back, and the item says so | N is kept | N counts |
//!
//! The last step is one write. So where a lease was given back the item is right, and where it ended
//! by itself so much time has passed that N is seen if it was ever written.

use super::budget::{SEEN, SETTLE};
use super::store::{Connection, ConnectionStore, Lease, key};
use super::tokens::TokenError;
use super::vault::{Stored, Vault};
use crate::Result;
use crate::error::{condition_failed, failed};
use crate::item::{Item, Read, s};
use booking::ConnectionId;
use jiff::Timestamp;
use rand::Rng;
use std::time::Duration;
use tokio::time::Instant;

/// What a connection's item tells of its tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// The version that they are in; nothing where none was noted yet.
    pub version: Option<String>,
    /// One that somebody was about to write.
    announced: Option<String>,
    /// When the version was noted.
    at: Option<Timestamp>,
}

impl Kept {
    pub(super) fn of(item: &Item) -> Self {
        Self {
            version: item.text("tokensVersion").map(str::to_owned),
            announced: item.text("tokensNext").map(str::to_owned),
            at: item.time("tokensAt"),
        }
    }
}

/// The newest tokens of a connection.
pub struct Newest {
    /// They, and their version.
    pub stored: Stored,
    /// Whether the item doesn't name this version yet, and should.
    pub(super) unnoted: bool,
}

/// The newest tokens of `connection`, for the holder of its [`LeaseFor::Refresh`]; nothing if there
/// surely are none. Waits for a version that isn't seen yet, but not for long.
///
/// [`LeaseFor::Refresh`]: super::store::LeaseFor::Refresh
pub async fn newest<V: Vault>(
    vault: &V,
    connection: &Connection,
) -> Result<Option<Newest>, TokenError> {
    let id = &connection.id;
    let kept = &connection.kept;
    let settled = is_settled(connection);
    let began = Instant::now();
    loop {
        if let Some(version) = &kept.announced
            && let Some(stored) = vault.read(id, Some(version)).await?
        {
            let unnoted = true;
            return Ok(Some(Newest { stored, unnoted }));
        }
        // After all that time the last one is shown to everybody, and may have been put there by hand.
        let version = kept.version.as_deref().filter(|_| !settled);
        let stored = vault.read(id, version).await?;
        if settled || stored.is_some() {
            return Ok(stored.map(|stored| Newest {
                unnoted: settled && kept.version.as_ref() != Some(&stored.version),
                stored,
            }));
        }
        if began.elapsed() > SETTLE {
            return Err(TokenError::NotYet);
        }
        let pause = ambient::rng().random_range(50..=250);
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// Whether so much time has passed since tokens were stored that everybody sees them.
fn is_settled(connection: &Connection) -> bool {
    let stored = connection.kept.at.max(connection.authorized_at);
    stored.is_none_or(|at| ambient::now().duration_since(at) > SEEN)
}

impl ConnectionStore {
    /// Says which version of the secret is about to be written. False if the lease has passed to
    /// somebody else.
    pub async fn announce(&self, id: &ConnectionId, lease: &Lease, version: &str) -> Result<bool> {
        let announced = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
            .condition_expression("refreshOwner = :owner")
            .update_expression("SET tokensNext = :version")
            .expression_attribute_values(":owner", s(&lease.owner))
            .expression_attribute_values(":version", s(version))
            .send()
            .await;
        match announced {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(failed("announce tokens")(error)),
        }
    }

    /// Gives the right to refresh back, and notes the version in which the tokens are, if that is
    /// another one now. What was announced is over.
    pub async fn give_back(
        &self,
        id: &ConnectionId,
        lease: &Lease,
        version: Option<&str>,
    ) -> Result<()> {
        let over = "REMOVE tokensNext, refreshUntil, refreshOwner";
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
            .condition_expression("refreshOwner = :owner")
            .expression_attribute_values(":owner", s(&lease.owner));
        let call = match version {
            Some(version) => call
                .update_expression(format!(
                    "SET tokensVersion = :version, tokensAt = :now {over}"
                ))
                .expression_attribute_values(":version", s(version))
                .expression_attribute_values(":now", s(ambient::now())),
            None => call.update_expression(over),
        };
        match call.send().await {
            Err(error) if !condition_failed(&error) => Err(failed("note tokens")(error)),
            _ => Ok(()),
        }
    }

    /// Notes the version in which the first tokens of a new connection are.
    pub async fn first_kept(&self, id: &ConnectionId, version: &str) -> Result<()> {
        let noted = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
            // They may have been refreshed since.
            .condition_expression("attribute_exists(id) AND attribute_not_exists(tokensVersion)")
            .update_expression("SET tokensVersion = :version, tokensAt = :now")
            .expression_attribute_values(":version", s(version))
            .expression_attribute_values(":now", s(ambient::now()))
            .send()
            .await;
        match noted {
            Err(error) if !condition_failed(&error) => Err(failed("note tokens")(error)),
            _ => Ok(()),
        }
    }
}
