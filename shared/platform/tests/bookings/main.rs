//! Lists of events: what they show, what stays whole while others write, and what a page costs.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod cost;
mod erasing;
mod model;
mod paging;
mod support;
