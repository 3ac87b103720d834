//! Bookings in DynamoDB: the records of `booking`, written so that concurrent workers can't undo
//! each other.

mod commit;
mod directory;
mod erase;
mod item;
mod keys;
mod later;
mod open;
mod query;
mod settle;
mod store;
mod walk;

pub use erase::{Erased, Erasure, Trace, TracePlace};
pub use later::Later;
pub use open::Invitees;
pub use query::{Between, EventCursor, EventQuery, Listed};
pub use store::{BookingStore, MARK_WINDOW, MAX_INVITEES, Merged, StoredEvent};
pub use walk::Order;
