//! One refresher a connection: a refresh token works once, so two refreshers would lose it.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use aws_sdk_dynamodb::types::AttributeValue;
use booking::ConnectionId;
use calendly::oauth::{Grant, OAuthError};
use fakes::MemoryVault;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use platform::connections::{
    ConnectionStatus, ConnectionStore, LeaseFor, Pending, REFRESH, Refresh, SEEN, STORING, Taken,
    TokenError, TokenKeeper, Tokens, Vault,
};
use platform::metrics::{Captured, Metric, capture};
use rand::RngCore;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use testkit::dynamo::Dynamo;
use tokio::time::Instant;

const USER: &str = "https://api.calendly.com/users/U1";

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// Lets this thread's clock run ahead by `time`, until this is dropped.
fn later(time: SignedDuration) -> ambient::Given {
    struct Clock(SignedDuration);

    impl ambient::Surroundings for Clock {
        fn now(&self) -> Timestamp {
            Timestamp::now() + self.0
        }

        fn fill(&self, bytes: &mut [u8]) {
            rand::rng().fill_bytes(bytes);
        }
    }

    ambient::give(Rc::new(Clock(time)))
}

fn id() -> ConnectionId {
    ConnectionId::from_user_uri(USER).unwrap()
}

/// A token endpoint whose refresh tokens work once.
#[derive(Clone)]
struct Endpoint {
    valid: Arc<Mutex<String>>,
    refreshes: Arc<Mutex<u32>>,
    /// Refreshes that were tried, refused ones included.
    calls: Arc<Mutex<u32>>,
    /// Answers that get lost on the way back: the refresh took effect, but nobody hears of it.
    lost_answers: Arc<Mutex<u32>>,
    /// Calls that never arrive.
    lost_calls: Arc<Mutex<u32>>,
}

impl Endpoint {
    fn new() -> Self {
        Self {
            valid: Arc::new(Mutex::new("refresh-0".to_owned())),
            refreshes: Arc::default(),
            calls: Arc::default(),
            lost_answers: Arc::default(),
            lost_calls: Arc::default(),
        }
    }

    fn refreshes(&self) -> u32 {
        *self.refreshes.lock().unwrap()
    }

    fn calls(&self) -> u32 {
        *self.calls.lock().unwrap()
    }
}

fn take_one(count: &Mutex<u32>) -> bool {
    let mut count = count.lock().unwrap();
    let any = *count > 0;
    *count -= u32::from(any);
    any
}

impl Refresh for Endpoint {
    async fn refresh(&self, refresh_token: &str) -> Result<Grant, OAuthError> {
        *self.calls.lock().unwrap() += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
        if take_one(&self.lost_calls) {
            return Err(OAuthError::Unreachable);
        }
        let mut valid = self.valid.lock().unwrap();
        if *valid != refresh_token {
            return Err(OAuthError::InvalidGrant);
        }
        let mut refreshes = self.refreshes.lock().unwrap();
        *refreshes += 1;
        *valid = format!("refresh-{refreshes}");
        if take_one(&self.lost_answers) {
            return Err(OAuthError::Unreachable);
        }
        Ok(Grant {
            access_token: format!("access-{refreshes}"),
            refresh_token: valid.clone(),
            expires_at: Timestamp::now() + SignedDuration::from_hours(2),
            scopes: Vec::new(),
            owner: None,
            organization: None,
        })
    }
}

struct Stage {
    dynamo: Dynamo,
    connections: ConnectionStore,
    vault: MemoryVault,
    endpoint: Endpoint,
}

impl Stage {
    /// A connection whose access token ends in `minutes`.
    async fn new(minutes: i64) -> Self {
        let dynamo = Dynamo::inside();
        dynamo.connections("connections").await;
        let connections = ConnectionStore::new(dynamo.client(), "connections".to_owned());
        let organization = "https://api.calendly.com/organizations/O1";
        connections
            .authorized(&id(), USER, organization, &[], "https://example.com")
            .await
            .unwrap();
        let vault = MemoryVault::default();
        vault.put(
            id().as_str(),
            Tokens {
                access_token: "access-0".to_owned(),
                refresh_token: Some("refresh-0".to_owned()),
                expires_at: Some(Timestamp::now() + SignedDuration::from_mins(minutes)),
            },
        );
        Self {
            dynamo,
            connections,
            vault,
            endpoint: Endpoint::new(),
        }
    }

    /// A caller of its own, as another process would be.
    fn keeper(&self) -> TokenKeeper<Endpoint, MemoryVault> {
        self.keeper_for(Duration::from_secs(60))
    }

    /// One whose process ends after `left`.
    fn keeper_for(&self, left: Duration) -> TokenKeeper<Endpoint, MemoryVault> {
        TokenKeeper {
            connections: self.connections.clone(),
            vault: self.vault.clone(),
            oauth: self.endpoint.clone(),
            id: id(),
            until: Instant::now() + left,
        }
    }

    async fn status(&self) -> ConnectionStatus {
        self.connections.get(&id()).await.unwrap().unwrap().status
    }
}

/// Tokens renewed, renewals that failed, and connections lost.
fn counted(captured: &Captured) -> [u64; 3] {
    [
        Metric::TokensRefreshed,
        Metric::TokenRefreshFailures,
        Metric::ConnectionsLost,
    ]
    .map(|metric| captured.sum(metric))
}

#[tokio::test]
async fn a_good_token_is_used_as_it_is() {
    let stage = Stage::new(60).await;
    assert_eq!(stage.keeper().token().await.unwrap(), "access-0");
    assert_eq!(stage.endpoint.refreshes(), 0);
}

#[tokio::test]
async fn fifty_callers_cause_one_refresh() {
    let stage = Stage::new(1).await;
    let captured = capture();
    let keepers: Vec<_> = (0..50).map(|_| stage.keeper()).collect();
    let tokens = join_all(keepers.iter().map(TokenKeeper::token)).await;
    assert!(tokens.into_iter().all(|token| token.unwrap() == "access-1"));
    assert_eq!(stage.endpoint.calls(), 1);
    assert_eq!(counted(&captured), [1, 0, 0]);
    assert_eq!(stage.status().await, ConnectionStatus::Active);
}

#[tokio::test]
async fn fifty_callers_with_a_refused_token_cause_one_refresh() {
    let stage = Stage::new(60).await;
    let keepers: Vec<_> = (0..50).map(|_| stage.keeper()).collect();
    let tokens = join_all(keepers.iter().map(|keeper| keeper.token_after("access-0"))).await;
    assert!(tokens.into_iter().all(|token| token.unwrap() == "access-1"));
    assert_eq!(stage.endpoint.calls(), 1);
}

#[tokio::test]
async fn a_call_that_never_arrived_heals() {
    let stage = Stage::new(1).await;
    *stage.endpoint.lost_calls.lock().unwrap() = 2;
    let captured = capture();
    let error = stage.keeper().token().await.unwrap_err();
    assert_eq!(counted(&captured), [0, 1, 0]);
    assert!(matches!(error, TokenError::OAuth(OAuthError::Unreachable)));
    assert_eq!(stage.status().await, ConnectionStatus::Active);
    assert_eq!(stage.keeper().token().await.unwrap(), "access-1");
}

/// Secrets Manager may show the former tokens for a moment, whose refresh token is void.
#[tokio::test(start_paused = true)]
async fn tokens_that_are_shown_late_cost_no_connection() {
    for reads in 0..10 {
        let stage = Stage::new(1).await;
        stage.vault.show_late(reads);
        let captured = capture();
        for refused in ["access-0", "access-1", "access-2"] {
            let keepers: Vec<_> = (0..3).map(|_| stage.keeper()).collect();
            let tokens = join_all(keepers.iter().map(|keeper| keeper.token_after(refused))).await;
            for token in tokens {
                assert_ne!(token.unwrap(), refused, "{reads} reads late");
            }
        }
        assert_eq!(stage.endpoint.calls(), 3, "{reads} reads late");
        assert_eq!(counted(&captured), [3, 0, 0]);
        assert_eq!(stage.status().await, ConnectionStatus::Active);
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_not_shown_for_long_are_left_to_the_next_process() {
    let stage = Stage::new(1).await;
    stage.vault.show_late(1000);
    assert_eq!(stage.keeper().token().await.unwrap(), "access-1");
    let captured = capture();
    let error = stage.keeper().token().await.unwrap_err();
    assert!(matches!(error, TokenError::NotYet), "{error}");
    assert_eq!(stage.endpoint.calls(), 1, "the void one is not sent");
    assert_eq!(counted(&captured), [0, 0, 0]);
    assert_eq!(stage.status().await, ConnectionStatus::Active);
}

impl Stage {
    /// Stores tokens as a process that then is stopped at `step`, and lets its lease end.
    async fn stopped(&self, step: u32) -> ambient::Given {
        let version = ambient::uuid();
        let id = id();
        let lease = self.connections.lease(&id, LeaseFor::Refresh, STORING);
        let lease = lease.await.unwrap().unwrap();
        if step > 0 {
            let announced = self.connections.announce(&id, &lease, &version).await;
            assert!(announced.unwrap());
        }
        if step > 1 {
            let grant = self.endpoint.refresh("refresh-0").await.unwrap();
            let tokens = Tokens::from(&grant);
            let written = self.vault.write(&id, &tokens, &version).await;
            written.unwrap();
        }
        later(STORING + SECOND)
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_that_is_stopped_at_any_step_but_between_answer_and_store_costs_no_connection() {
    for step in 0..3 {
        // After the first one the item names a version.
        for named in [false, true] {
            let stage = Stage::new(60).await;
            if named {
                let stored = stage.vault.read(&id(), None).await.unwrap().unwrap();
                stage
                    .connections
                    .first_kept(&id(), &stored.version)
                    .await
                    .unwrap();
            }
            let _later = stage.stopped(step).await;
            // The last reading still shows the former ones to everybody but who asks for the version.
            let token = stage.keeper().token_after("access-0").await;
            assert_eq!(token.unwrap(), "access-1", "step {step}");
            assert_eq!(stage.endpoint.calls(), 1, "step {step}");
            let token = stage.keeper().token_after("access-1").await;
            assert_eq!(token.unwrap(), "access-2", "step {step}");
            assert_eq!(stage.status().await, ConnectionStatus::Active);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_whose_tokens_are_surely_gone_is_lost() {
    let stage = Stage::new(1).await;
    stage.vault.forget(&id()).await.unwrap();
    let captured = capture();
    let error = stage.keeper().token().await.unwrap_err();
    assert!(
        matches!(error, TokenError::NotYet),
        "they may be new: {error}"
    );
    assert_eq!(stage.status().await, ConnectionStatus::Active);
    let _later = later(SEEN + SECOND);
    let error = stage.keeper().token().await.unwrap_err();
    assert!(matches!(error, TokenError::NeedsReauth), "{error}");
    assert_eq!(stage.status().await, ConnectionStatus::NeedsReauth);
    assert_eq!(counted(&captured), [0, 0, 1]);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_were_put_there_by_hand_are_used() {
    let stage = Stage::new(1).await;
    assert_eq!(stage.keeper().token().await.unwrap(), "access-1");
    let mut tokens = stage.vault.tokens(id().as_str()).unwrap();
    tokens.refresh_token = Some("by hand".to_owned());
    *stage.endpoint.valid.lock().unwrap() = "by hand".to_owned();
    "access-hand".clone_into(&mut tokens.access_token);
    stage.vault.put(id().as_str(), tokens);
    let _later = later(SEEN + SECOND);
    let token = async |refused| stage.keeper().token_after(refused).await.unwrap();
    assert_eq!(token("access-1").await, "access-hand");
    assert_eq!(token("access-hand").await, "access-2");
    assert_eq!(stage.status().await, ConnectionStatus::Active);
}

#[tokio::test]
async fn a_lost_answer_needs_a_new_authorization_and_is_not_tried_for_ever() {
    let stage = Stage::new(1).await;
    *stage.endpoint.lost_answers.lock().unwrap() = 1;
    let captured = capture();
    let error = stage.keeper().token().await.unwrap_err();
    assert_eq!(counted(&captured), [0, 1, 1]);
    assert!(matches!(error, TokenError::NeedsReauth));
    assert_eq!(stage.endpoint.refreshes(), 1);
    assert_eq!(stage.status().await, ConnectionStatus::NeedsReauth);
}

#[tokio::test]
async fn a_kill_between_the_answer_and_the_store_needs_a_new_authorization() {
    let stage = Stage::new(1).await;
    stage.vault.kill_before_write(true);
    let captured = capture();
    assert!(stage.keeper().token().await.is_err());
    assert_eq!(counted(&captured), [0, 1, 0]);
    stage.vault.kill_before_write(false);
    assert_eq!(stage.status().await, ConnectionStatus::Active);
    // Nobody looks before it would be seen that they were stored after all.
    let connection = id();
    let lease = stage
        .connections
        .lease(&connection, LeaseFor::Refresh, STORING);
    assert_eq!(lease.await.unwrap(), None);
    let _later = later(STORING + SECOND);
    let error = stage.keeper().token().await.unwrap_err();
    assert!(matches!(error, TokenError::NeedsReauth));
    assert_eq!(stage.status().await, ConnectionStatus::NeedsReauth);
}

#[tokio::test]
async fn a_refresh_that_might_not_be_over_in_time_is_left_to_the_next_process() {
    let stage = Stage::new(1).await;
    let late = stage.keeper_for(REFRESH / 2);
    let captured = capture();
    assert!(matches!(
        late.token().await.unwrap_err(),
        TokenError::OutOfTime
    ));
    assert_eq!(stage.endpoint.calls(), 0);
    assert_eq!(counted(&captured), [0, 0, 0]);
    assert_eq!(stage.status().await, ConnectionStatus::Active);
    // It keeps no lease, either.
    assert_eq!(stage.keeper().token().await.unwrap(), "access-1");
    // A token that is good needs no time.
    assert_eq!(late.token().await.unwrap(), "access-1");
}

#[tokio::test]
async fn a_second_try_is_made_only_where_the_time_is_still_there() {
    let stage = Stage::new(1).await;
    *stage.endpoint.lost_calls.lock().unwrap() = 1;
    // Each question takes longer than what is left beside a refresh.
    let keeper = stage.keeper_for(REFRESH + Duration::from_millis(15));
    let error = keeper.token().await.unwrap_err();
    assert!(matches!(
        error,
        TokenError::OAuth(OAuthError::Unreachable) | TokenError::OutOfTime
    ));
    assert!(
        stage.endpoint.calls() <= 1,
        "{} calls",
        stage.endpoint.calls()
    );
    assert_eq!(stage.keeper().token().await.unwrap(), "access-1");
}

#[tokio::test]
async fn a_lease_whose_holder_was_killed_ends_by_itself() {
    for (brief, is_over) in [(400, true), (3_600_000, false)] {
        let stage = Stage::new(1).await;
        let brief = SignedDuration::from_millis(brief);
        let lease = async || {
            let connection = id();
            let lease = stage
                .connections
                .lease(&connection, LeaseFor::Refresh, brief);
            lease.await.unwrap()
        };
        assert!(lease().await.is_some());
        if is_over {
            assert_eq!(stage.keeper().token().await.unwrap(), "access-1");
        } else {
            assert_eq!(lease().await, None);
        }
    }
}

#[tokio::test]
async fn a_new_authorization_wins_over_the_loss_of_the_old() {
    let stage = Stage::new(1).await;
    let seen = stage
        .connections
        .get(&id())
        .await
        .unwrap()
        .unwrap()
        .authorized_at;
    let organization = "https://api.calendly.com/organizations/O1";
    stage
        .connections
        .authorized(&id(), USER, organization, &[], "https://example.com")
        .await
        .unwrap();
    stage.connections.needs_reauth(&id(), seen).await.unwrap();
    assert_eq!(stage.status().await, ConnectionStatus::Active);
}

#[tokio::test]
async fn a_personal_access_token_never_ends_until_it_is_refused() {
    let stage = Stage::new(1).await;
    stage.vault.put(
        id().as_str(),
        Tokens {
            access_token: "personal".to_owned(),
            refresh_token: None,
            expires_at: None,
        },
    );
    assert_eq!(stage.keeper().token().await.unwrap(), "personal");
    let captured = capture();
    let error = stage.keeper().token_after("personal").await.unwrap_err();
    assert_eq!(counted(&captured), [0, 0, 1]);
    assert!(matches!(error, TokenError::NeedsReauth));
    assert_eq!(stage.status().await, ConnectionStatus::NeedsReauth);
}

#[tokio::test]
async fn a_state_works_once_and_its_outcome_is_known_to_the_same_answer_alone() {
    let stage = Stage::new(60).await;
    let connections = &stage.connections;
    let pending = Pending {
        verifier: "v".to_owned(),
        redirect_uri: "https://example.com/cb".to_owned(),
    };
    connections.begin("s1", &pending).await.unwrap();
    let take = async |state, answer| connections.take(state, answer).await.unwrap();
    assert!(take("another", "code 1").await == Taken::Unknown);
    assert!(take("s1", "code 1").await == Taken::First(pending));
    assert!(take("s1", "code 1").await == Taken::Again(None));
    assert!(take("s1", "code 2").await == Taken::Unknown);

    connections.remember("s1", "connected").await.unwrap();
    let connected = || Taken::Again(Some("connected".to_owned()));
    assert!(take("s1", "code 1").await == connected());
    assert!(connections.taken("s1", "code 1").await.unwrap() == connected());
    assert!(take("s1", "code 2").await == Taken::Unknown);
    assert!(connections.remember("another", "x").await.is_err());
}

#[tokio::test]
async fn an_authorization_is_not_known_for_long() {
    let stage = Stage::new(60).await;
    let connections = &stage.connections;
    let pending = Pending {
        verifier: "v".to_owned(),
        redirect_uri: "https://example.com/cb".to_owned(),
    };
    let item = async |change: Option<i64>| {
        let client = stage.dynamo.client();
        let key = AttributeValue::S("pending#s1".to_owned());
        if let Some(until) = change {
            client
                .update_item()
                .table_name("connections")
                .key("id", key.clone())
                .update_expression("SET expiresAt = :until")
                .expression_attribute_values(":until", AttributeValue::N(until.to_string()))
                .send()
                .await
                .unwrap();
        }
        let get = client.get_item().table_name("connections").key("id", key);
        get.send().await.unwrap().item.unwrap()
    };
    let seconds_left = async || {
        let until: i64 = item(None).await["expiresAt"]
            .as_n()
            .unwrap()
            .parse()
            .unwrap();
        until - Timestamp::now().as_second()
    };
    let past = Timestamp::now().as_second() - 1;
    connections.begin("s1", &pending).await.unwrap();
    assert!((590..=600).contains(&seconds_left().await));
    item(Some(past)).await;
    assert!(connections.take("s1", "code").await.unwrap() == Taken::Unknown);

    // What became of it is known for a day; its secret isn't kept that long.
    connections.remember("s1", "connected").await.unwrap();
    assert!((86_390..=86_400).contains(&seconds_left().await));
    assert!(!item(None).await.contains_key("verifier"));
    item(Some(past)).await;
    assert!(connections.take("s1", "code").await.unwrap() == Taken::Unknown);
}

#[tokio::test]
async fn connections_page_once_each_and_are_forgotten() {
    let stage = Stage::new(60).await;
    let organization = "https://api.calendly.com/organizations/O1";
    for number in 0..40 {
        let user = format!("https://api.calendly.com/users/V{number}");
        let id = ConnectionId::from_user_uri(&user).unwrap();
        stage
            .connections
            .authorized(&id, &user, organization, &[], "https://example.com")
            .await
            .unwrap();
    }
    for limit in [1, 7, 100] {
        let (mut found, mut after) = (std::collections::BTreeSet::new(), None);
        loop {
            let page = stage
                .connections
                .list(after.as_deref(), limit)
                .await
                .unwrap();
            assert!(page.items.len() <= limit);
            for connection in page.items {
                assert!(found.insert(connection.id), "listed once");
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found.len(), 41, "by {limit}");
    }
    assert!(stage.connections.remove(&id()).await.unwrap());
    assert!(!stage.connections.remove(&id()).await.unwrap());
    assert_eq!(stage.connections.get(&id()).await.unwrap(), None);
}
