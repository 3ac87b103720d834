//! A subscription that was switched off, deleted, or is somebody else's: one sync brings it in
//! order, and brings the bookings that no webhook told of.

use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use stack_tests::{Desk, Sandbox, Stack};

const EVENTS: [&str; 4] = [
    "invitee.created",
    "invitee.canceled",
    "invitee_no_show.created",
    "invitee_no_show.deleted",
];

/// A start that a sync looks at.
fn in_days(days: i64) -> String {
    let start = Timestamp::now() + SignedDuration::from_hours(24 * days);
    start.to_string()
}

/// A connected account with a subscription that works, and what both are checked by.
struct Scene<'a> {
    desk: Desk<'a>,
    stack: &'a Stack,
    sandbox: &'a Sandbox,
}

impl<'a> Scene<'a> {
    async fn new(stack: &'a Stack, sandbox: &'a Sandbox, name: &str) -> Self {
        let account = sandbox.account(name).await;
        let desk = Desk::connected(stack, sandbox, account).await;
        // Whose own look at the subscription must not be the one that heals it.
        stack.until_first_sync(&desk.account).await;
        let mut scene = Self {
            desk,
            stack,
            sandbox,
        };
        scene.told_by_webhook(1).await;
        scene
    }

    fn url(&self, generation: u64) -> String {
        let (base, id) = (&self.stack.base_url, &self.desk.account.id);
        format!("{base}/v1/webhooks/calendly/{id}-{generation}")
    }

    /// The only subscription there is; it must work.
    async fn only(&self) -> Value {
        let all = self.sandbox.subscriptions(&self.desk.account).await;
        let [only] = all.as_slice() else {
            panic!("{} subscriptions: {all:#?}", all.len());
        };
        assert_eq!(only["state"], "active");
        assert_eq!(only["signing_key"], self.stack.signing_key.as_str());
        for event in EVENTS {
            let events = only["events"].as_array().unwrap();
            assert!(events.iter().any(|it| it == event), "{event}: {only:#}");
        }
        assert_eq!(only["callback_url"], self.url(generation(only)));
        only.clone()
    }

    /// Books: its webhook must come, and be enough.
    async fn told_by_webhook(&mut self, day: i64) {
        let before = self.sandbox.deliveries(&self.desk.account).await.len();
        let start = in_days(day);
        self.desk
            .book("Wendy Webhook", "Product Demo", &start)
            .await;
        self.desk.assert_stored().await;
        let after = self.sandbox.deliveries(&self.desk.account).await.len();
        assert_eq!(after, before + 1, "one webhook");
    }

    /// Books, moves and cancels while no webhook is sent.
    async fn missed(&mut self) {
        let before = self.sandbox.deliveries(&self.desk.account).await.len();
        let kept = self
            .desk
            .book("Kim Kept", "Office Visit", &in_days(3))
            .await;
        let moved = self
            .desk
            .book("Mo Moved", "Product Demo", &in_days(4))
            .await;
        let gone = self
            .desk
            .book("Gus Gone", "Product Demo", &in_days(5))
            .await;
        let change = json!({ "startTime": in_days(6), "reason": "Later" });
        self.desk.reschedule(&moved, &change).await;
        self.desk.cancel(&gone, &json!({ "by": "host" })).await;
        self.sandbox.settle().await;
        let after = self.sandbox.deliveries(&self.desk.account).await.len();
        assert_eq!(after, before, "nothing tells of {kept}");
        assert_eq!(self.desk.differences().await.len(), 4);
    }

    /// One sync: everything missed is there, and a subscription that works.
    async fn healed(&mut self) -> Value {
        let sync = self.stack.sync(&self.desk.account).await;
        assert_eq!(sync["changed"], 4, "{sync:#}");
        self.desk.assert_same().await;
        let made = self.only().await;
        self.told_by_webhook(7).await;
        made
    }

    /// Somebody else's subscription, with a key of its own.
    async fn foreign(&self, generation: u64) -> String {
        let new = json!({
            "url": self.url(generation),
            "events": EVENTS,
            "creator": self.desk.account.id,
            "signingKey": "a-key-that-this-stack-never-knew",
        });
        let made = self.sandbox.control(Method::POST, "/subscriptions", &new);
        made.await["resource"]["uri"].as_str().unwrap().to_owned()
    }

    async fn deleted(&self, subscription: &Value) {
        let path = format!("/subscriptions/{}", subscription["id"].as_str().unwrap());
        let delete = self.sandbox.control(Method::DELETE, &path, &Value::Null);
        delete.await;
    }
}

fn generation(subscription: &Value) -> u64 {
    let url = subscription["callback_url"].as_str().unwrap();
    url.rsplit('-').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn one_that_was_switched_off_is_replaced() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let mut scene = Scene::new(&stack, &sandbox, "Dirk Disabled").await;
    let old = scene.only().await;
    let path = format!("/subscriptions/{}/disable", old["id"].as_str().unwrap());
    sandbox.control(Method::POST, &path, &Value::Null).await;
    scene.missed().await;
    let made = scene.healed().await;
    assert_ne!(made["uri"], old["uri"]);
    assert!(generation(&made) > generation(&old), "{made:#}");

    // All is well: nothing is made anew.
    let sync = stack.sync(&scene.desk.account).await;
    assert_eq!(sync["changed"], 0, "{sync:#}");
    assert_eq!(scene.only().await["uri"], made["uri"]);
}

#[tokio::test]
async fn one_that_was_deleted_is_made_anew() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let mut scene = Scene::new(&stack, &sandbox, "Della Deleted").await;
    let old = scene.only().await;
    scene.deleted(&old).await;
    scene.missed().await;
    let made = scene.healed().await;
    assert!(generation(&made) > generation(&old), "{made:#}");
}

#[tokio::test]
async fn one_of_a_foreign_key_is_removed_and_ours_stays() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let mut scene = Scene::new(&stack, &sandbox, "Fritz Foreign").await;
    let ours = scene.only().await;
    let foreign = scene.foreign(99).await;
    let sync = stack.sync(&scene.desk.account).await;
    assert_eq!(sync["changed"], 0, "{sync:#}");
    let left = scene.only().await;
    assert_eq!(left["uri"], ours["uri"]);
    assert_ne!(left["uri"], foreign.as_str());
    scene.told_by_webhook(2).await;
}

#[tokio::test]
async fn ones_of_a_foreign_key_give_way_to_ours() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let mut scene = Scene::new(&stack, &sandbox, "Uma Usurped").await;
    let old = scene.only().await;
    scene.deleted(&old).await;
    scene.missed().await;
    // One has the very URL that comes next.
    let taken = generation(&old) + 1;
    for generation in [taken, 99] {
        scene.foreign(generation).await;
    }
    let made = scene.healed().await;
    assert!(generation(&made) > taken, "{made:#}");
    assert_ne!(generation(&made), 99, "not adopted");
}
