//! The delivery log: every webhook as received, and what became of it.

mod about;
mod body;
mod discard;
mod erase;
mod failure;
mod keys;
mod list;
mod merge;
mod open;
mod outcome;
mod record;
mod search;
mod store;

pub use about::About;
pub use body::MAX_BODY;
pub use discard::Discarded;
pub use failure::{ErrorKind, Failure};
pub use list::{DeliveryCursor, DeliveryQuery};
pub use open::{Open, OpenDelivery, OpenList};
pub use outcome::Reopened;
pub use record::{
    Delivery, DeliveryId, Discard, InvalidDeliveryId, MIN_PREFIX, NewDelivery, Page, Recorded,
    Status,
};
pub use store::{Body, DeliveryStore};
