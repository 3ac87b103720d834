//! The watchdog of subscriptions.

use super::*;
use platform::connections::unsubscribe_all;
use std::sync::atomic::{AtomicU32, Ordering};

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
    for step in 0..12 {
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
        // That the lease couldn't be given back is no error: it ends by itself.
        let first = stage.function.watch(&calendly, &connection).await;
        killed += stage.crashes.happened() - before;
        assert!(stage.crashes.happened() > before || first.is_ok());
        // Far away, so that it stops nothing; and its lease has ended.
        stage.crashes.at(u8::MAX);
        stage.clock.minutes(2);
        stage.function.watch(&calendly, &connection).await.unwrap();

        let state = stage.control("GET", "state", json!({})).await;
        let all = state["subscriptions"].as_array().unwrap();
        assert_eq!(all.len(), 1, "step {step}: {all:?}");
        assert_eq!(all[0]["state"], "active");
        let stored = stage.function.connections.get(&id()).await.unwrap();
        let owned = stored.unwrap().subscriptions.owned;
        assert_eq!(all[0]["uri"], owned.unwrap().uri);
    }
    assert!(killed >= 4, "only {killed} were killed");
}

/// What the list of subscriptions may hold beside those that are documented.
fn odd_entries() -> [Value; 5] {
    let uri = "https://api.calendly.com/webhook_subscriptions/odd";
    let odd = |name: &str, value: Value| {
        let mut entry = json!({
            "uri": uri, "callback_url": "https://elsewhere.example.com", "state": "active",
            "events": ["invitee.created"], "scope": "user", "created_at": "2026-11-20T09:15:01Z",
        });
        entry[name] = value;
        entry
    };
    [
        odd("scope", json!("team")),
        odd("events", json!(null)),
        odd("created_at", json!(17)),
        odd("callback_url", json!(null)),
        json!("not even an object"),
    ]
}

impl Stage {
    async fn subscriptions(&self) -> Vec<Value> {
        let state = self.control("GET", "state", json!({})).await;
        state["subscriptions"].as_array().unwrap().clone()
    }

    async fn lose_the_subscription(&self) {
        for one in self.subscriptions().await {
            let id = one["uri"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned();
            let path = format!("subscriptions/{id}");
            self.control("DELETE", &path, json!({})).await;
        }
    }
}

#[tokio::test]
async fn an_odd_entry_does_not_keep_a_missing_subscription_from_being_replaced() {
    for entry in odd_entries() {
        let stage = Stage::new().await;
        stage.sync(LONG).await;
        let odd = entry.clone();
        stage.wire.edit(move |url, answer| {
            if url.path() == "/webhook_subscriptions"
                && let Some(all) = answer["collection"].as_array_mut()
            {
                all.insert(0, odd.clone());
            }
        });
        stage.sync(LONG).await;
        let healthy = stage.subscriptions().await;
        assert_eq!(healthy.len(), 1, "{entry}: a healthy one is left alone");
        stage.lose_the_subscription().await;
        stage.sync(LONG).await;
        let made = stage.subscriptions().await;
        assert_eq!(made.len(), 1, "{entry}");
        assert_ne!(made[0]["uri"], healthy[0]["uri"], "{entry}");
    }
}

#[tokio::test]
async fn the_own_subscription_whose_events_are_not_said_is_left_alone() {
    let stage = Stage::new().await;
    stage.sync(LONG).await;
    let before = stage.subscriptions().await;
    stage.wire.edit(|url, answer| {
        if url.path() == "/webhook_subscriptions" && answer["collection"][0].is_object() {
            answer["collection"][0]["events"] = json!(null);
        }
    });
    stage.sync(LONG).await;
    assert_eq!(stage.subscriptions().await, before);
}

#[tokio::test]
async fn a_list_of_subscriptions_that_cannot_be_read_hides_neither_a_healthy_nor_a_missing_one() {
    for wrong in [
        refusal(400, "Invalid Argument"),
        (200, r#"{"collection": []}"#.to_owned()),
    ] {
        let stage = Stage::new().await;
        stage.sync(LONG).await;
        let before = stage.subscriptions().await;
        let answer = wrong.clone();
        stage.wire.instead(move |url| {
            let listed = url.path() == "/webhook_subscriptions" && url.query().is_some();
            listed.then(|| answer.clone())
        });
        stage.sync(LONG).await;
        assert_eq!(stage.subscriptions().await, before);
        assert_eq!(stage.told().await.errors, Vec::new());
        stage.lose_the_subscription().await;
        stage.sync(LONG).await;
        assert_eq!(stage.subscriptions().await.len(), 1);
    }
}

#[tokio::test]
async fn a_page_of_the_content_network_narrows_no_subscription() {
    let stage = Stage::new().await;
    let mut calls = 0;
    stage.wire.instead(move |url| {
        let made = url.path() == "/webhook_subscriptions" && url.query().is_none();
        calls += usize::from(made);
        (made && calls <= 2).then(|| page(403))
    });
    stage.sync(LONG).await;
    let made = stage.subscriptions().await;
    assert_eq!((made.len(), &made[0]["scope"]), (1, &json!("organization")));
}

#[tokio::test]
async fn an_old_subscription_that_cannot_be_deleted_does_not_keep_others_from_it() {
    let stage = Stage::new().await;
    let url = format!(
        "http://127.0.0.1:1/v1/webhooks/calendly/{}-0",
        id().as_str()
    );
    for _ in 0..3 {
        let old = json!({"url": url, "events": ["invitee.created"]});
        stage.control("POST", "subscriptions", old).await;
    }
    // The one that is come to first.
    let mut all = stage.subscriptions().await;
    all.sort_by_key(|one| one["uri"].to_string());
    let stuck = all[0]["uri"]
        .as_str()
        .unwrap()
        .rsplit('/')
        .next()
        .unwrap()
        .to_owned();
    stage.wire.instead(move |url| {
        url.path()
            .ends_with(&stuck)
            .then(|| refusal(403, "Permission Denied"))
    });
    stage.sync(LONG).await;
    let uris: Vec<_> = stage
        .subscriptions()
        .await
        .iter()
        .map(|one| one["uri"].clone())
        .collect();
    assert_eq!(uris.len(), 2, "{uris:?}");
    assert!(uris.contains(&all[0]["uri"]));
    stage.wire.straighten();
    stage.sync(LONG).await;
    assert_eq!(stage.subscriptions().await.len(), 1);
}

/// Whether a call is one that makes a subscription.
fn makes_one(url: &reqwest::Url) -> bool {
    url.path() == "/webhook_subscriptions" && url.query().is_none()
}

impl Stage {
    async fn scopes(&self) -> Vec<String> {
        let all = self.subscriptions().await;
        let mut scopes: Vec<_> = all
            .iter()
            .map(|one| one["scope"].as_str().unwrap().to_owned())
            .collect();
        scopes.sort();
        scopes
    }

    async fn remembered(&self) -> platform::connections::Remembered {
        let stored = self.function.connections.get(&id()).await.unwrap();
        stored.unwrap().subscriptions
    }
}

#[tokio::test]
async fn a_subscription_that_was_made_too_narrow_is_widened() {
    let stage = Stage::new().await;
    let mut calls = 0;
    stage.wire.instead(move |url| {
        calls += usize::from(makes_one(url));
        (makes_one(url) && calls <= 2).then(|| refusal(403, "Permission Denied"))
    });
    stage.sync(LONG).await;
    assert_eq!(stage.scopes().await, ["user"]);
    stage.sync(LONG).await;
    assert_eq!(stage.scopes().await, ["organization"]);
    assert_eq!(stage.remembered().await.former, Vec::<String>::new());
}

#[tokio::test]
async fn a_wider_subscription_is_tried_once_a_day_and_the_narrow_one_is_kept() {
    let stage = Stage::new().await;
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    // Calendly takes only the third, which is one user's.
    stage.wire.instead(move |url| {
        counted.fetch_add(u32::from(makes_one(url)), Ordering::Relaxed);
        (makes_one(url) && counted.load(Ordering::Relaxed) != 3)
            .then(|| refusal(403, "Permission Denied"))
    });
    stage.sync(LONG).await;
    let narrow = stage.subscriptions().await;
    assert_eq!(calls.load(Ordering::Relaxed), 3);
    for day in 1..=3 {
        for _ in 0..3 {
            stage.sync(LONG).await;
            assert_eq!(stage.subscriptions().await, narrow, "day {day}");
            assert_eq!(calls.load(Ordering::Relaxed), 3 + 2 * day, "day {day}");
        }
        stage.clock.minutes(24 * 60);
    }
}

#[tokio::test]
async fn a_member_who_may_have_no_more_tries_none() {
    let stage = Stage::new().await;
    let mut made = 0;
    stage.wire.instead(move |url| {
        made += usize::from(makes_one(url));
        assert!(made <= 3, "tried again");
        let listed = url
            .query()
            .is_some_and(|query| query.contains("scope=organization"));
        (listed || (makes_one(url) && made <= 2)).then(|| refusal(403, "Permission Denied"))
    });
    for _ in 0..3 {
        stage.sync(LONG).await;
        assert_eq!(stage.scopes().await, ["user"]);
    }
}

/// Calendly tells a member nothing of the subscription that they made as an owner.
#[tokio::test]
async fn a_subscription_that_a_demoted_owner_may_not_see_is_remembered_until_it_is_gone() {
    let stage = Stage::new().await;
    stage.sync(LONG).await;
    let first = stage.subscriptions().await[0]["uri"].clone();
    let first = first.as_str().unwrap().to_owned();
    let hidden = first.rsplit('/').next().unwrap().to_owned();
    let asked = Arc::new(AtomicU32::new(0));
    let (counted, mut made) = (Arc::clone(&asked), 0);
    stage.wire.instead(move |url| {
        let listed = url
            .query()
            .is_some_and(|query| query.contains("scope=organization"));
        made += u32::from(makes_one(url));
        let named = url.path().ends_with(&hidden);
        counted.fetch_add(u32::from(named), Ordering::Relaxed);
        (listed || named || (makes_one(url) && made <= 2))
            .then(|| refusal(403, "Permission Denied"))
    });
    for _ in 0..3 {
        stage.sync(LONG).await;
        assert_eq!(stage.scopes().await, ["organization", "user"]);
        assert_eq!(
            stage.remembered().await.former,
            std::slice::from_ref(&first)
        );
    }
    let before = asked.load(Ordering::Relaxed);
    assert!(before <= 4, "asked for {before} times in a day");
    // Whoever disconnects is told that it is left.
    let connection = stage.function.connections.get(&id()).await.unwrap();
    let connection = connection.unwrap();
    let deadlines = Deadlines::after(LONG);
    let calendly = stage.function.calendly(&connection, deadlines).await;
    let left = unsubscribe_all(&calendly.unwrap(), &connection).await;
    assert!(left.is_err_and(|error| !error.is_transient()));
    assert_eq!(stage.scopes().await, ["organization"]);

    stage.wire.straighten();
    stage.sync(LONG).await;
    assert_eq!(stage.scopes().await, ["organization"]);
    assert_ne!(stage.subscriptions().await[0]["uri"], first);
    assert_eq!(stage.remembered().await.former, Vec::<String>::new());
}
