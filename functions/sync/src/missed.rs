//! Events that this connection can't tell of whether they are gone: another is asked, or nobody can
//! tell.
//!
//! Calendly answers 404 for what is not there and for what a token may not see. So only a token that
//! sees the whole organization that an event belongs to can tell that it is gone.

use crate::compare::has_begun;
use crate::handler::Syncer;
use crate::pace::Pace;
use crate::read::{Outcome, Reading};
use crate::reconcile::{Listing, Run, second_after, second_before};
use crate::time::Deadlines;
use crate::trouble::Trouble;
use booking::{ConnectionId, EventRecord, EventUri, Facts, Provider};
use calendly::api::{Access, ApiError, EventWindow, Owner};
use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use platform::Result;
use platform::bookings::Later;
use platform::connections::{Connection, ConnectionStatus, ConnectionStore, Vault};
use platform::metrics::Metrics;
use platform::queue::{Jobs, Outbox};
use platform::secrets::Versions;
use platform::syncs::{Missed, Place, SyncJob, Tally};
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

/// How many of those who list an organization are looked at for one that can be asked.
const MAX_LOOKED_AT: usize = 5;

/// The other connections, and a way to ask them.
#[derive(Clone, Copy)]
pub struct Colleagues<'a> {
    connections: &'a ConnectionStore,
    jobs: &'a dyn Ask,
}

/// What takes a job that is not this run's own.
trait Ask {
    fn ask(&self, job: SyncJob, delay: Duration) -> LocalBoxFuture<'_, Result<()>>;
}

impl<V, S, J: Jobs<SyncJob>, O> Ask for Syncer<V, S, J, O> {
    fn ask(&self, job: SyncJob, delay: Duration) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async move { self.jobs.push(&job, delay).await })
    }
}

/// When others go on with what a run began: it has ended by then, one way or the other.
const GO_ON: Duration = Duration::from_secs(120);

impl Later for Colleagues<'_> {
    async fn go_on(&self, events: &BTreeSet<EventUri>) -> Result<()> {
        let job = SyncJob {
            go_on: events.clone(),
            ..SyncJob::default()
        };
        self.jobs.ask(job, GO_ON).await
    }
}

/// Who can tell of an event.
enum Teller {
    /// Somebody who was told of it, and looks for it in their own runs.
    Looks,
    /// Somebody who has to be asked.
    Asked(ConnectionId),
    /// Nobody who is connected.
    Nobody,
}

impl<V, S, J, O> Syncer<V, S, J, O>
where
    V: Vault + Clone + Send + std::marker::Sync,
    S: Versions,
    J: Jobs<SyncJob>,
    O: Outbox,
{
    /// The other connections, as a run of one of them reaches them.
    pub(crate) fn colleagues(&self) -> Colleagues<'_> {
        Colleagues {
            connections: &self.connections,
            jobs: self,
        }
    }

    /// Looks for an event that a colleague did not find. What keeps it from that is told; if it passes, it
    /// looks again a little later: an account with few calls may never have one left just when it is asked.
    pub(crate) async fn look_for(
        &self,
        mut job: SyncJob,
        id: &ConnectionId,
        deadlines: Deadlines,
    ) -> Result<()> {
        let Some(missed) = job.missed.as_mut() else {
            return Ok(());
        };
        let connection = self.connections.get(id).await?;
        let Some(connection) = connection.filter(|it| is_in(it, &missed.organization)) else {
            return Ok(());
        };
        let uri = missed.event.clone();
        let stored = self.bookings.events(Provider::Calendly, [uri]).await?;
        let Some(event) = stored.get(&missed.event).filter(|it| !it.is_canceled()) else {
            return Ok(());
        };
        let calendly = self.calendly(&connection, deadlines).await?;
        let metrics = Mutex::new(Metrics::default());
        let run = self.run(&calendly, &connection, deadlines, &metrics);
        missed.looks += 1;
        let (problems, again) = match run.look_as_asked(event).await {
            Ok(outcome) => (outcome.problems, None),
            Err(trouble) => {
                let again = missed.delay().filter(|_| trouble.is_passing());
                (vec![trouble.to_string()], again)
            }
        };
        for problem in problems {
            let event = event.uri.id();
            tracing::warn!(
                connection = id.as_str(),
                event,
                problem,
                "an event was looked for"
            );
        }
        match again {
            Some(delay) => self.jobs.push(&job, delay).await,
            None => Ok(()),
        }
    }
}

impl<A: Access> Run<'_, A> {
    /// Looks for an event of this connection's organization, if it sees all of that.
    async fn look_as_asked(&self, event: &EventRecord) -> std::result::Result<Outcome, Trouble> {
        let Some(start) = event.slot.as_ref().map(|slot| slot.value.start) else {
            return Ok(Outcome::default());
        };
        let window = EventWindow {
            from: second_before(start),
            to: second_after(start),
        };
        let all = Owner::Organization(&self.connection.organization_uri);
        match self.client.events(all, &window, None).await {
            Ok(_) => {
                let (mut reading, mut tally) = (Reading::default(), Tally::default());
                self.look(event, true, &mut reading, &mut tally).await
            }
            Err(ApiError::Forbidden { .. }) => {
                self.notes_sight(false).await;
                Ok(Outcome::default())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The organization that an event belongs to: the one whose list named it. Where that was not noted
    /// it is the connection's, if it has never been in another: a subscription of its former one may go
    /// on telling of events there.
    pub(crate) fn organization_of<'e>(&'e self, event: &'e EventRecord) -> Option<&'e str> {
        let here = || self.connection.organization_uri.as_str();
        let always_here = self.connection.organization_since.is_none();
        event.listed_in().or_else(|| always_here.then(here))
    }

    /// Has an event looked for by a connection that lists all of `organization`.
    pub(crate) async fn hand_on(
        &self,
        event: &EventRecord,
        organization: &str,
    ) -> std::result::Result<Outcome, Trouble> {
        if has_begun(event, ambient::now()) {
            return Ok(Outcome::default());
        }
        let colleague = match self.teller(event, organization).await? {
            Teller::Looks => return Ok(Outcome::default()),
            Teller::Asked(colleague) => colleague,
            Teller::Nobody => {
                let problem = "not found, by an account that sees its own events only";
                return Ok(Outcome::problem(problem));
            }
        };
        let job = SyncJob {
            connection_id: Some(colleague),
            missed: Some(Missed {
                event: event.uri.clone(),
                organization: organization.to_owned(),
                looks: 0,
            }),
            ..SyncJob::default()
        };
        self.colleagues.jobs.ask(job, Duration::ZERO).await?;
        Ok(Outcome::default())
    }

    async fn teller(&self, event: &EventRecord, organization: &str) -> Result<Teller> {
        let mut listers = self.colleagues.connections.listers(organization).await?;
        listers.retain(|id| *id != self.connection.id);
        // Those that can't be asked must not hide the others for ever.
        listers.shuffle(&mut ambient::rng());
        let is_told = |id: &ConnectionId| event.connections.contains(id);
        let (told, others) = listers.into_iter().partition(is_told);
        if self.one_in(organization, told).await?.is_some() {
            return Ok(Teller::Looks);
        }
        let other = self.one_in(organization, others).await?;
        Ok(other.map_or(Teller::Nobody, Teller::Asked))
    }

    /// One of some connections that works and is in an organization.
    async fn one_in(
        &self,
        organization: &str,
        ids: Vec<ConnectionId>,
    ) -> Result<Option<ConnectionId>> {
        for id in ids.into_iter().take(MAX_LOOKED_AT) {
            let connection = self.colleagues.connections.get(&id).await?;
            if connection.is_some_and(|it| is_in(&it, organization)) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Notes whether this connection sees all of its organization. What depends on it is checked anew
    /// each time, so a failure costs a round.
    pub(crate) async fn notes_sight(&self, all: bool) {
        let connections = self.colleagues.connections;
        if let Err(error) = connections.lists_all(self.connection, all).await {
            let id = self.connection.id.as_str();
            tracing::warn!(connection = id, %error, "what a connection lists is not noted");
        }
    }

    /// That this connection's account is still in its organization. If it has moved, the run goes on
    /// there.
    pub(crate) async fn stays_in_organization(&self) -> std::result::Result<(), Trouble> {
        let account = match self.client.me().await.map_err(Trouble::from) {
            Ok(account) => account,
            Err(trouble) if trouble.is_passing() => return Err(trouble),
            Err(trouble) => {
                let id = self.connection.id.as_str();
                tracing::warn!(connection = id, error = %trouble, "its organization is not known");
                return Ok(());
            }
        };
        let now = account.current_organization;
        if now == self.connection.organization_uri {
            return Ok(());
        }
        let connections = self.colleagues.connections;
        connections.moved(self.connection, &now).await?;
        let id = self.connection.id.as_str();
        tracing::warn!(
            connection = id,
            "its account is in another organization by now"
        );
        Err(Trouble::Later(Duration::ZERO))
    }

    /// Notes of listed events that they belong to this organization, where it can't be known otherwise.
    /// `before` is what was stored of them before they were compared.
    pub(crate) async fn note_organization(
        &self,
        before: &BTreeMap<EventUri, EventRecord>,
        listing: &Listing,
        read_at: Timestamp,
        place: &Place,
        (pace, tally): (&mut Pace, &mut Tally),
    ) -> std::result::Result<(), Trouble> {
        let here = &self.connection.organization_uri;
        let known = |event: &EventRecord| self.organization_of(event) == Some(here);
        let always_here = self.connection.organization_since.is_none();
        let all_known = before.values().all(known);
        let no_new = always_here || before.len() == listing.events.len();
        if place.own_events_only || all_known && no_new {
            return Ok(());
        }
        // Those that could not be read were told of already.
        let stored = self.stored(listing, &mut Tally::default()).await?;
        for event in stored.values().filter(|event| !known(event)) {
            pace.keep()?;
            let uri = event.uri.clone();
            let facts = Facts::listed_in(Provider::Calendly, uri, here.clone(), read_at);
            match self.merge(facts).await {
                Err(error) if !error.is_transient() => {
                    tally.error(format!("event {}: {error}", event.uri.id()));
                }
                noted => drop(noted?),
            }
        }
        Ok(())
    }
}

/// Whether a connection works, and is in an organization.
fn is_in(connection: &Connection, organization: &str) -> bool {
    connection.status == ConnectionStatus::Active && connection.organization_uri == organization
}
