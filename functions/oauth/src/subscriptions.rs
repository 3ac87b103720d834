//! `GET POST /v1/webhook-subscriptions`, `DELETE /v1/webhook-subscriptions/{id}`.

use crate::connect::{calendly_failed, watch_failed};
use crate::handler::{Connector, Reply, data, unavailable, unknown_subscription};
use contract::answers::{
    SubscriptionError, SubscriptionList, SubscriptionView, SubscriptionWatched, Unsubscribed,
};
use contract::requests::SubscribeRequest;
use contract::{Params, cursor, required_object};
use lambda_http::Request;
use platform::connections::{Connection, ConnectionStore, Vault, subscriptions, watch};
use platform::http::Problem;
use platform::queue::Jobs;
use platform::secrets::Versions;
use platform::syncs::SyncJob;
use tokio::time::Instant;

/// Connections whose subscriptions are asked for in one request: each takes two calls to Calendly.
const MAX_CONNECTIONS: usize = 20;

const LIST: &str = "subscriptions";

impl<V: Vault + Clone + Send + Sync, S: Versions, J: Jobs<SyncJob>> Connector<V, S, J> {
    /// What Calendly has, for one `connection`, or for all in pages of 20 connections.
    pub(crate) async fn list_subscriptions(
        &self,
        params: &Params,
        until: Instant,
    ) -> Result<Reply, Problem> {
        let place = params.cursor(LIST, ConnectionStore::place)?;
        let (connections, next) = if let Some(id) = params.get("connection") {
            (vec![self.known(id).await?], None)
        } else {
            let page = self.connections.list(place.as_deref(), MAX_CONNECTIONS);
            let page = page.await.map_err(unavailable)?;
            (page.items, page.next)
        };
        let mut found = Vec::new();
        let mut errors = Vec::new();
        for connection in connections {
            let owned = connection.subscriptions.owned.as_ref();
            let owned = owned.map(|owned| owned.uri.as_str());
            let client = self.calendly_as(&connection.id, until).await;
            let listed = subscriptions(&client, &connection).await;
            found.extend(
                listed
                    .items
                    .iter()
                    .map(|one| SubscriptionView::of(one, &connection.id, owned)),
            );
            // One account, or one entry, that can't be read must not hide the others.
            let odd = (listed.unreadable > 0).then(|| {
                let count = listed.unreadable;
                format!("{count} of Calendly's entries can't be read")
            });
            let stopped = listed.stopped.map(|error| error.to_string());
            errors.extend(
                stopped
                    .into_iter()
                    .chain(odd)
                    .map(|error| SubscriptionError {
                        connection: connection.id.clone(),
                        error,
                    }),
            );
        }
        data(SubscriptionList {
            subscriptions: found,
            next_cursor: next.map(|place| cursor(LIST, &place)),
            errors,
        })
    }

    /// Brings a connection's subscription in order, as each sync does.
    pub(crate) async fn subscribe(
        &self,
        request: &Request,
        until: Instant,
    ) -> Result<Reply, Problem> {
        let wanted: SubscribeRequest = required_object(request, "{\"connection\": \"…\"}")?;
        let connection = self.known(&wanted.connection).await?;
        let key = self.key_to_send(&connection).await?;
        let client = self.calendly_as(&connection.id, until).await;
        let watched = watch(&client, &self.connections, &connection, key.as_deref()).await;
        let watched = watched.map_err(watch_failed)?;
        let stored = self.connections.get(&connection.id).await;
        let owned = stored
            .map_err(unavailable)?
            .and_then(|stored| stored.subscriptions.owned);
        data(SubscriptionWatched {
            connection: connection.id,
            found: watched,
            uri: owned.map(|owned| owned.uri),
        })
    }

    /// Deletes a subscription at Calendly. One that a connection needs is made anew by its next
    /// sync.
    pub(crate) async fn unsubscribe(
        &self,
        params: &Params,
        id: &str,
        until: Instant,
    ) -> Result<Reply, Problem> {
        let connection = params.get("connection").unwrap_or_default();
        let connection = self.known(connection).await?;
        let client = self.calendly_as(&connection.id, until).await;
        let listed = subscriptions(&client, &connection).await;
        let known = listed.items.iter().any(|one| one.id() == id);
        if let (false, Some(error)) = (known, listed.stopped) {
            return Err(calendly_failed(error));
        }
        if !known {
            return Err(unknown_subscription());
        }
        client.unsubscribe(id).await.map_err(calendly_failed)?;
        data(Unsubscribed {
            message: "Deleted; a connection that is left without one gets a new one at its next \
                      sync",
            id: id.to_owned(),
        })
    }

    async fn known(&self, id: &str) -> Result<Connection, Problem> {
        self.connection(id).await?.ok_or_else(|| {
            Problem::parameter(
                "connection",
                "no such connection; GET /v1/connections lists them",
            )
        })
    }

    async fn key_to_send(&self, connection: &Connection) -> Result<Option<String>, Problem> {
        let stored = self.vault.read(&connection.id, None).await;
        let tokens = stored.map_err(unavailable)?.map(|stored| stored.tokens);
        let secrets = self.app.values().await.map_err(unavailable)?;
        let secret = secrets.first();
        let key = secret.and_then(|secret| secret.key_to_send(tokens.as_ref()));
        Ok(key.map(str::to_owned))
    }
}
