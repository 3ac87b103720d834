//! The running stack, as the environment tells of it.

use crate::Answer;
use aws_config::BehaviorVersion;
use platform::deliveries::DeliveryStore;
use reqwest::Method;
use reqwest::redirect::Policy;
use serde_json::Value;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The stack that the tests run against, and the means to reach it.
pub struct Stack {
    /// Where its HTTP API is.
    pub base_url: String,
    /// A good API key.
    pub api_key: String,
    /// The key that may only look.
    pub read_key: String,
    /// The key that webhooks are signed with.
    pub signing_key: String,
    /// Where each function's log is.
    pub log_dir: PathBuf,
    /// The log of deliveries, read past the API.
    pub deliveries: DeliveryStore,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) http: reqwest::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) secrets: aws_sdk_secretsmanager::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
}

/// A variable that `dev/local/run_with_stack.py` sets.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: these tests need a running stack. Run `make test-stack`.")
    })
}

impl Stack {
    /// The stack that the environment names.
    ///
    /// Panics where there is none: a test that needs a stack must not pass without one.
    pub async fn from_env() -> Self {
        Self::from_address([127, 0, 0, 1]).await
    }

    /// The same, called from another of this machine's own addresses: requests that are refused are
    /// counted for each address, and a test with many of them must not use up what all others have.
    pub async fn from_address(address: [u8; 4]) -> Self {
        let base_url = variable("BASE_URL");
        variable("AWS_ENDPOINT_URL");
        let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let dynamodb = aws_sdk_dynamodb::Client::new(&aws);
        Self {
            base_url,
            api_key: variable("API_KEY"),
            read_key: variable("READ_KEY"),
            signing_key: variable("CALENDLY_SIGNING_KEY"),
            log_dir: variable("LOG_DIR").into(),
            deliveries: DeliveryStore::new(dynamodb.clone(), variable("DELIVERIES_TABLE")),
            dynamodb,
            http: reqwest::Client::builder()
                .no_proxy()
                .local_address(IpAddr::from(address))
                // Where it sends a browser is part of what is tested.
                .redirect(Policy::none())
                .timeout(Duration::from_secs(35))
                .build()
                .unwrap(),
            lambda: aws_sdk_lambda::Client::new(&aws),
            secrets: aws_sdk_secretsmanager::Client::new(&aws),
            sqs: aws_sdk_sqs::Client::new(&aws),
        }
    }

    /// `GET path` with the API key.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &[("x-api-key", &self.api_key)], None)
            .await
    }

    /// `POST path` with the API key.
    pub async fn post_json(&self, path: &str, body: &Value) -> Answer {
        let body = Some(body.to_string());
        self.call(Method::POST, path, &[("x-api-key", &self.api_key)], body)
            .await
    }

    /// Any request, with no more headers than given.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base_url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        Answer::of(request.send().await.expect("the stack does not answer")).await
    }

    /// A scheduled event by its id.
    pub async fn event(&self, id: &str) -> Value {
        self.get(&format!("/v1/events/{id}")).await.ok()
    }

    /// The JSON lines of one function's log.
    pub fn log_lines(&self, function: &str) -> Vec<Value> {
        let path = self.log_dir.join(format!("{function}.log"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        text.lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}
