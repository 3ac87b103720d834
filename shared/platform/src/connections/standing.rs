//! How a connection stands: what keeps it from being as it should, as the last run that looked found it.
//!
//! Written when it changes, so that a connection that is well costs nothing.

use super::store::{Connection, ConnectionStore, key};
use crate::Result;
use crate::error::{condition_failed, failed};
use crate::item::{Item, Read, s};
use booking::ConnectionId;
use jiff::{SignedDuration, Timestamp};

/// How often it is noted that a connection was compared.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(30);
/// The most of an error that is kept, in characters.
const MAX_ERROR: usize = 300;

/// Something that goes wrong, and goes on doing so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub since: Timestamp,
    /// Why, as it was found last.
    pub error: String,
}

impl Trouble {
    fn of(item: &Item, since: &'static str, error: &'static str) -> Option<Self> {
        Some(Self {
            since: item.time(since)?,
            error: item.text(error).unwrap_or_default().to_owned(),
        })
    }
}

/// How a connection stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Since when it needs a new authorization.
    pub lost_at: Option<Timestamp>,
    /// Its runs fail.
    pub sync: Option<Trouble>,
    /// It has no webhook subscription that works, and none could be made.
    pub subscription: Option<Trouble>,
    /// When Calendly last began to retry the one that it has. It may stay set after all is well again.
    pub retry_started_at: Option<Timestamp>,
}

impl Standing {
    pub(super) fn of(item: &Item) -> Self {
        Self {
            lost_at: item.time("lostAt"),
            sync: Trouble::of(item, "syncFailingSince", "syncError"),
            subscription: Trouble::of(item, "unsubscribedSince", "subscriptionError"),
            retry_started_at: item.time("retryStartedAt"),
        }
    }
}

impl ConnectionStore {
    /// Notes that a run which began at `began` has compared all of `connection`, so its runs fail no
    /// more. Not more often than every half hour, if there was no trouble.
    pub async fn compared(&self, connection: &Connection, began: Timestamp) -> Result<()> {
        let standing = &connection.standing;
        let age = connection.compared_at.map(|at| began.duration_since(at));
        if standing.sync.is_none() && age.is_some_and(|age| age < NOTED_EVERY) {
            return Ok(());
        }
        let noted = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(&connection.id))
            .update_expression("SET comparedAt = :began REMOVE syncFailingSince, syncError")
            .expression_attribute_values(":began", s(began))
            .condition_expression("attribute_exists(connectionId)")
            .send()
            .await;
        match noted {
            Err(error) if !condition_failed(&error) => {
                Err(failed("note that a connection was compared")(error))
            }
            _ => Ok(()),
        }
    }

    /// Notes that a run of `connection` failed, and why; unless that is known.
    pub async fn sync_failed(&self, connection: &Connection, error: &str) -> Result<()> {
        let error = short(error);
        let known = connection.standing.sync.as_ref();
        if known.is_some_and(|known| known.error == error) {
            return Ok(());
        }
        let update = "SET syncFailingSince = if_not_exists(syncFailingSince, :now), \
             syncError = :error";
        self.note(&connection.id, update, &error).await
    }

    /// Notes how the subscription of `connection` was found: one that works, and that Calendly last
    /// began to retry at `retry_started_at`.
    pub(super) async fn subscription_works(
        &self,
        connection: &Connection,
        retry_started_at: Option<Timestamp>,
    ) -> Result<()> {
        let standing = &connection.standing;
        if standing.subscription.is_none() && standing.retry_started_at == retry_started_at {
            return Ok(());
        }
        let over = "unsubscribedSince, subscriptionError";
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(&connection.id))
            .condition_expression("attribute_exists(connectionId)");
        let call = match retry_started_at {
            Some(at) => call
                .update_expression(format!("SET retryStartedAt = :at REMOVE {over}"))
                .expression_attribute_values(":at", s(at)),
            None => call.update_expression(format!("REMOVE retryStartedAt, {over}")),
        };
        match call.send().await {
            Err(error) if !condition_failed(&error) => {
                Err(failed("note how a subscription stands")(error))
            }
            _ => Ok(()),
        }
    }

    /// Notes that `connection` has no subscription that works, and why none could be made.
    pub(super) async fn unsubscribed(&self, connection: &Connection, error: &str) -> Result<()> {
        let error = short(error);
        let known = connection.standing.subscription.as_ref();
        if known.is_some_and(|known| known.error == error) {
            return Ok(());
        }
        let update = "SET unsubscribedSince = if_not_exists(unsubscribedSince, :now), \
             subscriptionError = :error REMOVE retryStartedAt";
        self.note(&connection.id, update, &error).await
    }

    async fn note(&self, id: &ConnectionId, update: &str, error: &str) -> Result<()> {
        let noted = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
            .condition_expression("attribute_exists(connectionId)")
            .update_expression(update)
            .expression_attribute_values(":now", s(ambient::now()))
            .expression_attribute_values(":error", s(error))
            .send()
            .await;
        match noted {
            Err(error) if !condition_failed(&error) => {
                Err(failed("note how a connection stands")(error))
            }
            _ => Ok(()),
        }
    }
}

fn short(error: &str) -> String {
    error.chars().take(MAX_ERROR).collect()
}
