//! `POST /v1/erasures` and `DELETE /v1/contacts/{email}`: somebody is erased, or it is told what would
//! go.

mod told;

use crate::contacts::unknown;
use crate::handler::{Answer, Api, Call, ok, unavailable};
use booking::{Address, ContactKey, EventUri, InviteeUri, SubmissionUri};
use contract::answers::ErasureReport;
use contract::requests::EraseRequest;
use contract::required_object;
use platform::bookings::{Erased, Erasure, MARK_WINDOW, Trace, TracePlace};
use platform::deliveries::{About, DeliveryId};
use platform::http::Problem;
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// How long an erasure takes its time.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// After this time it stops looking, and tells that there is more to do.
    limit: Duration,
    /// When what is known is looked through once more.
    second_look: Duration,
}

/// Well before the function's 29 s; and when no step can be under way that had seen no mark.
const PACE: Pace = Pace {
    limit: Duration::from_secs(18),
    second_look: MARK_WINDOW,
};
/// The place of an erasure that was stopped before it had looked through all that the indexes know.
const INDEXES: &str = "indexes";
/// How many index entries are read at a time.
const AT_A_TIME: usize = 100;

/// Whether anything is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Erase,
    DryRun,
}

/// One erasure.
struct Erasing {
    contact: ContactKey,
    mode: Mode,
    pace: Pace,
    began: Instant,
    report: ErasureReport,
    /// Its time ended before it had looked everything through, or some has to be looked at again.
    stopped: bool,
    /// A delivery waits for the next request, since this was unset.
    waits: bool,
    /// What deliveries that were looked through are about.
    looked: Vec<About>,
    invitees: BTreeSet<InviteeUri>,
    events: BTreeSet<EventUri>,
    submissions: BTreeSet<SubmissionUri>,
    /// Bookings and forms that can't be read, or be written.
    unreadable: HashSet<Trace>,
    /// Deliveries that are in the report.
    deliveries: HashSet<DeliveryId>,
}

impl Erasing {
    fn new(contact: ContactKey, mode: Mode, pace: Pace) -> Self {
        Self {
            contact,
            mode,
            pace,
            began: Instant::now(),
            report: ErasureReport {
                dry_run: mode == Mode::DryRun,
                ..ErasureReport::default()
            },
            stopped: false,
            waits: false,
            looked: Vec::new(),
            invitees: BTreeSet::new(),
            events: BTreeSet::new(),
            submissions: BTreeSet::new(),
            unreadable: HashSet::new(),
            deliveries: HashSet::new(),
        }
    }

    fn out_of_time(&self) -> bool {
        self.began.elapsed() >= self.pace.limit
    }

    fn add(&mut self, erased: Erased) {
        self.invitees.extend(erased.invitees);
        self.events.extend(erased.event);
        self.submissions.extend(erased.submissions);
    }

    fn report(mut self) -> ErasureReport {
        self.report.left += self.unreadable.len();
        self.report.complete = !self.stopped && self.report.left == 0;
        self.report.invitees = self.invitees.len();
        self.report.events = self.events.len();
        self.report.submissions = self.submissions.len();
        self.report
    }
}

impl Api {
    /// `POST /v1/erasures`: any address, however it is written.
    pub(crate) async fn erase(&self, call: &Call<'_>) -> Answer {
        let request: EraseRequest =
            required_object(call.request, "{\"email\": \"…\"}, with an e-mail address")?;
        let address = Address::parse(&request.email);
        let address =
            address.ok_or_else(|| Problem::parameter("email", "must be an e-mail address"))?;
        self.erase_person(call, ContactKey::from(&address)).await
    }

    /// `DELETE /v1/contacts/{email}`: a plain address.
    pub(crate) async fn erase_contact(&self, call: &Call<'_>) -> Answer {
        let email = call.id("email", unknown)?;
        self.erase_person(call, ContactKey::of(email)).await
    }

    async fn erase_person(&self, call: &Call<'_>, contact: ContactKey) -> Answer {
        let report = if call.params.flag("dryRun") {
            self.dry_run(contact, PACE).await?
        } else {
            self.erase_all(contact, PACE).await?
        };
        tracing::info!(
            complete = report.complete,
            dryRun = report.dry_run,
            invitees = report.invitees,
            events = report.events,
            submissions = report.submissions,
            deliveries = report.deliveries,
            reduced = report.reduced,
            left = report.left,
            "person erased"
        );
        ok(report)
    }

    /// First the mark, so that nothing comes back; then, event by event, the deliveries before the
    /// bookings, which lead to them; at last the deliveries to which nothing leads. So a request that
    /// is stopped anywhere can be repeated.
    async fn erase_all(&self, contact: ContactKey, pace: Pace) -> Result<ErasureReport, Problem> {
        let mut erasing = Erasing::new(contact, Mode::Erase, pace);
        let now = ambient::now();
        let logged = self.deliveries.mark_erased(&erasing.contact, now).await;
        logged.map_err(unavailable)?;
        let begun = self.bookings.begin_erasure(&erasing.contact, now).await;
        let mut erasure = begun.map_err(unavailable)?;
        erasing.report.erased_at = Some(erasure.at);
        self.walk(&mut erasing).await?;
        // One that goes on with what nothing leads to did this before.
        let first = erasure.place.as_deref().is_none_or(|it| it == INDEXES);
        if !erasing.stopped && first {
            // A step that had looked for the mark before it was there may have been written since, and
            // an index is a moment late.
            tokio::time::sleep(pace.second_look).await;
            for about in std::mem::take(&mut erasing.looked) {
                self.erase_told(&mut erasing, &about).await?;
            }
            self.walk(&mut erasing).await?;
        }
        if !erasing.stopped {
            self.erase_unread(&mut erasing, &mut erasure).await?;
        } else if first {
            erasure.place = Some(INDEXES.to_owned());
            self.keep(&erasing, &erasure).await?;
        }
        Ok(erasing.report())
    }

    async fn dry_run(&self, contact: ContactKey, pace: Pace) -> Result<ErasureReport, Problem> {
        let mut erasing = Erasing::new(contact, Mode::DryRun, pace);
        self.walk(&mut erasing).await?;
        let mut erasure = Erasure {
            at: ambient::now(),
            place: None,
            left: false,
        };
        self.erase_unread(&mut erasing, &mut erasure).await?;
        Ok(erasing.report())
    }

    /// Erases all that the indexes know, or counts it.
    async fn walk(&self, erasing: &mut Erasing) -> Result<(), Problem> {
        let mut place: Option<TracePlace> = None;
        loop {
            let traces = self
                .bookings
                .traces(&erasing.contact, place.as_ref(), AT_A_TIME);
            let (traces, next) = traces.await.map_err(unavailable)?;
            for trace in traces {
                if erasing.out_of_time() {
                    erasing.stopped = true;
                    return Ok(());
                }
                let mut unreadable = false;
                let abouts = match self.bookings.told_of(&trace).await {
                    Err(error) if !error.is_transient() => {
                        unreadable = true;
                        tracing::error!(%error, "a booking that names an erased person can't be read");
                        vec![trace.about()]
                    }
                    abouts => abouts.map_err(unavailable)?,
                };
                erasing.waits = false;
                for about in abouts {
                    self.erase_told(erasing, &about).await?;
                    erasing.looked.push(about);
                }
                if erasing.stopped {
                    return Ok(());
                }
                // Nothing but the booking may lead to what waits.
                if erasing.waits && erasing.mode == Mode::Erase {
                    continue;
                }
                // What can't be read must not keep the rest from being erased.
                if unreadable {
                    erasing.unreadable.insert(trace);
                    continue;
                }
                let erased = match erasing.mode {
                    Mode::Erase => self.bookings.erase(&erasing.contact, &trace).await,
                    Mode::DryRun => self.bookings.would_erase(&erasing.contact, &trace).await,
                };
                match erased {
                    Err(error) if !error.is_transient() => {
                        tracing::error!(%error, "a person can't be taken out of a booking");
                        erasing.unreadable.insert(trace);
                    }
                    erased => erasing.add(erased.map_err(unavailable)?),
                }
            }
            match next {
                Some(next) => place = Some(next),
                None => return Ok(()),
            }
        }
    }
}

#[cfg(test)]
mod tests;
