//! Webhooks that never came are made up for by one sync, which then finds nothing more to do.

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use stack_tests::{Desk, Sandbox, Stack};

/// What is done at the sandbox.
const ACTIONS: usize = 500;
/// One event, and its invitees, as the sandbox counts calls for them.
const EVENT: &str = "GET /scheduled_events/{id}";
const INVITEES: &str = "GET /scheduled_events/{id}/invitees";
const KINDS: [&str; 4] = [
    "30 Minute Consultation",
    "Product Demo",
    "Weekly Webinar",
    "Office Visit",
];

/// A booking that somebody has.
struct Held {
    invitee: String,
    kind: &'static str,
    start: Timestamp,
    marked: bool,
}

/// People who book, join, move, cancel and stay away, as a seed has it.
struct Life {
    random: StdRng,
    held: Vec<Held>,
    now: Timestamp,
    booked: usize,
    done: [usize; 5],
}

impl Life {
    fn hours(&self, hours: i64) -> Timestamp {
        self.now + SignedDuration::from_hours(hours)
    }

    /// A start that a sync looks at: some in the past two days, most in the year that follows.
    fn start(&mut self) -> Timestamp {
        if self.random.random_bool(0.2) {
            let ago = self.random.random_range(2..40);
            self.hours(-ago)
        } else {
            let ahead = self.random.random_range(24..24 * 365);
            self.hours(ahead)
        }
    }

    async fn book(&mut self, desk: &mut Desk<'_>, kind: &'static str, start: Timestamp) {
        self.booked += 1;
        let name = format!("Booker {}", self.booked);
        let mut booking = json!({
            "name": name,
            "email": format!("booker.{}@example.com", self.booked),
            "eventType": kind,
            "startTime": start.to_string(),
            "host": desk.account.id,
        });
        if self.booked.is_multiple_of(5) {
            booking["guests"] = json!([format!("guest.{}@example.com", self.booked)]);
            booking["answers"] = json!([{ "question": "What about?", "answer": "A \"plan\"" }]);
            booking["tracking"] = json!({ "utm_source": "newsletter" });
        }
        let invitee = desk.book_with(&booking).await;
        self.held.push(Held {
            invitee,
            kind,
            start,
            marked: false,
        });
    }

    /// Does one thing, and counts it.
    async fn act(&mut self, desk: &mut Desk<'_>) {
        let what = match self.random.random_range(0..100) {
            _ if self.held.len() < 5 => 0,
            ..35 => 0,
            35..50 => 1,
            50..70 => 2,
            70..85 => 3,
            _ => 4,
        };
        self.done[what] += 1;
        let at = self.random.random_range(0..self.held.len().max(1));
        match what {
            0 => {
                let kind = KINDS[self.random.random_range(0..KINDS.len())];
                let start = self.start();
                self.book(desk, kind, start).await;
            }
            // Joins a group event.
            1 => {
                let groups = self.held.iter().filter(|held| held.kind == KINDS[2]);
                let starts: Vec<_> = groups.map(|held| held.start).collect();
                let start = match starts.len() {
                    0 => self.start(),
                    count => starts[self.random.random_range(0..count)],
                };
                self.book(desk, KINDS[2], start).await;
            }
            2 => {
                let start = self.start();
                let mut change = json!({ "startTime": start.to_string() });
                if self.random.random_bool(0.5) {
                    change["reason"] = "Another time".into();
                    change["by"] = "host".into();
                }
                let held = &mut self.held[at];
                held.invitee = desk.reschedule(&held.invitee, &change).await;
                (held.start, held.marked) = (start, false);
            }
            3 => {
                let held = self.held.swap_remove(at);
                let by_host = self.random.random_bool(0.3);
                let by = if by_host { "host" } else { "invitee" };
                let change = json!({ "by": by, "reason": "Something came up" });
                desk.cancel(&held.invitee, &change).await;
            }
            // Only of what has begun: of all else a sync can't see a mark.
            _ => {
                let begun = |held: &&mut Held| held.start <= self.now;
                let mut begun: Vec<_> = self.held.iter_mut().filter(begun).collect();
                if begun.is_empty() {
                    self.done[what] -= 1;
                    return;
                }
                let at = self.random.random_range(0..begun.len());
                begun[at].marked = !begun[at].marked;
                desk.no_show(&begun[at].invitee, begun[at].marked).await;
            }
        }
    }
}

async fn drops_are_healed(stack: &Stack, sandbox: &Sandbox, seed: u64) {
    let account = sandbox.account("Hanna Heals").await;
    let mut desk = Desk::connected(stack, sandbox, account).await;
    stack.until_first_sync(&desk.account).await;

    let mut life = Life {
        random: StdRng::seed_from_u64(seed),
        held: Vec::new(),
        now: Timestamp::from_second(Timestamp::now().as_second()).unwrap(),
        booked: 0,
        done: [0; 5],
    };
    let faults = json!({ "seed": seed, "drop": 0.3, "repeat": 0.2, "reorder": true });
    let deliveries = sandbox
        .with_faults(&faults, async || {
            while life.done.iter().sum::<usize>() < ACTIONS {
                life.act(&mut desk).await;
            }
            desk.applied_but_dropped().await
        })
        .await;
    assert!(life.done.iter().all(|count| *count > 30), "{:?}", life.done);

    // Webhooks were missed …
    let made = deliveries.iter().filter(|it| it["repeat"] == false).count();
    let of = |what: &dyn Fn(&&Value) -> bool| 100 * deliveries.iter().filter(what).count() / made;
    let dropped = of(&|it| it["state"] == "dropped");
    let repeated = of(&|it| it["repeat"] == true);
    assert!((20..40).contains(&dropped), "{dropped} % dropped");
    assert!((8..25).contains(&repeated), "{repeated} % repeated");
    let before = desk.differences().await;
    let wrong = 100 * before.len() / desk.events.len();
    assert!(wrong > 20, "only {wrong} % differed: {before:#?}");

    // … and one sync makes up for all of them.
    let sync = stack.sync(&desk.account).await;
    assert_eq!(sync["total"], desk.events.len(), "{sync:#}");
    assert_eq!(sync["vanished"], 0, "{sync:#}");
    // Fewer than differed: what leads from one event to the other is written with one of them.
    let changed = sync["changed"].as_u64().unwrap();
    assert!(
        changed > before.len() as u64 / 2,
        "{} {sync:#}",
        before.len()
    );
    desk.assert_same().await;
    let (from, to) = (life.hours(-48), life.hours(24 * 366));
    desk.assert_listed(&from.to_string(), &to.to_string()).await;

    // A second one has nothing to write, and asks only for people of what has begun.
    sandbox.clear_calls().await;
    let sync = stack.sync(&desk.account).await;
    assert_eq!(sync["total"], desk.events.len(), "{sync:#}");
    assert_eq!(sync["changed"], 0, "{sync:#}");
    let begun = desk.begun().await;
    assert!(begun > 20, "{begun} have begun");
    assert_eq!(sandbox.calls(EVENT).await, 0, "all are in the list");
    assert_eq!(sandbox.calls(INVITEES).await, begun as u64);
    desk.assert_same().await;
}

#[tokio::test]
async fn one_sync_makes_up_for_dropped_webhooks() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    sandbox
        .without_limits(async || drops_are_healed(&stack, &sandbox, 11).await)
        .await;
    let state = sandbox.state().await;
    assert_eq!(state["faults"]["drop"], 0.0, "faults are taken back");
    assert_ne!(state["limits"]["perWindow"], 1_000_000, "and so are limits");
}
