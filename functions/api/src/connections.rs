//! `GET /v1/connections`.

use crate::handler::{Answer, Api, unavailable};
use crate::params::{Params, cursor};
use lambda_http::Request;
use lambda_http::http::StatusCode;
use platform::connections::ConnectionStore;
use platform::http::Problem;
use serde_json::json;

const LIST: &str = "connections";

impl Api {
    pub(crate) async fn list_connections(&self, request: &Request) -> Answer {
        let params = Params::of(request, &["limit", "cursor"])?;
        let (limit, after) = (params.limit()?, params.cursor(LIST)?);
        if after
            .as_deref()
            .is_some_and(|after| !ConnectionStore::is_place(after))
        {
            return Err(Problem::parameter(
                "cursor",
                "must be the nextCursor of a page of this list",
            ));
        }
        let page = self.connections.list(after.as_deref(), limit).await;
        let page = page.map_err(unavailable)?;
        Ok((
            StatusCode::OK,
            json!({
                "connections": page.items,
                "nextCursor": page.next.map(|place| cursor(LIST, &place)),
            }),
        ))
    }
}
