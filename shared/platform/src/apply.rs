//! One delivery: read from the log, applied to the bookings, and marked.

use crate::bookings::{BookingStore, Merged};
use crate::deliveries::{Delivery, DeliveryStore, ErrorKind, Failure, Status};
use crate::queue::{DeliveryRef, Jobs};
use crate::syncs::{ReadAgain, SyncJob, Why};
use booking::{ConnectionId, EventUri, Transition, people_in};
use calendly::webhook::{self, Webhook};
use jiff::{SignedDuration, Timestamp};

/// What applying a delivery did.
#[derive(Debug, Clone, Default)]
pub struct Application {
    /// What this attempt changed.
    pub made: Vec<Transition>,
    /// Whether that is all that the delivery ever changed. Else it isn't known: another attempt may have
    /// changed something.
    pub is_all: bool,
    /// The connection that it was sent for.
    pub connection: Option<ConnectionId>,
    /// When its provider made it.
    pub created_at: Option<Timestamp>,
    /// When it came.
    pub received_at: Option<Timestamp>,
    /// It had been applied before, and was replayed.
    pub again: bool,
}

/// What became of a delivery.
pub enum Applied {
    /// It was applied.
    Now(Application),
    /// An earlier message had it applied already.
    Before,
    /// There is nothing to apply: as was found when it came, since its body was erased, or since
    /// somebody put it away.
    Nothing(Status),
}

/// What applies a delivery.
pub trait Apply: Send + Sync + 'static {
    /// Applies the delivery that `delivery` refers to. `attempt` is how often its message was handed
    /// out, this time included.
    fn apply(
        &self,
        delivery: &DeliveryRef,
        attempt: usize,
    ) -> impl Future<Output = Result<Applied, Failure>> + Send;
}

/// Applies logged deliveries to stored bookings.
pub struct Bookkeeper<J> {
    /// Where events are sent that have to be read again.
    pub jobs: J,
    /// The delivery log.
    pub deliveries: DeliveryStore,
    /// Bookings.
    pub bookings: BookingStore,
}

/// A webhook that Calendly made this long before it is applied is late: an event may have been read
/// since then.
const LATE: SignedDuration = SignedDuration::from_mins(2);

/// The job that reads a webhook's event again.
fn read_again(booking: &Told, why: Why) -> Option<SyncJob> {
    let event = booking.event.as_ref()?;
    Some(SyncJob {
        connection_id: booking.connection.clone(),
        event: Some(ReadAgain {
            event_id: event.id().to_owned(),
            why,
            reads: 0,
        }),
        ..SyncJob::default()
    })
}

/// Of a webhook, what is of use after it is applied.
struct Told {
    event: Option<EventUri>,
    connection: Option<ConnectionId>,
    created_at: Option<Timestamp>,
    link_pending: bool,
}

impl Told {
    /// Why its event has to be read again, if it has to be.
    fn read_again(&self, merged: &Merged) -> Option<Why> {
        let age = self.created_at.map(|at| ambient::now().duration_since(at));
        if merged.changed_known && age.is_some_and(|age| age > LATE) {
            return Some(Why::ToldLate);
        }
        self.link_pending.then_some(Why::LinkPending)
    }
}

/// Another message is sent for a delivery that waits this long.
const SENT_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Whether no other attempt can have changed a booking. One that was killed wrote nothing down.
fn is_first(logged: &Delivery, attempt: usize) -> bool {
    let age = logged.received_at;
    let age = age.map(|at| ambient::now().duration_since(at));
    attempt <= 1
        && logged.status == Status::Received
        && logged.attempts == 0
        && !logged.sent_again
        && age.is_some_and(|age| age < SENT_AGAIN_AFTER)
}

impl<J: Jobs<SyncJob>> Bookkeeper<J> {
    /// A booking is applied whether or not this works: the scheduled syncs see the link, too.
    async fn queue_reading(&self, job: &SyncJob) {
        let delay = job.event.as_ref().and_then(ReadAgain::delay);
        if let Err(error) = self.jobs.push(job, delay.unwrap_or_default()).await {
            tracing::warn!(%error, "an event is not read again");
        }
    }
}

impl<J: Jobs<SyncJob> + Send + Sync + 'static> Apply for Bookkeeper<J> {
    async fn apply(&self, delivery: &DeliveryRef, attempt: usize) -> Result<Applied, Failure> {
        let id = &delivery.delivery_id;
        let Some((logged, body)) = self.deliveries.get_with_body(id).await? else {
            return Err(Failure::new(
                ErrorKind::NotInLog,
                "the delivery is not in the log (any more)",
            ));
        };
        match logged.status {
            Status::Processed => return Ok(Applied::Before),
            // A copy of its message; a replay would have taken it out of this status.
            Status::Discarded => return Ok(Applied::Nothing(Status::Discarded)),
            Status::Received
            | Status::Failed
            | Status::Dead
            | Status::Ignored
            | Status::Unprocessable => {}
        }
        let Some(body) = body else {
            // Erasing has settled it.
            return Ok(Applied::Nothing(logged.status));
        };
        // Not now: applied again, it says the same.
        let received_at = logged.received_at.unwrap_or_else(ambient::now);
        let (merged, told, warnings) = match webhook::read(&body, received_at) {
            Ok(Webhook::Booking(mut booking)) => {
                let told = Told {
                    event: booking.scheduled_event,
                    connection: booking.connection,
                    created_at: booking.created_at,
                    link_pending: booking.link_pending,
                };
                // So that an erasure finds this body by everybody in it.
                booking.facts.add_named(people_in(&body));
                let merged = self.bookings.apply(booking.facts).await?;
                let why = told.read_again(&merged);
                if let Some(job) = why.and_then(|why| read_again(&told, why)) {
                    self.queue_reading(&job).await;
                }
                (merged, told, booking.warnings)
            }
            Ok(Webhook::NotHandled { .. }) => {
                self.deliveries.set_aside(id, Status::Ignored, None).await?;
                return Ok(Applied::Nothing(Status::Ignored));
            }
            Err(unreadable) => {
                let reason = Failure::new(ErrorKind::Unreadable, unreadable.to_string());
                self.deliveries
                    .set_aside(id, Status::Unprocessable, Some(&reason))
                    .await?;
                return Ok(Applied::Nothing(Status::Unprocessable));
            }
        };
        // What this attempt found to change may be less than the delivery did: another attempt may have
        // made the rest, one that was faster, one that was stopped half way, or that of another message
        // sent meanwhile.
        let is_all = !merged.taken_anew && {
            let now = self.deliveries.get(id).await?;
            now.is_some_and(|now| is_first(&now, attempt))
        };
        // A replay adds to what its entry tells.
        let adds = logged.processed_at.is_some() && logged.changes.is_some();
        let made = (is_all || adds).then_some(merged.transitions.as_slice());
        if merged.erased {
            // Told late of somebody who was erased: the log is not to remember either.
            self.deliveries
                .processed_and_erased(id, made, &warnings)
                .await?;
        } else {
            self.deliveries.processed(id, made, &warnings).await?;
        }
        Ok(Applied::Now(Application {
            made: merged.transitions,
            is_all,
            connection: told.connection,
            created_at: told.created_at,
            received_at: logged.received_at,
            again: logged.processed_at.is_some(),
        }))
    }
}
