//! Logs: JSON, one line an event.

mod lines;
mod redact;

pub use redact::redact;

use crate::trace::{Daemon, Subsegments};
use lines::Lines;
use std::sync::OnceLock;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Which function this process is.
static FUNCTION: OnceLock<&'static str> = OnceLock::new();

/// The name that [`init`] was given.
pub(crate) fn function() -> &'static str {
    FUNCTION.get().copied().unwrap_or("unknown")
}

/// Starts logging to standard output as `function`, at the level that `LOG_LEVEL` gives, or else
/// Lambda's own log settings (`AWS_LAMBDA_LOG_LEVEL`), or else `info`; and tracing to Lambda's
/// X-Ray daemon, where there is one.
///
/// The level is for this project's own crates. Libraries log at `warn`: on `debug` the SDK and
/// hyper would write whole requests, bodies included.
pub fn init(function: &'static str) {
    FUNCTION.get_or_init(|| function);
    let level = ["LOG_LEVEL", "AWS_LAMBDA_LOG_LEVEL"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .map(|level| level.to_lowercase())
        .find(|level| ["trace", "debug", "info", "warn", "error"].contains(&level.as_str()))
        .unwrap_or_else(|| "info".to_owned());
    let ours = [
        "webhook", "worker", "oauth", "sync", "api", "platform", "calendly", "booking",
    ];
    let filter = ours.into_iter().fold("warn".to_owned(), |filter, name| {
        format!("{filter},{name}={level}")
    });
    tracing_subscriber::registry()
        .with(EnvFilter::new(filter))
        .with(Lines::new(function, lines::to_stdout))
        .with(Daemon::from_env().map(Subsegments::new))
        .init();
    // The standard hook would print the panic's message, which can quote what the code was
    // working on: a body, say. The place is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
    }));
}
