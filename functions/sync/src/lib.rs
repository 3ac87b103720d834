//! Reconciles connected accounts with what is stored, and watches their subscriptions.

mod compare;
pub mod config;
pub mod handler;
mod missed;
mod missing;
mod pace;
mod plan;
mod read;
mod reconcile;
mod time;
mod trouble;
mod watch;
mod work;
