//! Records as items: what was read, and what is to be written if it is still as it was.

use super::keys::{self, Key};
use crate::item::{Item, Read, b, s};
use crate::pack::{pack, unpack};
use crate::{Error, Result};
use booking::{EventRecord, EventUri, InviteeRecord, Provider, Records, SubmissionRecord};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Records longer than this are compressed, in bytes. Hardly any is; the rest stays readable in
/// the console.
const MAX_PLAIN: usize = 64 * 1024;
/// What a record may take of its item's 400 KB, in bytes.
const MAX_PACKED: usize = 380 * 1024;
/// How many items are written in one transaction, at most.
pub(super) const TRANSACTION: usize = 100;
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

/// A record that has to be as it was read, though it isn't written.
pub(super) struct Check {
    pub(super) key: Key,
    pub(super) expected: Option<String>,
}

/// What turns that which was read into the next state: nothing for records that stay as they are.
#[derive(Default)]
pub(super) struct Writes {
    /// Records.
    pub(super) records: Vec<Write>,
    /// Records that others of these follow from.
    pub(super) checks: Vec<Check>,
    /// Items by which records are found, to be there: they follow from the records.
    pub(super) links: Vec<Item>,
    /// Such items that are to go.
    pub(super) unlinked: Vec<Key>,
}

/// The writes that turn what was read into `next`, in one transaction. Events whose links don't fit
/// into it are marked as not settled.
pub(super) fn changed(provider: Provider, loaded: &Loaded, next: &mut Records) -> Result<Writes> {
    let mut writes = Writes::default();
    for (uri, invitee) in &next.invitees {
        let mut write = write(loaded, &keys::invitee(provider, uri), invitee)?;
        write.item.extend(keys::of_invitee(invitee));
        writes.record(write);
    }
    if let Some(submission) = &next.submission {
        let links = |of: &SubmissionRecord| keys::links_of_submission(provider, of);
        let key = keys::submission(provider, &submission.uri);
        if writes.record(write(loaded, &key, submission)?) {
            let before = loaded.records.submission.as_ref();
            writes.link(before.map(links).unwrap_or_default(), links(submission));
        }
    }
    // All that is written or checked but for events' links: each event is one of the two, at most.
    let mut events = followed(loaded, next);
    events.extend(next.events.keys().cloned());
    let mut room = TRANSACTION.saturating_sub(writes.items() + events.len());
    for (uri, event) in &mut next.events {
        let key = keys::event(provider, uri);
        let before = loaded.records.events.get(uri);
        let before = before.map(keys::links_of_event).unwrap_or_default();
        let mut links = Writes::default();
        links.link(before, keys::links_of_event(event));
        if links.items() > room {
            event.unsettle();
            links = Writes::default();
        }
        let mut write = write(loaded, &key, event)?;
        write.item.extend(keys::of_event(event));
        if writes.record(write) {
            room -= links.items();
            writes.links.extend(links.links);
            writes.unlinked.extend(links.unlinked);
        }
    }
    writes.check_events(provider, loaded, next);
    Ok(writes)
}

impl Writes {
    /// Adds a record's write if it changes the record.
    fn record(&mut self, write: Write) -> bool {
        let changes = write.expected.as_deref() != write.item.text("etag");
        if changes {
            self.records.push(write);
        }
        changes
    }

    fn link(&mut self, before: BTreeMap<Key, Item>, after: BTreeMap<Key, Item>) {
        let gone = before.keys().filter(|key| !after.contains_key(key));
        self.unlinked.extend(gone.cloned());
        let new = after
            .into_iter()
            .filter(|(key, item)| before.get(key) != Some(item));
        self.links.extend(new.map(|(_, item)| item));
    }

    /// Makes sure that an invitee who takes over what an event says takes it from its present
    /// record. Who has it already is found by whoever changes the event.
    fn check_events(&mut self, provider: Provider, loaded: &Loaded, next: &Records) {
        let events = followed(loaded, next);
        for key in events.iter().map(|uri| keys::event(provider, uri)) {
            let written = self.records.iter().any(|write| key.names(&write.item));
            if !written {
                let expected = loaded.etags.get(&key).cloned();
                self.checks.push(Check { key, expected });
            }
        }
    }

    /// How many items of a transaction these are.
    fn items(&self) -> usize {
        self.records.len() + self.checks.len() + self.links.len() + self.unlinked.len()
    }
}

/// The events from which an invitee takes something over.
fn followed(loaded: &Loaded, next: &Records) -> BTreeSet<EventUri> {
    let followers = next.invitees.values().filter(|after| {
        let before = loaded.records.invitees.get(&after.uri);
        before.is_none_or(|before| before.meeting != after.meeting)
    });
    followers.map(|invitee| invitee.uri.event()).collect()
}

/// The write of an event's record, if it is still as `expected`.
pub(super) fn write_event(key: &Key, event: &EventRecord, expected: String) -> Result<Write> {
    let mut item = packed(key, event)?;
    item.extend(keys::of_event(event));
    Ok(Write {
        item,
        expected: Some(expected),
    })
}

/// The write of an invitee's record, if it is still as `expected`.
pub(super) fn write_invitee(key: &Key, of: &InviteeRecord, expected: String) -> Result<Write> {
    let mut item = packed(key, of)?;
    item.extend(keys::of_invitee(of));
    Ok(Write {
        item,
        expected: Some(expected),
    })
}

fn write(loaded: &Loaded, key: &Key, record: &impl Serialize) -> Result<Write> {
    Ok(Write {
        expected: loaded.etags.get(key).cloned(),
        item: packed(key, record)?,
    })
}

/// An item is its key, its record as JSON (compressed if long), and the record's digest.
fn packed(key: &Key, record: &impl Serialize) -> Result<Item> {
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
    Ok(item)
}

pub(super) fn record<T: DeserializeOwned>(item: &Item) -> Result<T> {
    let read = match item.bytes("record") {
        Some(packed) => serde_json::from_slice(&unpack(packed, MAX_RECORD)?),
        None => serde_json::from_str(item.must("record")?),
    };
    // The parser's error can quote a value, so only its place is kept.
    read.map_err(|e| Error::corrupt("a stored booking", format!("column {}", e.column())))
}

/// Adds the record of an item to others.
pub(super) fn take(records: &mut Records, item: &Item) -> Result<()> {
    match item.must("sk")? {
        "event" => {
            let event: EventRecord = record(item)?;
            records.events.insert(event.uri.clone(), event);
        }
        "submission" => records.submission = Some(record(item)?),
        _ => {
            let invitee: InviteeRecord = record(item)?;
            records.invitees.insert(invitee.uri.clone(), invitee);
        }
    }
    Ok(())
}
