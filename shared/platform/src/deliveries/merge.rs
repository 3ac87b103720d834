//! The shards of a month (16, or one that all lies in) as one list, the newest first, read only as far
//! as a page needs them.

use super::keys::just_below;
use super::search::{Found, Search};
use crate::Result;
use futures::future::try_join_all;
use jiff::civil::Date;

/// The most deliveries that one query looks at, however little of them fits: about 200 KB.
pub(super) const MAX_STEP: usize = 250;

/// A month that is being read.
pub(super) struct Merge {
    lanes: Vec<Lane>,
    low: String,
    /// What was found and not handed out.
    pool: Vec<Found>,
}

/// One shard.
struct Lane {
    bucket: String,
    /// All places from here on were looked at; below this one may be more.
    reached: String,
    /// There is nothing below.
    done: bool,
    /// How many to look at next. It grows: where little fits, the steps get longer.
    step: usize,
}

impl Merge {
    /// The places of `month` that are at least `low` and below `upper`.
    pub(super) fn new(search: &Search<'_>, month: Date, low: String, upper: String) -> Self {
        let done = just_below(&upper) < low;
        let buckets = search.buckets(month);
        let step = search.first_step(buckets.len());
        let lanes = buckets.into_iter().map(|bucket| Lane {
            bucket,
            reached: upper.clone(),
            done,
            step,
        });
        Self {
            lanes: lanes.collect(),
            low,
            pool: Vec::new(),
        }
    }

    /// How far the month is read in every shard; nothing once it is read to its end.
    pub(super) fn frontier(&self) -> Option<String> {
        let open = self.lanes.iter().filter(|lane| !lane.done);
        open.map(|lane| &lane.reached).max().cloned()
    }

    /// Takes what nothing can come before any more, the newest first.
    pub(super) fn settled(&mut self) -> Vec<Found> {
        let Some(frontier) = self.frontier() else {
            return std::mem::take(&mut self.pool);
        };
        let count = self.pool.partition_point(|found| found.place >= frontier);
        self.pool.drain(..count).collect()
    }

    /// The shards that may hold one of the `wanted` next deliveries, and were not read so far. Never
    /// none before the end.
    pub(super) fn behind(&self, wanted: usize) -> Vec<usize> {
        // With enough in the pool, only what lies before the last of them counts.
        let enough = self.pool.get(wanted.saturating_sub(1));
        let counts = |lane: &Lane| enough.is_none_or(|found| lane.reached > found.place);
        let lanes = self.lanes.iter().enumerate();
        let behind = lanes.filter(|(_, lane)| !lane.done && counts(lane));
        behind.map(|(number, _)| number).collect()
    }

    /// Reads these shards on.
    pub(super) async fn ask(&mut self, search: &Search<'_>, behind: &[usize]) -> Result<()> {
        let lanes = behind.iter().map(|number| &self.lanes[*number]);
        let answers = try_join_all(
            lanes.map(|lane| search.ask(&lane.bucket, &self.low, &lane.reached, lane.step)),
        )
        .await?;
        for (number, answer) in behind.iter().zip(answers) {
            let lane = &mut self.lanes[*number];
            lane.step = (lane.step * 2).min(MAX_STEP);
            match answer.reached {
                Some(reached) if just_below(&reached) >= self.low => lane.reached = reached,
                _ => lane.done = true,
            }
            self.pool.extend(answer.found);
        }
        self.pool.sort_by(|a, b| b.place.cmp(&a.place));
        Ok(())
    }
}
