//! Which organization a connection is in, whether it has been in another, and who lists all of one.
//!
//! | item | id |
//! |---|---|
//! | those who list all of an organization | `organization#{uri}` |
//! | where an account was that is connected no more | `former#{id}` |
//!
//! Calendly keeps a user's URI when the user changes organization, so a connection's bookings can be of
//! one that its token no longer sees.

use super::store::{Connection, ConnectionStore, key};
use crate::Result;
use crate::error::{condition_failed, failed};
use crate::item::{Item, Read, s};
use aws_sdk_dynamodb::types::AttributeValue;
use booking::ConnectionId;
use jiff::Timestamp;

/// Where an account was when it was authorized last.
pub(super) struct Before {
    /// The organization that the connection has on record; nothing for one that isn't there.
    pub(super) stored: Option<String>,
    /// The account has been in another organization than the one that it comes from now.
    pub(super) elsewhere: bool,
    /// Since when the connection on record is in its organization, if it has been in another.
    pub(super) since: Option<Timestamp>,
    /// When it was compared, before it was disconnected.
    pub(super) compared_at: Option<Timestamp>,
}

impl ConnectionStore {
    /// Where an account was before it was authorized from `organization_uri`.
    pub(super) async fn before(&self, id: &ConnectionId, organization_uri: &str) -> Result<Before> {
        let stored = self.item(key(id)).await?.unwrap_or_default();
        let former = self.item(former(id)).await?.unwrap_or_default();
        let other = |item: &Item| {
            let organization = item.text("organizationUri");
            organization.is_some_and(|organization| organization != organization_uri)
        };
        let since = |item: &Item| item.time("organizationSince");
        Ok(Before {
            elsewhere: other(&stored) || other(&former) || since(&former).is_some(),
            since: since(&stored).filter(|_| !other(&stored)),
            compared_at: former.time("comparedAt"),
            stored: stored.text("organizationUri").map(str::to_owned),
        })
    }

    /// Notes that the account of `connection` is in another organization by now. Not if it was authorized
    /// again since the caller read it.
    pub async fn moved(&self, connection: &Connection, organization_uri: &str) -> Result<()> {
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(&connection.id))
            .update_expression("SET organizationUri = :next, organizationSince = :now")
            .expression_attribute_values(":next", s(organization_uri))
            .expression_attribute_values(":now", s(ambient::now()))
            .expression_attribute_values(":known", s(&connection.organization_uri));
        call = match connection.authorized_at {
            Some(at) => call
                .condition_expression("organizationUri = :known AND authorizedAt = :at")
                .expression_attribute_values(":at", s(at)),
            None => call.condition_expression("organizationUri = :known"),
        };
        match call.send().await {
            Err(error) if !condition_failed(&error) => {
                Err(failed("note a connection's organization")(error))
            }
            _ => Ok(()),
        }
    }

    /// Notes whether `connection` lists all of its organization: it did just now, or was refused it.
    /// Writes nothing where that is known.
    pub async fn lists_all(&self, connection: &Connection, all: bool) -> Result<()> {
        let now = Some(&connection.organization_uri).filter(|_| all);
        let known = connection.lists_all_of.as_ref();
        if known == now {
            return Ok(());
        }
        // The mark comes last: who is stopped before it does the same again.
        if let Some(known) = known {
            self.lister(known, "DELETE listers :id", &connection.id)
                .await?;
        }
        let call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", key(&connection.id))
            .condition_expression("attribute_exists(id)");
        let call = match now {
            Some(now) => {
                self.lister(now, "ADD listers :id", &connection.id).await?;
                call.update_expression("SET listsAllOf = :organization")
                    .expression_attribute_values(":organization", s(now))
            }
            None => call.update_expression("REMOVE listsAllOf"),
        };
        match call.send().await {
            Err(error) if !condition_failed(&error) => {
                Err(failed("note what a connection lists")(error))
            }
            _ => Ok(()),
        }
    }

    /// The connections that listed all of an organization when they last tried. Whether they still may,
    /// and are connected still, is for the caller to see.
    pub async fn listers(&self, organization_uri: &str) -> Result<Vec<ConnectionId>> {
        let item = self.item(listers(organization_uri)).await?;
        let ids = item
            .as_ref()
            .and_then(|item| item.get("listers")?.as_ss().ok());
        let ids = ids.into_iter().flatten().filter_map(|id| {
            let uri = format!("https://api.calendly.com/users/{id}");
            ConnectionId::from_user_uri(&uri).ok()
        });
        Ok(ids.collect())
    }

    /// Remembers where an account was that is about to be forgotten, and when it was compared: should it
    /// come back from elsewhere, its bookings are still of there, and what changed meanwhile is to be seen.
    pub(super) async fn leaves(&self, id: &ConnectionId, connection: &Item) -> Result<()> {
        let Some(organization) = connection.text("organizationUri") else {
            return Ok(());
        };
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("id", former(id))
            .expression_attribute_values(":organization", s(organization));
        let mut update = "SET organizationUri = :organization".to_owned();
        for name in ["organizationSince", "comparedAt"] {
            if let Some(value) = connection.text(name) {
                update += [", ", name, " = :", name].concat().as_str();
                call = call.expression_attribute_values(format!(":{name}"), s(value));
            }
        }
        call.update_expression(update)
            .send()
            .await
            .map_err(failed("remember where an account was"))?;
        match connection.text("listsAllOf") {
            Some(all_of) => self.lister(all_of, "DELETE listers :id", id).await,
            None => Ok(()),
        }
    }

    /// Adds a connection to those who list all of an organization, or takes it away.
    async fn lister(&self, organization: &str, how: &str, id: &ConnectionId) -> Result<()> {
        let ids = AttributeValue::Ss(vec![id.as_str().to_owned()]);
        self.client
            .update_item()
            .table_name(&self.table)
            .key("id", listers(organization))
            .update_expression(how)
            .expression_attribute_values(":id", ids)
            .send()
            .await
            .map_err(failed("note who lists an organization"))?;
        Ok(())
    }
}

fn listers(organization_uri: &str) -> AttributeValue {
    s(format!("organization#{organization_uri}"))
}

fn former(id: &ConnectionId) -> AttributeValue {
    s(format!("former#{}", id.as_str()))
}
