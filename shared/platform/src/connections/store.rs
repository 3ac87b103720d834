//! The connections table.
//!
//! | item | id |
//! |---|---|
//! | connection | `connection#{id}` |
//! | those who list all of an organization, and where an account was before | see `organization` |
//! | authorization, under way or just ended | `pending#{state}` |
//!
//! Connections alone are in the index `byShard`, spread over 16 partitions by their ids, so that
//! they can be listed without a scan.

use super::kept::Kept;
use super::owned::Remembered;
use super::standing::Standing;
use crate::deliveries::Page;
use crate::error::{condition_failed, failed};
use crate::item::{Item, Read, n, reach, s};
use crate::race::{MAX_TRIES, lost};
use crate::{Error, Result};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use booking::ConnectionId;
use jiff::{SignedDuration, Timestamp};
use rand::Rng;
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::time::Instant;

/// Partitions of the index of connections.
pub(super) const SHARDS: u8 = 16;

/// Whether a connection works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// It does.
    Active,
    /// Its tokens are lost or revoked: somebody must authorize again.
    NeedsReauth,
}

impl ConnectionStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NeedsReauth => "needs_reauth",
        }
    }
}

/// One connected account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Last part of the user's URI.
    pub id: ConnectionId,
    /// The user's URI.
    pub user_uri: String,
    /// The organization's URI.
    pub organization_uri: String,
    /// What was granted; empty where Calendly didn't say.
    pub scopes: Vec<String>,
    /// Whether it works.
    pub status: ConnectionStatus,
    /// Where this service was reached when it was authorized: webhooks are to come there.
    #[serde(skip)]
    pub base_url: String,
    /// What it remembers of its webhook subscriptions.
    #[serde(skip)]
    pub subscriptions: Remembered,
    /// Where its tokens are.
    #[serde(skip)]
    pub kept: Kept,
    /// When the account was first connected.
    pub created_at: Option<Timestamp>,
    /// When it was last authorized.
    pub authorized_at: Option<Timestamp>,
    /// Since when it is in its organization, if its account has been in another before.
    #[serde(skip)]
    pub organization_since: Option<Timestamp>,
    /// The organization of which it listed all events when it last tried.
    #[serde(skip)]
    pub lists_all_of: Option<String>,
    /// When a run began that compared all of it with Calendly, to half an hour: the last one may have
    /// begun later. Null before the first.
    pub compared_at: Option<Timestamp>,
    /// What keeps it from being as it should.
    #[serde(skip)]
    pub standing: Standing,
}

/// What one process at a time may do with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseFor {
    /// Refresh its tokens.
    Refresh,
    /// Reconcile its bookings.
    Sync,
    /// Make and delete its webhook subscriptions.
    Watch,
}

impl LeaseFor {
    /// The attributes that hold the end and the owner of the lease.
    fn attributes(self) -> (&'static str, &'static str) {
        match self {
            Self::Refresh => ("refreshUntil", "refreshOwner"),
            Self::Sync => ("syncUntil", "syncOwner"),
            Self::Watch => ("watchUntil", "watchOwner"),
        }
    }
}

/// The right to do it, for a short time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    kind: LeaseFor,
    pub(super) owner: String,
}

/// Connections in DynamoDB.
#[derive(Clone)]
pub struct ConnectionStore {
    pub(super) client: Client,
    pub(super) table: String,
}

impl ConnectionStore {
    /// The connections in `table`.
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Stores an account that was authorized: a new one, or one that authorized again.
    pub async fn authorized(
        &self,
        id: &ConnectionId,
        user_uri: &str,
        organization_uri: &str,
        scopes: &[String],
        base_url: &str,
    ) -> Result<()> {
        for attempt in 0..MAX_TRIES {
            if self
                .authorized_now(id, user_uri, organization_uri, scopes, base_url)
                .await?
            {
                return Ok(());
            }
            lost(attempt).await;
        }
        Err(Error::Contended {
            action: "store a connection",
            tries: MAX_TRIES,
        })
    }

    /// `false` when another authorization was faster: which organization the account comes from must be
    /// known to the one that changes it.
    async fn authorized_now(
        &self,
        id: &ConnectionId,
        user_uri: &str,
        organization_uri: &str,
        scopes: &[String],
        base_url: &str,
    ) -> Result<bool> {
        let before = self.before(id, organization_uri).await?;
        let now = ambient::now();
        let since = before.elsewhere.then(|| before.since.unwrap_or(now));
        let update = "SET connectionId = :id, #shard = :shard, userUri = :user, \
             organizationUri = :organization, scopes = :scopes, #status = :active, \
             baseUrl = :base, \
             authorizedAt = :now, createdAt = if_not_exists(createdAt, :now)";
        let scopes = scopes.iter().map(s).collect();
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
            .expression_attribute_names("#shard", "shard")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":id", s(id.as_str()))
            .expression_attribute_values(":shard", s(shard(id)))
            .expression_attribute_values(":user", s(user_uri))
            .expression_attribute_values(":organization", s(organization_uri))
            .expression_attribute_values(":scopes", AttributeValue::L(scopes))
            .expression_attribute_values(":base", s(base_url))
            .expression_attribute_values(":active", s(ConnectionStatus::Active.as_str()))
            .expression_attribute_values(":now", s(now));
        let mut update = update.to_owned();
        if let Some(since) = since {
            update += ", organizationSince = :since";
            call = call.expression_attribute_values(":since", s(since));
        }
        if let Some(compared) = before.compared_at {
            update += ", comparedAt = if_not_exists(comparedAt, :compared)";
            call = call.expression_attribute_values(":compared", s(compared));
        }
        update += " REMOVE lostAt, syncFailingSince, syncError";
        call = call.update_expression(update);
        call = match before.stored {
            Some(stored) => call
                .condition_expression("organizationUri = :before")
                .expression_attribute_values(":before", s(stored)),
            None => call.condition_expression("attribute_not_exists(organizationUri)"),
        };
        match call.send().await {
            Ok(_) => Ok(true),
            Err(error) if condition_failed(&error) => Ok(false),
            Err(error) => Err(failed("store a connection")(error)),
        }
    }

    /// One connection.
    pub async fn get(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        let item = self.item(key(id)).await?;
        item.as_ref().map(connection).transpose()
    }

    /// Connects to DynamoDB, and does nothing there.
    pub async fn reach(&self) -> Result<()> {
        reach(&self.client, &self.table).await
    }

    pub(super) async fn item(&self, key: AttributeValue) -> Result<Option<Item>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", key)
            .consistent_read(true)
            .send()
            .await
            .map_err(failed("read a connection"))?;
        Ok(answer.item)
    }

    /// Marks a connection as one that must be authorized again. Not if that was done after
    /// `authorized_at`, as the caller last saw it.
    pub async fn needs_reauth(
        &self,
        id: &ConnectionId,
        authorized_at: Option<Timestamp>,
    ) -> Result<()> {
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
            .update_expression("SET #status = :lost, lostAt = if_not_exists(lostAt, :now)")
            .expression_attribute_values(":now", s(ambient::now()))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":lost", s(ConnectionStatus::NeedsReauth.as_str()));
        call = match authorized_at {
            Some(at) => call
                .condition_expression("authorizedAt = :at")
                .expression_attribute_values(":at", s(at)),
            None => call.condition_expression("attribute_exists(id)"),
        };
        match call.send().await {
            Ok(_) => Ok(()),
            Err(error) if condition_failed(&error) => Ok(()),
            Err(error) => Err(failed("mark a connection")(error)),
        }
    }

    /// Takes a right, unless somebody has it. It ends by itself after `time`, should its holder be
    /// killed.
    pub async fn lease(
        &self,
        id: &ConnectionId,
        kind: LeaseFor,
        time: SignedDuration,
    ) -> Result<Option<Lease>> {
        self.take_over(id, kind, time, None).await
    }

    /// As [`Self::lease`]; whoever has the `ticket` that [`Self::hand_on`] gave has it first.
    pub async fn take_over(
        &self,
        id: &ConnectionId,
        kind: LeaseFor,
        time: SignedDuration,
        ticket: Option<&str>,
    ) -> Result<Option<Lease>> {
        let (until_name, owner_name) = kind.attributes();
        let owner = ambient::uuid();
        let now = ambient::now();
        let until = now.saturating_add(time).unwrap_or(Timestamp::MAX);
        let taken = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
            // The new owner is named for the SDK's own retry of a call whose answer got lost.
            .condition_expression(
                "attribute_exists(id) AND \
                 (attribute_not_exists(#until) OR #until < :now OR #owner IN (:owner, :ticket))",
            )
            .update_expression("SET #until = :until, #owner = :owner")
            .expression_attribute_names("#until", until_name)
            .expression_attribute_names("#owner", owner_name)
            .expression_attribute_values(":now", n(now.as_millisecond()))
            .expression_attribute_values(":until", n(until.as_millisecond()))
            .expression_attribute_values(":ticket", s(ticket.unwrap_or(&owner)))
            .expression_attribute_values(":owner", s(&owner))
            .send()
            .await;
        match taken {
            Ok(_) => Ok(Some(Lease { kind, owner })),
            Err(error) if condition_failed(&error) => Ok(None),
            Err(error) => Err(failed("lease a connection")(error)),
        }
    }

    /// Keeps the right for whoever comes with the ticket that this answers, for `time`; once. Nothing
    /// if it has passed to somebody else.
    pub async fn hand_on(
        &self,
        id: &ConnectionId,
        lease: &Lease,
        time: SignedDuration,
    ) -> Result<Option<String>> {
        let ticket = ambient::uuid();
        let (until_name, owner_name) = lease.kind.attributes();
        let until = ambient::now().saturating_add(time);
        let until = until.unwrap_or(Timestamp::MAX);
        let handed = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
            .condition_expression("#owner IN (:owner, :ticket)")
            .update_expression("SET #until = :until, #owner = :ticket")
            .expression_attribute_names("#until", until_name)
            .expression_attribute_names("#owner", owner_name)
            .expression_attribute_values(":until", n(until.as_millisecond()))
            .expression_attribute_values(":owner", s(&lease.owner))
            .expression_attribute_values(":ticket", s(&ticket))
            .send()
            .await;
        match handed {
            Ok(_) => Ok(Some(ticket)),
            Err(error) if condition_failed(&error) => Ok(None),
            Err(error) => Err(failed("hand a lease on")(error)),
        }
    }

    /// Takes a right, and waits for it up to `wait` while somebody has it.
    pub async fn wait_for(
        &self,
        id: &ConnectionId,
        kind: LeaseFor,
        time: SignedDuration,
        wait: Duration,
    ) -> Result<Option<Lease>> {
        let until = Instant::now() + wait;
        loop {
            let lease = self.lease(id, kind, time).await?;
            // Of a connection that is gone there is none to be had.
            if lease.is_some() || Instant::now() >= until || self.get(id).await?.is_none() {
                return Ok(lease);
            }
            let pause = ambient::rng().random_range(50..=250);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// Gives the right back. One that has passed to somebody else stays there.
    pub async fn release(&self, id: &ConnectionId, lease: &Lease) -> Result<()> {
        let (until_name, owner_name) = lease.kind.attributes();
        let released = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(id))
            .condition_expression("#owner = :owner")
            .update_expression("REMOVE #until, #owner")
            .expression_attribute_names("#until", until_name)
            .expression_attribute_names("#owner", owner_name)
            .expression_attribute_values(":owner", s(&lease.owner))
            .send()
            .await;
        match released {
            Err(error) if !condition_failed(&error) => Err(failed("release a connection")(error)),
            _ => Ok(()),
        }
    }

    /// Forgets a connection. Answers whether it was there.
    pub async fn remove(&self, id: &ConnectionId) -> Result<bool> {
        let stored = self.item(key(id)).await?;
        self.leaves(id, &stored.unwrap_or_default()).await?;
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("id", key(id))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(failed("remove a connection"))?;
        Ok(answer.attributes.is_some_and(|item| !item.is_empty()))
    }

    /// The place that a page of [`Self::list`] gave; nothing of a text that can't be one.
    pub fn place(text: &str) -> Option<String> {
        let (shard, id) = text.split_once(' ')?;
        let fits = !id.is_empty() && shard.parse::<u8>().is_ok();
        fits.then(|| text.to_owned())
    }

    /// Connections, in no order that means anything, from `after` (as the page before gave it) on.
    ///
    /// They lie in 16 shards; a page looks through as many as it takes to fill it.
    pub async fn list(
        &self,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Connection, String>> {
        let (first, mut after) = match after.and_then(|after| after.split_once(' ')) {
            Some((shard, id)) => (shard.parse().unwrap_or(SHARDS), Some(id.to_owned())),
            None => (0, None),
        };
        let mut found = Vec::new();
        for shard in first..SHARDS {
            if found.len() > limit {
                break;
            }
            let wanted = limit + 1 - found.len();
            for connection in self.shard(shard, after.take(), wanted).await? {
                found.push((shard, connection));
            }
        }
        let next = (found.len() > limit).then(|| {
            let (shard, connection) = &found[limit - 1];
            format!("{shard} {}", connection.id.as_str())
        });
        found.truncate(limit);
        let items = found
            .into_iter()
            .map(|(_, connection)| connection)
            .collect();
        Ok(Page { items, next })
    }

    /// A query of one shard's connections, after the one of the id `after`.
    pub(super) fn query_of(&self, shard: u8, after: Option<&str>) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name("byShard")
            .key_condition_expression("#shard = :shard AND connectionId > :after")
            .expression_attribute_names("#shard", "shard")
            .expression_attribute_values(":shard", s(format!("{shard:02}")))
            // A space sorts before every id.
            .expression_attribute_values(":after", s(after.unwrap_or(" ")))
    }

    /// Up to `wanted` connections of one shard, after the one of the id `after`.
    async fn shard(
        &self,
        shard: u8,
        after: Option<String>,
        wanted: usize,
    ) -> Result<Vec<Connection>> {
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .query_of(shard, after.as_deref())
                .limit(i32::try_from(wanted - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(failed("list connections"))?;
            for item in answer.items() {
                match connection(item) {
                    Ok(connection) => found.push(connection),
                    // One that can't be read must not hide the others.
                    Err(error) => tracing::error!(%error, "a connection is left out"),
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() || found.len() >= wanted {
                return Ok(found);
            }
        }
    }
}

pub(super) fn key(id: &ConnectionId) -> AttributeValue {
    s(format!("connection#{}", id.as_str()))
}

fn shard(id: &ConnectionId) -> String {
    format!("{:02}", Sha256::digest(id.as_str())[0] % SHARDS)
}

pub(super) fn connection(item: &Item) -> Result<Connection> {
    let user_uri = item.must("userUri")?.to_owned();
    Ok(Connection {
        id: ConnectionId::from_user_uri(&user_uri)
            .map_err(|error| Error::corrupt("a connection", error))?,
        user_uri,
        organization_uri: item.must("organizationUri")?.to_owned(),
        scopes: item.texts("scopes"),
        status: match item.must("status")? {
            "active" => ConnectionStatus::Active,
            _ => ConnectionStatus::NeedsReauth,
        },
        base_url: item.text("baseUrl").unwrap_or_default().to_owned(),
        subscriptions: Remembered::of(item),
        kept: Kept::of(item),
        created_at: item.time("createdAt"),
        authorized_at: item.time("authorizedAt"),
        organization_since: item.time("organizationSince"),
        lists_all_of: item.text("listsAllOf").map(str::to_owned),
        compared_at: item.time("comparedAt"),
        standing: Standing::of(item),
    })
}
