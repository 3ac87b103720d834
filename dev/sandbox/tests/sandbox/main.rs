//! The sandbox through its front door: everything over HTTP, as a client and a receiver see it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::missing_panics_doc)] // helpers of tests

mod api;
mod bookings;
mod doors;
mod faults;
mod in_process;
mod oauth;
mod organizations;
mod product;
mod recorded;
mod subscriptions;
mod support;
mod webhooks;
