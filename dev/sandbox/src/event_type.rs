//! What can be booked.

use crate::location::Place;
use crate::{clock, ids};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// How an event type with several hosts takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// One of them, in turn.
    RoundRobin,
    /// All of them.
    Collective,
}

impl Pooling {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "round_robin",
            Self::Collective => "collective",
        }
    }
}

/// What can be booked. With a `limit` over 1 it is a group event: one meeting, many invitees.
#[derive(Debug, Clone)]
pub(crate) struct EventType {
    pub id: String,
    pub name: String,
    /// Ids of the users who host it; the first one owns it.
    pub hosts: Vec<String>,
    pub pooling: Option<Pooling>,
    pub minutes: i64,
    pub limit: usize,
    pub place: Place,
    pub created_at: Timestamp,
}

impl EventType {
    pub(crate) fn uri(&self) -> String {
        ids::uri("event_types", &self.id)
    }

    pub(crate) fn is_group(&self) -> bool {
        self.limit > 1
    }

    pub(crate) fn slug(&self) -> String {
        ids::slug(&self.name)
    }

    /// As the REST API answers it, but for whose it is.
    pub(crate) fn json(&self) -> Value {
        let at = clock::text(self.created_at);
        let locations = self.place.kind().map(|kind| json!([{"kind": kind}]));
        json!({
            "uri": self.uri(),
            "name": self.name,
            "active": true,
            "admin_managed": false,
            "booking_method": "instant",
            "color": "#8247f5",
            "created_at": at,
            "custom_questions": [],
            "deleted_at": null,
            "description_html": null,
            "description_plain": null,
            "duration": self.minutes,
            "duration_options": null,
            "internal_note": null,
            "is_paid": false,
            "kind": if self.is_group() { "group" } else { "solo" },
            "locale": "en",
            "locations": locations,
            "pooling_type": self.pooling.map(Pooling::name),
            "position": 0,
            "secret": false,
            "slug": self.slug(),
            "type": "StandardEventType",
            "updated_at": at,
        })
    }

    /// As the controls show it.
    pub(crate) fn summary(&self) -> Value {
        json!({
            "uri": self.uri(),
            "id": self.id,
            "name": self.name,
            "minutes": self.minutes,
            "limit": self.limit,
            "hosts": self.hosts,
        })
    }
}
