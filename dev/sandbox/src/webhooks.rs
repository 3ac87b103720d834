//! Webhooks: planned under the present faults, signed and sent with retries, and recorded.

mod delivery;
mod plan;
mod send;

pub(crate) use delivery::Deliveries;
pub(crate) use send::{Request, deliver, record};
