//! One invocation of a function, as a process that can be killed between any two of its calls.

use super::asked::Listener;
use super::trace::Trace;
use super::twist::Twists;
use crate::history::{How, Stop};
use calendly::{NoReply, Reply, Wire};
use rand::Rng;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use testkit::inside::{Gate, Lost, Passed};
use tokio::sync::Notify;

/// How long a call takes that takes long: others make some dozen calls meanwhile.
const SLOW: Duration = Duration::from_millis(700);

/// A process. All that it does outside itself it does by [`Process::call`].
pub(crate) struct Process {
    /// Which run of a function it is, of all.
    pub(crate) number: u32,
    stops: Vec<Stop>,
    last_writes: Vec<u64>,
    calls: AtomicU32,
    dead: AtomicBool,
    died: Notify,
    trace: Arc<Trace>,
}

impl Process {
    /// The run `number`, to which `stops` happen, and which ends with any of `last_writes`.
    pub(crate) fn new(
        number: u32,
        stops: Vec<Stop>,
        last_writes: Vec<u64>,
        trace: Arc<Trace>,
    ) -> Arc<Self> {
        Arc::new(Self {
            number,
            stops,
            last_writes,
            calls: AtomicU32::new(0),
            dead: AtomicBool::new(false),
            died: Notify::new(),
            trace,
        })
    }

    /// Makes a call: it takes some time, and may be lost before or after its effect, or be the last
    /// thing that this process does.
    pub(crate) async fn call<T>(
        &self,
        what: &str,
        effect: impl Future<Output = T>,
    ) -> Result<T, Lost> {
        if self.dead.load(Ordering::Relaxed) {
            return pending().await;
        }
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let pause = ambient::rng().random_range(1..=25);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        self.pass(number, false).await?;
        let write = self.trace.call(self.number, number, what);
        let done = effect.await;
        if write.is_some_and(|write| self.last_writes.contains(&write)) {
            self.kill();
        }
        self.pass(number, true).await?;
        Ok(done)
    }

    async fn pass(&self, call: u32, after: bool) -> Result<(), Lost> {
        if self.dead.load(Ordering::Relaxed) {
            return pending().await;
        }
        let here = |stop: &&Stop| stop.call == call && stop.after == after;
        match self.stops.iter().find(here).map(|stop| stop.how) {
            None => Ok(()),
            Some(How::Lost) => Err(Lost),
            Some(How::Slow) => {
                tokio::time::sleep(SLOW).await;
                Ok(())
            }
            Some(How::Killed) => {
                self.kill();
                pending().await
            }
        }
    }

    /// Ends it: none of its calls ever returns.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::Relaxed);
        self.died.notify_one();
    }

    /// What `work` gives, or nothing if it is killed before, or runs longer than `limit`.
    pub(crate) async fn run<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.died.notified() => None,
            done = work => Some(done),
            () = tokio::time::sleep(limit) => {
                self.kill();
                None
            }
        }
    }
}

/// Its calls to the database.
pub(crate) struct ToDatabase(pub(crate) Arc<Process>);

impl Gate for ToDatabase {
    fn call(&self, operation: &str, act: Box<dyn FnOnce() + Send>) -> Passed {
        let (process, operation) = (self.0.clone(), operation.to_owned());
        Box::pin(async move { process.call(&operation, async { act() }).await })
    }
}

/// Its calls to Calendly.
pub(crate) struct ToCalendly {
    pub(crate) process: Arc<Process>,
    pub(crate) router: axum::Router,
    pub(crate) listener: Listener,
    pub(crate) twists: Twists,
}

/// How long a call may take.
const CALL_LIMIT: Duration = Duration::from_secs(8);

/// The largest answer that is read.
const MOST: usize = 16 << 20;

impl Wire for ToCalendly {
    fn send(&self, mut request: reqwest::Request) -> calendly::Answer {
        let (process, router) = (self.process.clone(), self.router.clone());
        let (listener, twists) = (self.listener.clone(), self.twists.clone());
        Box::pin(async move {
            let what = format!("{} {}", request.method(), request.url());
            let asked = request.url().clone();
            Twists::ask(request.url_mut());
            let token = request.headers().get("authorization");
            let token = token.and_then(|token| token.to_str().ok()?.strip_prefix("Bearer "));
            let token = token.unwrap_or_default().to_owned();
            let answer = tokio::time::timeout(CALL_LIMIT, async {
                let reply = answer(router, request).await?;
                listener.answered(process.number, &asked, &token, &reply);
                Ok(twists.answer(asked.path(), reply))
            });
            match process.call(&what, answer).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => Err(NoReply::TimedOut),
                Err(Lost) => {
                    tokio::time::sleep(CALL_LIMIT).await;
                    Err(NoReply::TimedOut)
                }
            }
        })
    }
}

async fn answer(router: axum::Router, request: reqwest::Request) -> Result<Reply, NoReply> {
    use tower::ServiceExt;
    let lost = |_| NoReply::BrokenOff;
    let url = request.url();
    let target = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let mut builder = axum::http::Request::builder()
        .method(request.method())
        .uri(target);
    for (name, value) in request.headers() {
        builder = builder.header(name, value);
    }
    let body = request.body().and_then(|body| body.as_bytes());
    let body = axum::body::Body::from(body.unwrap_or_default().to_vec());
    let request = builder.body(body).map_err(|_| NoReply::NotConnected)?;
    let Ok(answer) = router.oneshot(request).await;
    let (parts, body) = answer.into_parts();
    let body = axum::body::to_bytes(body, MOST).await.map_err(lost)?;
    Ok(Reply {
        status: parts.status,
        headers: parts.headers,
        body: body.into(),
    })
}
