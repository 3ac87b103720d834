//! Reconciles connected accounts with what is stored, and watches their subscriptions.

pub mod config;
pub mod handler;
mod plan;
mod reconcile;
mod work;
