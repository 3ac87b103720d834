//! Webhooks, signed as Calendly signs them, or wrongly on purpose.

use crate::{Answer, Stack};
use jiff::Timestamp;
use reqwest::header::HeaderValue;

/// A webhook about to be posted: by default to the plain path, as JSON, rightly signed now.
pub struct Post<'a> {
    stack: &'a Stack,
    path: String,
    content_type: Option<&'static str>,
    signatures: Vec<String>,
    body: Vec<u8>,
}

/// The signature header of `body`, `seconds` from now.
pub fn sign(key: &str, body: &[u8], seconds: i64) -> String {
    testkit::sign(key, Timestamp::now().as_second() + seconds, body)
}

impl Stack {
    /// A webhook to be posted.
    pub fn post(&self, body: impl Into<Vec<u8>>) -> Post<'_> {
        let body = body.into();
        Post {
            stack: self,
            path: "/v1/webhooks/calendly".to_owned(),
            content_type: Some("application/json"),
            signatures: vec![sign(&self.signing_key, &body, 0)],
            body,
        }
    }

    /// Posts a webhook as Calendly would, which must be accepted; its delivery's id.
    pub async fn accepted(&self, body: impl Into<Vec<u8>>) -> String {
        let answer = self.post(body).send().await.ok();
        assert_eq!(answer["success"], true);
        answer["deliveryId"].as_str().unwrap().to_owned()
    }

    /// Posts a webhook and waits until it is applied; its delivery's id.
    pub async fn applied(&self, body: impl Into<Vec<u8>>) -> String {
        let id = self.accepted(body).await;
        self.until_status(&id, "processed").await;
        id
    }
}

impl Post<'_> {
    /// To this path.
    #[must_use]
    pub fn to(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// With this content type, or none.
    #[must_use]
    pub fn content_type(mut self, content_type: Option<&'static str>) -> Self {
        self.content_type = content_type;
        self
    }

    /// Signed with this key.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        let signature = sign(key, &self.body, 0);
        self.signatures(&[&signature])
    }

    /// Signed for a time this many seconds from now.
    #[must_use]
    pub fn seconds_from_now(self, seconds: i64) -> Self {
        let signature = sign(&self.stack.signing_key, &self.body, seconds);
        self.signatures(&[&signature])
    }

    /// With these signature headers, whatever they are.
    #[must_use]
    pub fn signatures(mut self, signatures: &[&str]) -> Self {
        self.signatures = signatures
            .iter()
            .map(|&signature| signature.to_owned())
            .collect();
        self
    }

    /// Posts it.
    pub async fn send(self) -> Answer {
        let url = format!("{}{}", self.stack.base_url, self.path);
        let mut request = self.stack.http.post(url).body(self.body);
        if let Some(content_type) = self.content_type {
            request = request.header("content-type", content_type);
        }
        for signature in &self.signatures {
            let value = HeaderValue::from_bytes(signature.as_bytes()).unwrap();
            request = request.header("Calendly-Webhook-Signature", value);
        }
        Answer::of(request.send().await.expect("the stack does not answer")).await
    }
}
