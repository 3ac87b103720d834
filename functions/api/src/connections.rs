//! `GET /v1/connections`.

use crate::handler::{Answer, Api, Call, ok, unavailable};
use contract::answers::ConnectionList;
use contract::{bad_cursor, cursor};
use platform::connections::ConnectionStore;

const LIST: &str = "connections";

impl Api {
    pub(crate) async fn list_connections(&self, call: &Call<'_>) -> Answer {
        let after = call.params.cursor(LIST)?;
        let place = after.as_deref();
        if place.is_some_and(|place| !ConnectionStore::is_place(place)) {
            return Err(bad_cursor());
        }
        let page = self.connections.list(place, call.params.limit()).await;
        let page = page.map_err(unavailable)?;
        ok(ConnectionList {
            connections: page.items,
            next_cursor: page.next.map(|place| cursor(LIST, &place)),
        })
    }
}
