//! What was seen: a plain struct, so that every case can be made up by a test.

use crate::config::Env;
use crate::connections::Survey;
use crate::deliveries::{Open, OpenList};
use crate::ticks::Ticks;
use crate::traffic::Traffic;
use jiff::{SignedDuration, Timestamp};

/// How many of a group are named.
const NAMED: usize = 10;
/// A delivery that was logged this long ago and not tried so far waits for too long.
const WAITS_TOO_LONG: SignedDuration = SignedDuration::from_mins(5);
/// The next attempt was due so long ago that no message is left to bring it.
const STUCK_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// What a source said; or why it could not be read.
pub type Looked<T> = Result<T, String>;

/// What was seen of all that matters.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// When.
    pub now: Timestamp,
    /// What is to be called late.
    pub settings: Settings,
    /// What is open in the log of deliveries.
    pub log: Looked<Log>,
    /// All connections.
    pub connections: Looked<Survey>,
    /// What became of requests to the webhook routes.
    pub traffic: Looked<Traffic>,
    /// When the schedules ticked.
    pub ticks: Looked<Ticks>,
    /// Messages in the dead letter queue; nothing where it wasn't asked.
    pub dead_letters: Option<Looked<u64>>,
}

/// What a stack's operators call late, and how much is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// For so long no sync may be planned: `SyncOverdueHours`.
    pub sync_overdue: SignedDuration,
    /// For so long no webhook may come; nothing where only what is usual counts: `QuietHours`.
    pub quiet: Option<SignedDuration>,
    /// Whether each state has a gauge of its own, as each costs money: not with `Watching=small`.
    pub every_gauge: bool,
}

impl Settings {
    /// Reads `SYNC_OVERDUE_HOURS` (1), `QUIET_HOURS` (0: never) and `WATCHING` (`full`).
    pub fn read<F: Fn(&str) -> Option<String>>(env: &mut Env<F>) -> Self {
        let hours = SignedDuration::from_hours;
        let quiet: u16 = env.or("QUIET_HOURS", 0);
        Self {
            sync_overdue: hours(i64::from(env.or("SYNC_OVERDUE_HOURS", 1_u16))),
            quiet: (quiet > 0).then(|| hours(i64::from(quiet))),
            every_gauge: env.or("WATCHING", "full".to_owned()) != "small",
        }
    }
}

/// Some deliveries: how many, and the first of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// How many, at least.
    pub count: usize,
    /// There may be more.
    pub more: bool,
    /// Since when the first of them stands so.
    pub since: Option<Timestamp>,
    /// When the first of them came.
    pub received: Option<Timestamp>,
    /// Ids of those that stand so for longest.
    pub ids: Vec<String>,
    /// Why the last one failed.
    pub error: Option<String>,
}

/// What is open in the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// Logged a moment ago: they are about to be tried.
    pub fresh: usize,
    /// Logged a while ago, and not tried so far.
    pub waiting: Group,
    /// Tried in vain, and to be tried again.
    pub failing: Group,
    /// Of these, how many nothing will try again.
    pub stuck: usize,
    /// Given up.
    pub dead: Group,
}

impl Log {
    /// What of `open` matters at `now`.
    pub fn of(open: &Open, now: Timestamp) -> Self {
        let age = |at: Timestamp| now.duration_since(at);
        let (mut waiting, mut fresh) = (open.received.clone(), 0);
        waiting.deliveries.retain(|one| {
            let waits = age(one.since) >= WAITS_TOO_LONG;
            fresh += usize::from(!waits);
            waits
        });
        let due = |at: Option<Timestamp>| at.is_none_or(|at| age(at) >= STUCK_AFTER);
        let failed = open.failed.deliveries.iter();
        Self {
            fresh,
            waiting: group(&waiting),
            failing: group(&open.failed),
            stuck: failed
                .filter(|one| due(one.delivery.next_attempt_at))
                .count(),
            dead: group(&open.dead),
        }
    }
}

fn group(list: &OpenList) -> Group {
    let all = &list.deliveries;
    Group {
        count: all.len(),
        more: list.more,
        since: all.first().map(|one| one.since),
        received: all.iter().filter_map(|one| one.delivery.received_at).min(),
        ids: all
            .iter()
            .take(NAMED)
            .map(|one| one.delivery.id.to_string())
            .collect(),
        error: all
            .iter()
            .rev()
            .find_map(|one| one.delivery.last_error.clone()),
    }
}
