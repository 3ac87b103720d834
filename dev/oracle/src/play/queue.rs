//! A queue with SQS's semantics: at least once, in no order, hidden while it is worked on, and
//! given up after so many receives.

use super::process::Process;
use platform::queue::{DeadLetters, DeliveryRef, Inbox, Jobs, Outbox};
use platform::syncs::SyncJob;
use rand::Rng;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// A message as it is handed out.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) body: String,
    /// How often it was handed out, this time included.
    pub(crate) received: usize,
    visible_at: Instant,
}

impl Message {
    fn receipt(&self) -> String {
        format!("{}:{}", self.id, self.received)
    }

    /// As the function is given it.
    pub(crate) fn record(&self) -> serde_json::Value {
        serde_json::json!({
            "messageId": self.id.to_string(),
            "receiptHandle": self.receipt(),
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": self.received.to_string()},
            "messageAttributes": {},
        })
    }
}

#[derive(Default)]
struct Inner {
    last: u64,
    waiting: Vec<Message>,
    dead: Vec<String>,
}

/// A queue, and its dead letters.
#[derive(Clone)]
pub(crate) struct Queue {
    inner: Arc<Mutex<Inner>>,
    changed: Arc<Notify>,
    /// How long a message that was handed out is hidden.
    hidden: Duration,
    max_receives: usize,
    /// Of a hundred messages that were done, how many are handed out once more.
    repeats: u32,
}

impl Queue {
    pub(crate) fn new(hidden: Duration, max_receives: usize, repeats: u32) -> Self {
        Self {
            inner: Arc::default(),
            changed: Arc::default(),
            hidden,
            max_receives,
            repeats,
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message there, to be seen after `delay`.
    pub(crate) fn put(&self, body: String, delay: Duration) {
        let mut inner = self.inner();
        inner.last += 1;
        let id = inner.last;
        let visible_at = Instant::now() + delay;
        inner.waiting.push(Message {
            id,
            body,
            received: 0,
            visible_at,
        });
        drop(inner);
        self.changed.notify_one();
    }

    /// Ends when something is there to be taken.
    pub(crate) async fn ready(&self) {
        loop {
            let next = self.inner().waiting.iter().map(|m| m.visible_at).min();
            match next {
                Some(at) if at <= Instant::now() => return,
                Some(at) => tokio::select! {
                    biased;
                    () = self.changed.notified() => {}
                    () = tokio::time::sleep_until(at) => {}
                },
                None => self.changed.notified().await,
            }
        }
    }

    /// Hands out up to `most` messages, in any order. Those that were handed out too often are dead
    /// now.
    pub(crate) fn take(&self, most: usize) -> Vec<Message> {
        let now = Instant::now();
        let mut inner = self.inner();
        let mut taken = Vec::new();
        let most = ambient::rng().random_range(1..=most);
        while taken.len() < most {
            let visible = inner.waiting.iter().enumerate();
            let visible: Vec<usize> = visible
                .filter(|(_, message)| message.visible_at <= now)
                .map(|(place, _)| place)
                .collect();
            if visible.is_empty() {
                break;
            }
            let place = visible[ambient::rng().random_range(0..visible.len())];
            if inner.waiting[place].received >= self.max_receives {
                let message = inner.waiting.remove(place);
                inner.dead.push(message.body);
                continue;
            }
            let message = &mut inner.waiting[place];
            message.received += 1;
            message.visible_at = now + self.hidden;
            taken.push(message.clone());
        }
        taken
    }

    /// Forgets a message that was done; or hands it out once more, as SQS may.
    pub(crate) fn done(&self, message: &Message) {
        let again = ambient::rng().random_range(0..100) < self.repeats;
        let later = Duration::from_millis(ambient::rng().random_range(0..120_000));
        let mut inner = self.inner();
        let Some(place) = inner.waiting.iter().position(|m| m.id == message.id) else {
            return;
        };
        if again && inner.waiting[place].received < self.max_receives {
            inner.waiting[place].visible_at = Instant::now() + later;
            drop(inner);
            self.changed.notify_one();
        } else {
            inner.waiting.remove(place);
        }
    }

    fn hide(&self, receipt: &str, delay: Duration) {
        let mut inner = self.inner();
        if let Some(message) = inner.waiting.iter_mut().find(|m| m.receipt() == receipt) {
            message.visible_at = Instant::now() + delay;
        }
        drop(inner);
        self.changed.notify_one();
    }

    /// Puts a body among the dead letters.
    fn bury(&self, body: &str) {
        self.inner().dead.push(body.to_owned());
    }

    /// Sends the dead letters back. Answers how many there were.
    pub(crate) fn redrive(&self) -> usize {
        let dead = std::mem::take(&mut self.inner().dead);
        let count = dead.len();
        for body in dead {
            self.put(body, Duration::ZERO);
        }
        count
    }

    /// Whether nothing waits here.
    pub(crate) fn is_empty(&self) -> bool {
        self.inner().waiting.is_empty()
    }

    /// From now on nothing is handed out twice.
    pub(crate) fn calm(&mut self) {
        self.repeats = 0;
    }
}

/// A queue as a process reaches it.
#[derive(Clone)]
pub(crate) struct Port {
    pub(crate) process: Arc<Process>,
    pub(crate) queue: Queue,
}

impl Port {
    async fn reach(&self, what: &'static str, act: impl FnOnce()) -> platform::Result<()> {
        let reached = self.process.call(what, async { act() }).await;
        reached.map_err(|_| platform::Error::Aws {
            action: what,
            cause: "no connection".to_owned(),
        })
    }
}

fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

impl Outbox for Port {
    async fn send(&self, delivery: &DeliveryRef) -> platform::Result<()> {
        let put = || self.queue.put(text(delivery), Duration::ZERO);
        self.reach("queue a delivery", put).await
    }
}

impl Jobs<SyncJob> for Port {
    async fn push(&self, job: &SyncJob, delay: Duration) -> platform::Result<()> {
        let delay = delay.min(Duration::from_secs(900));
        let put = || self.queue.put(text(job), delay);
        self.reach("queue a job", put).await
    }
}

impl Inbox for Port {
    async fn hide(&self, receipt: &str, delay: Duration) -> platform::Result<()> {
        let hide = || self.queue.hide(receipt, delay);
        self.reach("hide a message", hide).await
    }
}

impl DeadLetters for Port {
    async fn bury(&self, body: &str, _: &str) -> platform::Result<()> {
        let bury = || self.queue.bury(body);
        self.reach("bury a message", bury).await
    }
}
