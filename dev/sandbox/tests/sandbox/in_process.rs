//! A sandbox without a socket: on a clock and a seed of the test's own, twice the same.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header::AUTHORIZATION};
use jiff::{SignedDuration, Timestamp};
use sandbox::{
    Attempt, By, CallFault, EventChange, Faults, Instead, NewBooking, NewSubscription, Options,
    Refused, Role, Sandbox, WebhookForm, World,
};
use serde_json::{Value, json};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use tower::ServiceExt;

const START: &str = "2027-01-01T00:00:00Z";
const ORGANIZATION: &str = super::support::ORGANIZATION;
const DANA: &str = super::support::DANA;

/// A clock that stands until it is moved, and numbers that count up from a seed.
struct Given {
    now: Cell<Timestamp>,
    number: Cell<u64>,
}

impl ambient::Surroundings for Given {
    fn now(&self) -> Timestamp {
        self.now.get()
    }

    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self.number.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
            self.number.set(number);
            let mixed = (number ^ (number >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            chunk.copy_from_slice(&mixed.to_le_bytes()[..chunk.len()]);
        }
    }
}

struct Stage {
    given: Rc<Given>,
    world: World,
    router: Router,
    token: String,
    _given: ambient::Given,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

impl Stage {
    fn new(seed: u64) -> Self {
        let given = Rc::new(Given {
            now: Cell::new(at(START)),
            number: Cell::new(seed),
        });
        let guard = ambient::give(given.clone());
        let options = Options {
            memory: Duration::from_secs(3600),
            ..Options::default()
        };
        let token = options.personal_access_token.clone();
        let world = Sandbox::in_process(options);
        let router = world.router();
        world
            .subscribe(NewSubscription {
                url: "https://hooks.example.com/1".to_owned(),
                events: [
                    "invitee.created",
                    "invitee.canceled",
                    "invitee_no_show.created",
                ]
                .map(str::to_owned)
                .to_vec(),
                creator: None,
                user: None,
                signing_key: Some("a-key".to_owned()),
            })
            .unwrap();
        Self {
            given,
            world,
            router,
            token,
            _given: guard,
        }
    }

    fn pass(&self, seconds: i64) {
        let now = self.given.now.get() + SignedDuration::from_secs(seconds);
        self.given.now.set(now);
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let request = Request::get(path).header(AUTHORIZATION, format!("Bearer {}", self.token));
        let request = request.body(Body::empty()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let json = serde_json::from_slice(&body);
        (
            status,
            json.unwrap_or_else(|_| json!(String::from_utf8_lossy(&body))),
        )
    }

    async fn status(&self, path: &str) -> u16 {
        self.get(path).await.0.as_u16()
    }

    fn book(&self, kind: &str, start: &str) -> sandbox::Booked {
        let new = NewBooking {
            event_type: Some(kind.to_owned()),
            ..NewBooking::new("Ada", "ada@example.com", at(start))
        };
        self.world.book(new).unwrap()
    }

    fn consult(&self) -> sandbox::Booked {
        self.book("30 Minute Consultation", "2027-01-02T10:00:00Z")
    }
}

/// One of each thing that can happen, and everything that is left of it.
fn play(seed: u64) -> (Vec<sandbox::SeenEvent>, Vec<String>) {
    let stage = Stage::new(seed);
    let world = &stage.world;
    let one = stage.consult();
    stage.pass(10);
    let moved = world.reschedule(&one.invitee, at("2027-01-03T10:00:00Z"), By::Invitee, None);
    let moved = moved.unwrap();
    world.mark_no_show(&moved.invitee).unwrap();
    let group = stage.book("Weekly Webinar", "2027-01-05T18:00:00Z");
    stage.book("Weekly Webinar", "2027-01-05T18:00:00Z");
    world.cancel_event(&group.event, None).unwrap();
    stage.book("Support Call", "2027-01-06T10:00:00Z");
    stage.book("Panel Interview", "2027-01-06T12:00:00Z");
    let asked = stage.book("Product Demo", "2027-01-07T12:00:00Z");
    world.ask_for_another_time(&asked.invitee, None).unwrap();
    let bodies = world.take_webhooks().into_iter().map(|hook| hook.body);
    (world.events(), bodies.collect())
}

#[test]
fn the_same_history_with_the_same_seed_leaves_the_same_world() {
    let (events, bodies) = play(1);
    assert_eq!(bodies.len(), 12);
    assert_eq!((events.clone(), bodies), play(1));
    assert_ne!(events, play(2).0);
}

#[test]
fn webhooks_wait_to_be_fetched_and_follow_calendlys_rules_of_trying_again() {
    let stage = Stage::new(1);
    stage.consult();
    let hooks = stage.world.take_webhooks();
    assert_eq!(hooks.len(), 1);
    assert!(stage.world.take_webhooks().is_empty());
    let attempt = || stage.world.attempt(hooks[0].number);
    let signature = |attempt: &Attempt| attempt.signature().unwrap().to_owned();
    let first = attempt().unwrap();
    assert_eq!(first.body(), hooks[0].body);
    let wait = stage.world.answered(&first, Ok(503)).unwrap();
    assert_eq!(wait, Duration::from_millis(100));
    stage.pass(60);
    let second = attempt().unwrap();
    assert_ne!(signature(&second), signature(&first));
    assert_eq!(stage.world.answered(&second, Ok(200)), None);
    // A receiver that is gone for good ends the subscription.
    let third = attempt().unwrap();
    assert_eq!(stage.world.answered(&third, Ok(410)), None);
    assert!(stage.world.subscriptions().is_empty());
    assert!(attempt().is_none());
}

#[tokio::test]
async fn reads_can_lag_behind_for_a_call_or_for_good() {
    let stage = Stage::new(1);
    let booked = stage.consult();
    let event = format!("/scheduled_events/{}", booked.event);
    let list = format!("/scheduled_events?organization={ORGANIZATION}");
    stage.pass(60);
    stage
        .world
        .cancel(&booked.invitee, By::Invitee, None)
        .unwrap();
    stage.pass(1);
    stage.world.fail(CallFault::next(Instead::LagMs(5_000)));
    assert_eq!(stage.get(&event).await.1["resource"]["status"], "active");
    assert_eq!(stage.get(&event).await.1["resource"]["status"], "canceled");

    let mut faults = Faults::default();
    faults.lag_ms = 120_000;
    stage.world.set_faults(faults);
    assert_eq!(stage.status(&event).await, 404);
    assert_eq!(stage.get(&list).await.1["collection"], json!([]));
    stage.world.set_faults(Faults::default());
    assert_eq!(stage.get(&list).await.1["pagination"]["count"], 1);
    // What is deleted is still there for a read that lags.
    stage.world.delete_event(&booked.event).unwrap();
    stage.pass(1);
    assert_eq!(stage.status(&event).await, 404);
    stage.world.fail(CallFault::next(Instead::LagMs(5_000)));
    assert_eq!(stage.status(&event).await, 200);
}

#[tokio::test]
async fn single_calls_fail_as_asked_and_one_event_can_be_closed() {
    let stage = Stage::new(1);
    let booked = stage.consult();
    let event = format!("/scheduled_events/{}", booked.event);
    let page = CallFault {
        route: Some("GET /scheduled_events/{id}".to_owned()),
        ..CallFault::next(Instead::CdnPage)
    };
    stage.world.fail(page);
    assert_eq!(stage.status("/users/me").await, 200);
    let (status, body) = stage.get(&event).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.as_str().unwrap().contains("1010"));
    for status in [404, 403, 429] {
        stage.world.fail(CallFault::next(Instead::Status(status)));
        assert_eq!(stage.status(&event).await, status);
    }
    assert_eq!(stage.status(&event).await, 200);
    let forbid = |forbidden| EventChange {
        forbidden: Some(forbidden),
        ..EventChange::default()
    };
    stage
        .world
        .change_event(&booked.event, forbid(true))
        .unwrap();
    assert_eq!(stage.status(&event).await, 403);
    assert_eq!(stage.status(&format!("{event}/invitees")).await, 403);
    stage
        .world
        .change_event(&booked.event, forbid(false))
        .unwrap();
    assert_eq!(stage.status(&event).await, 200);
}

#[tokio::test]
async fn a_role_that_is_taken_away_and_a_move_change_what_is_seen() {
    let stage = Stage::new(1);
    stage.consult();
    let all = format!("/scheduled_events?organization={ORGANIZATION}");
    assert_eq!(stage.status(&all).await, 200);
    stage.world.set_role(DANA, Role::User).unwrap();
    assert_eq!(stage.status(&all).await, 403);
    assert_eq!(
        stage
            .status(&format!("/scheduled_events?user={DANA}"))
            .await,
        200
    );
    let other = stage.world.add_account("Ny", "ny@example.org");
    stage
        .world
        .move_account(DANA, &other.organization, Role::Admin)
        .unwrap();
    let me = stage.get("/users/me").await.1;
    assert_eq!(me["resource"]["current_organization"], other.organization);
    assert_eq!(stage.status(&all).await, 403);
    let token = stage.world.personal_token(&other.id).unwrap();
    assert_ne!(token, stage.token);
    assert_eq!(
        stage.world.set_role("nobody", Role::User),
        Err(Refused::UnknownUser)
    );
}

#[test]
fn calendlys_clock_is_its_own() {
    let stage = Stage::new(1);
    stage.world.set_clock_ahead(SignedDuration::from_secs(-2));
    assert_eq!(stage.world.now(), at("2026-12-31T23:59:58Z"));
    let booked = stage.consult();
    let event = stage.world.event(&booked.event).unwrap();
    assert!(event.json["created_at"].as_str().unwrap() < "2027-01-01T00:00:01");
}

#[test]
fn round_robin_takes_turns_and_a_collective_takes_all() {
    let stage = Stage::new(1);
    let hosts = |kind: &str| {
        let booked = stage.book(kind, "2027-01-06T10:00:00Z");
        stage.world.event(&booked.event).unwrap().hosts
    };
    let (first, second) = (hosts("Support Call"), hosts("Support Call"));
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first, second);
    assert_eq!(hosts("Support Call"), first);
    assert_eq!(hosts("Panel Interview").len(), 2);
}

#[test]
fn a_host_who_asks_for_another_time_cancels_as_rescheduled_and_the_new_half_follows() {
    let stage = Stage::new(1);
    let booked = stage.consult();
    stage
        .world
        .ask_for_another_time(&booked.invitee, None)
        .unwrap();
    let body = |index: usize| {
        let hooks = stage.world.take_webhooks();
        let body: Value = serde_json::from_str(&hooks[index].body).unwrap();
        assert_eq!(hooks.len(), index + 1, "no more are told");
        body
    };
    let asked = body(1);
    assert_eq!(asked["event"], "invitee.canceled");
    assert_eq!(asked["payload"]["rescheduled"], true);
    assert_eq!(asked["payload"]["new_invitee"], Value::Null);
    let moved = |start| {
        stage
            .world
            .reschedule(&booked.invitee, at(start), By::Invitee, None)
    };
    let new = moved("2027-01-03T10:00:00Z").unwrap();
    let created = body(0);
    assert_eq!(created["event"], "invitee.created");
    assert_eq!(created["payload"]["old_invitee"], asked["payload"]["uri"]);
    let old = stage.world.event(&booked.event).unwrap();
    assert!(
        old.invitees[0]
            .moved_to
            .as_ref()
            .unwrap()
            .ends_with(&new.invitee)
    );
    assert_eq!(moved("2027-01-04T10:00:00Z"), Err(Refused::AlreadyCanceled));
}

#[test]
fn webhooks_can_be_written_as_in_former_years() {
    let stage = Stage::new(1);
    let told = |form| {
        let mut faults = Faults::default();
        faults.webhook_form = form;
        stage.world.set_faults(faults);
        stage.consult();
        let hooks = stage.world.take_webhooks();
        let body: Value = serde_json::from_str(&hooks[0].body).unwrap();
        body["payload"].clone()
    };
    let present = told(WebhookForm::Present);
    let hosts = "/scheduled_event/event_memberships/0";
    assert_eq!(present.pointer(hosts).unwrap()["user_name"], "Dana Host");
    let bare = told(WebhookForm::BareMemberships);
    assert_eq!(bare.pointer(hosts), Some(&json!({"user": DANA})));
    let none = told(WebhookForm::NoScheduledEvent);
    assert_eq!(none.get("scheduled_event"), None);
    assert!(
        none["event"]
            .as_str()
            .unwrap()
            .contains("/scheduled_events/")
    );
}

#[test]
fn a_users_own_subscription_stops_when_they_leave_and_an_organizations_goes_on() {
    let stage = Stage::new(1);
    let sam = "AAAAHOSTUSER0002";
    let own = NewSubscription {
        url: "https://hooks.example.com/2".to_owned(),
        events: vec!["invitee.created".to_owned()],
        creator: Some(sam.to_owned()),
        user: Some(sam.to_owned()),
        signing_key: None,
    };
    stage.world.subscribe(own).unwrap();
    let told = || {
        let webinar = stage.book("Weekly Webinar", "2027-01-05T18:00:00Z");
        assert!(!webinar.invitee.is_empty());
        stage.world.take_webhooks().len()
    };
    assert_eq!(told(), 2);
    let other = "AAAAORG000000002";
    stage.world.move_account(sam, other, Role::User).unwrap();
    assert_eq!(told(), 1);
}
