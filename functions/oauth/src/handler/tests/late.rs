//! An authorization while something takes long, on virtual time: a grant must not be lost with a
//! function that is stopped.

use super::*;
use calendly::{Answer as Sent, NoReply, Reply as Told, Wire};
use platform::connections::{STORING, Stored, Tokens};
use std::sync::{Arc, Mutex};

/// The function's own limit.
const LIMIT: Duration = Duration::from_secs(29);

/// A Calendly that exchanges every code after a while.
struct Slow {
    exchange: Duration,
    /// Whether the account can be read. Nothing else is ever answered.
    me: bool,
}

impl Wire for Slow {
    fn send(&self, request: reqwest::Request) -> Sent {
        let user = "https://api.calendly.com/users/AAAAHOSTUSER0001";
        let organization = "https://api.calendly.com/organizations/AAAAORG000000001";
        let (wait, body) = match request.url().path() {
            "/oauth/token" => {
                let granted = json!({"access_token": "a", "refresh_token": "r", "expires_in": 7200,
                    "owner": user, "organization": organization});
                (self.exchange, Some(granted))
            }
            "/users/me" if self.me => {
                let me = json!({"uri": user, "current_organization": organization});
                (Duration::ZERO, Some(json!({"resource": me})))
            }
            _ => (calendly::TIMEOUT, None),
        };
        Box::pin(async move {
            tokio::time::sleep(wait).await;
            let body = body.ok_or(NoReply::TimedOut)?;
            Ok(Told {
                status: StatusCode::OK,
                headers: lambda_http::http::HeaderMap::default(),
                body: body.to_string().into_bytes(),
            })
        })
    }
}

/// A vault that takes as long to write as one may.
#[derive(Clone, Default)]
struct SlowVault(MemoryVault);

impl Vault for SlowVault {
    async fn read(
        &self,
        id: &ConnectionId,
        version: Option<&str>,
    ) -> platform::Result<Option<Stored>> {
        self.0.read(id, version).await
    }

    async fn write(
        &self,
        id: &ConnectionId,
        tokens: &Tokens,
        version: &str,
    ) -> platform::Result<()> {
        tokio::time::sleep(platform::connections::STORE).await;
        self.0.write(id, tokens, version).await
    }

    async fn forget(&self, id: &ConnectionId) -> platform::Result<()> {
        self.0.forget(id).await
    }
}

/// What is wrong with a secret at its next reading.
#[derive(Clone, Copy)]
enum Trouble {
    Failing,
    Slow,
}

#[derive(Clone)]
struct Secret {
    text: String,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

impl Secret {
    fn new(value: &Value, trouble: &Arc<Mutex<Option<Trouble>>>) -> Self {
        Self {
            text: value.to_string(),
            trouble: Arc::clone(trouble),
        }
    }
}

impl Versions for Secret {
    async fn at(&self, stage: &'static str) -> platform::Result<Option<String>> {
        if stage != "AWSCURRENT" {
            return Ok(None);
        }
        let trouble = self.trouble.lock().unwrap().take();
        match trouble {
            Some(Trouble::Failing) => Err(platform::Error::Aws {
                action: "read a secret",
                cause: "no answer".to_owned(),
            }),
            Some(Trouble::Slow) => {
                tokio::time::sleep(platform::aws::CALL).await;
                Ok(Some(self.text.clone()))
            }
            None => Ok(Some(self.text.clone())),
        }
    }
}

type Slowly = Connector<SlowVault, Secret, MemoryQueue<SyncJob>>;

async fn slowly(calendly: Slow, trouble: &Arc<Mutex<Option<Trouble>>>) -> Slowly {
    let dynamo = Dynamo::inside();
    dynamo.connections("connections").await;
    let keys = Secret::new(&json!({"name": "test", "key": "k-1"}), &Arc::default());
    let app = json!({"clientId": "c", "clientSecret": "s", "signingKey": "k"});
    let app = Secret::new(&app, trouble);
    Connector {
        connections: ConnectionStore::new(dynamo.client(), "connections".to_owned()),
        vault: SlowVault::default(),
        app: RotatingSecret::new(app, "Calendly secret", Duration::from_secs(60)),
        keys: ApiKeys {
            all: RotatingSecret::new(keys.clone(), "API key secret", Duration::from_secs(60)),
            readers: RotatingSecret::new(keys, "read key secret", Duration::from_secs(60)),
        },
        jobs: MemoryQueue::default(),
        http: calendly::Http::by(Arc::new(calendly), reqwest::Client::new()),
        endpoints: Endpoints::default(),
        scopes: AskFor::Granular,
        cors: Cors::default(),
        public_url: Some(BASE.to_owned()),
    }
}

/// Where Calendly sends the browser back to.
async fn back(connector: &Slowly) -> String {
    let answer = ask(connector, "/v1/auth/authorize").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let to = answer.json()["authorizeUrl"].as_str().unwrap().to_owned();
    let to = reqwest::Url::parse(&to).unwrap();
    let (_, state) = to.query_pairs().find(|(name, _)| name == "state").unwrap();
    format!("/v1/auth/callback?code=c&state={state}")
}

async fn ask(connector: &Slowly, target: &str) -> Answer {
    ask_in(
        LIMIT.saturating_sub(Duration::from_secs(2)),
        connector,
        target,
    )
    .await
}

/// Asks a function that has so much time left.
async fn ask_in(left: Duration, connector: &Slowly, target: &str) -> Answer {
    let key = [("x-api-key", "k-1")];
    let request = request("GET", target, &key, "");
    Answer::of(
        &connector
            .handle(&request, &TrackingId::random(), Instant::now() + left)
            .await,
    )
}

#[tokio::test(start_paused = true)]
async fn a_grant_is_stored_before_the_function_is_stopped_whatever_hangs() {
    for millis in (0..=7000).step_by(1000) {
        for me in [false, true] {
            let exchange = Duration::from_millis(millis);
            let connector = slowly(Slow { exchange, me }, &Arc::default()).await;
            let back = back(&connector).await;
            let began = Instant::now();
            let answer = ask(&connector, &back).await;
            let after = began.elapsed();
            assert!(after < LIMIT, "{after:?} by {exchange:?}");
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.json()["subscribed"], false);
            assert!(connector.vault.0.tokens("AAAAHOSTUSER0001").is_some());
            assert_eq!(connector.jobs.drain().len(), 1, "its first sync subscribes");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_that_is_not_had_in_time_leaves_the_authorization_to_the_next_try() {
    for trouble in [Trouble::Failing, Trouble::Slow] {
        let next = Arc::default();
        let calendly = Slow {
            exchange: Duration::ZERO,
            me: true,
        };
        let connector = slowly(calendly, &next).await;
        let back = back(&connector).await;
        // What was read before is too old.
        tokio::time::advance(Duration::from_secs(61)).await;
        *next.lock().unwrap() = Some(trouble);
        let answer = ask(&connector, &back).await;
        answer.refused(503, "STORE_UNAVAILABLE");
        assert!(connector.vault.0.is_empty());
        let again = ask(&connector, &back).await;
        assert_eq!(again.status, 200, "{}", again.text);
    }
}

#[tokio::test(start_paused = true)]
async fn an_authorization_that_a_function_has_no_time_for_is_left_to_the_next_try() {
    let calendly = Slow {
        exchange: Duration::ZERO,
        me: true,
    };
    let connector = slowly(calendly, &Arc::default()).await;
    let back = back(&connector).await;
    let answer = ask_in(Duration::from_secs(15), &connector, &back).await;
    answer.refused(503, "STORE_UNAVAILABLE");
    assert!(connector.vault.0.is_empty());
    let again = ask(&connector, &back).await;
    assert_eq!(again.status, 200, "{}", again.text);
}

/// Who disconnects the account, or refreshes its tokens, would take the new ones away.
#[tokio::test(start_paused = true)]
async fn tokens_of_a_connection_that_somebody_works_with_are_stored_after_that_or_not_at_all() {
    let calendly = || Slow {
        exchange: Duration::ZERO,
        me: true,
    };
    let user = "https://api.calendly.com/users/AAAAHOSTUSER0001";
    let id = ConnectionId::from_user_uri(user).unwrap();
    for (works_for, is_stored) in [(5, true), (60, false)] {
        let connector = slowly(calendly(), &Arc::default()).await;
        let first = back(&connector).await;
        assert_eq!(ask(&connector, &first).await.status, 200);
        let noted = || async { connector.connections.get(&id).await.unwrap().unwrap().kept };
        let before = noted().await;
        let second = back(&connector).await;
        let lease = connector.connections.lease(&id, LeaseFor::Refresh, STORING);
        let lease = lease.await.unwrap().unwrap();
        let began = Instant::now();
        let worker = async {
            tokio::time::sleep(Duration::from_secs(works_for)).await;
            let given = connector.connections.give_back(&id, &lease, None);
            given.await.unwrap();
        };
        let (answer, ()) = tokio::join!(
            async {
                let answer = ask(&connector, &second).await;
                assert!(began.elapsed() < LIMIT, "{:?}", began.elapsed());
                answer
            },
            worker
        );
        if is_stored {
            assert_eq!(answer.status, 200, "{}", answer.text);
        } else {
            answer.refused(503, "STORE_UNAVAILABLE");
        }
        assert_eq!(noted().await != before, is_stored, "{}", answer.text);
    }
}
