//! A sandbox Calendly on this machine: prints `SANDBOX <url>` when it serves, and ends on Ctrl-C
//! or SIGTERM, and with `END_WITH_STDIN` set when its standard input closes: so it ends with whoever
//! started it, however that ended.
//!
//! It reads `PORT`, `SIGNING_KEY`, `CLIENT_ID`, `CLIENT_SECRET`, `PERSONAL_ACCESS_TOKEN`,
//! `REDIRECT_URIS` and `APP_SCOPES` (separated by spaces), `RATE_LIMIT` and `TOKEN_RATE_LIMIT` (a
//! minute), `WEBHOOK_RETRY_SCHEDULE` (seconds, with commas), `DISABLE_AFTER` (messages) and `MEMORY`
//! (seconds that reads may be made to lag).

use sandbox::{Options, Sandbox};
use std::io::{self, Write};
use std::str::FromStr;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// The value of a variable, if it is set.
fn read<T: FromStr>(name: &str) -> io::Result<Option<T>> {
    let Some(text) = std::env::var(name).ok().filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let wrong = |_| io::Error::other(format!("{name} can't be read: {text:?}"));
    text.parse().map(Some).map_err(wrong)
}

fn list<T>(
    name: &str,
    separator: char,
    parse: fn(&str) -> Option<T>,
) -> io::Result<Option<Vec<T>>> {
    let Some(text) = read::<String>(name)? else {
        return Ok(None);
    };
    let parts = text.split(separator).map(str::trim).map(parse);
    let wrong = || io::Error::other(format!("{name} can't be read: {text:?}"));
    parts.collect::<Option<_>>().ok_or_else(wrong).map(Some)
}

fn options() -> io::Result<Options> {
    let mut options = Options {
        // People get retries they can watch.
        retry_delays: [1, 2, 4, 8, 16].map(Duration::from_secs).to_vec(),
        ..Options::default()
    };
    let set = |slot: &mut String, name| -> io::Result<()> {
        read(name).map(|value| *slot = value.unwrap_or_else(|| slot.clone()))
    };
    set(&mut options.client_id, "CLIENT_ID")?;
    set(&mut options.client_secret, "CLIENT_SECRET")?;
    set(&mut options.signing_key, "SIGNING_KEY")?;
    set(&mut options.personal_access_token, "PERSONAL_ACCESS_TOKEN")?;
    options.port = read("PORT")?.unwrap_or(options.port);
    options.rate_limit = read("RATE_LIMIT")?.unwrap_or(options.rate_limit);
    options.token_rate_limit = read("TOKEN_RATE_LIMIT")?.unwrap_or(options.token_rate_limit);
    options.disable_after = read("DISABLE_AFTER")?.unwrap_or(options.disable_after);
    let seconds = |text: &str| Duration::try_from_secs_f64(text.parse().ok()?).ok();
    options.retry_delays =
        list("WEBHOOK_RETRY_SCHEDULE", ',', seconds)?.unwrap_or(options.retry_delays);
    options.memory = read::<f64>("MEMORY")?
        .map(Duration::try_from_secs_f64)
        .transpose()
        .map_err(|_| io::Error::other("MEMORY must be 0 or more seconds"))?
        .unwrap_or(options.memory);
    let text = |text: &str| Some(text.to_owned());
    options.redirect_uris = list("REDIRECT_URIS", ' ', text)?.unwrap_or(options.redirect_uris);
    options.app_scopes = list("APP_SCOPES", ' ', text)?.unwrap_or(options.app_scopes);
    Ok(options)
}

/// Ends when standard input does, if that was asked for; never otherwise.
async fn input_closed() {
    if std::env::var_os("END_WITH_STDIN").is_none() {
        return std::future::pending().await;
    }
    let (closed, wait) = tokio::sync::oneshot::channel();
    // A thread of its own: it may wait for ever, and nobody waits for it.
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = closed.send(());
    });
    let _ = wait.await;
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let sandbox = Sandbox::start(options()?).await?;
    writeln!(io::stdout(), "SANDBOX {}", sandbox.base_url())?;
    io::stdout().flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        () = input_closed() => {}
        result = tokio::signal::ctrl_c() => result?,
    }
    sandbox.shutdown().await;
    Ok(())
}
