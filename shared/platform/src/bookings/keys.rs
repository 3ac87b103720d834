//! How records are found: primary keys, and the keys of the indexes.
//!
//! | item | pk | sk |
//! |---|---|---|
//! | event | `{provider}#event#{id}` | `event` |
//! | invitee | `{provider}#event#{event id}` | `invitee#{id}` |
//! | connection that told of an event | `{provider}#event#{event id}` | `connection#{id}` |
//! | guest or host of an event | `{provider}#event#{event id}` | `contact#{role}#{contact key}` |
//! | somebody else whom an event's bodies name | `{provider}#event#{event id}` | `contact#named#{contact key}` |
//! | that they name more people than are kept | `{provider}#event#{event id}` | `contact#more` |
//! | submission | `{provider}#submission#{id}` | `submission` |
//! | submitter's address | `{provider}#submission#{id}` | `contact#invitee#{contact key}` |
//! | somebody else whom its bodies name | `{provider}#submission#{id}` | `contact#named#{contact key}` |
//! | that they name more people than are kept | `{provider}#submission#{id}` | `contact#more` |
//! | mark of erasure | `erased#{contact key}` | `erased` |
//! | buckets in use | `buckets` | `buckets` |
//!
//! | index | of | partition | what it lists |
//! |---|---|---|---|
//! | `byStart` | events | `bucket`: month and shard | all events |
//! | `byStatus` | events, connections | `statusBucket`: status, and bucket or connection | those that stand so |
//! | `byParty` | invitees, guests, hosts, others named, connections | `party` | a person's, a connection's |
//!
//! In each index `startKey` is the order: an event's start and id, and in an item beside the
//! event's own that item's name. All keys are functions of the
//! records alone, so that an item is the same whoever writes it.

use crate::item::{Item, Read, s};
use crate::{Error, Result};
use booking::{
    ContactKey, EventRecord, EventStatus, EventUri, InviteeRecord, InviteeUri, Provider, Role,
    Slot, SubmissionRecord, SubmissionUri,
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Events of one month lie in as many partitions, spread by connection: enough that none gets hot,
/// few enough to be read together.
const SHARDS: u8 = 16;

/// Start of events whose start is not known (older payloads don't say). It sorts last.
pub(super) const NO_START: &str = "unknown";

pub(super) const BUCKETS: &str = "buckets";
const ERASED: &str = "erased";

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) pk: String,
    pub(super) sk: String,
}

impl Key {
    pub(super) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self {
            pk: pk.into(),
            sk: sk.into(),
        }
    }

    /// The key of an item.
    pub(super) fn of(item: &Item) -> Result<Self> {
        Ok(Self::new(item.must("pk")?, item.must("sk")?))
    }

    pub(super) fn names(&self, item: &Item) -> bool {
        item.text("pk") == Some(&self.pk) && item.text("sk") == Some(&self.sk)
    }

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
    Key::new(event_pk(provider, uri.id()), "event")
}

pub(super) fn invitee(provider: Provider, uri: &InviteeUri) -> Key {
    let pk = event_pk(provider, uri.event().id());
    Key::new(pk, format!("invitee#{}", uri.id()))
}

pub(super) fn submission(provider: Provider, uri: &SubmissionUri) -> Key {
    Key::new(format!("{provider}#submission#{}", uri.id()), "submission")
}

/// Where it is kept that somebody was erased.
pub(super) fn erased(contact: &ContactKey) -> Key {
    Key::new(format!("{ERASED}#{}", contact.as_str()), ERASED)
}

/// The contact of a mark of erasure's key.
pub(super) fn contact_of(key: &Key) -> Option<&str> {
    key.pk.strip_prefix(ERASED)?.strip_prefix('#')
}

fn shard(name: &str) -> u8 {
    Sha256::digest(name)[0] % SHARDS
}

/// The party of a connection.
pub(super) fn connection_party(connection: &str) -> String {
    format!("connection#{connection}")
}

/// The party of a person in events.
pub(super) fn contact_party(contact: &ContactKey) -> String {
    format!("contact#{}", contact.as_str())
}

/// The party of a person in routing form submissions.
pub(super) fn submitter_party(contact: &ContactKey) -> String {
    format!("submitter#{}", contact.as_str())
}

/// The party of a person in what names them and is no booking, nor form, of theirs (any more).
pub(super) fn named_party(contact: &ContactKey) -> String {
    format!("named#{}", contact.as_str())
}

/// The party of whoever may be named in what names more people than are kept.
pub(super) const NAMED_MORE: &str = "named";

/// The partition of `byStatus` with those of `place` (a bucket, or a connection's party).
pub(super) fn status_bucket(status: EventStatus, place: &str) -> String {
    format!("{}#{place}", status.as_str())
}

/// The month of a start key or of a bucket.
pub(super) fn month(key: &str) -> &str {
    key.get(..7).unwrap_or(key)
}

fn start_key(slot: Option<&Slot>, id: &str) -> String {
    match slot {
        Some(slot) => format!("{:.6}#{id}", slot.start),
        None => format!("{NO_START}#{id}"),
    }
}

fn event_start_key(event: &EventRecord) -> String {
    let slot = event.slot.as_ref().map(|slot| &slot.value);
    start_key(slot, event.uri.id())
}

/// The bucket of an event; nothing for one known only through a link.
pub(super) fn event_bucket(event: &EventRecord) -> Option<String> {
    let shard = match event.connections.first() {
        Some(connection) => shard(connection.as_str()),
        // Told of by a message that doesn't say for whom it was made.
        None if event.is_told() => shard(event.uri.id()),
        None => return None,
    };
    let start = event_start_key(event);
    Some(format!("{}#{shard:02}", month(&start)))
}

/// What the indexes need of an event's item.
pub(super) fn of_event(event: &EventRecord) -> Item {
    let Some(bucket) = event_bucket(event) else {
        return Item::new();
    };
    Item::from([
        (
            "statusBucket".to_owned(),
            s(status_bucket(event.status(), &bucket)),
        ),
        ("bucket".to_owned(), s(bucket)),
        ("startKey".to_owned(), s(event_start_key(event))),
    ])
}

/// What the indexes need of an invitee's item: its event's start.
pub(super) fn of_invitee(invitee: &InviteeRecord) -> Item {
    let Some(contact) = invitee.contact() else {
        return Item::new();
    };
    let slot = invitee.meeting.slot.as_ref();
    let start = start_key(slot, invitee.uri.event().id());
    let entry = format!("{start}#invitee#{}", invitee.uri.id());
    Item::from([
        ("party".to_owned(), s(contact_party(&contact))),
        ("startKey".to_owned(), s(entry)),
    ])
}

/// Items beside an event's own, by which it is found: one for each connection that told of it, and
/// one for each guest and host, and for everybody else who is named.
pub(super) fn links_of_event(event: &EventRecord) -> BTreeMap<Key, Item> {
    let pk = event_pk(event.provider, event.uri.id());
    let start = event_start_key(event);
    let more = event.named_more.then(|| more_link(&pk, &start));
    let named = named_links(&pk, &start, &event.named).chain(more);
    if event_bucket(event).is_none() {
        return named.collect();
    }
    let connections = event.connections.iter().map(|connection| {
        let party = connection_party(connection.as_str());
        let key = Key::new(&pk, &party);
        let mut item = linked(&key, &party, &start);
        let status = status_bucket(event.status(), &party);
        item.insert("statusBucket".to_owned(), s(status));
        (key, item)
    });
    let contacts = event.contacts().into_iter().map(|(contact, role)| {
        let sk = format!("contact#{}#{}", role.as_str(), contact.as_str());
        let key = Key::new(&pk, sk);
        let item = linked(&key, &contact_party(&contact), &start);
        (key, item)
    });
    connections.chain(contacts).chain(named).collect()
}

fn named_links(
    pk: &str,
    start: &str,
    named: &BTreeSet<ContactKey>,
) -> impl Iterator<Item = (Key, Item)> {
    named.iter().map(move |contact| {
        let key = Key::new(pk, format!("contact#named#{}", contact.as_str()));
        let item = linked(&key, &named_party(contact), start);
        (key, item)
    })
}

fn more_link(pk: &str, start: &str) -> (Key, Item) {
    let key = Key::new(pk, "contact#more");
    let item = linked(&key, NAMED_MORE, start);
    (key, item)
}

/// How many addresses of a form's answers lead to it: as many as can change in one transaction.
/// Forms ask for one.
const MAX_SUBMITTERS: usize = 45;

/// Items beside a submission's own, by which it is found: one for each address in its answers.
pub(super) fn links_of_submission(
    provider: Provider,
    submission: &SubmissionRecord,
) -> BTreeMap<Key, Item> {
    let pk = self::submission(provider, &submission.uri).pk;
    let contacts = submission.contacts().into_iter().take(MAX_SUBMITTERS);
    let contacts = contacts.map(|contact| {
        let key = Key::new(&pk, format!("contact#invitee#{}", contact.as_str()));
        let party = submitter_party(&contact);
        let item = linked(&key, &party, submission.uri.id());
        (key, item)
    });
    let named = named_links(&pk, submission.uri.id(), &submission.named);
    let more = submission.named_more;
    let more = more.then(|| more_link(&pk, submission.uri.id()));
    contacts.chain(named).chain(more).collect()
}

/// An entry's place is its event's, and its own name within it: no two are the same.
fn linked(key: &Key, party: &str, start: &str) -> Item {
    let mut item = key.item();
    item.insert("party".to_owned(), s(party));
    item.insert("startKey".to_owned(), s(format!("{start}#{}", key.sk)));
    item
}

/// The start in a start key: of an event that has one.
pub(super) fn start_of(start_key: &str) -> Result<Timestamp> {
    let start = start_key.split('#').next().unwrap_or_default();
    let start = start.parse();
    start.map_err(|_| Error::corrupt("a booking's start key", "it begins with no time"))
}

/// The place after all entries of an event (or before them, in the other order), by one of them.
pub(super) fn past_event(start_key: &str, ascending: bool) -> String {
    let mut parts = start_key.splitn(3, '#');
    let (start, id) = (parts.next(), parts.next());
    let event = format!("{}#{}", start.unwrap_or_default(), id.unwrap_or_default());
    // A name within an event begins with a letter: after `#`, and before `~`.
    format!("{event}#{}", if ascending { "~" } else { "" })
}

/// What somebody is to an event, by the item that says so.
pub(super) fn role_of(sk: &str) -> Option<Role> {
    if sk.starts_with("invitee#") {
        return Some(Role::Invitee);
    }
    let role = sk.strip_prefix("contact#")?.split('#').next()?;
    [Role::Guest, Role::Host]
        .into_iter()
        .find(|known| known.as_str() == role)
}
