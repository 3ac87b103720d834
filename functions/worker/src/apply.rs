//! One delivery: read from the log, applied to the bookings, and marked.

use booking::Transition;
use calendly::webhook::{self, Webhook};
use platform::bookings::BookingStore;
use platform::deliveries::{DeliveryStore, Status};
use platform::queue::DeliveryRef;

/// Why a delivery was not applied.
#[derive(Debug)]
pub enum Failure {
    /// Another attempt may succeed.
    Passing(String),
    /// Every attempt would end like this.
    Lasting(String),
}

impl From<platform::Error> for Failure {
    fn from(error: platform::Error) -> Self {
        if error.is_transient() {
            Self::Passing(error.to_string())
        } else {
            Self::Lasting(error.to_string())
        }
    }
}

/// What became of a delivery.
pub enum Applied {
    /// It was applied, and changed this.
    Now(Vec<Transition>),
    /// An earlier message had it applied already.
    Before,
    /// There is nothing to apply, as was found when it came: it was replayed all the same.
    Nothing(Status),
}

/// What applies a delivery.
pub trait Apply: Send + Sync + 'static {
    /// Applies the delivery that `delivery` refers to.
    fn apply(
        &self,
        delivery: &DeliveryRef,
    ) -> impl Future<Output = Result<Applied, Failure>> + Send;
}

/// Applies logged deliveries to stored bookings.
pub struct Bookkeeper {
    /// The delivery log.
    pub deliveries: DeliveryStore,
    /// Bookings.
    pub bookings: BookingStore,
}

impl Apply for Bookkeeper {
    async fn apply(&self, delivery: &DeliveryRef) -> Result<Applied, Failure> {
        let id = &delivery.delivery_id;
        let Some((logged, body)) = self.deliveries.get_with_body(id).await? else {
            return Err(Failure::Lasting(
                "the delivery is not in the log (any more)".to_owned(),
            ));
        };
        if logged.status == Status::Processed {
            return Ok(Applied::Before);
        }
        let made = match webhook::read(&body) {
            Ok(Webhook::Booking(booking)) => self.bookings.apply(booking.facts).await?,
            Ok(Webhook::NotHandled { .. }) => {
                self.deliveries.set_aside(id, Status::Ignored, None).await?;
                return Ok(Applied::Nothing(Status::Ignored));
            }
            Err(unreadable) => {
                let reason = unreadable.to_string();
                self.deliveries
                    .set_aside(id, Status::Unprocessable, Some(&reason))
                    .await?;
                return Ok(Applied::Nothing(Status::Unprocessable));
            }
        };
        self.deliveries.processed(id, &made).await?;
        Ok(Applied::Now(made))
    }
}
