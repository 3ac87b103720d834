//! An HTTP answer, held against the contract.

use jiff::Timestamp;
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
    /// The body; null where it isn't JSON.
    pub body: Value,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let header = |name| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        Self {
            status: response.status().as_u16(),
            tracking_id: header("x-tracking-id"),
            content_type: header("content-type"),
            body: serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default(),
        }
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
