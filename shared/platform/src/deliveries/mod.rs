//! The delivery log: every webhook as received, and what became of it.

mod body;
mod dead;
mod outcome;
mod record;
mod store;
mod waiting;

pub use body::MAX_BODY;
pub use record::{Delivery, DeliveryId, InvalidDeliveryId, NewDelivery, Page, Recorded, Status};
pub use store::DeliveryStore;
