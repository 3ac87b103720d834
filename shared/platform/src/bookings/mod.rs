//! Bookings in DynamoDB: the records of `booking`, written so that concurrent workers can't undo
//! each other.

mod commit;
mod directory;
mod erase;
mod item;
mod keys;
mod query;
mod settle;
mod store;
mod walk;

pub use erase::{Erased, Trace};
pub use query::{EventCursor, EventQuery, Listed};
pub use store::{BookingStore, MAX_INVITEES, Merged, StoredEvent};
pub use walk::Order;
