//! `GET /v1/connections`.

use crate::handler::{Answer, Api, Call, ok, unavailable};
use crate::pages::fewer;
use contract::answers::ConnectionList;
use contract::cursor;
use platform::connections::ConnectionStore;

const LIST: &str = "connections";

impl Api {
    pub(crate) async fn list_connections(&self, call: &Call<'_>) -> Answer {
        let place = call.params.cursor(LIST, ConnectionStore::place)?;
        let mut limit = call.params.limit();
        let page = loop {
            let page = self.connections.list(place.as_deref(), limit).await;
            let page = page.map_err(unavailable)?;
            match fewer(&page.items, limit) {
                Some(fewer) => limit = fewer,
                None => break page,
            }
        };
        ok(ConnectionList {
            connections: page.items,
            next_cursor: page.next.map(|place| cursor(LIST, &place)),
        })
    }
}
