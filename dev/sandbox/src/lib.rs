//! A stand-in for Calendly that keeps state: OAuth, the REST API, and signed webhooks with
//! retries, with faults on request. Beside what Calendly has, `/_sandbox/…` controls it, and `/`
//! is a page for people.
//!
//! Answers are as recordings of Calendly have them, where there are any. A program can also hold one
//! in its own process, without a socket and on a clock and a seed of its own
//! ([`Sandbox::in_process`]): [`World`] is what it does to it and sees of it.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! let sandbox = sandbox::Sandbox::start(sandbox::Options::default()).await?;
//! println!("{}", sandbox.base_url());
//! sandbox.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod accounts;
mod api;
mod app;
mod bookings;
mod budget;
mod calls;
mod clock;
mod controls;
mod doors;
mod event;
mod event_type;
mod faults;
mod forms;
mod grants;
mod ids;
mod invitee;
mod location;
mod oauth;
mod options;
mod page;
mod server;
mod state;
mod subscription;
mod webhooks;
mod world;

pub use accounts::Role;
pub use bookings::Refused;
pub use event_type::Pooling;
pub use faults::{Body, CallFault, Faults, Instead, Share, WebhookForm};
pub use location::Place;
pub use options::Options;
pub use server::Sandbox;
pub use world::*;
