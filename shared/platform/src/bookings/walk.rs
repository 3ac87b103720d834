//! Reading an index in the order of starts, from several partitions at once where need be, and no
//! more of each than the page takes.

use super::keys::{NO_START, month};
use super::store::BookingStore;
use crate::Result;
use crate::error::failed;
use crate::item::{Item, Read, s};
use futures::future::try_join_all;
use jiff::Timestamp;

/// The order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// The earliest start first.
    #[default]
    Ascending,
    /// The latest start first.
    Descending,
}

/// The indexes of the bookings table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Index {
    Start,
    Status,
    Party,
}

impl Index {
    /// Its name, and the attribute of its partitions.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Start => ("byStart", "bucket"),
            Self::Status => ("byStatus", "statusBucket"),
            Self::Party => ("byParty", "party"),
        }
    }
}

/// A part of the order: bounds of the start key, both inclusive, and a place after which to begin.
#[derive(Debug, Clone)]
pub(super) struct Range {
    pub(super) order: Order,
    lower: String,
    upper: String,
    after: Option<String>,
}

impl Range {
    /// Starts from `from` on and before `to`, beginning after the place `after`. Events whose start is
    /// not known lie in no span of time: they are there only where there are no bounds.
    pub(super) fn new(
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        order: Order,
        after: Option<String>,
    ) -> Self {
        // A key goes on with the event's id, so that it lies after the time alone.
        let lower = from.map_or_else(|| " ".to_owned(), |from| format!("{from:.6}"));
        let upper = match (to, from) {
            (Some(to), _) => format!("{to:.6}"),
            // After every digit, and before the word for unknown.
            (None, Some(_)) => ":".to_owned(),
            (None, None) => "~".to_owned(),
        };
        Self {
            order,
            lower,
            upper,
            after,
        }
    }

    pub(super) fn after(&self, place: &str) -> Self {
        Self {
            after: Some(place.to_owned()),
            ..self.clone()
        }
    }

    /// The bounds that are left.
    fn bounds(&self) -> (&str, &str) {
        match (&self.after, self.order) {
            (Some(after), Order::Ascending) => (after.max(&self.lower), &self.upper),
            (Some(after), Order::Descending) => (&self.lower, after.min(&self.upper)),
            (None, _) => (&self.lower, &self.upper),
        }
    }

    /// Of all buckets, those that can hold what is left: in groups of a month, in order.
    pub(super) fn months(&self, buckets: &[String]) -> Vec<Vec<String>> {
        let (lower, upper) = self.bounds();
        let mut months: Vec<Vec<String>> = buckets
            .chunk_by(|a, b| month(a) == month(b))
            .filter(|shards| {
                let here = month(&shards[0]);
                if here == month(NO_START) {
                    return upper >= NO_START;
                }
                here >= month(lower) && here <= month(upper)
            })
            .map(<[String]>::to_vec)
            .collect();
        if self.order == Order::Descending {
            months.reverse();
        }
        months
    }

    /// Whether `a` comes before `b`.
    fn precedes(&self, a: Option<&str>, b: Option<&str>) -> bool {
        match self.order {
            Order::Ascending => a < b,
            Order::Descending => a > b,
        }
    }

    fn sort(&self, items: &mut [Item]) {
        items.sort_by(|a, b| {
            let (a, b) = (a.text("startKey"), b.text("startKey"));
            match self.order {
                Order::Ascending => a.cmp(&b),
                Order::Descending => b.cmp(&a),
            }
        });
    }
}

/// What was read of one partition.
struct Shard<'a> {
    partition: &'a str,
    items: Vec<Item>,
    exhausted: bool,
}

impl BookingStore {
    /// Up to `wanted` items of `groups` of partitions, one group after another.
    pub(super) async fn walk(
        &self,
        index: Index,
        groups: &[Vec<String>],
        range: &Range,
        wanted: usize,
    ) -> Result<Vec<Item>> {
        let mut found = Vec::new();
        for group in groups {
            if found.len() >= wanted {
                break;
            }
            let more = self.group(index, group, range, wanted - found.len());
            found.extend(more.await?);
        }
        Ok(found)
    }

    /// Up to `wanted` items of several partitions, merged. Each is asked for about twice its share
    /// first, and for more only while it could still hold one that belongs on the page.
    async fn group(
        &self,
        index: Index,
        partitions: &[String],
        range: &Range,
        wanted: usize,
    ) -> Result<Vec<Item>> {
        let share = match partitions.len() {
            0 | 1 => wanted,
            several => wanted.min(2 * wanted / several + 2),
        };
        let mut shards: Vec<Shard> = partitions
            .iter()
            .map(|partition| Shard {
                partition,
                items: Vec::new(),
                exhausted: false,
            })
            .collect();
        loop {
            let mut merged: Vec<Item> = shards
                .iter()
                .flat_map(|shard| shard.items.clone())
                .collect();
            range.sort(&mut merged);
            let last = merged.get(wanted.saturating_sub(1));
            let last = last.and_then(|item| item.text("startKey"));
            let lacking = |shard: &Shard| {
                let own = shard.items.last().and_then(|item| item.text("startKey"));
                !shard.exhausted && (last.is_none() || own.is_none() || range.precedes(own, last))
            };
            let reads = shards
                .iter()
                .enumerate()
                .filter(|(_, shard)| lacking(shard));
            let reads: Vec<_> = reads
                .map(|(at, shard)| async move {
                    let place = shard.items.last().and_then(|item| item.text("startKey"));
                    let rest = place.map(|place| range.after(place));
                    let rest = rest.as_ref().unwrap_or(range);
                    let items = self.partition(index, shard.partition, rest, share).await?;
                    Ok::<_, crate::Error>((at, items))
                })
                .collect();
            if reads.is_empty() {
                merged.truncate(wanted);
                return Ok(merged);
            }
            for (at, items) in try_join_all(reads).await? {
                shards[at].exhausted = items.len() < share;
                shards[at].items.extend(items);
            }
        }
    }

    /// Up to `wanted` items of one partition.
    pub(super) async fn partition(
        &self,
        index: Index,
        partition: &str,
        range: &Range,
        wanted: usize,
    ) -> Result<Vec<Item>> {
        let (name, attribute) = index.names();
        let (lower, upper) = range.bounds();
        let mut found = Vec::new();
        if lower > upper {
            return Ok(found);
        }
        let mut start = None;
        loop {
            // The place itself lies within the bounds, and isn't wanted again.
            let again = usize::from(range.after.is_some() && start.is_none());
            let limit = wanted.saturating_add(again) - found.len();
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(name)
                .key_condition_expression(
                    "#partition = :partition AND startKey BETWEEN :lower AND :upper",
                )
                .expression_attribute_names("#partition", attribute)
                .expression_attribute_values(":partition", s(partition))
                .expression_attribute_values(":lower", s(lower))
                .expression_attribute_values(":upper", s(upper))
                .scan_index_forward(range.order == Order::Ascending)
                .limit(i32::try_from(limit).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(failed("list events"))?;
            let items = answer.items.unwrap_or_default().into_iter();
            found.extend(items.filter(|item| {
                range.after.is_none() || item.text("startKey") != range.after.as_deref()
            }));
            start = answer.last_evaluated_key;
            if start.is_none() || found.len() >= wanted {
                found.truncate(wanted);
                return Ok(found);
            }
        }
    }
}
