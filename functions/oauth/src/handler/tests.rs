//! The function against an embedded DynamoDB and a sandbox Calendly; tokens and secrets in memory.

use super::*;
use booking::ConnectionId;
use fakes::{FixedSecret, MemoryQueue, MemoryVault};
use jiff::{SignedDuration, Timestamp};
use lambda_http::http::Request as HttpRequest;
use platform::connections::{LeaseFor, SEEN};
use rand::RngCore;
use sandbox::{Options, Sandbox};
use serde_json::json;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;
use testkit::dynamo::Dynamo;

mod grants;
mod late;

const BASE: &str = "http://127.0.0.1:1";

struct Stage {
    dynamo: Dynamo,
    sandbox: Sandbox,
    vault: MemoryVault,
    connector: Connector<MemoryVault, FixedSecret, MemoryQueue<SyncJob>>,
    http: reqwest::Client,
}

/// An answer, read.
struct Answer {
    status: u16,
    headers: lambda_http::http::HeaderMap,
    text: String,
}

impl Answer {
    fn of(response: &Response<Body>) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: String::from_utf8(response.body().as_ref().to_vec()).unwrap(),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    #[track_caller]
    fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        let body = self.json();
        assert_eq!(body["code"], code);
        assert!(body["error"].as_str().is_some_and(|error| error.len() > 20));
        assert_eq!(
            body["trackingId"],
            self.headers["x-tracking-id"].to_str().unwrap()
        );
    }
}

fn keys(lifetime: Duration) -> ApiKeys<FixedSecret> {
    let secret = |value: &str| FixedSecret(value.to_owned());
    ApiKeys {
        all: RotatingSecret::new(secret(r#"{"name":"test","key":"k-1"}"#), "keys", lifetime),
        readers: RotatingSecret::new(secret(r#"{"name":"read","key":"k-2"}"#), "keys", lifetime),
    }
}

fn request(method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let url = format!("{BASE}{target}");
    let mut request = HttpRequest::builder().method(method).uri(&url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let query = reqwest::Url::parse(&url).unwrap();
    let mut parameters: HashMap<String, Vec<String>> = HashMap::new();
    for (name, value) in query.query_pairs() {
        parameters
            .entry(name.into_owned())
            .or_default()
            .push(value.into_owned());
    }
    request
        .body(Body::from(body))
        .unwrap()
        .with_query_string_parameters(parameters)
}

impl Stage {
    async fn new() -> Self {
        let defaults = Options::default();
        let secret = json!({
            "clientId": defaults.client_id,
            "clientSecret": defaults.client_secret,
            "signingKey": "a-key-for-personal-tokens",
        });
        Self::with(&secret).await
    }

    async fn with(secret: &Value) -> Self {
        Self::of_app(secret, Options::default(), AskFor::Granular).await
    }

    /// With an app that has no scopes but `default`, and is told no organization with its tokens.
    async fn of_old_app(scopes: AskFor) -> Self {
        let options = Options {
            app_scopes: vec!["default".to_owned()],
            ..Options::default()
        };
        let secret = json!({
            "clientId": options.client_id,
            "clientSecret": options.client_secret,
        });
        Self::of_app(&secret, options, scopes).await
    }

    async fn of_app(secret: &Value, options: Options, scopes: AskFor) -> Self {
        let dynamo = Dynamo::start().await;
        dynamo.connections("connections").await;
        let options = Options {
            redirect_uris: vec![format!("{BASE}/v1/auth/callback")],
            ..options
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        let vault = MemoryVault::default();
        let minute = Duration::from_secs(60);
        let connector = Connector {
            connections: ConnectionStore::new(dynamo.client(), "connections".to_owned()),
            vault: vault.clone(),
            app: RotatingSecret::new(FixedSecret(secret.to_string()), "Calendly secret", minute),
            keys: keys(minute),
            jobs: MemoryQueue::default(),
            http: platform::http::outgoing().unwrap(),
            endpoints: Endpoints {
                api: sandbox.base_url().to_owned(),
                auth: sandbox.base_url().to_owned(),
            },
            scopes,
            cors: platform::cors::Cors::default(),
            public_url: Some(BASE.to_owned()),
        };
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            dynamo,
            sandbox,
            vault,
            connector,
            http,
        }
    }

    async fn ask(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let request = request(method, target, headers, body);
        let until = Instant::now() + Duration::from_secs(27);
        Answer::of(
            &self
                .connector
                .handle(&request, &TrackingId::random(), until)
                .await,
        )
    }

    async fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, &[("x-api-key", "k-1")], "").await
    }

    async fn authorize_url(&self) -> String {
        let answer = self.get("/v1/auth/authorize").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["authorizeUrl"].as_str().unwrap().to_owned()
    }

    /// Goes to Calendly with `extra` on the authorize URL, and gives the target it sends back to.
    async fn at_calendly(&self, extra: &str) -> String {
        let url = format!("{}&{extra}", self.authorize_url().await);
        let answer = self.http.get(url).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().to_owned();
        back.strip_prefix(BASE).unwrap().to_owned()
    }

    async fn connected(&self) -> Value {
        let back = self.at_calendly("auto=approve").await;
        let answer = self.ask("GET", &back, &[], "").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    async fn sandbox_state(&self) -> Value {
        let url = format!("{}/_sandbox/state", self.sandbox.base_url());
        self.http
            .get(url)
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap()
    }

    async fn faults(&self, faults: &Value) {
        let url = format!("{}/_sandbox/faults", self.sandbox.base_url());
        let set = self.http.put(url).json(faults).send().await.unwrap();
        assert!(set.status().is_success(), "{faults}");
    }

    /// How often the token endpoint was asked to exchange a code.
    async fn exchanges(&self) -> Value {
        let state = self.sandbox_state().await;
        state["calls"]["byRoute"]["POST /oauth/token authorization_code"].clone()
    }

    async fn nothing_revoked(&self) {
        let state = self.sandbox_state().await;
        let tokens = state["tokens"].as_array().unwrap();
        assert!(
            tokens.iter().all(|token| token["revoked"] == false),
            "{tokens:?}"
        );
    }

    async fn nothing_kept(&self) {
        assert!(self.vault.is_empty());
        let page = self.connector.connections.list(None, 10).await.unwrap();
        assert!(page.items.is_empty());
        let state = self.sandbox_state().await;
        assert_eq!(state["subscriptions"].as_array().map(Vec::len), Some(0));
    }
}

#[tokio::test]
async fn a_readers_key_looks_at_subscriptions_and_connects_nothing() {
    let stage = Stage::new().await;
    let key = [("x-api-key", "k-2")];
    let seen = stage
        .ask("GET", "/v1/webhook-subscriptions", &key, "")
        .await;
    assert_eq!(seen.status, 200);
    for (method, path) in [
        ("GET", "/v1/auth/authorize"),
        ("POST", "/v1/connections"),
        ("DELETE", "/v1/connections/AAAA"),
    ] {
        let refused = stage.ask(method, path, &key, "{}").await;
        assert_eq!(refused.status, 403, "{method} {path}");
    }
    stage.nothing_kept().await;
}

#[tokio::test]
async fn an_account_is_connected_and_subscribed() {
    let stage = Stage::new().await;
    let answer = stage.connected().await;
    assert_eq!(answer["message"], "Authorization successful");
    assert_eq!(answer["subscribed"], true);
    let id = answer["connectionId"].as_str().unwrap();
    assert!(
        answer["userUri"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/users/{id}"))
    );
    assert!(
        answer["organizationUri"]
            .as_str()
            .unwrap()
            .contains("/organizations/")
    );

    let page = stage.connector.connections.list(None, 10).await.unwrap();
    assert_eq!(page.items.len(), 1);
    let jobs = stage.connector.jobs.drain();
    assert_eq!(jobs.len(), 1, "a first sync is queued");
    assert_eq!(jobs[0].0.connection_id, Some(page.items[0].id.clone()));
    assert!(
        page.items[0]
            .scopes
            .iter()
            .any(|scope| scope == "webhooks:write")
    );
    assert!(stage.vault.tokens(id).is_some());
    let state = stage.sandbox_state().await;
    let subscription = &state["subscriptions"][0];
    let url = subscription["callback_url"].as_str().unwrap();
    assert_eq!(url, format!("{BASE}/v1/webhooks/calendly/{id}-1"));
}

#[tokio::test]
async fn a_second_authorization_renews_the_connection() {
    let stage = Stage::new().await;
    let first = stage.connected().await;
    let id = first["connectionId"].as_str().unwrap().to_owned();
    let before = stage.vault.tokens(&id).unwrap().access_token;
    let second = stage.connected().await;
    assert_eq!(first["connectionId"], second["connectionId"]);
    assert_ne!(stage.vault.tokens(&id).unwrap().access_token, before);
    let state = stage.sandbox_state().await;
    assert_eq!(state["subscriptions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_browser_gets_pages_and_a_program_json() {
    let stage = Stage::new().await;
    let html = [
        ("accept", "text/html,application/xhtml+xml"),
        ("x-api-key", "k-1"),
    ];
    let answer = stage.ask("GET", "/v1/auth/authorize", &html, "").await;
    assert_eq!(answer.status, 302);
    let to = answer.headers["location"].to_str().unwrap();
    assert!(to.starts_with(stage.sandbox.base_url()));

    let back = stage.at_calendly("auto=approve").await;
    let answer = stage.ask("GET", &back, &html, "").await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    assert!(answer.text.contains("<h1>Connected</h1>"));
    let account = "The Calendly account of Dana Host (dana.host@example.com) is connected, and";
    assert!(answer.text.contains(account), "{}", answer.text);
}

#[tokio::test]
async fn a_start_link_needs_no_api_key() {
    let stage = Stage::new().await;
    let link = stage.get("/v1/auth/authorize").await.json()["startUrl"].clone();
    let link = link.as_str().unwrap().strip_prefix(BASE).unwrap();
    let answer = stage.ask("GET", link, &[], "").await;
    assert_eq!(answer.status, 302);
    let forged = link.replace("signature=", "signature=00");
    stage
        .ask("GET", &forged, &[], "")
        .await
        .refused(401, "UNAUTHORIZED");
    stage
        .ask("GET", "/v1/auth/authorize", &[], "")
        .await
        .refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn a_start_link_survives_a_mailer() {
    let stage = Stage::new().await;
    for asked in ["/v1/auth/authorize", "/v1/auth/authorize?routingForms=true"] {
        let link = stage.get(asked).await.json()["startUrl"].clone();
        let link = link.as_str().unwrap().strip_prefix(BASE).unwrap();
        let escaped = link.replace('&', "&amp;");
        for mailed in [
            format!("{link}&utm_source=newsletter&mc_eid=1"),
            format!("{escaped}&amp;utm_source=a+b"),
            escaped.replace('&', "&amp;"),
            format!("{link}."),
        ] {
            let answer = stage.ask("GET", &mailed, &[], "").await;
            assert_eq!(answer.status, 302, "{mailed}: {}", answer.text);
            let to = answer.headers["location"].to_str().unwrap();
            let forms = to.contains("routing_forms");
            assert_eq!(forms, asked.contains("routingForms"), "{mailed}");
        }
        let (start, _) = link.split_once("&signature").unwrap();
        let answer = stage.ask("GET", start, &[], "").await;
        answer.refused(401, "UNAUTHORIZED");
        assert!(answer.text.contains("missing"), "{}", answer.text);
    }
    let link = stage.get("/v1/auth/authorize").await.json()["startUrl"].clone();
    let link = link.as_str().unwrap().strip_prefix(BASE).unwrap();
    let more = format!("{link}&routingForms=true");
    let answer = stage.ask("GET", &more, &[], "").await;
    answer.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn what_goes_wrong_is_named_and_changes_nothing() {
    let stage = Stage::new().await;
    let callback = |query: &str| format!("/v1/auth/callback{query}");
    let get = async |target: &str| stage.ask("GET", target, &[], "").await;
    get(&callback("")).await.refused(400, "STATE_MISSING");
    get(&callback("?code=c"))
        .await
        .refused(400, "STATE_MISSING");
    get(&callback("?code=c&state=foreign"))
        .await
        .refused(400, "STATE_INVALID");

    let denied = stage.at_calendly("auto=deny").await;
    get(&denied).await.refused(403, "ACCESS_DENIED");
    get(&denied).await.refused(403, "ACCESS_DENIED");

    let back = stage.at_calendly("auto=approve").await;
    let state = back
        .split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    get(&callback(&format!("?state={state}")))
        .await
        .refused(400, "CODE_MISSING");
    get(&back).await.refused(400, "STATE_INVALID");

    let back = stage.at_calendly("auto=approve").await;
    let state = back
        .split("state=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let wrong = callback(&format!("?state={state}&code=made-up"));
    get(&wrong).await.refused(400, "CODE_INVALID");

    let few = stage
        .at_calendly("auto=approve&scope_granted=users:read+webhooks:write")
        .await;
    let answer = get(&few).await;
    answer.refused(403, "MISSING_SCOPE");
    assert!(
        answer.json()["error"]
            .as_str()
            .unwrap()
            .contains("scheduled_events:read")
    );
    stage.nothing_kept().await;
}

#[tokio::test]
async fn no_app_or_a_wrong_one_is_told() {
    let stage = Stage::with(&json!({"signingKey": "k"})).await;
    stage
        .get("/v1/auth/authorize")
        .await
        .refused(500, "OAUTH_APP_MISSING");
    let client_id = Options::default().client_id;
    let secret = json!({"clientId": client_id, "clientSecret": "wrong", "signingKey": "k"});
    let stage = Stage::with(&secret).await;
    let back = stage.at_calendly("auto=approve").await;
    let answer = stage.ask("GET", &back, &[], "").await;
    answer.refused(500, "OAUTH_APP_REFUSED");
    stage.nothing_kept().await;
}

#[tokio::test]
async fn a_personal_access_token_connects_its_own_account() {
    let stage = Stage::new().await;
    let key = [("x-api-key", "k-1")];
    let token = Options::default().personal_access_token;
    let body = json!({"personalAccessToken": token}).to_string();
    let answer = stage.ask("POST", "/v1/connections", &key, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["subscribed"], true);

    stage
        .ask("POST", "/v1/connections", &[], &body)
        .await
        .refused(401, "UNAUTHORIZED");
    for bad in [
        "",
        "[]",
        "{}",
        r#"{"personalAccessToken":" "}"#,
        // Such a token can't stand in a header.
        r#"{"personalAccessToken":"a\u0000b"}"#,
        r#"{"personalAccessToken":"a\r\nx-more: b"}"#,
        r#"{"personalAccessToken":"é"}"#,
    ] {
        let answer = stage.ask("POST", "/v1/connections", &key, bad).await;
        answer.refused(400, "INVALID_PARAMETER");
    }
    let wrong = r#"{"personalAccessToken":"made-up"}"#;
    let answer = stage.ask("POST", "/v1/connections", &key, wrong).await;
    answer.refused(400, "TOKEN_REFUSED");
    assert!(!answer.text.contains("made-up"));
}

#[tokio::test]
async fn disconnecting_deletes_revokes_and_forgets() {
    let stage = Stage::new().await;
    let id = stage.connected().await["connectionId"]
        .as_str()
        .unwrap()
        .to_owned();
    let key = [("x-api-key", "k-1")];
    let target = format!("/v1/connections/{id}");
    stage
        .ask("DELETE", &target, &[], "")
        .await
        .refused(401, "UNAUTHORIZED");
    let answer = stage.ask("DELETE", &target, &key, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["leftAtCalendly"], json!([]));
    stage.nothing_kept().await;
    stage
        .ask("DELETE", &target, &key, "")
        .await
        .refused(404, "NOT_FOUND");
    stage
        .ask("DELETE", "/v1/connections/a%20b", &key, "")
        .await
        .refused(404, "NOT_FOUND");
}

#[tokio::test]
async fn disconnecting_without_tokens_says_that_all_may_be_left() {
    let stage = Stage::new().await;
    let id = stage.connected().await["connectionId"].clone();
    let id = id.as_str().unwrap();
    // A try before this one was stopped after it had forgotten them.
    let uri = format!("https://api.calendly.com/users/{id}");
    let connection = ConnectionId::from_user_uri(&uri).unwrap();
    stage.vault.forget(&connection).await.unwrap();
    let _later = later(SEEN * 2);
    let key = [("x-api-key", "k-1")];
    let target = format!("/v1/connections/{id}");
    let answer = stage.ask("DELETE", &target, &key, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let left = json!(["the webhook subscription", "the access"]);
    assert_eq!(answer.json()["leftAtCalendly"], left);
}

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

#[tokio::test]
async fn tokens_that_are_not_seen_yet_are_no_reason_to_leave_anything_at_calendly() {
    let stage = Stage::new().await;
    stage.vault.show_late(3);
    let id = stage.connected().await["connectionId"].clone();
    let key = [("x-api-key", "k-1")];
    let target = format!("/v1/connections/{}", id.as_str().unwrap());
    let answer = stage.ask("DELETE", &target, &key, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["leftAtCalendly"], json!([]));
    stage.nothing_kept().await;
}

#[tokio::test]
async fn the_subscription_of_an_owner_who_became_a_member_is_deleted() {
    let stage = Stage::new().await;
    let id = stage.connected().await["connectionId"].clone();
    let id = id.as_str().unwrap();
    let account = format!("{}/_sandbox/accounts/{id}", stage.sandbox.base_url());
    let demoted = stage.http.patch(account).json(&json!({"role": "user"}));
    let demoted = demoted.send().await.unwrap();
    assert!(demoted.status().is_success(), "{}", demoted.status());
    let key = [("x-api-key", "k-1")];
    let target = format!("/v1/connections/{id}");
    let answer = stage.ask("DELETE", &target, &key, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["leftAtCalendly"], json!([]));
    stage.nothing_kept().await;
}

impl Stage {
    /// Disconnects `id` while another process has a lease of it, and after a while brings something
    /// back with `last` and gives the lease up.
    async fn disconnect_during(&self, id: &str, kind: LeaseFor, last: impl AsyncFnOnce()) {
        let uri = format!("https://api.calendly.com/users/{id}");
        let connection = ConnectionId::from_user_uri(&uri).unwrap();
        let connections = &self.connector.connections;
        let minute = SignedDuration::from_mins(1);
        let lease = connections.lease(&connection, kind, minute).await.unwrap();
        let other = async {
            // Long enough for all that disconnecting does, if it didn't wait.
            for _ in 0..60 {
                self.sandbox_state().await;
            }
            last().await;
            connections
                .release(&connection, &lease.unwrap())
                .await
                .unwrap();
        };
        let target = format!("/v1/connections/{id}");
        let key = [("x-api-key", "k-1")];
        let asked = Box::pin(self.ask("DELETE", &target, &key, ""));
        let (answer, ()) = tokio::join!(asked, other);
        assert_eq!(answer.status, 200, "{}", answer.text);
        self.nothing_kept().await;
    }
}

#[tokio::test]
async fn a_refresh_under_way_cannot_bring_the_tokens_back() {
    let stage = Stage::new().await;
    let id = stage.connected().await["connectionId"]
        .as_str()
        .unwrap()
        .to_owned();
    let tokens = stage.vault.tokens(&id).unwrap();
    let store = async || stage.vault.put(&id, tokens);
    stage.disconnect_during(&id, LeaseFor::Refresh, store).await;
}

#[tokio::test]
async fn a_watchdog_under_way_cannot_bring_the_subscription_back() {
    let stage = Stage::new().await;
    let id = stage.connected().await["connectionId"]
        .as_str()
        .unwrap()
        .to_owned();
    let subscribe = async || {
        let to = format!("{}/_sandbox/subscriptions", stage.sandbox.base_url());
        let url = format!("{BASE}/v1/webhooks/calendly/{id}-99");
        let new = json!({"url": url, "events": ["invitee.created"]});
        let made = stage.http.post(to).json(&new).send().await.unwrap();
        assert!(made.status().is_success());
    };
    stage
        .disconnect_during(&id, LeaseFor::Watch, subscribe)
        .await;
}

#[tokio::test]
async fn subscriptions_are_listed_made_and_deleted() {
    let stage = Stage::new().await;
    let answer = stage.connected().await;
    let id = answer["connectionId"].as_str().unwrap();
    let key = [("x-api-key", "k-1")];
    let list = async || {
        let all = stage.get("/v1/webhook-subscriptions").await.json();
        assert_eq!(all["errors"], json!([]));
        assert_eq!(all["nextCursor"], Value::Null);
        all["subscriptions"].as_array().unwrap().clone()
    };
    let first = list().await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["inUse"], true);
    assert_eq!(first[0]["state"], "active");
    assert_eq!(first[0]["connection"], id);

    let body = json!({"connection": id}).to_string();
    let post = async || {
        stage
            .ask("POST", "/v1/webhook-subscriptions", &key, &body)
            .await
            .json()
    };
    assert_eq!(post().await["found"], "healthy");
    assert_eq!(list().await, first);

    let target = format!(
        "/v1/webhook-subscriptions/{}",
        first[0]["id"].as_str().unwrap()
    );
    stage
        .ask("DELETE", &target, &key, "")
        .await
        .refused(400, "INVALID_PARAMETER");
    let target = format!("{target}?connection={id}");
    stage
        .ask("DELETE", &target, &[], "")
        .await
        .refused(401, "UNAUTHORIZED");
    assert_eq!(stage.ask("DELETE", &target, &key, "").await.status, 200);
    stage
        .ask("DELETE", &target, &key, "")
        .await
        .refused(404, "NOT_FOUND");
    assert!(list().await.is_empty());
    assert_eq!(post().await["found"], "replaced");
    assert_ne!(list().await[0]["uri"], first[0]["uri"]);
    for unknown in ["nobody".to_owned(), format!("x/users/{id}")] {
        let unknown = json!({ "connection": unknown }).to_string();
        let answer = stage
            .ask("POST", "/v1/webhook-subscriptions", &key, &unknown)
            .await;
        answer.refused(400, "INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn a_changed_signing_key_replaces_the_subscription_of_a_personal_token() {
    let mut stage = Stage::new().await;
    let key = [("x-api-key", "k-1")];
    let token = Options::default().personal_access_token;
    let body = json!({"personalAccessToken": token}).to_string();
    let answer = stage
        .ask("POST", "/v1/connections", &key, &body)
        .await
        .json();
    let body = json!({"connection": answer["connectionId"]}).to_string();
    let post = async |stage: &Stage| {
        let answer = stage
            .ask("POST", "/v1/webhook-subscriptions", &key, &body)
            .await;
        answer.json()["found"].clone()
    };
    assert_eq!(post(&stage).await, "healthy");
    let secret = json!({"signingKey": "the next key"}).to_string();
    let minute = Duration::from_secs(60);
    stage.connector.app = RotatingSecret::new(FixedSecret(secret), "Calendly secret", minute);
    assert_eq!(post(&stage).await, "replaced");
    assert_eq!(post(&stage).await, "healthy");
}
