//! The function against an embedded DynamoDB and a sandbox Calendly.

mod again;
mod crowd;
mod elsewhere;
mod metrics;
mod paused;
mod runs;
mod told;
mod twist;
mod unreadable;
mod vanished;
mod watch;
mod watching;

use super::*;
use booking::{ConnectionId, Facts, InviteeRecord, InviteeUri, Provider};
use calendly::webhook::{Webhook, read};
use fakes::{FixedSecret, MemoryQueue, MemoryVault};
use jiff::{SignedDuration, Timestamp};
use platform::bookings::EventQuery;
use platform::connections::{ConnectionStatus, LeaseFor, Tokens};
use platform::health::Settings;
use platform::queue::DeliveryRef;
use platform::ticks::TickStore;
use platform::traffic::TrafficStore;
use sandbox::{Options, Sandbox};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use testkit::dynamo::{Crashes, Dynamo};
use twist::{Twisted, page, refusal};

const USER: &str = "https://api.calendly.com/users/AAAAHOSTUSER0001";
const ORGANIZATION: &str = "https://api.calendly.com/organizations/AAAAORG000000001";

type Function = Syncer<MemoryVault, FixedSecret, MemoryQueue<SyncJob>, MemoryQueue<DeliveryRef>>;

struct Stage {
    dynamo: Dynamo,
    /// Counts the calls to the table of bookings.
    calls: Crashes,
    /// Stops writes to the table of connections.
    crashes: Crashes,
    sandbox: Sandbox,
    jobs: MemoryQueue<SyncJob>,
    /// The way to Calendly.
    wire: Twisted,
    function: Function,
    http: reqwest::Client,
    clock: Ahead,
    /// The id of the sync that was asked for last.
    asked: RefCell<String>,
}

/// Lets this thread's clock run ahead of the real one.
struct Ahead {
    by: Rc<Cell<SignedDuration>>,
    _given: ambient::Given,
}

struct Clock(Rc<Cell<SignedDuration>>, Cell<u64>);

impl ambient::Surroundings for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::now() + self.0.get()
    }

    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            let next = self.1.get().wrapping_mul(6_364_136_223_846_793_005);
            self.1.set(next.wrapping_add(1));
            *byte = self.1.get().to_be_bytes()[0];
        }
    }
}

impl Ahead {
    fn new() -> Self {
        let by = Rc::new(Cell::new(SignedDuration::ZERO));
        let clock = Clock(Rc::clone(&by), Cell::new(1));
        Self {
            by,
            _given: ambient::give(Rc::new(clock)),
        }
    }

    fn minutes(&self, minutes: i64) {
        self.by
            .set(self.by.get() + SignedDuration::from_mins(minutes));
    }
}

/// A run as the schedule asks for.
fn scheduled() -> SyncJob {
    SyncJob {
        connection_id: Some(id()),
        ..SyncJob::default()
    }
}

fn id() -> ConnectionId {
    ConnectionId::from_user_uri(USER).unwrap()
}

impl Stage {
    async fn new() -> Self {
        Self::with(Options {
            rate_limit: 1_000_000,
            disable_after: 0,
            // Else a link that gets ready changes its event meanwhile, on a slow machine.
            conference_delay: Duration::ZERO,
            ..Options::default()
        })
        .await
    }

    async fn with(options: Options) -> Self {
        let dynamo = Dynamo::start().await;
        dynamo.connections("connections").await;
        dynamo.bookings("bookings").await;
        dynamo.deliveries("deliveries").await;
        dynamo.limits("limits").await;
        let token = options.personal_access_token.clone();
        let sandbox = Sandbox::start(options).await.unwrap();
        let crashes = Crashes::none();
        let client = dynamo.crashing(&crashes);
        let connections = ConnectionStore::new(client, "connections".to_owned());
        connections
            .authorized(&id(), USER, ORGANIZATION, &[], "http://127.0.0.1:1")
            .await
            .unwrap();
        let vault = MemoryVault::default();
        vault.put(
            id().as_str(),
            Tokens {
                access_token: token,
                refresh_token: None,
                expires_at: None,
            },
        );
        let calls = Crashes::none();
        let jobs = MemoryQueue::default();
        let wire = Twisted::default();
        let deliveries = DeliveryStore::new(dynamo.client(), "deliveries".to_owned());
        let function = Syncer {
            sources: Sources {
                deliveries: deliveries.clone(),
                connections: connections.clone(),
                traffic: TrafficStore::new(dynamo.client(), "limits".to_owned()),
                ticks: TickStore::new(dynamo.client(), "connections".to_owned()),
                settings: Settings {
                    sync_overdue: SignedDuration::from_hours(1),
                    quiet: None,
                    every_gauge: true,
                },
            },
            connections,
            syncs: SyncStore::new(dynamo.client(), "connections".to_owned()),
            bookings: BookingStore::new(dynamo.crashing(&calls), "bookings".to_owned()),
            deliveries,
            jobs: jobs.clone(),
            webhooks: MemoryQueue::default(),
            vault,
            app: RotatingSecret::new(
                FixedSecret(r#"{"signingKey":"a-key"}"#.to_owned()),
                "Calendly secret",
                Duration::from_secs(60),
            ),
            http: calendly::Http::by(Arc::new(wire.clone()), reqwest::Client::new()),
            endpoints: Endpoints {
                api: sandbox.base_url().to_owned(),
                auth: sandbox.base_url().to_owned(),
            },
        };
        Self {
            dynamo,
            calls,
            crashes,
            sandbox,
            jobs,
            wire,
            function,
            http: reqwest::Client::new(),
            clock: Ahead::new(),
            asked: RefCell::default(),
        }
    }

    async fn control(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.sandbox.base_url());
        let request = self.http.request(method.parse().unwrap(), url).json(&body);
        let answer = request.send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{method} {path}: {}",
            answer.status()
        );
        answer.json().await.unwrap_or_default()
    }

    async fn book(&self, hours: i64) -> (String, String) {
        let start = ambient::now() + SignedDuration::from_hours(hours);
        let made = self
            .control(
                "POST",
                "bookings",
                json!({"name": "Robin Example", "email": "robin@example.com", "startTime": start}),
            )
            .await;
        let last = |name: &str| {
            made[name]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned()
        };
        (last("eventUri"), last("inviteeUri"))
    }

    /// Asks for a sync of the connection; answers the job that does it.
    async fn asked_for(&self) -> SyncJob {
        let id = ambient::uuid();
        self.function.syncs.requested(&id).await.unwrap();
        let planned = self.function.syncs.planned(&id, 0, 1, &[], true);
        planned.await.unwrap();
        self.asked.replace(id.clone());
        SyncJob {
            sync_id: Some(id),
            ..scheduled()
        }
    }

    /// Runs one sync to its end; answers how many messages it took.
    async fn sync(&self, limit: Duration) -> usize {
        let mut job = self.asked_for().await;
        let mut messages = 0;
        loop {
            messages += 1;
            let body = serde_json::to_string(&job).unwrap();
            let batch = json!({"Records": [{"messageId": "m", "body": body}]});
            let until = SystemTime::from(ambient::now()) + limit;
            let answer = self.function.handle(batch, until).await.unwrap();
            assert_eq!(answer["batchItemFailures"], json!([]));
            match self.jobs.drain().pop() {
                Some((next, delay)) => {
                    // The sandbox's windows are of this clock, too.
                    tokio::time::pause();
                    tokio::time::advance(delay).await;
                    tokio::time::resume();
                    job = next;
                }
                None => return messages,
            }
            assert!(messages < 1000, "it comes to an end");
        }
    }

    /// Hands the function one message, and answers what it says of it.
    async fn once(&self, job: &SyncJob) -> Value {
        let batch = json!({"Records": [{"messageId": "m", "body": json!(job).to_string()}]});
        let until = SystemTime::from(ambient::now()) + LONG;
        self.function.handle(batch, until).await.unwrap()
    }

    /// The sync that was asked for last, as its caller sees it.
    async fn told(&self) -> platform::syncs::Sync {
        let id = self.asked.borrow().clone();
        self.function.syncs.get(&id).await.unwrap().unwrap()
    }

    /// Stores a booking as its webhook would have told of it.
    async fn told_of(&self, event: &str, invitee: &str, start: Timestamp) {
        let event = format!("https://api.calendly.com/scheduled_events/{event}");
        let (at, end) = (
            "2026-11-20T09:15:01.000000Z",
            start + SignedDuration::from_mins(30),
        );
        let body = json!({
            "created_at": at, "created_by": USER, "event": "invitee.created",
            "payload": {"uri": format!("{event}/invitees/{invitee}"), "event": event,
                "email": "r@example.com", "name": "R", "status": "active", "rescheduled": false,
                "old_invitee": null, "new_invitee": null, "no_show": null,
                "created_at": at, "updated_at": at,
                "scheduled_event": {"uri": event, "name": "X", "status": "active",
                    "start_time": format!("{start:.6}"), "end_time": format!("{end:.6}"),
                    "created_at": at, "updated_at": at, "location": null,
                    "invitees_counter": {"total": 60, "active": 60, "limit": 100},
                    "event_memberships": [{"user": USER}], "event_guests": []}}});
        let Ok(Webhook::Booking(told)) = read(body.to_string().as_bytes(), ambient::now()) else {
            panic!("not a booking");
        };
        self.function.bookings.apply(told.facts).await.unwrap();
    }

    /// What is stored, by event: status, start, and each invitee's status and links.
    async fn stored(&self) -> BTreeMap<String, Value> {
        let mut query = EventQuery {
            limit: 100,
            ..EventQuery::default()
        };
        let mut found = BTreeMap::new();
        loop {
            let page = self.function.bookings.list(&query).await.unwrap();
            for event in page.items {
                let full = self
                    .function
                    .bookings
                    .event(Provider::Calendly, &event.id)
                    .await;
                let event = serde_json::to_value(full.unwrap().unwrap()).unwrap();
                found.insert(event["id"].as_str().unwrap().to_owned(), event);
            }
            match page.next {
                Some(next) => query.after = Some(next),
                None => return found,
            }
        }
    }
}

const LONG: Duration = Duration::from_secs(600);

#[tokio::test]
async fn bookings_that_no_webhook_told_of_are_found_and_then_nothing_is_written() {
    let stage = Stage::new().await;
    let (old, invitee) = stage.book(24).await;
    let moved = json!({"startTime": Timestamp::now() + SignedDuration::from_hours(48)});
    let new = stage
        .control("POST", &format!("bookings/{invitee}/reschedule"), moved)
        .await;
    let (canceled, invitee) = stage.book(30).await;
    stage
        .control("POST", &format!("bookings/{invitee}/cancel"), json!({}))
        .await;

    stage.sync(LONG).await;
    let stored = stage.stored().await;
    assert_eq!(stored.len(), 3);
    assert_eq!(stored[&old]["status"], "canceled");
    assert_eq!(stored[&old]["invitees"][0]["status"], "rescheduled");
    assert_eq!(
        stored[&old]["invitees"][0]["rescheduledTo"],
        new["inviteeUri"]
    );
    assert_eq!(stored[&canceled]["invitees"][0]["status"], "canceled");
    let sync = stage.told().await;
    assert_eq!(
        (sync.state, sync.finished, sync.synced_count),
        ("done", 1, 3)
    );
    assert_eq!(
        (sync.changed, sync.total, sync.errors.len()),
        (3, Some(3), 0)
    );

    let before = stage.dynamo.dump("bookings").await;
    stage.control("DELETE", "calls", json!({})).await;
    let written = stage.calls.writes();
    stage.sync(LONG).await;
    assert_eq!(
        stage.calls.writes(),
        written,
        "a second sync writes nothing"
    );
    assert_eq!(stage.dynamo.dump("bookings").await, before);
    let calls = stage.control("GET", "calls", json!({})).await.to_string();
    assert!(
        !calls.contains("invitees"),
        "and reads no invitees: {calls}"
    );
}

#[tokio::test]
async fn whoever_was_erased_is_not_looked_for_again() {
    let stage = Stage::new().await;
    let (event, invitee) = stage.book(24).await;
    stage.sync(LONG).await;
    let uri = format!("https://api.calendly.com/scheduled_events/{event}/invitees/{invitee}");
    let mut erased = InviteeRecord::about(InviteeUri::parse(&uri).unwrap());
    erased.erased = true;
    let mut facts = Facts::new(Provider::Calendly);
    facts.add_invitee(&erased);
    stage.function.bookings.apply(facts).await.unwrap();

    let before = stage.dynamo.dump("bookings").await;
    assert!(before.contains(&event) && !before.contains("robin@example.com"));
    stage.control("DELETE", "calls", json!({})).await;
    let written = stage.calls.writes();
    stage.sync(LONG).await;
    assert_eq!(stage.calls.writes(), written);
    assert_eq!(stage.dynamo.dump("bookings").await, before);
    let calls = stage.control("GET", "calls", json!({})).await.to_string();
    assert!(!calls.contains("invitees"), "{calls}");
}

#[tokio::test]
async fn quiet_changes_are_noticed() {
    let stage = Stage::new().await;
    let (changed, _) = stage.book(24).await;
    let (stays, _) = stage.book(36).await;
    stage.sync(LONG).await;

    let start = ambient::now() + SignedDuration::from_hours(72);
    let path = format!("events/{changed}");
    stage
        .control("PATCH", &path, json!({"startTime": start}))
        .await;
    stage.sync(LONG).await;
    let stored = stage.stored().await;
    let now: Timestamp = stored[&changed]["startTime"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(now.as_second(), start.as_second());
    assert_eq!(stored[&stays]["status"], "active");
    assert_eq!(stage.told().await.vanished, 0);
}

#[tokio::test]
async fn a_no_show_mark_of_a_meeting_that_has_begun_is_noticed() {
    let stage = Stage::new().await;
    let (event, invitee) = stage.book(-2).await;
    stage.sync(LONG).await;
    let path = format!("bookings/{invitee}/no-show");
    for (method, want) in [("POST", true), ("DELETE", false)] {
        stage.control(method, &path, json!({})).await;
        stage.sync(LONG).await;
        assert_eq!(stage.stored().await[&event]["invitees"][0]["noShow"], want);
    }
}

#[tokio::test]
async fn a_no_show_mark_is_looked_after_where_its_meeting_was_put_to_another_time() {
    let stage = Stage::new().await;
    let (event, invitee) = stage.book(-2).await;
    let mark = format!("bookings/{invitee}/no-show");
    stage.control("POST", &mark, json!({})).await;
    stage.sync(LONG).await;
    let later = ambient::now() + SignedDuration::from_hours(24);
    let path = format!("events/{event}");
    stage
        .control("PATCH", &path, json!({"startTime": later}))
        .await;
    stage.sync(LONG).await;
    assert_eq!(stage.stored().await[&event]["invitees"][0]["noShow"], true);
    stage.control("DELETE", &mark, json!({})).await;
    stage.sync(LONG).await;
    assert_eq!(stage.stored().await[&event]["invitees"][0]["noShow"], false);
}

#[tokio::test]
async fn a_connection_that_is_gone_is_told_and_not_tried_again() {
    let stage = Stage::new().await;
    stage.function.connections.remove(&id()).await.unwrap();
    stage.sync(LONG).await;
    let sync = stage.told().await;
    assert_eq!((sync.state, sync.failed), ("failed", 1));
    assert!(sync.errors[0].error.contains("not connected"));
}

#[tokio::test]
async fn a_sync_that_fails_says_why_and_in_the_end_that_it_failed() {
    let stage = Stage::new().await;
    stage.book(24).await;
    let faults = json!({"apiErrors": {"500": 1.0}});
    stage.control("PUT", "faults", faults).await;
    let job = stage.asked_for().await;
    let body = serde_json::to_string(&job).unwrap();
    for (receives, state) in [("1", "retrying"), ("5", "failed")] {
        let batch = json!({"Records": [{
            "messageId": "m",
            "body": body,
            "attributes": {"ApproximateReceiveCount": receives},
        }]});
        let until = SystemTime::now() + LONG;
        let answer = stage.function.handle(batch, until).await.unwrap();
        assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], "m");
        let sync = stage.told().await;
        assert_eq!(sync.state, state);
        assert!(
            sync.errors.last().unwrap().error.contains("500"),
            "{:?}",
            sync.errors
        );
    }
}

#[tokio::test]
async fn a_sync_of_all_that_cannot_be_planned_fails_in_the_end() {
    let mut stage = Stage::new().await;
    let job = SyncJob {
        connection_id: None,
        ..stage.asked_for().await
    };
    let sync = job.sync_id.clone().unwrap();
    stage.function.syncs.requested(&sync).await.unwrap();
    stage.function.connections = ConnectionStore::new(stage.dynamo.client(), "none".to_owned());
    for (receives, state) in [("1", "retrying"), ("5", "failed")] {
        let batch = json!({"Records": [{
            "messageId": "m",
            "body": json!(job).to_string(),
            "attributes": {"ApproximateReceiveCount": receives},
        }]});
        let until = SystemTime::now() + LONG;
        let answer = stage.function.handle(batch, until).await.unwrap();
        assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], "m");
        assert_eq!(stage.told().await.state, state);
    }
}
