//! Lists of events by start.

use super::item::record;
use super::keys;
use super::store::BookingStore;
use crate::Result;
use crate::deliveries::Page;
use crate::error::failed;
use crate::item::{Item, Read, s};
use booking::{ConnectionId, EventRecord, EventView, InviteeSummary};
use futures::future::try_join_all;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// The most events of one month that [`BookingStore::between`] looks at; a page of Calendly's,
/// which asks for it, spans fewer.
const BETWEEN_PAGE: usize = 2000;

/// Which events a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventQuery {
    /// Only those that start at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that start before this time.
    pub to: Option<Timestamp>,
    /// How many.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<EventCursor>,
}

/// The place of an event in the order of lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCursor(pub String);

impl BookingStore {
    /// Events by start, the earliest first.
    ///
    /// One query for each bucket of a month: one for an account with one connection, 16 at most.
    pub async fn list(
        &self,
        query: &EventQuery,
    ) -> Result<Page<EventView<InviteeSummary>, EventCursor>> {
        let lower = match (&query.after, query.from) {
            (Some(EventCursor(after)), _) => after.clone(),
            (None, Some(from)) => format!("{from:.6}"),
            // A space sorts before every key; the empty string is none.
            (None, None) => " ".to_owned(),
        };
        let upper = query.to.map(|to| format!("{to:.6}"));
        let month = |key: &str| key.get(..7).unwrap_or(key).to_owned();
        let buckets = self.directory.from(&month(&lower)).await?;

        let mut found: Vec<Item> = Vec::new();
        for shards in buckets.chunk_by(|a, b| month(a) == month(b)) {
            let month_here = month(&shards[0]);
            // Events whose start is unknown come last, and lie in no span of time.
            let past_end = upper
                .as_ref()
                .is_some_and(|upper| month_here > month(upper))
                || query.from.is_some() && month_here == keys::NO_START;
            if found.len() > query.limit || past_end {
                break;
            }
            let wanted = query.limit + 1 - found.len();
            let pages = try_join_all(
                shards
                    .iter()
                    .map(|bucket| self.bucket(bucket, &lower, query, upper.as_deref(), wanted)),
            )
            .await?;
            let mut month: Vec<Item> = pages.into_iter().flatten().collect();
            month.sort_by(|a, b| a.text("startKey").cmp(&b.text("startKey")));
            found.extend(month);
        }
        let next = (found.len() > query.limit)
            .then(|| found[query.limit - 1].must("startKey"))
            .transpose()?
            .map(|key| EventCursor(key.to_owned()));
        found.truncate(query.limit);
        let items = found
            .iter()
            .map(|item| Ok(EventView::listed(&record::<EventRecord>(item)?)))
            .collect::<Result<_>>()?;
        Ok(Page { items, next })
    }

    /// The events that `connection` told of and that start from `from` on and before `to`.
    pub async fn between(
        &self,
        connection: &ConnectionId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<EventRecord>> {
        let query = EventQuery {
            limit: usize::MAX,
            ..EventQuery::default()
        };
        let (lower, upper) = (format!("{from:.6}"), format!("{to:.6}"));
        let last = upper.get(..7).unwrap_or(&upper).to_owned();
        let mut month = from.to_zoned(TimeZone::UTC).date().first_of_month();
        let mut found = Vec::new();
        loop {
            let name = month.strftime("%Y-%m").to_string();
            if name > last {
                return Ok(found);
            }
            let bucket = keys::bucket(&name, connection);
            let items = self.bucket(&bucket, &lower, &query, Some(&upper), BETWEEN_PAGE);
            for item in items.await? {
                let event: EventRecord = record(&item)?;
                if event.connections.contains(connection) {
                    found.push(event);
                }
            }
            month = month.saturating_add(1.month());
        }
    }

    /// Up to `wanted` items of one bucket within the bounds.
    async fn bucket(
        &self,
        bucket: &str,
        lower: &str,
        query: &EventQuery,
        upper: Option<&str>,
        wanted: usize,
    ) -> Result<Vec<Item>> {
        // A key is unique, so "at or after" a cursor would only show its event again.
        let from = if query.after.is_some() { ">" } else { ">=" };
        let mut found = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .index_name("byStart")
                .key_condition_expression(format!("#bucket = :bucket AND startKey {from} :lower"))
                .expression_attribute_names("#bucket", "bucket")
                .expression_attribute_values(":bucket", s(bucket))
                .expression_attribute_values(":lower", s(lower))
                .limit(i32::try_from(wanted - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(failed("list events"))?;
            for item in answer.items.unwrap_or_default() {
                if upper.is_some_and(|upper| item.text("startKey") >= Some(upper)) {
                    return Ok(found);
                }
                found.push(item);
            }
            start = answer.last_evaluated_key;
            if start.is_none() || found.len() >= wanted {
                return Ok(found);
            }
        }
    }
}
