//! One query of a list: a stretch of one shard, and only what fits the filters.

use super::about::About;
use super::keys::{SHARDS, just_below, open_bucket, open_place};
use super::merge::MAX_STEP;
use super::record::Status;
use super::store::DeliveryStore;
use crate::Result;
use crate::error::failed;
use crate::item::{Item, Read, n, s};
use jiff::Timestamp;
use jiff::civil::Date;

/// The index that a list reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Index {
    Status(Status),
    Time,
    About(About),
}

impl Index {
    fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "byStatus",
            Self::Time => "byTime",
            Self::About(_) => "byAbout",
        }
    }

    /// The attributes that are its keys.
    fn keys(&self) -> (&'static str, &'static str) {
        match self {
            Self::Status(_) => ("statusBucket", "statusAt"),
            Self::Time => ("timeBucket", "receivedKey"),
            Self::About(_) => ("about", "receivedKey"),
        }
    }

    /// The status of open deliveries, if these are looked for.
    pub(super) fn open(&self) -> Option<Status> {
        match self {
            Self::Status(status) => Some(*status).filter(|status| status.is_open()),
            Self::Time | Self::About(_) => None,
        }
    }

    /// A place as the index sorts it.
    fn sorted(&self, place: &str) -> String {
        match self.open() {
            Some(status) => open_place(status, place),
            None => place.to_owned(),
        }
    }

    /// The place of what the index sorts so.
    fn place<'a>(&self, sorted: &'a str) -> &'a str {
        let prefix = self.open().map(Status::as_str).unwrap_or_default();
        let place = sorted.strip_prefix(prefix).unwrap_or(sorted);
        place.strip_prefix('#').unwrap_or(place)
    }
}

/// What a list looks for.
pub(super) struct Search<'a> {
    pub(super) store: &'a DeliveryStore,
    pub(super) index: Index,
    /// No place below this one fits.
    pub(super) low: String,
    /// Only those whose time has not passed by now.
    pub(super) now: Timestamp,
    /// Only those that stand so, where the index doesn't tell.
    pub(super) status: Option<Status>,
    /// Only those of this event name.
    pub(super) event: Option<String>,
    /// Only those whose ids begin so.
    pub(super) id_prefix: Option<String>,
    /// Only those that came at this time or later, where the index doesn't tell.
    pub(super) from: Option<String>,
    /// Only those that came before this time, where the index doesn't tell.
    pub(super) to: Option<String>,
    /// How many are wanted.
    pub(super) limit: usize,
}

/// A delivery that fits, and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) place: String,
    pub(super) item: Item,
}

/// What a query found.
pub(super) struct Answer {
    pub(super) found: Vec<Found>,
    /// The last place that was looked at; nothing if there are no more.
    pub(super) reached: Option<String>,
}

impl Search<'_> {
    /// The buckets in which a month's deliveries lie that may fit.
    pub(super) fn buckets(&self, month: Date) -> Vec<String> {
        let month = month.strftime("%Y-%m");
        let status = match &self.index {
            // What is about one thing lies in one bucket, whatever the month.
            Index::About(about) => return vec![about.to_string()],
            Index::Status(status) => format!("{}#", status.as_str()),
            Index::Time => String::new(),
        };
        // A delivery's shard is the first digit of its id.
        let may_hold = |shard: &&str| {
            let prefix = self.id_prefix.as_deref();
            prefix.is_none_or(|prefix| prefix.starts_with(*shard))
        };
        let shards = SHARDS.into_iter().filter(may_hold);
        // What is open has a bucket of each shard for all months.
        if self.index.open().is_some() {
            return shards.map(open_bucket).collect();
        }
        shards
            .map(|shard| format!("{status}{month}#{shard}"))
            .collect()
    }

    /// How many deliveries each of so many shards is asked for at first.
    pub(super) fn first_step(&self, shards: usize) -> usize {
        match self.id_prefix {
            // One of very many fits.
            Some(_) => MAX_STEP,
            None if shards == 1 => self.limit + 1,
            None => self.limit / shards.max(1) * 2 + 1,
        }
    }

    /// The newest that fit among the next `step` of a bucket, below `upper` and not below `low`.
    pub(super) async fn ask(
        &self,
        bucket: &str,
        low: &str,
        upper: &str,
        step: usize,
    ) -> Result<Answer> {
        let (hash, range) = self.index.keys();
        let mut filter = vec!["expiresAt >= :now"];
        let mut query = self
            .store
            .client
            .query()
            .table_name(&self.store.table)
            .index_name(self.index.name())
            .key_condition_expression("#hash = :bucket AND #range BETWEEN :low AND :high")
            .expression_attribute_names("#hash", hash)
            .expression_attribute_names("#range", range)
            .expression_attribute_values(":bucket", s(bucket))
            .expression_attribute_values(":low", s(self.index.sorted(low)))
            .expression_attribute_values(":high", s(self.index.sorted(&just_below(upper))))
            .expression_attribute_values(":now", n(self.now.as_second()))
            .scan_index_forward(false)
            .limit(i32::try_from(step).unwrap_or(i32::MAX));
        if let Some(status) = self.status {
            filter.push("#status = :status");
            query = query
                .expression_attribute_names("#status", "status")
                .expression_attribute_values(":status", s(status.as_str()));
        }
        if let Some(event) = &self.event {
            filter.push("#event = :event");
            query = query
                .expression_attribute_names("#event", "event")
                .expression_attribute_values(":event", s(event));
        }
        if let Some(from) = &self.from {
            filter.push("receivedAt >= :from");
            query = query.expression_attribute_values(":from", s(from));
        }
        if let Some(to) = &self.to {
            filter.push("receivedAt < :to");
            query = query.expression_attribute_values(":to", s(to));
        }
        let answer = query
            .filter_expression(filter.join(" AND "))
            .send()
            .await
            .map_err(failed("list deliveries"))?;
        // A filter may not name the key of a table.
        let fits = |item: &Item| {
            let prefix = self.id_prefix.as_deref().unwrap_or_default();
            item.text("id").is_some_and(|id| id.starts_with(prefix))
        };
        let items = answer.items.unwrap_or_default().into_iter().filter(fits);
        let found = items.map(|item| {
            let place = self.index.place(item.must(range)?).to_owned();
            Ok(Found { place, item })
        });
        let last = answer.last_evaluated_key.as_ref();
        Ok(Answer {
            found: found.collect::<Result<_>>()?,
            reached: last
                .map(|last| Ok(self.index.place(last.must(range)?).to_owned()))
                .transpose()?,
        })
    }
}
