//! AWS and process: the stores, queues and secrets behind the functions, their configuration,
//! logs and HTTP answers.

pub mod apply;
pub mod auth;
pub mod aws;
pub mod bookings;
pub mod config;
pub mod connections;
pub mod cors;
pub mod deliveries;
mod error;
pub mod gateway;
pub mod health;
pub mod http;
pub mod invocation;
mod item;
pub mod limits;
pub mod logs;
pub mod metrics;
mod pack;
pub mod queue;
mod race;
pub mod ready;
pub mod room;
pub mod secrets;
pub mod syncs;
pub mod ticks;
pub mod trace;
pub mod traffic;

pub use error::{Error, Result};

use tokio::time::Instant;

/// The time since then in whole milliseconds, for the logs.
pub fn millis_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}
