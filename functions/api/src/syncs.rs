//! `POST /v1/sync`, `GET /v1/sync/{id}`.

use crate::handler::{Answer, Api, Call, ok, unavailable, with_status};
use booking::ConnectionId;
use contract::answers::SyncStarted;
use contract::requests::SyncRequest;
use contract::{is_id, object};
use lambda_http::http::StatusCode;
use platform::http::{Problem, TrackingId};
use platform::queue::Jobs;
use platform::syncs::SyncJob;
use std::time::Duration;

impl Api {
    pub(crate) async fn start_sync(&self, call: &Call<'_>) -> Answer {
        let form = "{\"connection\", \"from\", \"to\"}";
        let wanted: SyncRequest = object(call.request, form)?;
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
            let planned = self.syncs.planned(sync, 0, 1, &[], true).await;
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
        let started = SyncStarted {
            sync_id: sync.to_owned(),
        };
        with_status(StatusCode::ACCEPTED, started)
    }

    async fn known_connection(&self, id: &str) -> Result<ConnectionId, Problem> {
        let unknown = || {
            Problem::parameter(
                "connection",
                "no such connection; GET /v1/connections lists them",
            )
        };
        if !is_id(id) {
            return Err(unknown());
        }
        let id = ConnectionId::from_user_uri(&format!("https://api.calendly.com/users/{id}"))
            .map_err(|_| unknown())?;
        let found = self.connections.get(&id).await.map_err(unavailable)?;
        found.map(|connection| connection.id).ok_or_else(unknown)
    }

    pub(crate) async fn sync(&self, call: &Call<'_>) -> Answer {
        let unknown = || {
            Problem::not_found("no such sync; its id is the syncId of the answer to POST /v1/sync")
        };
        let found = self.syncs.get(call.id("id", unknown)?).await;
        ok(found.map_err(unavailable)?.ok_or_else(unknown)?)
    }
}
