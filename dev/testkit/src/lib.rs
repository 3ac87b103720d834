//! What tests share: an embedded DynamoDB with crashes on demand, and histories of bookings as a
//! provider would tell them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc
)]

pub mod copies;
pub mod dynamo;
pub mod gateway;
pub mod history;
pub mod inside;
pub mod meter;
pub mod person;

use jiff::Timestamp;
use std::path::PathBuf;

/// When the bodies of tests come: after all that they tell, in `fixtures` and in histories.
pub fn received_at() -> Timestamp {
    "2027-02-04T12:00:00Z".parse().unwrap()
}

/// The bytes of a webhook sample in `fixtures/calendly`.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/calendly");
    std::fs::read(path.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The value of a `Calendly-Webhook-Signature` header.
pub fn sign(key: &str, time: i64, body: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    let mac = mac.chain_update(format!("{time}.")).chain_update(body);
    format!("t={time},v1={}", hex::encode(mac.finalize().into_bytes()))
}

/// `length` bytes of digits, letters and signs that hardly compress; always the same.
pub fn noise(length: usize) -> Vec<u8> {
    let mut seed = 1_u64;
    let step = |_| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        b'#' + (seed >> 57) as u8 % 57
    };
    (0..length).map(step).collect()
}
