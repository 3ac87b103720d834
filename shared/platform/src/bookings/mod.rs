//! Bookings in DynamoDB: the records of `booking`, written so that concurrent workers can't undo
//! each other.

mod directory;
mod item;
mod keys;
mod query;
mod store;

pub use query::{EventCursor, EventQuery};
pub use store::{BookingStore, MAX_INVITEES, Merged, StoredEvent};
