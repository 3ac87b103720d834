//! All connections at a glance: how many there are, and which need somebody.

use super::standing::Trouble;
use super::store::{Connection, ConnectionStatus, ConnectionStore, SHARDS, connection};
use crate::Result;
use crate::error::failed;
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// How many are named.
pub const NAMED: usize = 10;
/// Calendly tries for 24 hours from when it began to retry. The time of that may stay set after all is
/// well again, so an older one says nothing.
const RETRIES_FOR: SignedDuration = SignedDuration::from_hours(24);
/// A new connection gets its subscription from its first sync, which is queued at once.
const FIRST_SYNC: SignedDuration = SignedDuration::from_mins(15);
/// A first run may take long: it reads every event of the account.
const FIRST_RUN: SignedDuration = SignedDuration::from_hours(24);

/// Some connections: how many, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// How many.
    pub count: usize,
    /// Since when the first of them stands so, as far as it is known.
    pub since: Option<Timestamp>,
    /// Ids of the first ten.
    pub ids: Vec<String>,
    /// What one of them says about it.
    pub error: Option<String>,
}

impl Named {
    fn add(&mut self, id: &str, since: Option<Timestamp>, error: Option<&str>) {
        self.count += 1;
        self.since = earlier(self.since, since);
        if self.ids.len() < NAMED {
            self.ids.push(id.to_owned());
        }
        if self.error.is_none() {
            self.error = error.map(str::to_owned);
        }
    }

    fn join(&mut self, other: Self) {
        self.count += other.count;
        self.since = earlier(self.since, other.since);
        self.ids.extend(other.ids);
        self.ids.truncate(NAMED);
        self.error = self.error.take().or(other.error);
    }
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    [one, other].into_iter().flatten().min()
}

/// All connections at a glance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many work.
    pub active: usize,
    /// Those that need a new authorization.
    pub lost: Named,
    /// Active ones whose runs fail.
    pub failing: Named,
    /// Active ones that were not compared for too long, though no run of them failed.
    pub overdue: Named,
    /// Active ones without a subscription that works.
    pub unsubscribed: Named,
    /// Those whose subscription Calendly has begun to retry less than 24 hours ago.
    pub retrying: Named,
    /// There are more connections, which could not be looked at in time.
    pub more: bool,
}

impl Survey {
    /// Adds a connection. It is overdue when it was not compared for `overdue`.
    pub fn add(&mut self, one: &Connection, now: Timestamp, overdue: SignedDuration) {
        let (id, standing) = (one.id.as_str(), &one.standing);
        if one.status == ConnectionStatus::NeedsReauth {
            return self.lost.add(id, standing.lost_at, None);
        }
        self.active += 1;
        let authorized = one.authorized_at.or(one.created_at);
        let age = |at: Timestamp| now.duration_since(at);
        let told = |trouble: &Trouble| (Some(trouble.since), Some(trouble.error.clone()));
        let base = one.compared_at.max(authorized);
        let within = match one.compared_at {
            Some(_) => overdue,
            None => overdue.max(FIRST_RUN),
        };
        if let Some((since, error)) = standing.sync.as_ref().map(told) {
            self.failing.add(id, since, error.as_deref());
        } else if base.is_some_and(|at| age(at) > within) {
            self.overdue.add(id, base, None);
        }
        if let Some((since, error)) = standing.subscription.as_ref().map(told) {
            self.unsubscribed.add(id, since, error.as_deref());
        } else if one.subscriptions.owned.is_none()
            && authorized.is_none_or(|at| age(at) > FIRST_SYNC)
        {
            self.unsubscribed.add(id, authorized, None);
        } else if let Some(at) = standing
            .retry_started_at
            .filter(|at| age(*at) < RETRIES_FOR)
        {
            self.retrying.add(id, Some(at), None);
        }
    }

    fn join(&mut self, other: Self) {
        let Self {
            active,
            lost,
            failing,
            overdue,
            unsubscribed,
            retrying,
            more,
        } = other;
        self.active += active;
        self.lost.join(lost);
        self.failing.join(failing);
        self.overdue.join(overdue);
        self.unsubscribed.join(unsubscribed);
        self.retrying.join(retrying);
        self.more |= more;
    }
}

impl ConnectionStore {
    /// Looks at every connection, as far as it comes until `until`: 16 queries, and one more for each
    /// 1 MB.
    pub async fn survey(
        &self,
        now: Timestamp,
        overdue: SignedDuration,
        until: Instant,
    ) -> Result<Survey> {
        // On the heap: sixteen futures of the SDK are more than a small stack holds.
        let shard = |shard| Box::pin(self.survey_of(shard, now, overdue, until));
        let shards = (0..SHARDS).map(shard);
        let mut all = Survey::default();
        for one in try_join_all(shards).await? {
            all.join(one);
        }
        Ok(all)
    }

    async fn survey_of(
        &self,
        shard: u8,
        now: Timestamp,
        overdue: SignedDuration,
        until: Instant,
    ) -> Result<Survey> {
        let mut found = Survey::default();
        let mut start = None;
        loop {
            let answer = self
                .query_of(shard, None)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(failed("look at all connections"))?;
            for item in answer.items() {
                match connection(item) {
                    Ok(connection) => found.add(&connection, now, overdue),
                    // One that can't be read must not hide the others.
                    Err(error) => tracing::error!(%error, "a connection is left out"),
                }
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(found);
            }
            if Instant::now() >= until {
                found.more = true;
                return Ok(found);
            }
        }
    }
}
