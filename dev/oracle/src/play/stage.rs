//! The whole service: its functions, each run as a process of its own, its tables and its queues.

use super::asked::Listener;
use super::process::{Process, ToCalendly, ToDatabase};
use super::queue::{Message, Port, Queue};
use super::trace::Trace;
use super::world::World;
use crate::history::{History, Stop};
use booking::ConnectionId;
use calendly::Http;
use calendly::api::Endpoints;
use calendly::signature::SigningKey;
use fakes::{FixedSecret, MemoryVault};
use jiff::SignedDuration;
use lambda_http::{Body, Request};
use platform::apply::Bookkeeper;
use platform::bookings::BookingStore;
use platform::connections::{ConnectionStore, Tokens};
use platform::deliveries::{DeliveryStore, Reopened};
use platform::health::{Settings, Sources};
use platform::http::TrackingId;
use platform::limits::Limiter;
use platform::queue::DeliveryRef;
use platform::secrets::RotatingSecret;
use platform::syncs::SyncStore;
use platform::ticks::TickStore;
use platform::traffic::{TrafficCounter, TrafficStore};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};
use sync::handler::Syncer;
use testkit::dynamo::Dynamo;
use tokio::task::spawn_local;
use webhook::handler::{Receiver, SigningKeys};
use webhook::routes::Webhooks;
use worker::handler::Worker;

/// The key that webhooks are signed with.
const KEY: &str = "oracle-signing-key-0123456789abcdef";
/// Where the service is reached.
const BASE_URL: &str = "https://hooks.example.com";
/// As the template has it.
const HIDDEN: Duration = Duration::from_secs(360);
pub(crate) const RETENTION: SignedDuration = SignedDuration::from_hours(24 * 30);
const RETRIES: [u64; 5] = [60, 300, 900, 1800, 3600];
/// How long Calendly waits before it sends a webhook again that was not taken.
const CALENDLY_RETRIES: [u64; 5] = [60, 240, 900, 3600, 7200];
/// The webhook's and the worker's limits.
const WEBHOOK_LIMIT: Duration = Duration::from_secs(10);
const WORKER_LIMIT: Duration = Duration::from_secs(60);

/// The service, and the world that it copies.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) dynamo: Dynamo,
    pub(crate) trace: Arc<Trace>,
    pub(crate) deliveries: RefCell<Queue>,
    pub(crate) syncs: RefCell<Queue>,
    pub(crate) listener: Listener,
    vault: MemoryVault,
    /// What deliveries said to have changed before they were replayed.
    said: RefCell<BTreeMap<String, Vec<String>>>,
    runs: Cell<u32>,
    sync_runs: Cell<u32>,
    stops: RefCell<Vec<Stop>>,
    last_writes: RefCell<Vec<u64>>,
    sync_limit: Cell<Duration>,
    /// Webhooks and runs that are under way.
    busy: Cell<usize>,
    /// How many of them are webhooks that are still to come.
    to_come: Cell<usize>,
}

/// Makes requests, which [`ToCalendly`] sends. To make one takes long: it reads the system's
/// certificates.
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(reqwest::Client::new);

struct Keys;

impl SigningKeys for Keys {
    async fn keys(&self) -> platform::Result<Vec<SigningKey>> {
        Ok(SigningKey::new(KEY).into_iter().collect())
    }
    async fn keys_now(&self) -> platform::Result<Vec<SigningKey>> {
        self.keys().await
    }
}

impl Stage {
    /// A service with empty tables, and the accounts of `history` connected to it.
    pub(crate) async fn new(history: &History, trace: Arc<Trace>) -> Rc<Self> {
        let dynamo = Dynamo::inside();
        dynamo.bookings("bookings").await;
        dynamo.connections("connections").await;
        dynamo.deliveries("deliveries").await;
        dynamo.limits("limits").await;
        let repeats = history.setup.repeats;
        let world = World::new(&history.setup);
        let accounts = world.connected();
        let stage = Self {
            listener: world.listener(&accounts),
            world,
            dynamo,
            trace,
            deliveries: RefCell::new(Queue::new(HIDDEN, RETRIES.len() + 1, repeats)),
            syncs: RefCell::new(Queue::new(HIDDEN, 5, repeats)),
            vault: MemoryVault::default(),
            said: RefCell::default(),
            runs: Cell::new(0),
            sync_runs: Cell::new(0),
            stops: RefCell::new(history.stops.clone()),
            last_writes: RefCell::new(history.last_writes.clone()),
            sync_limit: Cell::new(Duration::from_secs(history.setup.run_seconds)),
            busy: Cell::new(0),
            to_come: Cell::new(0),
        };
        for account in &accounts {
            stage.connect(account).await;
        }
        let stage = Rc::new(stage);
        spawn_local(stage.clone().pump_deliveries());
        spawn_local(stage.clone().pump_syncs());
        stage
    }

    async fn connect(&self, account: &super::world::Account) {
        let Ok(id) = ConnectionId::from_user_uri(&account.user_uri) else {
            return;
        };
        self.authorized(&id, &account.user_uri, &account.organization_uri)
            .await;
        let tokens = Tokens {
            access_token: account.token.clone(),
            refresh_token: None,
            expires_at: None,
        };
        self.vault.put(id.as_str(), tokens);
    }

    async fn authorized(&self, id: &ConnectionId, user: &str, organization: &str) {
        let store = ConnectionStore::new(self.dynamo.client(), "connections".to_owned());
        let stored = store.authorized(id, user, organization, &[], BASE_URL);
        if let Err(error) = stored.await {
            self.trace.line(|| format!("not connected: {error}"));
        }
    }

    /// Lets Dana authorize again, from the organization that she is in now. Her token stays as it is.
    pub(crate) async fn authorize_again(&self) {
        let Some((user, organization)) = self.world.dana() else {
            return;
        };
        if let Ok(id) = ConnectionId::from_user_uri(&user) {
            self.authorized(&id, &user, &organization).await;
        }
    }

    /// Begins something that [`Self::idle`] waits for.
    pub(crate) fn busy(self: &Rc<Self>) -> Busy {
        self.busy.set(self.busy.get() + 1);
        Busy(self.clone())
    }

    /// Whether nothing is under way, and nothing waits to be done.
    pub(crate) fn idle(&self) -> bool {
        let waiting = !self.deliveries.borrow().is_empty() || !self.syncs.borrow().is_empty();
        self.busy.get() == 0 && !waiting
    }

    /// Whether nothing but webhooks that are still to come would bring it anything to do.
    pub(crate) fn waits_for_webhooks(&self) -> bool {
        let waiting = !self.deliveries.borrow().is_empty() || !self.syncs.borrow().is_empty();
        self.busy.get() == self.to_come.get() && !waiting
    }

    /// How often the sync function ran.
    pub(crate) fn sync_runs(&self) -> u32 {
        self.sync_runs.get()
    }

    /// What deliveries said to have changed before they were replayed.
    pub(crate) fn said(&self) -> BTreeMap<String, Vec<String>> {
        self.said.borrow().clone()
    }

    /// From now on nothing goes wrong.
    pub(crate) fn calm(&self) {
        self.stops.borrow_mut().clear();
        self.last_writes.borrow_mut().clear();
        self.deliveries.borrow_mut().calm();
        self.syncs.borrow_mut().calm();
        self.sync_limit.set(Duration::from_secs(60));
        self.world.calm();
    }

    fn process(&self, function: &'static str) -> Arc<Process> {
        let number = self.runs.get();
        self.runs.set(number + 1);
        self.trace.line(|| format!("run {number}: {function}"));
        let stops = self.stops.borrow();
        let mine = stops.iter().filter(|stop| stop.run == number);
        let last_writes = self.last_writes.borrow().clone();
        Process::new(
            number,
            mine.cloned().collect(),
            last_writes,
            self.trace.clone(),
        )
    }

    fn port(process: &Arc<Process>, queue: &RefCell<Queue>) -> Port {
        Port {
            process: process.clone(),
            queue: queue.borrow().clone(),
        }
    }

    fn database(&self, process: &Arc<Process>) -> aws_sdk_dynamodb::Client {
        self.dynamo.through(Arc::new(ToDatabase(process.clone())))
    }

    fn log(&self, process: &Arc<Process>) -> DeliveryStore {
        DeliveryStore::new(self.database(process), "deliveries".to_owned())
    }

    /// The log, reached without faults.
    pub(crate) fn plain_log(&self) -> DeliveryStore {
        DeliveryStore::new(self.dynamo.client(), "deliveries".to_owned())
    }

    /// Has the delivery that a number names applied again, as an operator does.
    pub(crate) async fn replay(&self, number: usize) {
        let all = self.log_of_deliveries().await;
        let Some(delivery) = all.get(number % all.len().max(1)) else {
            return;
        };
        let said = delivery.changes.clone().unwrap_or_default();
        let id = delivery.id.to_string();
        self.said.borrow_mut().entry(id).or_insert(said);
        if let Ok(Reopened::Yes(delivery)) = self.plain_log().reopen(&delivery.id).await {
            let message = DeliveryRef::from(delivery.as_ref());
            let body = serde_json::to_string(&message).unwrap_or_default();
            self.deliveries.borrow().put(body, Duration::ZERO);
        }
    }

    fn bookings(&self, process: &Arc<Process>) -> BookingStore {
        BookingStore::new(self.database(process), "bookings".to_owned())
    }

    /// A webhook comes after `delay`, and again until it is taken.
    pub(crate) fn deliver(self: &Rc<Self>, webhook: super::world::Webhook, delay: Duration) {
        let (stage, busy) = (self.clone(), self.busy());
        spawn_local(async move {
            stage.to_come.set(stage.to_come.get() + 1);
            tokio::time::sleep(delay).await;
            stage.to_come.set(stage.to_come.get() - 1);
            for wait in CALENDLY_RETRIES {
                if stage.receive(&webhook).await {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(wait)).await;
            }
            drop(busy);
        });
    }

    /// Answers whether it was taken.
    async fn receive(&self, webhook: &super::world::Webhook) -> bool {
        let process = self.process("webhook");
        let webhooks: Webhooks<Port, Keys, Bookkeeper<Port>, FixedSecret> = Webhooks {
            receiver: Receiver {
                log: self.log(&process),
                queue: Self::port(&process, &self.deliveries),
                keys: Keys,
                limiter: Limiter::new(self.database(&process), "limits".to_owned()),
                traffic: TrafficCounter::new(TrafficStore::new(
                    self.database(&process),
                    "limits".to_owned(),
                )),
                tolerance: Duration::from_secs(180),
                retention: RETENTION,
            },
            tester: None,
        };
        let body = webhook.body.as_bytes();
        let signature = testkit::sign(KEY, self.world.now().as_second(), body);
        let path = webhook.url.strip_prefix(BASE_URL).unwrap_or(&webhook.url);
        let request = lambda_http::http::Request::builder()
            .method("POST")
            .uri(path)
            .header("content-type", "application/json")
            .header(calendly::signature::HEADER, signature)
            .body(Body::from(body.to_vec()));
        let Ok(request): Result<Request, _> = request else {
            return false;
        };
        let tracking_id = TrackingId::random();
        let answer = webhooks.handle(&request, &tracking_id);
        let answer = process.run(WEBHOOK_LIMIT, Box::pin(answer)).await;
        let status = answer.map(|answer| answer.status());
        self.trace
            .line(|| format!("run {} answers {status:?}", process.number));
        status.is_some_and(|status| status.is_success())
    }

    async fn pump_deliveries(self: Rc<Self>) {
        loop {
            let queue = self.deliveries.borrow().clone();
            queue.ready().await;
            let batch = queue.take(10);
            if !batch.is_empty() {
                let (stage, busy) = (self.clone(), self.busy());
                spawn_local(async move {
                    stage.work(batch).await;
                    drop(busy);
                });
            }
        }
    }

    async fn pump_syncs(self: Rc<Self>) {
        loop {
            let queue = self.syncs.borrow().clone();
            queue.ready().await;
            let batch = queue.take(1);
            if !batch.is_empty() {
                let (stage, busy) = (self.clone(), self.busy());
                spawn_local(async move {
                    stage.sync(Some(batch)).await;
                    drop(busy);
                });
            }
        }
    }

    async fn work(&self, batch: Vec<Message>) {
        let process = self.process("worker");
        let worker = Arc::new(Worker {
            bookkeeper: Bookkeeper {
                jobs: Self::port(&process, &self.syncs),
                deliveries: self.log(&process),
                bookings: self.bookings(&process),
            },
            deliveries: self.log(&process),
            inbox: Self::port(&process, &self.deliveries),
            dead_letters: Self::port(&process, &self.deliveries),
            schedule: RETRIES.map(Duration::from_secs).to_vec(),
            record_limit: Duration::from_secs(30),
        });
        let Ok(event) = serde_json::from_value(payload(&batch)) else {
            return;
        };
        let answer = process.run(WORKER_LIMIT, worker.handle(event)).await;
        let answer = answer.map(|answer| json!(answer));
        self.settle(&process, &self.deliveries, &batch, answer.as_ref());
    }

    /// A run of the sync function: the schedule's tick, or a batch.
    pub(crate) async fn sync(&self, batch: Option<Vec<Message>>) {
        let process = self.process("sync");
        self.sync_runs.set(self.sync_runs.get() + 1);
        let wire = ToCalendly {
            process: process.clone(),
            router: self.world.router(),
            listener: self.listener.clone(),
            twists: self.world.twists(),
        };
        let here = "https://api.calendly.com".to_owned();
        let connections = ConnectionStore::new(self.database(&process), "connections".to_owned());
        let syncer = Syncer {
            sources: Sources {
                deliveries: self.log(&process),
                connections: connections.clone(),
                traffic: TrafficStore::new(self.database(&process), "limits".to_owned()),
                ticks: TickStore::new(self.database(&process), "connections".to_owned()),
                settings: Settings {
                    sync_overdue: SignedDuration::from_hours(1),
                    quiet: None,
                    every_gauge: true,
                },
            },
            connections,
            syncs: SyncStore::new(self.database(&process), "connections".to_owned()),
            bookings: self.bookings(&process),
            deliveries: self.log(&process),
            jobs: Self::port(&process, &self.syncs),
            webhooks: Self::port(&process, &self.deliveries),
            vault: self.vault.clone(),
            app: RotatingSecret::new(
                FixedSecret(json!({"signingKey": KEY}).to_string()),
                "Calendly secret",
                Duration::from_secs(60),
            ),
            http: Http::by(Arc::new(wire), HTTP.clone()),
            endpoints: Endpoints {
                api: here.clone(),
                auth: here,
            },
        };
        let limit = self.sync_limit.get();
        let end = SystemTime::from(ambient::now()) + limit;
        let payload = batch.as_deref().map_or_else(|| json!({}), payload);
        let answer = process
            .run(limit, Box::pin(syncer.handle(payload, end)))
            .await;
        let answer = answer.and_then(|answer| match answer {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.trace
                    .line(|| format!("run {} failed: {error}", process.number));
                None
            }
        });
        if let Some(batch) = batch {
            self.settle(&process, &self.syncs, &batch, answer.as_ref());
        }
    }

    /// What Lambda does with the messages of a batch when its run has ended.
    fn settle(
        &self,
        process: &Process,
        queue: &RefCell<Queue>,
        batch: &[Message],
        answer: Option<&Value>,
    ) {
        let number = process.number;
        let Some(answer) = answer else {
            self.trace.line(|| format!("run {number} did not end"));
            return;
        };
        let failures = answer["batchItemFailures"].as_array();
        let failed: Vec<&str> = failures
            .into_iter()
            .flatten()
            .filter_map(|failure| failure["itemIdentifier"].as_str())
            .collect();
        self.trace
            .line(|| format!("run {number} ends, failed: {failed:?}"));
        for message in batch {
            if !failed.contains(&message.id.to_string().as_str()) {
                queue.borrow().done(message);
            }
        }
    }
}

fn payload(batch: &[Message]) -> Value {
    let records: Vec<Value> = batch.iter().map(Message::record).collect();
    json!({"Records": records})
}

/// Something that is under way.
pub(crate) struct Busy(Rc<Stage>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.busy.set(self.0.busy.get() - 1);
    }
}
