//! One job: watch the subscription, then reconcile.

use crate::handler::Syncer;
use crate::reconcile::{End, Run, begin, started};
use crate::time::Deadlines;
use crate::trouble::Trouble;
use booking::{ConnectionId, EventUri, Provider};
use calendly::api::{Client, Urgency};
use calendly::oauth::OAuth;
use jiff::SignedDuration;
use platform::Result;
use platform::connections::{
    Connection, ConnectionStatus, LeaseFor, TokenKeeper, Vault, WatchError, watch,
};
use platform::metrics::{self, Metric, Metrics};
use platform::queue::{Jobs, Outbox};
use platform::secrets::{CalendlySecret, Versions};
use platform::syncs::{Attempt, Part, SyncJob, Tally};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Longer than any invocation of the function: a run that was killed frees its connection then.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// When a job is looked at again whose connection is being reconciled by another.
const BUSY: Duration = Duration::from_secs(30);
/// When a part goes on at the earliest that was stopped by passing trouble, or that came no further: at
/// once it would only do the same again.
const AGAIN: Duration = Duration::from_secs(60);
/// So many messages in a row may come no further: the rate limit is an account's, and others may use
/// it up for a while.
const MAX_IDLE: u32 = 30;

pub(crate) type Calendly<V> = Client<TokenKeeper<Option<OAuth>, V>>;

impl<V, S, J, O> Syncer<V, S, J, O>
where
    V: Vault + Clone + Send + std::marker::Sync,
    S: Versions,
    J: Jobs<SyncJob>,
    O: Outbox,
{
    /// Does a job, or as much of it as time allows. An error brings its message back.
    pub(crate) async fn work(
        &self,
        job: SyncJob,
        id: &ConnectionId,
        deadlines: Deadlines,
        receives: usize,
    ) -> Result<()> {
        // A copy of a message whose run went on without it.
        if let Some(sync) = &job.sync_id
            && self.syncs.has_ended(sync, id.as_str()).await?
        {
            return Ok(());
        }
        let connection = self.connections.get(id).await?;
        let Some(connection) = connection.filter(|c| c.status == ConnectionStatus::Active) else {
            let mut tally = Tally::default();
            tally.error("it is not connected, or needs to be authorized again");
            metrics::count(Metric::SyncsFailed);
            let this = Attempt {
                number: receives,
                next: None,
            };
            return self.note(&job, &tally, Part::Failed, this).await;
        };
        let ticket = job.ticket.as_deref();
        let lease = self
            .connections
            .take_over(id, LeaseFor::Sync, LEASE, ticket);
        let Some(lease) = lease.await? else {
            // A scheduled run may be left out: the one under way does the same, and the next comes.
            return match job.sync_id {
                Some(_) => self.jobs.push(&job, BUSY).await,
                None => Ok(()),
            };
        };
        // On the heap: it would else be part of every future around this.
        let done = Box::pin(self.part(&job, &connection, deadlines, receives)).await;
        if let Err(error) = &done {
            Box::pin(self.fails(&job, &connection, error)).await;
        }
        let Ok(Some((next, after))) = done else {
            let released = self.connections.release(id, &lease).await;
            return done.and(released);
        };
        // A run that goes on keeps others out until its next message is there: on an account with few
        // calls, runs that begin in between would share them, and pile up.
        let until_then = SignedDuration::try_from(after).unwrap_or_default() + LEASE;
        let ticket = self.connections.hand_on(id, &lease, until_then).await?;
        self.jobs.push(&SyncJob { ticket, ..next }, after).await
    }

    /// Does what is left of what follows from the records of some events.
    pub(crate) async fn go_on(&self, events: &BTreeSet<EventUri>) -> Result<()> {
        let mut metrics = Metrics::default();
        for event in events {
            let merged = self.bookings.go_on(Provider::Calendly, event).await?;
            for made in merged.transitions {
                metrics.count(Metric::from(made));
            }
        }
        Ok(())
    }

    /// Reads one event again, and once more later if it can't be read, or its conference link still
    /// isn't ready.
    pub(crate) async fn read_event(
        &self,
        mut job: SyncJob,
        id: &ConnectionId,
        deadlines: Deadlines,
    ) -> Result<()> {
        let connection = self.connections.get(id).await?;
        let connection = connection.filter(|c| c.status == ConnectionStatus::Active);
        let (Some(connection), Some(link)) = (connection, job.event.as_mut()) else {
            // Webhooks come without a connection, too; then there is no token to read with.
            return Ok(());
        };
        let calendly = self.calendly(&connection, deadlines).await?;
        let metrics = Mutex::new(Metrics::default());
        let run = self.run(&calendly, &connection, deadlines, &metrics);
        link.reads += 1;
        let again = match run.event(&link.event_id).await {
            Ok(pending) => pending,
            Err(trouble) => {
                tracing::warn!(connection = id.as_str(), error = %trouble, "an event was not read again");
                trouble.is_passing()
            }
        };
        match link.delay().filter(|_| again) {
            Some(delay) => self.jobs.push(&job, delay).await,
            None => Ok(()),
        }
    }

    /// The next part of a job; answers the job that goes on with it.
    async fn part(
        &self,
        job: &SyncJob,
        connection: &Connection,
        deadlines: Deadlines,
        receives: usize,
    ) -> Result<Option<(SyncJob, Duration)>> {
        let began = Instant::now();
        let mut tally = Tally::default();
        // Written also where an error ends this part.
        let metrics = Mutex::new(Metrics::default());
        let calendly = self.calendly(connection, deadlines).await?;
        if job.place.is_none()
            && let Err(error) = self.watch(&calendly, connection).await
        {
            // What is there can be compared all the same.
            tracing::error!(connection = connection.id.as_str(), %error, "subscription not watched");
            tally.error(format!("subscription: {error}"));
        }
        let run = self.run(&calendly, connection, deadlines, &metrics);
        let before = job.place.clone();
        let before = before.unwrap_or_else(|| begin(job.from, job.to, connection.compared_at));
        let run_began = started(&before);
        let mut place = before.clone();
        // On the heap: all that a page holds would else be part of every future around this.
        let end = Box::pin(run.go(&mut place, &mut tally)).await;
        let mut metrics = metrics.into_inner().unwrap_or_else(PoisonError::into_inner);
        metrics.add(Metric::SyncPages, tally.pages);
        metrics.add(Metric::SyncEventsChanged, tally.changed);
        if job.sync_id.is_none() && !job.first {
            metrics.add(Metric::DriftHealed, tally.changed);
        }
        if let Some(rate) = calendly.rate_limit() {
            metrics.measure(Metric::CalendlyCallsLeft, u64::from(rate.remaining));
        }
        let got_on = place != before;
        place.idle = if got_on { 0 } else { place.idle + 1 };
        // What came no further is not tried again at once.
        let at_least = if got_on { Duration::ZERO } else { AGAIN };
        let mut this = Attempt {
            number: receives,
            next: None,
        };
        let later = match end {
            Ok(_) => None,
            Err(Trouble::Later(after)) => Some(after.max(at_least)),
            Err(Trouble::OutOfTime) => Some(at_least),
            // What was done is kept. Without that, the message comes back, and not for ever.
            Err(ref trouble) if trouble.is_passing() && got_on => {
                tally.error(trouble);
                let again = SignedDuration::try_from(AGAIN).unwrap_or_default();
                this.next = ambient::now().checked_add(again).ok();
                Some(AGAIN)
            }
            Err(trouble) if trouble.is_passing() => {
                tracing::warn!(connection = connection.id.as_str(), error = %trouble, outcome = "failed", "sync");
                return Err(trouble.into());
            }
            Err(ref trouble) => {
                tally.error(trouble);
                None
            }
        };
        let (part, next) = match (later, end) {
            (Some(_), _) if place.idle >= MAX_IDLE => {
                this.next = None;
                tally.error(format!("{MAX_IDLE} messages in a row came no further"));
                (Part::Failed, None)
            }
            (Some(after), _) => {
                let place = Some(place);
                (
                    Part::GoesOn,
                    Some((
                        SyncJob {
                            place,
                            ..job.clone()
                        },
                        after,
                    )),
                )
            }
            (None, Ok(End::Complete)) => (Part::Finished, None),
            (None, _) => (Part::Failed, None),
        };
        let whole = part == Part::Finished && job.from.is_none() && job.to.is_none();
        if let Some(began) = run_began.filter(|_| whole) {
            self.connections.compared(connection, began).await?;
        }
        match part {
            Part::Finished => metrics.count(Metric::SyncsFinished),
            Part::Failed => {
                metrics.count(Metric::SyncsFailed);
                let why = tally.errors.last().map(String::as_str);
                let fails = self.fails(job, connection, why.unwrap_or("not known"));
                Box::pin(fails).await;
            }
            Part::GoesOn => {}
        }
        log(job, connection, part, &tally, began);
        self.note(job, &tally, part, this).await?;
        Ok(next)
    }

    /// Notes on the connection that a run of all of it fails: what is to be seen by whoever looks.
    async fn fails(&self, job: &SyncJob, connection: &Connection, why: impl ToString) {
        if job.from.is_some() || job.to.is_some() {
            return;
        }
        let why = why.to_string();
        let noted = self.connections.sync_failed(connection, &why);
        if let Err(error) = noted.await {
            tracing::warn!(connection = connection.id.as_str(), %error, "not noted that a run failed");
        }
    }

    async fn note(&self, job: &SyncJob, tally: &Tally, part: Part, this: Attempt) -> Result<()> {
        match (&job.sync_id, &job.connection_id) {
            (Some(sync), Some(id)) => self.syncs.add(sync, id.as_str(), tally, part, this).await,
            _ => Ok(()),
        }
    }

    /// Brings the connection's webhook subscription in order.
    pub(crate) async fn watch(
        &self,
        calendly: &Calendly<V>,
        connection: &Connection,
    ) -> std::result::Result<(), WatchError> {
        let stored = self.vault.read(&connection.id, None).await?;
        let tokens = stored.map(|stored| stored.tokens);
        let secrets = self.app.values().await?;
        let secret = secrets.first();
        let key = secret.and_then(|secret| secret.key_to_send(tokens.as_ref()));
        watch(calendly, &self.connections, connection, key).await?;
        Ok(())
    }

    /// A run of a connection, or the next part of it.
    pub(crate) fn run<'a>(
        &'a self,
        client: &'a Calendly<V>,
        connection: &'a Connection,
        deadlines: Deadlines,
        metrics: &'a Mutex<Metrics>,
    ) -> Run<'a, TokenKeeper<Option<OAuth>, V>> {
        Run {
            client,
            bookings: &self.bookings,
            colleagues: self.colleagues(),
            connection,
            deadline: deadlines.work,
            metrics,
        }
    }

    /// Calendly, with the connection's tokens.
    pub(crate) async fn calendly(
        &self,
        connection: &Connection,
        deadlines: Deadlines,
    ) -> Result<Calendly<V>> {
        let secrets = self.app.values().await?;
        let app = secrets.first().and_then(CalendlySecret::app);
        let oauth = app.map(|app| OAuth::new(self.http.clone(), &self.endpoints, app));
        let keeper = TokenKeeper {
            connections: self.connections.clone(),
            vault: self.vault.clone(),
            oauth,
            id: connection.id.clone(),
            until: deadlines.end,
        };
        let http = self.http.clone();
        let client = Client::new(http, &self.endpoints, keeper, Urgency::Background);
        Ok(client.until(deadlines.calls))
    }
}

/// Writes down what a part did.
fn log(job: &SyncJob, connection: &Connection, part: Part, tally: &Tally, began: Instant) {
    let events = &tally.changed_events;
    tracing::info!(
        connection = connection.id.as_str(),
        syncId = job.sync_id,
        changedEvents = (!events.is_empty()).then(|| events.join(",")),
        outcome = ?part,
        pages = tally.pages,
        seen = tally.seen,
        changed = tally.changed,
        vanished = tally.vanished,
        errors = tally.failures,
        durationMs = platform::millis_since(began),
        "sync"
    );
    for error in &tally.errors {
        tracing::warn!(
            connection = connection.id.as_str(),
            error,
            "a sync left something out"
        );
    }
}
