//! The delivery log on an embedded DynamoDB.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod bounds;
mod contention;
mod discarding;
mod erasing;
mod lists;
mod log;
mod open;
mod paging;
mod support;
