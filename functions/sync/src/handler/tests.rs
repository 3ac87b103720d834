//! The function against an embedded DynamoDB and a sandbox Calendly.

mod metrics;

use super::*;
use booking::{ConnectionId, Facts, InviteeRecord, InviteeUri, Provider};
use fakes::{FixedSecret, MemoryQueue, MemoryVault};
use jiff::{SignedDuration, Timestamp};
use platform::bookings::EventQuery;
use platform::connections::{ConnectionStatus, LeaseFor, Tokens};
use platform::queue::DeliveryRef;
use sandbox::{Options, Sandbox};
use std::collections::BTreeMap;
use std::time::Duration;
use testkit::dynamo::{Crashes, Dynamo};

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
    function: Function,
    http: reqwest::Client,
}

fn id() -> ConnectionId {
    ConnectionId::from_user_uri(USER).unwrap()
}

impl Stage {
    async fn new() -> Self {
        Self::with(Options {
            rate_limit: 1_000_000,
            disable_after: 0,
            ..Options::default()
        })
        .await
    }

    async fn with(options: Options) -> Self {
        let dynamo = Dynamo::start().await;
        dynamo.connections("connections").await;
        dynamo.bookings("bookings").await;
        dynamo.deliveries("deliveries").await;
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
        let function = Syncer {
            connections,
            syncs: SyncStore::new(dynamo.client(), "connections".to_owned()),
            bookings: BookingStore::new(dynamo.crashing(&calls), "bookings".to_owned()),
            deliveries: DeliveryStore::new(dynamo.client(), "deliveries".to_owned()),
            jobs: jobs.clone(),
            webhooks: MemoryQueue::default(),
            vault,
            app: RotatingSecret::new(
                FixedSecret(r#"{"signingKey":"a-key"}"#.to_owned()),
                "Calendly secret",
                Duration::from_secs(60),
            ),
            http: platform::http::outgoing().unwrap(),
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
            function,
            http: reqwest::Client::new(),
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
        let start = Timestamp::now() + SignedDuration::from_hours(hours);
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

    /// Runs one sync to its end; answers how many messages it took.
    async fn sync(&self, limit: Duration) -> usize {
        let mut job = SyncJob {
            sync_id: Some("s-1".to_owned()),
            connection_id: Some(id()),
            ..SyncJob::default()
        };
        self.function.syncs.requested("s-1").await.unwrap();
        self.function.syncs.planned("s-1", 1, true).await.unwrap();
        let mut messages = 0;
        loop {
            messages += 1;
            let body = serde_json::to_string(&job).unwrap();
            let batch = json!({"Records": [{"messageId": "m", "body": body}]});
            let until = SystemTime::now() + limit;
            let answer = self.function.handle(batch, until).await.unwrap();
            assert_eq!(answer["batchItemFailures"], json!([]));
            match self.jobs.drain().pop() {
                Some((next, delay)) => {
                    tokio::time::sleep(delay).await;
                    job = next;
                }
                None => return messages,
            }
            assert!(messages < 1000, "it comes to an end");
        }
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
    let sync = stage.function.syncs.get("s-1").await.unwrap().unwrap();
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
async fn quiet_changes_and_vanished_events_are_noticed() {
    let stage = Stage::new().await;
    let (changed, _) = stage.book(24).await;
    let (gone, _) = stage.book(30).await;
    let (stays, _) = stage.book(36).await;
    stage.sync(LONG).await;

    let start = Timestamp::now() + SignedDuration::from_hours(72);
    let body = json!({"startTime": start});
    stage
        .control("PATCH", &format!("events/{changed}"), body)
        .await;
    stage
        .control("DELETE", &format!("events/{gone}"), json!({}))
        .await;
    stage.sync(LONG).await;
    let stored = stage.stored().await;
    let now: Timestamp = stored[&changed]["startTime"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(now.as_second(), start.as_second());
    assert_eq!(stored[&gone]["status"], "canceled");
    assert_eq!(stored[&gone]["invitees"][0]["canceled"], true);
    assert_eq!(stored[&stays]["status"], "active");
    let sync = stage.function.syncs.get("s-1").await.unwrap().unwrap();
    assert_eq!(sync.vanished, 1);
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
async fn a_run_goes_on_over_many_messages_and_ends_exact() {
    let stage = Stage::new().await;
    let bulk = json!({"count": 450, "webhooks": false});
    stage.control("POST", "bookings/bulk", bulk).await;
    // No time is left for work when what is kept free is taken off.
    let messages = stage.sync(crate::time::NONE_TO_WORK).await;
    assert!(messages > 1, "{messages} messages");
    assert_eq!(stage.stored().await.len(), 450);
}

#[tokio::test]
async fn the_rate_limit_pauses_a_run_and_a_reserve_is_left() {
    let stage = Stage::with(Options {
        rate_limit: 50,
        rate_window: Duration::from_secs(1),
        disable_after: 0,
        ..Options::default()
    })
    .await;
    let bulk = json!({"count": 120, "webhooks": false});
    stage.control("POST", "bookings/bulk", bulk).await;
    let messages = stage.sync(LONG).await;
    assert!(messages > 2, "{messages} messages");
    assert_eq!(stage.stored().await.len(), 120);
    let calls = stage.control("GET", "calls", json!({})).await.to_string();
    assert!(!calls.contains("429"), "{calls}");
}

#[tokio::test]
async fn two_runs_of_one_connection_never_overlap() {
    let stage = Stage::new().await;
    stage.book(24).await;
    let lease = LeaseFor::Sync;
    let minute = SignedDuration::from_secs(60);
    let held = stage.function.connections.lease(&id(), lease, minute).await;
    assert!(held.unwrap().is_some());
    let job = |sync_id: Option<&str>| SyncJob {
        sync_id: sync_id.map(str::to_owned),
        connection_id: Some(id()),
        ..SyncJob::default()
    };
    let deadline = Deadlines::after(LONG);
    stage
        .function
        .work(job(None), &id(), deadline)
        .await
        .unwrap();
    assert!(stage.jobs.drain().is_empty(), "a scheduled one is left out");
    stage
        .function
        .work(job(Some("s-1")), &id(), deadline)
        .await
        .unwrap();
    let waits = stage.jobs.drain();
    assert_eq!(waits.len(), 1);
    assert!(waits[0].1 > Duration::ZERO);
    assert!(stage.stored().await.is_empty());
}

#[tokio::test]
async fn a_subscription_that_is_off_gone_or_foreign_is_healed() {
    let stage = Stage::new().await;
    let subscriptions = async || {
        let state = stage.control("GET", "state", json!({})).await;
        let all = state["subscriptions"].as_array().unwrap().clone();
        let field = |s: &Value, name: &str| s[name].as_str().unwrap_or_default().to_owned();
        all.iter()
            .map(|s| (field(s, "uri"), field(s, "state")))
            .collect::<Vec<_>>()
    };
    stage.sync(LONG).await;
    let first = subscriptions().await;
    assert_eq!(first.len(), 1);
    stage.sync(LONG).await;
    assert_eq!(subscriptions().await, first, "a healthy one is left alone");

    let last = |uri: &str| uri.rsplit('/').next().unwrap().to_owned();
    let path = format!("subscriptions/{}/disable", last(&first[0].0));
    stage.control("POST", &path, json!({})).await;
    stage.sync(LONG).await;
    let second = subscriptions().await;
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].1, "active");
    assert_ne!(second[0].0, first[0].0);

    stage
        .control(
            "DELETE",
            &format!("subscriptions/{}", last(&second[0].0)),
            json!({}),
        )
        .await;
    stage.sync(LONG).await;
    let third = subscriptions().await;
    assert_eq!((third.len(), third[0].1.as_str()), (1, "active"));
}

#[tokio::test]
async fn a_watchdog_that_is_killed_at_any_step_is_made_good_by_the_next() {
    let stage = Stage::new().await;
    let connection = stage
        .function
        .connections
        .get(&id())
        .await
        .unwrap()
        .unwrap();
    let calendly = stage
        .function
        .calendly(&connection, Deadlines::after(LONG))
        .await
        .unwrap();
    let mut killed = 0;
    for step in 0..8 {
        // Whatever is there is switched off; so there are several steps to be taken.
        let state = stage.control("GET", "state", json!({})).await;
        for one in state["subscriptions"].as_array().unwrap() {
            let name = one["uri"].as_str().unwrap().rsplit('/').next().unwrap();
            stage
                .control("POST", &format!("subscriptions/{name}/disable"), json!({}))
                .await;
        }
        let before = stage.crashes.happened();
        stage.crashes.at(step);
        let first = stage.function.watch(&calendly, &connection).await;
        killed += usize::from(first.is_err());
        assert_eq!(first.is_err(), stage.crashes.happened() > before);
        // Far away, so that it stops nothing.
        stage.crashes.at(u8::MAX);
        stage.function.watch(&calendly, &connection).await.unwrap();

        let state = stage.control("GET", "state", json!({})).await;
        let all = state["subscriptions"].as_array().unwrap();
        assert_eq!(all.len(), 1, "step {step}: {all:?}");
        assert_eq!(all[0]["state"], "active");
        let owned = stage
            .function
            .connections
            .subscription(&id())
            .await
            .unwrap();
        assert_eq!(all[0]["uri"], owned.unwrap().uri);
    }
    assert!(killed >= 4, "only {killed} were killed");
}

#[tokio::test]
async fn the_schedule_plans_a_job_for_each_connection_that_works() {
    let stage = Stage::new().await;
    for number in 0..3 {
        let user = format!("https://api.calendly.com/users/U{number}");
        let other = ConnectionId::from_user_uri(&user).unwrap();
        let connections = &stage.function.connections;
        let base = "https://example.com";
        connections
            .authorized(&other, &user, ORGANIZATION, &[], base)
            .await
            .unwrap();
        if number == 0 {
            connections.needs_reauth(&other, None).await.unwrap();
            let lost = connections.get(&other).await.unwrap().unwrap();
            assert_eq!(lost.status, ConnectionStatus::NeedsReauth);
        }
    }
    let until = SystemTime::now() + LONG;
    let answer = stage.function.handle(json!({}), until).await.unwrap();
    assert_eq!(answer["planned"], 3);
    assert_eq!(stage.jobs.drain().len(), 3);

    // With no time at all it still goes on, a page a message.
    stage.function.syncs.requested("all").await.unwrap();
    let all = SyncJob {
        sync_id: Some("all".to_owned()),
        ..SyncJob::default()
    };
    stage.function.plan(&all, Instant::now()).await.unwrap();
    let sync = stage.function.syncs.get("all").await.unwrap().unwrap();
    assert_eq!((sync.state, sync.connections), ("queued", 3));
}

#[tokio::test]
async fn a_connection_that_is_gone_is_told_and_not_tried_again() {
    let stage = Stage::new().await;
    stage.function.connections.remove(&id()).await.unwrap();
    stage.sync(LONG).await;
    let sync = stage.function.syncs.get("s-1").await.unwrap().unwrap();
    assert_eq!((sync.state, sync.failed), ("failed", 1));
    assert!(sync.errors[0].contains("not connected"));
}

#[tokio::test]
async fn a_conference_link_is_read_again_until_it_is_ready() {
    let stage = Stage::with(Options {
        disable_after: 0,
        conference_delay: Duration::from_millis(600),
        ..Options::default()
    })
    .await;
    let (event, _) = stage.book(24).await;
    stage.sync(LONG).await;
    let status = async || stage.stored().await[&event]["location"]["status"].clone();
    assert_eq!(status().await, "processing");
    let mut job = SyncJob {
        connection_id: Some(id()),
        event: Some(platform::syncs::ReadAgain {
            why: platform::syncs::Why::LinkPending,
            event_id: event.clone(),
            reads: 0,
        }),
        ..SyncJob::default()
    };
    stage
        .function
        .read_event(job, &id(), Deadlines::after(LONG))
        .await
        .unwrap();
    let (again, delay) = stage.jobs.drain().pop().unwrap();
    assert_eq!(delay.as_secs(), 120, "later than before");
    job = again;
    // The link is ready when the sandbox says so; then nothing more is queued.
    let url = format!("{}/_sandbox/state", stage.sandbox.base_url());
    loop {
        let state: Value = stage
            .http
            .get(&url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        if state.to_string().contains("\"pushed\"") {
            break;
        }
        tokio::task::yield_now().await;
    }
    stage
        .function
        .read_event(job, &id(), Deadlines::after(LONG))
        .await
        .unwrap();
    assert!(stage.jobs.drain().is_empty());
    assert_eq!(status().await, "pushed");
}

#[tokio::test]
async fn a_sync_that_fails_says_why_and_in_the_end_that_it_failed() {
    let stage = Stage::new().await;
    stage.book(24).await;
    let faults = json!({"apiErrors": {"500": 1.0}});
    stage.control("PUT", "faults", faults).await;
    stage.function.syncs.requested("s-1").await.unwrap();
    let planned = stage.function.syncs.planned("s-1", 1, true).await;
    planned.unwrap();
    let job = SyncJob {
        sync_id: Some("s-1".to_owned()),
        connection_id: Some(id()),
        ..SyncJob::default()
    };
    let body = serde_json::to_string(&job).unwrap();
    for (receives, state) in [("1", "queued"), ("5", "failed")] {
        let batch = json!({"Records": [{
            "messageId": "m",
            "body": body,
            "attributes": {"ApproximateReceiveCount": receives},
        }]});
        let until = SystemTime::now() + LONG;
        let answer = stage.function.handle(batch, until).await.unwrap();
        assert_eq!(answer["batchItemFailures"][0]["itemIdentifier"], "m");
        let sync = stage.function.syncs.get("s-1").await.unwrap().unwrap();
        assert_eq!(sync.state, state);
        assert!(
            sync.errors.last().unwrap().contains("500"),
            "{:?}",
            sync.errors
        );
    }
}
