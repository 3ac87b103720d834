//! Calendly: the signature of its webhooks and what their bodies say, its REST API, and OAuth.
//!
//! Only the bytes that [`signature::verify`] passed should be given to [`webhook::read`].

pub mod api;
mod call;
pub mod json;
pub mod oauth;
pub mod signature;
pub mod webhook;

pub use call::{Answer, Http, NoReply, Reply, TIMEOUT, Wire};
