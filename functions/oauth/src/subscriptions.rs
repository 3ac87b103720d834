//! `GET POST /v1/webhook-subscriptions`, `DELETE /v1/webhook-subscriptions/{id}`.

use crate::connect::{calendly_failed, watch_failed};
use crate::handler::{Connector, Reply, unavailable};
use calendly::api::Subscription;
use lambda_http::http::StatusCode;
use lambda_http::{Request, RequestExt};
use platform::connections::{Connection, ConnectionStore, Vault, subscriptions, watch};
use platform::http::Problem;
use platform::queue::Jobs;
use platform::secrets::Versions;
use platform::syncs::SyncJob;
use serde::Deserialize;
use serde_json::{Value, json};

/// Connections whose subscriptions are asked for in one request: each takes two calls to Calendly.
const MAX_CONNECTIONS: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    connection: String,
}

impl<V: Vault + Clone + Send + Sync, S: Versions, J: Jobs<SyncJob>> Connector<V, S, J> {
    /// What Calendly has, for one `connection`, or for all in pages of 20 connections.
    pub(crate) async fn list_subscriptions(&self, request: &Request) -> Result<Reply, Problem> {
        let query = request.query_string_parameters();
        let cursor = query.first("cursor");
        if cursor.is_some_and(|cursor| !ConnectionStore::is_place(cursor)) {
            return Err(Problem::parameter(
                "cursor",
                "must be the nextCursor of a page of this list",
            ));
        }
        let (connections, next) = if let Some(id) = query.first("connection") {
            (vec![self.known(id).await?], None)
        } else {
            let page = self.connections.list(cursor, MAX_CONNECTIONS);
            let page = page.await.map_err(unavailable)?;
            (page.items, page.next)
        };
        let mut found = Vec::new();
        let mut errors = Vec::new();
        for connection in connections {
            let owned = self.connections.subscription(&connection.id).await;
            let owned = owned.map_err(unavailable)?.map(|owned| owned.uri);
            let client = self.calendly_as(&connection.id).await;
            match subscriptions(&client, &connection).await {
                Ok(all) => found.extend(
                    all.iter()
                        .map(|one| show(one, &connection, owned.as_deref())),
                ),
                // One account that can't be asked must not hide the others.
                Err(error) => errors.push(json!({
                    "connection": connection.id,
                    "error": error.to_string(),
                })),
            }
        }
        Ok(Reply::Data(
            StatusCode::OK,
            json!({"subscriptions": found, "nextCursor": next, "errors": errors}),
        ))
    }

    /// Brings a connection's subscription in order, as each sync does.
    pub(crate) async fn subscribe(&self, request: &Request) -> Result<Reply, Problem> {
        let wanted: Wanted = serde_json::from_slice(request.body().as_ref())
            .map_err(|_| Problem::parameter("body", "must be {\"connection\": \"…\"}"))?;
        let connection = self.known(&wanted.connection).await?;
        let key = self.key_to_send(&connection).await?;
        let client = self.calendly_as(&connection.id).await;
        let watched = watch(&client, &self.connections, &connection, key.as_deref()).await;
        let watched = watched.map_err(watch_failed)?;
        let owned = self.connections.subscription(&connection.id).await;
        let owned = owned.map_err(unavailable)?.map(|owned| owned.uri);
        Ok(Reply::Data(
            StatusCode::OK,
            json!({"connection": connection.id, "found": watched, "uri": owned}),
        ))
    }

    /// Deletes a subscription at Calendly. One that a connection needs is made anew by its next
    /// sync.
    pub(crate) async fn unsubscribe(&self, request: &Request, id: &str) -> Result<Reply, Problem> {
        let query = request.query_string_parameters();
        let Some(connection) = query.first("connection") else {
            return Err(Problem::parameter(
                "connection",
                "is missing: whose subscription it is; the list of subscriptions tells",
            ));
        };
        let connection = self.known(connection).await?;
        let client = self.calendly_as(&connection.id).await;
        let all = subscriptions(&client, &connection)
            .await
            .map_err(calendly_failed)?;
        if !all.iter().any(|subscription| subscription.id() == id) {
            return Err(Problem::not_found(
                "this connection has no such webhook subscription",
            ));
        }
        client.unsubscribe(id).await.map_err(calendly_failed)?;
        Ok(Reply::Data(
            StatusCode::OK,
            json!({
                "message": "Deleted; a connection that is left without one gets a new one at its \
                            next sync",
                "id": id,
            }),
        ))
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
        let tokens = self.vault.read(&connection.id).await;
        let tokens = tokens.map_err(unavailable)?;
        let secrets = self.app.values().await.map_err(unavailable)?;
        let secret = secrets.first();
        let key = secret.and_then(|secret| secret.key_to_send(tokens.as_ref()));
        Ok(key.map(str::to_owned))
    }
}

fn show(subscription: &Subscription, connection: &Connection, owned: Option<&str>) -> Value {
    json!({
        "id": subscription.id(),
        "uri": subscription.uri,
        "callbackUrl": subscription.callback_url,
        "state": subscription.state,
        "events": subscription.events,
        "scope": subscription.scope,
        "createdAt": subscription.created_at,
        "retryStartedAt": subscription.retry_started_at,
        "connection": connection.id,
        "inUse": owned == Some(subscription.uri.as_str()),
    })
}
