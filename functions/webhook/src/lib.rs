//! Receives Calendly's webhooks: verifies, logs and queues them. Takes tests, too, where the stage
//! switches that on.

pub mod config;
pub mod handler;
mod reading;
mod received;
mod refusals;
pub mod routes;
pub mod test_endpoint;
