//! The sandbox Calendly beside the stack: its controls, and what it holds.
//!
//! All tests share it. Those that put faults on it run alone; those that delete a connection, or
//! count on there being none, take an account of their own.

use crate::fault::and_then_always;
use crate::stack::variable;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::Duration;

/// The running sandbox.
pub struct Sandbox {
    /// Where it is.
    pub url: String,
    /// The secret of the app that the stack is.
    pub client_secret: String,
    client_id: String,
    http: Client,
}

/// Somebody with a Calendly account.
#[derive(Debug, Clone)]
pub struct Account {
    /// Last part of the user's URI: the id of their connection, too.
    pub id: String,
    /// The user's URI.
    pub uri: String,
    /// The URI of their organization.
    pub organization: String,
}

fn text(json: &Value, name: &str) -> String {
    let text = json[name].as_str();
    text.unwrap_or_else(|| panic!("no {name} in {json}"))
        .to_owned()
}

/// The items of a list.
pub(crate) fn items(json: &Value) -> &[Value] {
    json.as_array().expect("a list")
}

impl Sandbox {
    /// The sandbox that the environment names.
    pub fn from_env() -> Self {
        Self {
            url: variable("SANDBOX_URL"),
            client_secret: variable("CALENDLY_CLIENT_SECRET"),
            client_id: variable("CALENDLY_CLIENT_ID"),
            http: Client::builder()
                .no_proxy()
                .redirect(Policy::none())
                .timeout(Duration::from_secs(60))
                .build()
                .unwrap(),
        }
    }

    /// A control that must succeed; null where it answers nothing.
    pub async fn control(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("{}/_sandbox{path}", self.url);
        let answer = self.http.request(method, url).json(body).send();
        let answer = answer.await.expect("the sandbox does not answer");
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// A new account in an organization of its own.
    pub async fn account(&self, name: &str) -> Account {
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let new = json!({ "name": name, "email": email });
        let made = self.control(Method::POST, "/accounts", &new).await;
        Account {
            id: text(&made, "userId"),
            uri: text(&made, "userUri"),
            organization: text(&made, "organizationUri"),
        }
    }

    /// The account that the sandbox takes where none is named.
    pub async fn first_account(&self) -> Account {
        let state = self.state().await;
        let user = &state["users"][0];
        let uri = text(user, "uri");
        Account {
            id: uri.rsplit('/').next().unwrap().to_owned(),
            uri,
            organization: text(user, "current_organization"),
        }
    }

    /// Everything that it holds.
    pub async fn state(&self) -> Value {
        self.control(Method::GET, "/state", &Value::Null).await
    }

    /// The webhook subscriptions that an account made.
    pub async fn subscriptions(&self, account: &Account) -> Vec<Value> {
        let state = self.state().await;
        let subscriptions = items(&state["subscriptions"]).iter();
        let theirs = subscriptions.filter(|it| it["creator"] == account.uri);
        theirs.cloned().collect()
    }

    /// The tokens that an account granted, oldest first.
    pub async fn tokens(&self, account: &Account) -> Vec<Value> {
        let state = self.state().await;
        let tokens = items(&state["tokens"]).iter();
        // A personal access token was not granted to the app.
        let theirs =
            tokens.filter(|it| it["userUri"] == account.uri && it["refreshToken"] != json!(null));
        theirs.cloned().collect()
    }

    /// The webhooks that went out, or should have, for an account's subscriptions; oldest first.
    pub async fn deliveries(&self, account: &Account) -> Vec<Value> {
        let all = self.control(Method::GET, "/deliveries", &Value::Null).await;
        let path = format!("/v1/webhooks/calendly/{}-", account.id);
        let is_theirs = |delivery: &&Value| delivery["url"].as_str().unwrap().contains(&path);
        let all = items(&all["deliveries"]).iter().rev();
        all.filter(is_theirs).cloned().collect()
    }

    /// Waits until no webhook is left to be sent.
    pub async fn settle(&self) {
        let wait = json!({ "timeoutMs": 40_000 });
        let settled = self.control(Method::POST, "/settle", &wait).await;
        assert_eq!(settled["settled"], true, "{settled}");
    }

    /// Whether a token works, as the app may ask.
    pub async fn is_active(&self, token: &str) -> bool {
        let url = format!("{}/oauth/introspect", self.url);
        let ask = self.http.post(url).form(&[("token", token)]);
        let ask = ask.basic_auth(&self.client_id, Some(&self.client_secret));
        let answer: Value = ask.send().await.unwrap().json().await.unwrap();
        answer["active"].as_bool().expect("active or not")
    }

    /// Opens an authorize URL with more parameters; where it sends the browser.
    pub async fn redirect(&self, authorize_url: &str, more: &str) -> String {
        let url = format!("{authorize_url}&{more}");
        let answer = self.http.get(url).send().await.unwrap();
        assert_eq!(answer.status(), 302, "{}", answer.text().await.unwrap());
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Runs `test` with faults on all that the sandbox does; then it does all well again. Only for
    /// tests that run alone.
    pub async fn with_faults<T>(&self, faults: &Value, test: impl AsyncFnOnce() -> T) -> T {
        self.control(Method::PUT, "/faults", faults).await;
        let none = json!({});
        and_then_always(test, async || {
            self.control(Method::PUT, "/faults", &none).await;
        })
        .await
    }

    /// Runs `test` while an account may make as many calls as it likes; then the limits are as they
    /// were. Only for tests that run alone.
    pub async fn without_limits<T>(&self, test: impl AsyncFnOnce() -> T) -> T {
        let before = self.state().await["limits"].clone();
        let none = json!({ "perWindow": 1_000_000, "tokensPerWindow": 1_000 });
        self.control(Method::PUT, "/limits", &none).await;
        and_then_always(test, async || {
            self.control(Method::PUT, "/limits", &before).await;
        })
        .await
    }

    /// Counts calls from nothing again. Only for tests that run alone.
    pub async fn clear_calls(&self) {
        self.control(Method::DELETE, "/calls", &Value::Null).await;
    }

    /// How often a route was called since then, whatever was answered.
    pub async fn calls(&self, route: &str) -> u64 {
        let calls = self.control(Method::GET, "/calls", &Value::Null).await;
        let statuses = calls["byRoute"][route].as_object();
        let counts = statuses.into_iter().flat_map(|statuses| statuses.values());
        counts.map(|count| count.as_u64().unwrap()).sum()
    }
}
