//! Plays a history: the whole service, with its faults, on virtual time.

mod asked;
mod clock;
mod process;
mod queue;
mod stage;
mod stored;
mod trace;
mod twist;
mod world;

use crate::history::{Act, History, Step, Told};
use crate::reference::{differences, disorder, forgotten, hasty, mistold, senseless, untrue};
use clock::Surroundings;
use jiff::{SignedDuration, Timestamp};
use platform::metrics::{Captured, Metric};
use sha2::{Digest, Sha256};
use stage::Stage;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{LocalSet, spawn_local};
use trace::Trace;

/// How long the service may take to come to rest: its longest retries, and some more.
const REST: Duration = Duration::from_secs(24 * 3600);
/// Syncs after which all must be well.
const SYNCS: usize = 3;
/// Runs of the sync function in which it comes to rest: a history has some dozens of events to read, and
/// 25 calls a minute at the least.
const MOST_RUNS: u32 = 100;
/// From one scheduled sync to the next, as the template has it.
const SYNC_EVERY: Duration = Duration::from_secs(15 * 60);

/// How a play ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was wrong; nothing if all was well.
    pub failure: Option<Failure>,
    /// A digest of all that was done, in its order, and of all tables at the end.
    pub digest: String,
    /// Calls that the functions made.
    pub calls: u64,
    /// What was done, line by line, where that was asked for.
    pub lines: Vec<String>,
}

/// What was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When, by our clock.
    pub at: Timestamp,
    /// At which point.
    pub when: String,
    /// Each difference.
    pub found: Vec<String>,
}

/// Unoptimised futures are large.
const STACK: usize = 64 << 20;

impl Failure {
    /// What kind of failure it is: its differences without what names a single booking.
    pub fn kinds(&self) -> BTreeSet<String> {
        self.found.iter().map(|found| kind(found)).collect()
    }
}

/// A difference without ids, numbers and quoted texts.
fn kind(found: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in found.split_whitespace() {
        let parts = word.split('.').map(|part| {
            let varies = part.contains(|c: char| c.is_ascii_digit() || c == '"' || c == '@');
            if varies { "_" } else { part }
        });
        words.push(parts.collect::<Vec<_>>().join("."));
    }
    words.join(" ")
}

/// Plays `history`, on a thread of its own. With `keep`, what was done is kept line by line.
pub fn play(history: &History, keep: bool) -> Outcome {
    let played = std::thread::scope(|threads| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(threads, || run(history, keep));
        thread.map(|thread| thread.join().ok())
    });
    let broken = |why: &str| Outcome {
        failure: Some(Failure {
            at: Timestamp::UNIX_EPOCH,
            when: "in the play itself".to_owned(),
            found: vec![why.to_owned()],
        }),
        digest: String::new(),
        calls: 0,
        lines: Vec::new(),
    };
    match played {
        Ok(Some(Ok(outcome))) => outcome,
        Ok(Some(Err(error))) | Err(error) => broken(&error.to_string()),
        Ok(None) => broken("a panic"),
    }
}

fn run(history: &History, keep: bool) -> std::io::Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    Ok(LocalSet::new().block_on(&runtime, whole(history, keep)))
}

/// The first second of the month about which histories begin.
const MONTH: &str = "2027-03-01T00:00:00Z";

async fn whole(history: &History, keep: bool) -> Outcome {
    let month: Timestamp = MONTH.parse().unwrap_or_default();
    // Times with digits behind the second, as they are.
    let digits = SignedDuration::from_micros((history.seed % 1_000_000).cast_signed());
    let minutes = SignedDuration::from_mins(history.setup.minutes_into_month) + digits;
    let start = month.saturating_add(minutes).unwrap_or(month);
    let _given = Surroundings::give(start, history.seed);
    // Nobody reads them here.
    let metrics = platform::metrics::capture();
    let trace = Arc::new(Trace::new(keep));
    let stage = Stage::new(history, trace.clone()).await;
    let failure = parts(&stage, history, &metrics).await.err();
    let mut digest = Sha256::new();
    digest.update(trace.digest());
    for table in ["bookings", "deliveries", "connections"] {
        digest.update(stage.dynamo.dump(table).await);
    }
    let digest = digest.finalize();
    Outcome {
        failure,
        digest: hex::encode(digest),
        calls: trace.calls(),
        lines: trace.lines(),
    }
}

async fn parts(stage: &Rc<Stage>, history: &History, metrics: &Captured) -> Result<(), Failure> {
    for (number, step) in history.steps.iter().enumerate() {
        tokio::time::sleep(Duration::from_millis(step.pause_ms)).await;
        if stage.idle() {
            let stored = stage.stored().await;
            let mut found = disorder(&stored);
            let asked = stage.listener.asked();
            found.extend(hasty(&stage.world.deleted(), &stored, &asked));
            found.extend(senseless(&asked));
            check(|| format!("before step {number}"), found)?;
        }
        perform(stage, step);
    }
    stage.calm();
    read_before_told(stage).await?;
    rest(stage).await?;
    let failed = metrics.sum(Metric::SyncsFailed);
    for _ in 0..SYNCS {
        tokio::time::sleep(SYNC_EVERY).await;
        stage.sync(None).await;
        rest(stage).await?;
    }
    let stored = stage.stored_with_guests().await;
    let mut found = differences(&stage.world.truth(), &stored);
    let asked = stage.listener.asked();
    found.extend(hasty(&stage.world.deleted(), &stored, &asked));
    found.extend(senseless(&asked));
    let logged = stage.logged().await;
    found.extend(mistold(&stored, &logged, &asked));
    found.extend(forgotten(&stage.said(), &logged));
    let unheard = stage.world.unheard();
    if unheard > 0 {
        found.push(format!("{unheard} accounts have no subscription"));
    }
    let failed = metrics.sum(Metric::SyncsFailed) - failed;
    if failed > 0 {
        found.push(format!("{failed} syncs without faults failed"));
    }
    check(|| format!("after {SYNCS} syncs without faults"), found)?;
    let before = stage.dynamo.dump("bookings").await;
    let writes = stage.trace.writes();
    tokio::time::sleep(SYNC_EVERY).await;
    stage.sync(None).await;
    rest(stage).await?;
    let mut found = Vec::new();
    let written = stage.trace.writes() - writes;
    if written > 0 {
        found.push(format!(
            "a sync that finds nothing changed writes {written} times"
        ));
    }
    if before != stage.dynamo.dump("bookings").await {
        found.push("a sync that finds nothing changed changes what is stored".to_owned());
    }
    check(|| "after one more sync".to_owned(), found)
}

/// A message that comes this late is known to be late, with the clocks' difference.
const LATE: Duration = Duration::from_secs(130);

/// What a sync has found to be true stays, whatever older messages come after it.
async fn read_before_told(stage: &Rc<Stage>) -> Result<(), Failure> {
    tokio::time::sleep(LATE).await;
    if stage.idle() {
        return Ok(());
    }
    stage.sync(None).await;
    let is_right = |stored| untrue(&stage.world.truth(), stored).is_empty();
    wait(stage, Stage::waits_for_webhooks).await?;
    if stage.idle() || !is_right(&stage.stored().await) {
        return Ok(());
    }
    rest(stage).await?;
    let mut found = untrue(&stage.world.truth(), &stage.stored().await);
    for difference in &mut found {
        difference.insert_str(0, "told late: ");
    }
    check(
        || "after older messages than the last sync".to_owned(),
        found,
    )
}

fn check(when: impl FnOnce() -> String, found: Vec<String>) -> Result<(), Failure> {
    if found.is_empty() {
        return Ok(());
    }
    Err(Failure {
        at: ambient::now(),
        when: when(),
        found,
    })
}

fn perform(stage: &Rc<Stage>, step: &Step) {
    let done = stage.world.act(&step.act);
    stage.trace.line(|| format!("{:?}: {done:?}", step.act));
    match step.act {
        Act::Sync => {
            let (stage, busy) = (stage.clone(), stage.busy());
            spawn_local(async move {
                stage.sync(None).await;
                drop(busy);
            });
        }
        Act::Replay { delivery } => {
            let (stage, busy) = (stage.clone(), stage.busy());
            spawn_local(async move {
                stage.replay(delivery).await;
                drop(busy);
            });
        }
        Act::AuthorizeElsewhere => {
            let (stage, busy) = (stage.clone(), stage.busy());
            spawn_local(async move {
                stage.authorize_again().await;
                drop(busy);
            });
        }
        Act::Redrive => drop(stage.deliveries.borrow().redrive()),
        _ => {}
    }
    for (number, webhook) in stage.world.webhooks().into_iter().enumerate() {
        let told = step.told.get(number).or(step.told.last());
        let Some(Told::After(times)) = told else {
            stage.trace.line(|| format!("lost: {}", webhook.event));
            continue;
        };
        for time in times {
            stage.deliver(webhook.clone(), Duration::from_millis(*time));
        }
    }
}

/// How long to wait before looking again: the longer, the longer it took already.
struct Pause(Duration);

const PAUSE: Pause = Pause(Duration::from_millis(400));

impl Pause {
    fn next(&mut self) -> Duration {
        self.0 = (self.0 * 5 / 4).min(Duration::from_secs(20));
        self.0
    }
}

/// Waits until nothing is left to be done.
async fn rest(stage: &Stage) -> Result<(), Failure> {
    wait(stage, Stage::idle).await
}

async fn wait(stage: &Stage, is_over: fn(&Stage) -> bool) -> Result<(), Failure> {
    let began = stage.sync_runs();
    let wait = async {
        let mut pause = PAUSE;
        while !is_over(stage) {
            if stage.sync_runs() - began > MOST_RUNS {
                return Some(format!("a sync takes more than {MOST_RUNS} messages"));
            }
            tokio::time::sleep(pause.next()).await;
        }
        None
    };
    let rested = tokio::time::timeout(REST, wait).await;
    let found = rested.unwrap_or_else(|_| Some("it does not come to rest".to_owned()));
    check(|| "while waiting".to_owned(), found.into_iter().collect())
}
