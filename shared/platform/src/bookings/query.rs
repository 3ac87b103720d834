//! Lists of events: all, by status, of a connection, of a person.

use super::item::record;
use super::keys::{self, Key};
use super::store::BookingStore;
use super::walk::{Index, Order, Range};
use crate::Result;
use crate::deliveries::Page;
use crate::item::{Item, Read};
use booking::{
    ConnectionId, ContactKey, EventRecord, EventStatus, EventView, InviteeSummary, Role,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// How many events of a status [`BookingStore::between`] reads at a time: more than a page of
/// Calendly's, which asks for it, has.
const BETWEEN: usize = 200;
/// How often a page reads on because events that it read don't fit the filters. Then it is
/// answered as it is, with the place to go on from.
const MAX_ROUNDS: usize = 10;

/// Which events a list shows. Each part that is given must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Only those that start at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that start before this time.
    pub to: Option<Timestamp>,
    /// Only those that stand so.
    pub status: Option<EventStatus>,
    /// Only those that this connection told of.
    pub connection: Option<String>,
    /// Only those with this invitee.
    pub invitee: Option<ContactKey>,
    /// The order.
    pub order: Order,
    /// How many.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<EventCursor>,
}

/// The place of an event in the order of lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor(pub String);

/// An event as lists show it.
pub type Listed = EventView<InviteeSummary>;

/// A part of the events of a span.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Between {
    /// The events, by start.
    pub events: Vec<EventRecord>,
    /// Where the next part begins, and the time before which all that start were read; nothing at the
    /// end of the span.
    pub next: Option<(EventCursor, Timestamp)>,
}

/// What a list reads: which index, and which partitions of it.
struct Source {
    index: Index,
    groups: Vec<Vec<String>>,
}

impl EventQuery {
    fn range(&self) -> Range {
        let after = self.after.as_ref().map(|EventCursor(place)| place.clone());
        Range::new(self.from, self.to, self.order, after)
    }

    fn fits(&self, event: &EventRecord) -> bool {
        let start = event.slot.as_ref().map(|slot| slot.value.start);
        self.status.is_none_or(|status| event.status() == status)
            && self.connection.as_ref().is_none_or(|wanted| {
                let mut known = event.connections.iter();
                known.any(|connection| connection.as_str() == wanted)
            })
            && self
                .from
                .is_none_or(|from| start.is_some_and(|start| start >= from))
            && self
                .to
                .is_none_or(|to| start.is_some_and(|start| start < to))
    }
}

impl BookingStore {
    /// Events by start.
    ///
    /// One query for a connection or a person, and else one for each bucket of a month: one for an
    /// account with one connection, 16 at most. Where the index holds keys alone, one batch of reads
    /// beside it.
    pub async fn list(&self, query: &EventQuery) -> Result<Page<Listed, EventCursor>> {
        let mut range = query.range();
        let source = self.source(query, &range).await?;
        let mut events: Vec<EventRecord> = Vec::new();
        let mut place = None;
        for _ in 0..MAX_ROUNDS {
            let wanted = query.limit + 1;
            let found = self
                .walk(source.index, &source.groups, &range, wanted)
                .await?;
            let ended = found.len() < wanted;
            let read = distinct(&found, |sk| {
                query.invitee.is_none() || keys::role_of(sk) == Some(Role::Invitee)
            })?;
            let records = self.records(source.index, &found, &read).await?;
            let last_read = read.last().map(|(_, pk)| pk.clone());
            for (start, pk) in read {
                let fitting = records.get(&pk).filter(|event| query.fits(event));
                if let Some(event) = fitting {
                    if events.len() == query.limit {
                        return Ok(page(&events, place));
                    }
                    events.push(event.clone());
                }
                place = Some(match source.index {
                    Index::Party => keys::past_event(&start, query.order == Order::Ascending),
                    Index::Start | Index::Status => start,
                });
            }
            if ended {
                return Ok(page(&events, None));
            }
            if let Some(last) = found.last() {
                let start = last.must("startKey")?;
                // More entries of an event that was read would lead to it once more.
                let past = source.index == Index::Party && last_read.as_deref() == last.text("pk");
                let next = if past {
                    keys::past_event(start, query.order == Order::Ascending)
                } else {
                    start.to_owned()
                };
                range = range.after(&next);
                place = Some(next);
            }
        }
        Ok(page(&events, place))
    }

    async fn source(&self, query: &EventQuery, range: &Range) -> Result<Source> {
        let one = |index, partition| Source {
            index,
            groups: vec![vec![partition]],
        };
        if let Some(contact) = &query.invitee {
            return Ok(one(Index::Party, keys::contact_party(contact)));
        }
        if let Some(connection) = &query.connection {
            let party = keys::connection_party(connection);
            return Ok(match query.status {
                Some(status) => one(Index::Status, keys::status_bucket(status, &party)),
                None => one(Index::Party, party),
            });
        }
        let mut groups = range.months(&self.directory.all().await?);
        let index = match query.status {
            None => Index::Start,
            Some(status) => {
                for bucket in groups.iter_mut().flatten() {
                    *bucket = keys::status_bucket(status, bucket);
                }
                Index::Status
            }
        };
        Ok(Source { index, groups })
    }

    /// The events of index entries: in the entries themselves, or to be read.
    async fn records(
        &self,
        index: Index,
        found: &[Item],
        read: &[(String, String)],
    ) -> Result<BTreeMap<String, EventRecord>> {
        if index == Index::Start {
            let own = found.iter().map(|item| {
                let event: EventRecord = record(item)?;
                Ok((item.must("pk")?.to_owned(), event))
            });
            return own.collect();
        }
        let keys: Vec<Key> = read.iter().map(|(_, pk)| Key::new(pk, "event")).collect();
        let mut events = BTreeMap::new();
        for item in self.batch_get(&keys).await? {
            events.insert(item.must("pk")?.to_owned(), record(&item)?);
        }
        Ok(events)
    }

    /// Events in which somebody is invitee, guest or host, by start, with what they are.
    pub async fn activity(
        &self,
        contact: &ContactKey,
        query: &EventQuery,
    ) -> Result<Page<(BTreeSet<Role>, Listed), EventCursor>> {
        let range = query.range();
        let party = keys::contact_party(contact);
        // Somebody can be several things to one event: entries that follow one another.
        let wanted = 2 * (query.limit + 1);
        let mut found: Vec<Item> = Vec::new();
        let mut rest = range;
        let (mut read, ended) = loop {
            let some = self.partition(Index::Party, &party, &rest, wanted).await?;
            let ended = some.len() < wanted;
            found.extend(some);
            let read = distinct(&found, |_| true)?;
            // One event alone can have as many entries, each with a part of what they are to it.
            match found.last() {
                Some(last) if !ended && read.len() == 1 => {
                    rest = rest.after(last.must("startKey")?);
                }
                _ => break (read, ended),
            }
        };
        // What the last event is to them may go on beyond what was read.
        let more = read.len() > query.limit || !ended;
        if !ended && (2..=query.limit).contains(&read.len()) {
            read.pop();
        }
        read.truncate(query.limit);
        let ascending = query.order == Order::Ascending;
        let place = read
            .last()
            .map(|(start, _)| keys::past_event(start, ascending));
        let records = self.records(Index::Party, &found, &read).await?;
        let mut roles: BTreeMap<&str, BTreeSet<Role>> = BTreeMap::new();
        for item in &found {
            let role = keys::role_of(item.must("sk")?);
            roles.entry(item.must("pk")?).or_default().extend(role);
        }
        let items = read.iter().filter_map(|(_, pk)| {
            let event = records.get(pk).filter(|event| query.fits(event))?;
            let roles = roles.get(pk.as_str()).cloned().unwrap_or_default();
            Some((roles, EventView::listed(event)))
        });
        Ok(Page {
            items: items.collect(),
            next: place.filter(|_| more).map(EventCursor),
        })
    }

    /// The events that `connection` told of and that start from `from` on and before `to`, by start,
    /// after the place `after`: those that are active, and those that aren't but of which something is
    /// still behind. Not more at a time than memory holds easily.
    pub async fn between(
        &self,
        connection: &ConnectionId,
        (from, to): (Timestamp, Timestamp),
        after: Option<EventCursor>,
    ) -> Result<Between> {
        let after = after.map(|EventCursor(place)| place);
        let range = Range::new(Some(from), Some(to), Order::Ascending, after);
        let party = keys::connection_party(connection.as_str());
        let mut entries = Vec::new();
        let mut end: Option<String> = None;
        for status in [EventStatus::Active, EventStatus::Canceled] {
            let bucket = keys::status_bucket(status, &party);
            let some = self.partition(Index::Status, &bucket, &range, BETWEEN);
            let some = some.await?;
            if let Some(last) = some.last().filter(|_| some.len() >= BETWEEN) {
                let last = last.must("startKey")?;
                if end.as_deref().is_none_or(|end| last < end) {
                    end = Some(last.to_owned());
                }
            }
            entries.extend(some);
        }
        if let Some(end) = &end {
            entries.retain(|entry| {
                entry
                    .text("startKey")
                    .is_some_and(|key| key <= end.as_str())
            });
        }
        entries.sort_by(|a, b| a.text("startKey").cmp(&b.text("startKey")));
        let read = distinct(&entries, |_| true)?;
        let mut records = self.records(Index::Status, &entries, &read).await?;
        let found = read.iter().filter_map(|(_, pk)| records.remove(pk));
        let found =
            found.filter(|event| event.status() == EventStatus::Active || !event.is_settled());
        let events = found.collect();
        let next = end.map(|end| {
            let start = keys::start_of(&end)?;
            Ok((EventCursor(end), start))
        });
        Ok(Between {
            events,
            next: next.transpose()?,
        })
    }
}

/// The events of index entries, each once, in their order: its start key and the key of its
/// partition.
fn distinct(found: &[Item], wanted: impl Fn(&str) -> bool) -> Result<Vec<(String, String)>> {
    let mut seen = BTreeSet::new();
    let mut events = Vec::new();
    for item in found {
        let pk = item.must("pk")?;
        if wanted(item.must("sk")?) && seen.insert(pk) {
            events.push((item.must("startKey")?.to_owned(), pk.to_owned()));
        }
    }
    Ok(events)
}

fn page(events: &[EventRecord], next: Option<String>) -> Page<Listed, EventCursor> {
    Page {
        items: events.iter().map(EventView::listed).collect(),
        next: next.map(EventCursor),
    }
}
