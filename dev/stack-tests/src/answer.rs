//! An HTTP answer, held against the contract.

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// What the stack answered.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The `x-tracking-id` header.
    pub tracking_id: Option<String>,
    /// The `content-type` header.
    pub content_type: Option<String>,
    /// Every header.
    pub headers: HeaderMap,
    /// The body; null where it isn't JSON.
    pub body: Value,
    /// The body where it isn't JSON.
    pub text: String,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let header = |name| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let (tracking_id, content_type) = (header("x-tracking-id"), header("content-type"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // Whatever is answered: but for what API Gateway answers itself, which has no such id.
        if tracking_id.is_some() {
            assert_careful(&headers);
        }
        let bytes = response.bytes().await.unwrap();
        let json = serde_json::from_slice(&bytes);
        let text = json.is_err().then(|| String::from_utf8_lossy(&bytes));
        Self {
            status,
            tracking_id,
            content_type,
            headers,
            text: text.unwrap_or_default().into_owned(),
            body: json.unwrap_or_default(),
        }
    }

    /// A header's value; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The text of a page for a browser: one that names the tracking id, and keeps its address,
    /// which can hold a code and a state, to itself.
    pub fn page(self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let html = Some("text/html; charset=utf-8");
        assert_eq!(self.content_type.as_deref(), html, "{self:?}");
        let policy = self.header("content-security-policy");
        assert!(policy.contains("default-src 'none'"), "{self:?}");
        let id = self.tracking_id.as_deref().expect("a tracking id");
        assert!(self.text.contains(id), "{self:?}");
        self.text
    }

    /// The body of an answer with `status`, JSON with a tracking id in its header.
    pub fn with_status(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.assert_headers();
        self.body
    }

    /// The body of a 200.
    pub fn ok(self) -> Value {
        self.with_status(200)
    }

    /// The `error` text of an answer that must be exactly the contract's error shape.
    pub fn problem(self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body["code"], code, "{self:?}");
        self.assert_headers();
        let fields = self.body.as_object().expect("an object");
        let mut names: Vec<_> = fields.keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["code", "error", "timestamp", "trackingId"],
            "{self:?}"
        );
        let at: Timestamp = self.body["timestamp"].as_str().unwrap().parse().unwrap();
        let age = Timestamp::now().duration_since(at).as_secs_f64();
        assert!((-1.0..60.0).contains(&age), "the time is not now: {self:?}");
        let error = self.body["error"].as_str().unwrap();
        assert!(!error.is_empty(), "{self:?}");
        error.to_owned()
    }

    /// A JSON answer with a tracking id, which is the body's own where that has one.
    fn assert_headers(&self) {
        assert_eq!(
            self.content_type.as_deref(),
            Some("application/json"),
            "{self:?}"
        );
        let id = self
            .tracking_id
            .as_deref()
            .expect("an x-tracking-id header");
        uuid::Uuid::parse_str(id).expect("a tracking id is a UUID");
        // A replay's answer names the delivery's own tracking id.
        if self.body.get("code").is_some() {
            assert_eq!(self.body["trackingId"], id, "{self:?}");
        }
    }
}

/// The headers that keep a browser careful are on every answer.
fn assert_careful(headers: &HeaderMap) {
    let text = |name: &str| {
        headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    };
    assert_eq!(text("x-content-type-options"), "nosniff", "{headers:?}");
    assert_eq!(text("referrer-policy"), "no-referrer", "{headers:?}");
    let https = text("strict-transport-security");
    assert!(https.starts_with("max-age="), "{headers:?}");
    let policy = text("content-security-policy");
    for part in ["default-src 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{headers:?}");
    }
}
