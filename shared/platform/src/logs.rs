//! Logs: JSON, one line an event.

use tracing_subscriber::EnvFilter;

/// Starts logging to standard output at the level that `LOG_LEVEL` gives, or else Lambda's own log
/// settings (`AWS_LAMBDA_LOG_LEVEL`), or else `info`.
///
/// The level is for this project's own crates. Libraries log at `warn`: on `debug` the SDK and
/// hyper would write whole requests, bodies included.
pub fn init() {
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
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_env_filter(EnvFilter::new(filter))
        .init();
    // The standard hook would print the panic's message, which can quote what the code was
    // working on: a body, say. The place is enough to find it.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
    }));
}
