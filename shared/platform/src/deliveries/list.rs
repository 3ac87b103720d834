//! Lists of deliveries, the newest first.

use super::about::About;
use super::keys::{bound, first_day, month_start};
use super::merge::Merge;
use super::record::{Delivery, DeliveryId, Page, Status};
use super::search::{Found, Index, Search};
use super::store::DeliveryStore;
use crate::Result;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::fmt;
use std::time::Duration;
use tokio::time::Instant;

/// The most queries for one page.
const MAX_QUERIES: usize = 200;
/// A page that isn't full by now is answered as it is.
const TIME_LIMIT: Duration = Duration::from_secs(5);
/// A status is given by another process than the one that received: their clocks may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);

/// Which deliveries a list shows. Each part that is given must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryQuery {
    /// Only those that stand so.
    pub status: Option<Status>,
    /// Only those of this event name.
    pub event: Option<String>,
    /// Only those about this.
    pub about: Option<About>,
    /// Only those whose ids begin so: with [`super::MIN_PREFIX`] or more digits.
    pub id_prefix: Option<String>,
    /// Only those that came at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that came before this time.
    pub to: Option<Timestamp>,
    /// How many.
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<DeliveryCursor>,
    /// For how long deliveries are kept: as many months are looked through.
    pub retention: SignedDuration,
}

impl DeliveryQuery {
    /// All deliveries that are kept for `retention`, so many on a page.
    pub fn all(limit: usize, retention: SignedDuration) -> Self {
        Self {
            status: None,
            event: None,
            about: None,
            id_prefix: None,
            from: None,
            to: None,
            limit,
            after: None,
            retention,
        }
    }
}

/// A place in the order of a list of deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryCursor(String);

impl DeliveryCursor {
    /// Reads what a page gave as its `next`; nothing if it is of another form.
    pub fn parse(place: &str) -> Option<Self> {
        let (time, id) = match place.split_once('#') {
            Some((time, id)) => (time, Some(id)),
            None => (place, None),
        };
        let read: Timestamp = time.parse().ok()?;
        let valid =
            super::keys::time(read) == time && id.is_none_or(|id| DeliveryId::parse(id).is_ok());
        valid.then(|| Self(place.to_owned()))
    }
}

impl fmt::Display for DeliveryCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DeliveryStore {
    /// Deliveries, the newest first: by when they came, or, of a status other than `processed` (and
    /// not about one thing), by when they came to have it.
    ///
    /// The work for one page has bounds. Where little fits the filters a page may hold less than
    /// asked for, and even nothing, and still have a next one.
    pub async fn list(&self, query: &DeliveryQuery) -> Result<Page<Delivery, DeliveryCursor>> {
        let now = ambient::now();
        let search = self.search(query, now);
        let oldest = now
            .saturating_sub(query.retention)
            .unwrap_or(Timestamp::MIN)
            .max(
                query
                    .from
                    .map_or(Timestamp::MIN, |from| since(&search.index, from)),
            );
        let oldest = first_day(&bound(oldest));
        let mut upper = bound(now.saturating_add(CLOCKS_DIFFER).unwrap_or(now));
        if let (Index::Time | Index::About(_), Some(to)) = (&search.index, query.to) {
            upper = upper.min(bound(to));
        }
        if let Some(DeliveryCursor(after)) = &query.after {
            upper = upper.min(after.clone());
        }

        let began = Instant::now();
        let mut asked = 0;
        let mut found: Vec<Found> = Vec::new();
        let mut stopped_at = None;
        let mut month = first_day(&upper);
        'months: while let Some(day) = month.filter(|day| Some(*day) >= oldest) {
            let (low, end) = if search.index.open().is_some() {
                (search.low.clone(), upper.clone())
            } else {
                let end = month_start(day.saturating_add(1.month()));
                let low = search.low.clone().max(month_start(day));
                (low, upper.clone().min(end))
            };
            let mut merge = Merge::new(&search, day, low, end);
            loop {
                found.extend(merge.settled());
                // One more than wanted tells whether there is a next page.
                if found.len() > query.limit {
                    break 'months;
                }
                let Some(frontier) = merge.frontier() else {
                    break;
                };
                let behind = merge.behind(query.limit + 1 - found.len());
                let late = asked > 0 && began.elapsed() > TIME_LIMIT;
                if late || asked + behind.len() > MAX_QUERIES {
                    stopped_at = Some(frontier);
                    break 'months;
                }
                asked += behind.len();
                merge.ask(&search, &behind).await?;
            }
            let all_of_it = search.index.open().is_some();
            month = day.checked_sub(1.month()).ok().filter(|_| !all_of_it);
        }

        let next = if found.len() > query.limit {
            found.truncate(query.limit);
            found.last().map(|last| last.place.clone())
        } else {
            stopped_at
        };
        let items = found
            .iter()
            .map(|found| Delivery::from_item(&found.item))
            .collect::<Result<_>>()?;
        Ok(Page {
            items,
            next: next.map(DeliveryCursor),
        })
    }

    fn search(&self, query: &DeliveryQuery, now: Timestamp) -> Search<'_> {
        let (index, status) = match (&query.about, query.status) {
            (Some(about), status) => (Index::About(about.clone()), status),
            (None, None) => (Index::Time, None),
            (None, Some(Status::Processed)) => (Index::Time, Some(Status::Processed)),
            (None, Some(status)) => (Index::Status(status), None),
        };
        // Nobody has a status before the delivery came.
        let low = query.from.map(|from| bound(since(&index, from)));
        let (from, to) = match index {
            Index::Time | Index::About(_) => (None, None),
            Index::Status(_) => (query.from.map(bound), query.to.map(bound)),
        };
        Search {
            store: self,
            index,
            low: low.unwrap_or_default(),
            now,
            status,
            event: query.event.clone(),
            id_prefix: query.id_prefix.clone(),
            from,
            to,
            limit: query.limit,
        }
    }
}

/// From when on deliveries that came at `from` or later lie in an index.
fn since(index: &Index, from: Timestamp) -> Timestamp {
    match index {
        Index::Time | Index::About(_) => from,
        Index::Status(_) => from.saturating_sub(CLOCKS_DIFFER).unwrap_or(from),
    }
}
