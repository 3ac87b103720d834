//! Records as items: what was read, and what is to be written if it is still as it was.

use super::keys::{self, Key};
use crate::item::{Item, Read, b, s};
use crate::pack::{pack, unpack};
use crate::{Error, Result};
use booking::{Provider, Records};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Records longer than this are compressed, in bytes. Hardly any is; the rest stays readable in
/// the console.
const MAX_PLAIN: usize = 64 * 1024;
/// What a record may take of its item's 400 KB, in bytes.
const MAX_PACKED: usize = 380 * 1024;
/// The longest record that is read back, in bytes: several times what a webhook can bring.
const MAX_RECORD: usize = 8 * 1024 * 1024;

/// Records as read, each with the digest that guards its next write.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) records: Records,
    pub(super) etags: HashMap<Key, String>,
}

/// An item to be written if its record is still as it was read.
pub(super) struct Write {
    pub(super) item: Item,
    pub(super) expected: Option<String>,
}

/// The writes that turn what was read into `next`: none for records that stay as they are.
pub(super) fn changed(provider: Provider, loaded: &Loaded, next: &Records) -> Result<Vec<Write>> {
    let mut writes = Vec::new();
    for event in next.events.values() {
        let mut write = write(loaded, &keys::event(provider, &event.uri), event)?;
        if let Some((bucket, start)) = keys::by_start(event) {
            write.item.insert("bucket".to_owned(), s(bucket));
            write.item.insert("startKey".to_owned(), s(start));
        }
        writes.push(write);
    }
    for invitee in next.invitees.values() {
        writes.push(write(
            loaded,
            &keys::invitee(provider, &invitee.uri),
            invitee,
        )?);
    }
    if let Some(submission) = &next.submission {
        let key = keys::submission(provider, &submission.uri);
        writes.push(write(loaded, &key, submission)?);
    }
    writes.retain(|write| write.expected.as_deref() != write.item.text("etag"));
    Ok(writes)
}

/// An item is its key, its record as JSON (compressed if long), and the record's digest.
fn write(loaded: &Loaded, key: &Key, record: &impl Serialize) -> Result<Write> {
    let json = serde_json::to_string(record).map_err(|e| Error::corrupt("a booking", e))?;
    let mut item = key.item();
    item.insert("etag".to_owned(), s(hex::encode(Sha256::digest(&json))));
    let stored = if json.len() <= MAX_PLAIN {
        s(json)
    } else {
        let packed = pack(json.as_bytes())?;
        if packed.len() > MAX_PACKED {
            return Err(Error::TooLarge {
                what: "the booking",
                bytes: packed.len(),
            });
        }
        b(&packed)
    };
    item.insert("record".to_owned(), stored);
    Ok(Write {
        expected: loaded.etags.get(key).cloned(),
        item,
    })
}

pub(super) fn record<T: DeserializeOwned>(item: &Item) -> Result<T> {
    let read = match item.bytes("record") {
        Some(packed) => serde_json::from_slice(&unpack(packed, MAX_RECORD)?),
        None => serde_json::from_str(item.must("record")?),
    };
    // The parser's error can quote a value, so only its place is kept.
    read.map_err(|e| Error::corrupt("a stored booking", format!("column {}", e.column())))
}

pub(super) fn condition(expected: Option<&String>) -> &'static str {
    match expected {
        Some(_) => "etag = :etag",
        None => "attribute_not_exists(pk)",
    }
}

pub(super) fn values(expected: Option<String>) -> Option<Item> {
    expected.map(|etag| Item::from([(":etag".to_owned(), s(etag))]))
}
