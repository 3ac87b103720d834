//! Plays histories for as long as it is told: `SEED` is the first one's (one of the clock's by
//! default), `HISTORIES` how many, `JOBS` how many at a time. Prints each that fails as a story, and
//! ends with 1 if any did. With `TRACE=1` it prints what one history does, call by
//! call; with `SMALL=1` made small first, if it fails.

use oracle::{Found, make, make_small, play, tell, try_seed};
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

fn number(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn main() -> io::Result<ExitCode> {
    let today = u64::try_from(ambient::now().as_second()).unwrap_or_default();
    let first = number("SEED", today);
    let count = number("HISTORIES", 1000);
    if std::env::var_os("TRACE").is_some() {
        return trace(first);
    }
    let jobs = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let jobs = number("JOBS", jobs);
    let most = number("KINDS", 20);
    let next = AtomicU64::new(0);
    let kinds = Mutex::new(BTreeMap::new());
    let began = Instant::now();
    std::thread::scope(|threads| {
        for _ in 0..jobs {
            threads.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count || new_kinds(&kinds) >= most {
                        return;
                    }
                    let seed = first + number;
                    let Some(failure) = try_seed(seed) else {
                        continue;
                    };
                    let kind = failure.kinds().into_iter().next().unwrap_or_default();
                    let _ = writeln!(io::stderr(), "seed {seed}: {kind}");
                    if is_new(&kinds, kind) {
                        print(&make_small(seed, failure));
                    }
                }
            });
        }
    });
    let played = next.load(Ordering::Relaxed).min(count);
    let seconds = began.elapsed().as_secs_f64();
    let kinds = kinds.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut out = io::stdout();
    for (kind, count) in &kinds {
        writeln!(out, "{count:6}  {kind}")?;
    }
    let failed: u64 = kinds.values().sum();
    writeln!(
        out,
        "{played} histories from seed {first} on in {seconds:.0} s, {failed} failed"
    )?;
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// How often each kind of failure was seen, by its first difference.
type Kinds = Mutex<BTreeMap<String, u64>>;

fn new_kinds(kinds: &Kinds) -> u64 {
    let kinds = kinds.lock().unwrap_or_else(PoisonError::into_inner);
    kinds.len() as u64
}

/// Counts a failure. Only the first of its kind is told.
fn is_new(kinds: &Kinds, kind: String) -> bool {
    let mut kinds = kinds.lock().unwrap_or_else(PoisonError::into_inner);
    let count = kinds.entry(kind).or_insert(0);
    *count += 1;
    *count == 1
}

fn print(found: &Found) {
    let _ = writeln!(io::stdout().lock(), "{found}\n");
}

fn trace(seed: u64) -> io::Result<ExitCode> {
    let mut history = make(seed);
    if std::env::var_os("SMALL").is_some()
        && let Some(failure) = try_seed(seed)
    {
        history = make_small(seed, failure).history;
    }
    let mut out = io::stdout();
    writeln!(out, "{}", tell(&history))?;
    let outcome = play(&history, true);
    for line in &outcome.lines {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{} calls, digest {}", outcome.calls, outcome.digest)?;
    if let Some(failure) = outcome.failure {
        writeln!(out, "{failure:#?}")?;
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
