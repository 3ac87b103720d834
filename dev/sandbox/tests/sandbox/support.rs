//! A client of the sandbox, and a receiver of its webhooks.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use reqwest::{Client, Method, Response};
use sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Organization of the first user.
pub const ORGANIZATION: &str = "https://api.calendly.com/organizations/AAAAORG000000001";
/// The first user.
pub const DANA: &str = "https://api.calendly.com/users/AAAAHOSTUSER0001";

/// A sandbox and a client with the first user's personal access token.
pub struct Desk {
    pub sandbox: Sandbox,
    pub http: Client,
    pub token: String,
}

pub async fn start() -> Desk {
    start_with(Options::default()).await
}

pub async fn start_with(options: Options) -> Desk {
    let http = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(20))
        .no_proxy()
        .build()
        .unwrap();
    let token = options.personal_access_token.clone();
    Desk {
        sandbox: Sandbox::start(options).await.unwrap(),
        http,
        token,
    }
}

/// Quick retries, one delivery at a time.
pub fn in_order() -> Options {
    Options {
        parallel_deliveries: 1,
        retry_delays: [20, 40].map(Duration::from_millis).to_vec(),
        ..Options::default()
    }
}

impl Desk {
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.base_url())
    }

    /// A call of the API with the token.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let request = self.http.request(method, self.url(path));
        let request = request.bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        request.send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        let response = self.call(Method::GET, path, None).await;
        assert_eq!(response.status(), 200, "{path}");
        response.json().await.unwrap()
    }

    pub async fn status(&self, method: Method, path: &str, body: Option<Value>) -> u16 {
        self.call(method, path, body).await.status().as_u16()
    }

    /// A control that must succeed.
    pub async fn control(&self, method: Method, path: &str, body: Value) -> Value {
        let url = self.url(&format!("/_sandbox{path}"));
        let response = self.http.request(method, url).json(&body).send();
        let response = response.await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.control(Method::POST, path, body).await
    }

    /// Books with the first user; answers event id and invitee id.
    pub async fn book(&self, name: &str, start: &str) -> (String, String) {
        let body = json!({"name": name, "email": "ada@example.com", "startTime": start});
        let booked = self.post("/bookings", body).await;
        let id = |field: &str| booked[field].as_str().unwrap().to_owned();
        (id("eventId"), id("inviteeId"))
    }

    pub async fn subscribe(&self, url: &str) -> Response {
        let body = json!({
            "url": url,
            "events": ["invitee.created", "invitee.canceled",
                       "invitee_no_show.created", "invitee_no_show.deleted"],
            "organization": ORGANIZATION,
            "scope": "organization",
            "signing_key": KEY,
        });
        self.call(Method::POST, "/webhook_subscriptions", Some(body))
            .await
    }

    pub async fn settle(&self) {
        let settled = self.post("/settle", json!({})).await;
        assert_eq!(settled["settled"], true);
    }
}

/// The key of subscriptions made with [`Desk::subscribe`].
pub const KEY: &str = "a-made-up-signing-key";

/// A webhook as received.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Received {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn signature(&self) -> &str {
        self.headers["calendly-webhook-signature"].to_str().unwrap()
    }

    /// The signed time.
    pub fn time(&self) -> i64 {
        let time = self.signature().split_once("t=").unwrap().1;
        time.split_once(',').unwrap().0.parse().unwrap()
    }
}

#[derive(Default)]
struct Inbox {
    received: Vec<Received>,
    /// Statuses to answer with first; 200 after them.
    statuses: Vec<u16>,
}

/// A receiver of webhooks.
pub struct Receiver {
    pub url: String,
    inbox: Arc<Mutex<Inbox>>,
    server: JoinHandle<()>,
}

async fn receive(
    State(inbox): State<Arc<Mutex<Inbox>>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let mut inbox = inbox.lock().unwrap();
    let body = body.to_vec();
    inbox.received.push(Received { headers, body });
    let status = if inbox.statuses.is_empty() {
        200
    } else {
        inbox.statuses.remove(0)
    };
    (StatusCode::from_u16(status).unwrap(), "thank you")
}

impl Receiver {
    pub async fn start(statuses: &[u16]) -> Self {
        let inbox = Arc::new(Mutex::new(Inbox {
            received: Vec::new(),
            statuses: statuses.to_vec(),
        }));
        let router = axum::Router::new()
            .fallback(receive)
            .with_state(Arc::clone(&inbox));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, inbox, server }
    }

    pub fn received(&self) -> Vec<Received> {
        self.inbox.lock().unwrap().received.clone()
    }

    /// Event and invitee's name of each, in the order of arrival.
    pub fn told(&self) -> Vec<(String, String)> {
        let text = |json: &Value| json.as_str().unwrap().to_owned();
        let told = |received: &Received| {
            let body = received.json();
            (text(&body["event"]), text(&body["payload"]["name"]))
        };
        self.received().iter().map(told).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}
