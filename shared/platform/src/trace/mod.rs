//! X-Ray: each call to another service as a subsegment of the invocation's trace.
//!
//! A call is a span named `call`, made by whoever makes the call; [`Subsegments`] sends it to
//! Lambda's daemon as one datagram at the moment it ends. So nothing is kept that a frozen process
//! could lose. Names of tables, queues and operations are told, nothing of what is in them.

pub(crate) mod aws;
mod daemon;
mod header;
mod subsegments;

pub use daemon::Daemon;
pub use header::Trace;
pub use subsegments::{Subsegments, current};
