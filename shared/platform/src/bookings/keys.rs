//! How records are found: primary keys, and the index of events by start.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | event | `{provider}#event#{id}` | `event` |
//! | invitee | `{provider}#event#{event id}` | `invitee#{id}` |
//! | submission | `{provider}#submission#{id}` | `submission` |
//! | bucket in use | `buckets` | `{bucket}` |
//!
//! All keys are functions of the record alone, so that a record's item is the same whoever
//! writes it.

use crate::item::{Item, s};
use booking::{ConnectionId, EventRecord, EventUri, InviteeUri, Provider, SubmissionUri};
use sha2::{Digest, Sha256};

/// Events of one month lie in as many partitions, spread by connection: enough that none gets hot,
/// few enough to be read together.
const SHARDS: u8 = 16;

/// Bucket of events whose start is not known (older payloads don't say). It sorts last.
pub(super) const NO_START: &str = "unknown";

pub(super) const BUCKETS: &str = "buckets";

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    pub(super) fn item(&self) -> Item {
        Item::from([
            ("pk".to_owned(), s(&self.pk)),
            ("sk".to_owned(), s(&self.sk)),
        ])
    }
}

pub(super) fn event_pk(provider: Provider, id: &str) -> String {
    format!("{provider}#event#{id}")
}

pub(super) fn event(provider: Provider, uri: &EventUri) -> Key {
    Key {
        pk: event_pk(provider, uri.id()),
        sk: "event".to_owned(),
    }
}

pub(super) fn invitee(provider: Provider, uri: &InviteeUri) -> Key {
    Key {
        pk: event_pk(provider, uri.event().id()),
        sk: format!("invitee#{}", uri.id()),
    }
}

pub(super) fn submission(provider: Provider, uri: &SubmissionUri) -> Key {
    Key {
        pk: format!("{provider}#submission#{}", uri.id()),
        sk: "submission".to_owned(),
    }
}

fn shard(name: &str) -> u8 {
    Sha256::digest(name)[0] % SHARDS
}

/// The bucket of a connection's events in a month (`2027-01`).
pub(super) fn bucket(month: &str, connection: &ConnectionId) -> String {
    format!("{month}#{:02}", shard(connection.as_str()))
}

/// Where an event lies in the index by start; nothing for one known only through a link.
pub(super) fn by_start(event: &EventRecord) -> Option<(String, String)> {
    let id = event.uri.id();
    let shard = match event.connections.first() {
        Some(connection) => shard(connection.as_str()),
        // Told of by a message that doesn't say for whom it was made.
        None if event.updated_at.is_some() => shard(id),
        None => return None,
    };
    Some(match &event.slot {
        Some(slot) => {
            let start = format!("{:.6}", slot.value.start);
            let month = start.get(..7).unwrap_or(NO_START).to_owned();
            (format!("{month}#{shard:02}"), format!("{start}#{id}"))
        }
        None => (format!("{NO_START}#{shard:02}"), format!("{NO_START}#{id}")),
    })
}
