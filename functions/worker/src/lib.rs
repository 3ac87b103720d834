//! Applies queued deliveries to the bookings.

pub mod config;
pub mod handler;
