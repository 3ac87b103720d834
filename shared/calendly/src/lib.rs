//! Calendly: the signature of its webhooks, and what their bodies say.
//!
//! Only the bytes that [`signature::verify`] passed should be given to [`webhook::read`].

pub mod signature;
pub mod webhook;
