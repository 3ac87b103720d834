//! What the whole-stack tests share: the running stack, requests to it, samples with ids of their
//! own, and faults that are always taken back.
//!
//! The tests run side by side against one stack, so each works on events that only it knows.
//! Those that change the stack itself are in modules named `alone_…`; `.config/nextest.toml` lets
//! nothing run beside them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc
)]

mod answer;
mod connect;
mod deliveries;
mod desk;
mod expect;
mod fault;
mod held;
mod openapi;
mod post;
mod queue;
mod sample;
mod sandbox;
mod stack;
mod store;
mod sync;
mod wait;

pub use answer::Answer;
pub use connect::{BROWSER, Began};
pub use desk::Desk;
pub use expect::{assert_has, difference, part};
pub use fault::Function;
pub use openapi::Operation;
pub use post::{Post, sign};
pub use queue::Letter;
pub use sample::Samples;
pub use sandbox::{Account, Sandbox};
pub use stack::Stack;
pub use wait::{eventually, wait_until};
