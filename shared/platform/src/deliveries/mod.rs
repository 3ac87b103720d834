//! The delivery log: every webhook as received, and what became of it.

mod about;
mod body;
mod erase;
mod keys;
mod list;
mod merge;
mod outcome;
mod record;
mod search;
mod store;
mod waiting;

pub use about::About;
pub use body::MAX_BODY;
pub use list::{DeliveryCursor, DeliveryQuery};
pub use outcome::Reopened;
pub use record::{Delivery, DeliveryId, InvalidDeliveryId, NewDelivery, Page, Recorded, Status};
pub use store::{Body, DeliveryStore};
