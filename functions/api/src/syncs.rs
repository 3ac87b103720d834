//! `POST /v1/sync`, `GET /v1/sync/{id}`.

use crate::handler::{Answer, Api, unavailable};
use crate::params::{Params, object};
use booking::ConnectionId;
use jiff::Timestamp;
use lambda_http::Request;
use lambda_http::http::StatusCode;
use platform::http::{Problem, TrackingId};
use platform::queue::Jobs;
use platform::syncs::SyncJob;
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// What to sync: all connections and the usual window, unless told otherwise.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Wanted {
    connection: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl Api {
    pub(crate) async fn start_sync(&self, request: &Request) -> Answer {
        Params::of(request, &[])?;
        let wanted: Wanted = object(request, "{\"connection\", \"from\", \"to\"}")?;
        if let (Some(from), Some(to)) = (wanted.from, wanted.to)
            && to <= from
        {
            return Err(Problem::parameter("to", "must lie after from"));
        }
        let connection = match &wanted.connection {
            Some(id) => Some(self.known_connection(id).await?),
            None => None,
        };
        let sync = TrackingId::random();
        let sync = sync.as_str();
        self.syncs.requested(sync).await.map_err(unavailable)?;
        if connection.is_some() {
            let planned = self.syncs.planned(sync, 1, true).await;
            planned.map_err(unavailable)?;
        }
        let job = SyncJob {
            sync_id: Some(sync.to_owned()),
            connection_id: connection,
            from: wanted.from,
            to: wanted.to,
            ..SyncJob::default()
        };
        let queued = self.sync_jobs.push(&job, Duration::ZERO).await;
        queued.map_err(unavailable)?;
        Ok((StatusCode::ACCEPTED, json!({"syncId": sync})))
    }

    async fn known_connection(&self, id: &str) -> Result<ConnectionId, Problem> {
        let unknown = || {
            Problem::parameter(
                "connection",
                "no such connection; GET /v1/connections lists them",
            )
        };
        let id = ConnectionId::from_user_uri(&format!("https://api.calendly.com/users/{id}"))
            .map_err(|_| unknown())?;
        let found = self.connections.get(&id).await.map_err(unavailable)?;
        found.map(|connection| connection.id).ok_or_else(unknown)
    }

    pub(crate) async fn sync(&self, request: &Request, id: &str) -> Answer {
        Params::of(request, &[])?;
        let known = id.len() == 36 && id.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-');
        let found = if known {
            self.syncs.get(id).await.map_err(unavailable)?
        } else {
            None
        };
        let sync = found.ok_or_else(|| {
            Problem::not_found("no such sync; its id is the syncId of the answer to POST /v1/sync")
        })?;
        Ok((StatusCode::OK, json!(sync)))
    }
}
