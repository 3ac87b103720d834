use super::*;
use crate::handler::{Receiver, SigningKeys};
use crate::routes::Webhooks;
use aws_sdk_dynamodb::Client;
use calendly::signature::{HEADER, SigningKey};
use fakes::{FixedSecret, MemoryQueue};
use jiff::Timestamp;
use lambda_http::RequestExt;
use lambda_http::http::header;
use lambda_http::request::RequestContext;
use platform::apply::Bookkeeper;
use platform::bookings::BookingStore;
use platform::deliveries::{Delivery, ErrorKind, Failure};
use platform::metrics::capture;
use platform::syncs::SyncJob;
use platform::traffic::{TrafficCounter, TrafficStore};
use serde_json::json;
use testkit::dynamo::Dynamo;
use testkit::{fixture, sign};

mod limits;
mod odd;

const PATH: &str = "/v1/webhooks/calendly/test";
const SIGNING_KEY: &str = "test-signing-key-made-up-0123456789abcdef";
const KEYS: &str = r#"{"name": "own", "key": "all", "keys": [
    {"name": "reader", "key": "read", "scopes": ["read", "admin"]},
    {"name": "operator", "key": "operate", "scopes": ["operate"]}]}"#;

struct Keys;

impl SigningKeys for Keys {
    async fn keys(&self) -> platform::Result<Vec<SigningKey>> {
        Ok(SigningKey::new(SIGNING_KEY).into_iter().collect())
    }

    async fn keys_now(&self) -> platform::Result<Vec<SigningKey>> {
        self.keys().await
    }
}

/// Applies as the worker does, unless it is to end otherwise.
struct Fragile {
    own: Bookkeeper<MemoryQueue<SyncJob>>,
    fails: Option<ErrorKind>,
}

impl Apply for Fragile {
    async fn apply(&self, delivery: &DeliveryRef, attempt: usize) -> Result<Applied, Failure> {
        match self.fails {
            Some(kind) => Err(Failure::new(kind, "the table is away")),
            None => self.own.apply(delivery, attempt).await,
        }
    }
}

struct Stage {
    webhooks: Webhooks<MemoryQueue<DeliveryRef>, Keys, Fragile, FixedSecret>,
    log: DeliveryStore,
    queue: MemoryQueue<DeliveryRef>,
    dynamo: Dynamo,
}

impl Stage {
    async fn new() -> Self {
        let dynamo = Dynamo::start().await;
        dynamo.deliveries("deliveries").await;
        dynamo.bookings("bookings").await;
        dynamo.limits("limits").await;
        Self::with(dynamo.client(), dynamo)
    }

    fn with(client: Client, dynamo: Dynamo) -> Self {
        let log = DeliveryStore::new(client.clone(), "deliveries".to_owned());
        let queue = MemoryQueue::default();
        let retention = SignedDuration::from_hours(24);
        let limiter = || Limiter::new(dynamo.client(), "limits".to_owned());
        let lifetime = Duration::from_secs(60);
        let tester = Tester {
            log: log.clone(),
            bookkeeper: Fragile {
                own: Bookkeeper {
                    jobs: MemoryQueue::default(),
                    deliveries: log.clone(),
                    bookings: BookingStore::new(client, "bookings".to_owned()),
                },
                fails: None,
            },
            keys: RotatingSecret::new(FixedSecret(KEYS.to_owned()), "API key secret", lifetime),
            limiter: limiter(),
            retention,
        };
        let receiver = Receiver {
            log: log.clone(),
            queue: queue.clone(),
            keys: Keys,
            limiter: limiter(),
            traffic: TrafficCounter::new(TrafficStore::new(dynamo.client(), "limits".to_owned())),
            tolerance: Duration::from_secs(180),
            retention,
        };
        let webhooks = Webhooks {
            receiver,
            tester: Some(tester),
        };
        Self {
            webhooks,
            log,
            queue,
            dynamo,
        }
    }

    fn fails(&mut self, failure: Option<ErrorKind>) {
        self.webhooks.tester.as_mut().unwrap().bookkeeper.fails = failure;
    }

    async fn answered(&self, request: Request) -> (u16, Value) {
        let response = self.webhooks.handle(&request, &TrackingId::random()).await;
        let id = response.headers()["x-tracking-id"].clone();
        let body: Value = serde_json::from_slice(response.body().as_ref()).unwrap();
        assert_eq!(body["trackingId"], id.to_str().unwrap());
        (response.status().as_u16(), body)
    }

    /// What a good request is answered.
    async fn tested(&self, data: &Value) -> Value {
        let (status, body) = self.answered(test(data)).await;
        assert_eq!(status, 200, "{body:#}");
        let result = &body["result"];
        for name in ["trackingId", "event"] {
            assert_eq!(result[name], body[name]);
        }
        assert_eq!(result["processed"], body["success"]);
        let errors = result["errors"].as_array().unwrap();
        assert_eq!(errors.is_empty(), body["success"] == true, "{body:#}");
        body
    }

    async fn logged(&self, tested: &Value) -> Delivery {
        let id = tested["result"]["deliveryId"].as_str().unwrap();
        let id = DeliveryId::parse(id).unwrap();
        self.log.get(&id).await.unwrap().unwrap()
    }
}

fn post(path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request {
    let mut request = lambda_http::http::Request::post(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

/// A request with this key and body.
fn with(key: &str, body: impl Into<Body>) -> Request {
    let headers = [("x-api-key", key), ("content-type", "application/json")];
    post(PATH, &headers, body)
}

fn test(data: &Value) -> Request {
    with("operate", json!({ "eventData": data }).to_string())
}

fn full(name: &str) -> Value {
    serde_json::from_slice(&fixture(name)).unwrap()
}

fn simple(event: &str, time: &str) -> Value {
    json!({
        "event": event,
        "time": time,
        "payload": {
            "event": { "name": "Consultation", "startTime": "2026-12-01T15:00:00Z" },
            "invitee": { "name": "Ada Booker", "email": "ada.booker@example.com" },
        },
    })
}

#[tokio::test]
async fn a_full_body_is_applied_at_once_and_once() {
    let stage = Stage::new().await;
    let data = full("invitee.created.json");
    let captured = capture();
    let first = stage.tested(&data).await;
    assert_eq!(captured.sum(Metric::DeliveriesProcessed), 1);
    // A test is none of Calendly's webhooks, and its times may be made up.
    assert_eq!(captured.lines().len(), 1);
    assert_eq!(captured.values(Metric::LagFromCalendly), [0; 0]);
    assert_eq!(first["event"], "invitee.created");
    let result = &first["result"];
    assert_eq!(result["changes"], json!(["scheduled"]));
    assert_eq!(result["eventId"], "00000001-1111-4222-8333-444455556666");
    assert_eq!(result["inviteeId"], "00000001-aaaa-4bbb-8ccc-ddddeeeeffff");
    let logged = stage.logged(&first).await;
    assert_eq!(logged.status, Status::Processed);
    assert_eq!(first["trackingId"], logged.tracking_id);
    assert_eq!(logged.changes.unwrap(), ["scheduled"]);
    let kept = stage.log.get_with_body(&logged.id).await.unwrap().unwrap();
    let kept: Value = serde_json::from_slice(&kept.1.unwrap()).unwrap();
    assert_eq!(kept, data);

    let bookings = stage.dynamo.dump("bookings").await;
    assert!(bookings.contains("00000001-1111-4222-8333-444455556666"));
    let again = stage.tested(&data).await;
    assert_ne!(again["trackingId"], first["trackingId"]);
    assert_eq!(again["result"]["changes"], json!([]));
    for field in ["processed", "deliveryId", "eventId", "inviteeId"] {
        assert_eq!(again["result"][field], result[field]);
    }
    assert_eq!(stage.dynamo.dump("bookings").await, bookings);
    assert!(
        stage.queue.drain().is_empty(),
        "nothing is left to the worker"
    );
}

#[tokio::test]
async fn a_simple_booking_is_canceled_by_the_next_test() {
    let stage = Stage::new().await;
    let data = simple("invitee.created", "2026-11-20T09:15:01Z");
    let created = stage.tested(&data).await;
    assert_eq!(created["result"]["changes"], json!(["scheduled"]));
    let data = simple("invitee.canceled", "2026-11-21T08:00:00Z");
    let canceled = stage.tested(&data).await;
    assert_eq!(canceled["result"]["changes"], json!(["canceled"]));
    for id in ["eventId", "inviteeId"] {
        assert_eq!(canceled["result"][id], created["result"][id]);
    }
    assert_ne!(
        canceled["result"]["deliveryId"],
        created["result"]["deliveryId"]
    );
}

#[tokio::test]
async fn the_order_of_fields_makes_no_other_delivery() {
    let stage = Stage::new().await;
    let payload =
        r#"{"event": {"uuid": "E1"}, "invitee": {"uuid": "I1", "email": "a@example.com"}}"#;
    let time = r#""time": "2026-11-20T09:15:01Z""#;
    let one =
        format!(r#"{{"eventData": {{"event": "invitee.created", {time}, "payload": {payload}}}}}"#);
    let other =
        format!(r#"{{"eventData": {{"payload": {payload}, {time}, "event": "invitee.created"}}}}"#);
    let (_, one) = stage.answered(with("operate", one)).await;
    let (_, other) = stage.answered(with("operate", other)).await;
    assert_eq!(one["result"]["deliveryId"], other["result"]["deliveryId"]);
    assert_eq!(one["success"], true);
}

#[tokio::test]
async fn what_is_not_handled_or_not_readable_is_logged_and_says_why() {
    let stage = Stage::new().await;
    let mut half = simple("invitee.created", "2026-11-20T09:15:01Z");
    half["payload"]["event"] = json!({ "name": "Consultation" });
    let no_payload = json!({ "event": "invitee.created" });
    for (data, event, status, why) in [
        (
            full("event_type.updated.json"),
            "event_type.updated",
            Status::Ignored,
            "events of this name",
        ),
        (
            half,
            "invitee.created",
            Status::Unprocessable,
            "payload.event",
        ),
        (
            no_payload,
            "invitee.created",
            Status::Unprocessable,
            "payload",
        ),
        (json!({}), "", Status::Unprocessable, "`event`"),
    ] {
        for _ in 0..2 {
            let tested = stage.tested(&data).await;
            assert_eq!(
                (&tested["success"], &tested["event"]),
                (&json!(false), &json!(event))
            );
            let error = tested["result"]["errors"][0].as_str().unwrap();
            assert!(error.contains(why), "{error}");
            assert_eq!(tested["result"]["changes"], json!([]));
            assert_eq!(tested["result"]["eventId"], Value::Null);
            assert_eq!(stage.logged(&tested).await.status, status);
        }
    }
    assert_eq!(stage.dynamo.dump("bookings").await, "");
    assert!(stage.queue.drain().is_empty());
}

#[tokio::test]
async fn what_is_not_understood_is_told_though_the_rest_is_applied() {
    let stage = Stage::new().await;
    let mut data = full("invitee.created.json");
    data["payload"]["timezone"] = json!({ "name": "UTC" });
    let tested = stage.tested(&data).await;
    assert_eq!(tested["result"]["changes"], json!(["scheduled"]));
    let warning = "`payload.timezone` is an object, and not a text: left out";
    assert_eq!(tested["result"]["warnings"], json!([warning]));
    assert_eq!(stage.logged(&tested).await.warnings, [warning]);
    let clear = stage.tested(&full("invitee.canceled.json")).await;
    assert_eq!(clear["result"]["warnings"], json!([]));
}

#[tokio::test]
async fn bodies_that_people_have_are_processed_as_their_bytes_are() {
    let stage = Stage::new().await;
    for name in [
        "first-api",
        "invitee-beside-scheduled-event",
        "duration-as-text",
    ] {
        let body = fixture(&format!("../odd/test.{name}.json"));
        let (status, tested) = stage.answered(with("operate", body)).await;
        assert_eq!(
            (status, &tested["success"]),
            (200, &json!(true)),
            "{tested:#}"
        );
        assert_eq!(tested["result"]["changes"], json!(["scheduled"]));
    }
    let odd = fixture("../odd/half-a-surrogate-pair.json");
    let data = String::from_utf8(odd).unwrap();
    let body = format!("\u{feff}{{\"eventData\": {data}}}");
    let (status, tested) = stage.answered(with("operate", body)).await;
    assert_eq!(
        (status, &tested["success"]),
        (200, &json!(true)),
        "{tested:#}"
    );
}

#[tokio::test]
async fn a_body_that_tells_too_little_names_what_is_missing() {
    let stage = Stage::new().await;
    let event = json!({ "startTime": "2027-01-01T09:00:00Z" });
    let invitee = json!({ "email": "ada@example.com" });
    for (data, field) in [
        (
            json!({ "payload": { "event": event, "invitee": invitee } }),
            "`event`",
        ),
        (json!({ "event": "invitee.created" }), "`payload`"),
        (
            json!({ "event": "invitee.created", "payload": {} }),
            "`payload.uri`",
        ),
        (
            json!({ "event": "invitee.created", "payload": { "event": event } }),
            "`payload.invitee`",
        ),
        (
            json!({ "event": "invitee.created", "payload": { "invitee": invitee } }),
            "`payload.event`",
        ),
        (
            json!({ "event": "invitee.created", "payload": {
                "invitee": invitee, "scheduled_event": { "name": "Intro" } } }),
            "`payload.scheduled_event`",
        ),
        (
            json!({ "event": "invitee.created", "payload": {
                "invitee": { "uri": "https://api.calendly.com/invitees/i" } } }),
            "`payload.event`",
        ),
        (
            json!({ "event": "invitee_no_show.created", "payload": { "event": event } }),
            "`payload.invitee`",
        ),
        (
            json!({ "event": "routing_form_submission.created", "payload": {} }),
            "`payload.uri`",
        ),
    ] {
        let tested = stage.tested(&data).await;
        assert_eq!(tested["success"], false, "{data}");
        let error = tested["result"]["errors"][0].as_str().unwrap();
        assert!(error.contains(field), "{data}: {error}");
    }
}

#[tokio::test]
async fn a_passing_failure_is_503_and_the_next_try_succeeds() {
    let mut stage = Stage::new().await;
    let data = full("invitee.created.json");
    stage.fails(Some(ErrorKind::Aws));
    let (status, answer) = stage.answered(test(&data)).await;
    assert_eq!(
        (status, &answer["code"]),
        (503, &json!("STORE_UNAVAILABLE"))
    );
    stage.fails(None);
    let tested = stage.tested(&data).await;
    assert_eq!(tested["success"], true);
    // The first may have changed something before it failed: the answer says what the log does.
    assert_eq!(tested["result"]["changes"], Value::Null);
    assert_eq!(stage.logged(&tested).await.changes, None);

    let away = Stage::with(Dynamo::unreachable(), stage.dynamo);
    let (status, answer) = away.answered(test(&data)).await;
    assert_eq!(
        (status, &answer["code"]),
        (503, &json!("STORE_UNAVAILABLE"))
    );
}

#[tokio::test]
async fn a_lasting_failure_is_told_and_left_to_nobody() {
    let mut stage = Stage::new().await;
    stage.fails(Some(ErrorKind::TooLarge));
    let tested = stage.tested(&full("invitee.created.json")).await;
    assert_eq!(tested["result"]["errors"], json!(["the table is away"]));
    let logged = stage.logged(&tested).await;
    assert_eq!(logged.status, Status::Unprocessable);
    assert_eq!(logged.last_error.as_deref(), Some("the table is away"));
}

#[tokio::test]
async fn what_was_erased_before_it_was_applied_is_not_applied() {
    let mut stage = Stage::new().await;
    let data = full("invitee.created.json");
    stage.fails(Some(ErrorKind::Aws));
    stage.answered(test(&data)).await;
    let id = DeliveryId::of(data.to_string().as_bytes());
    assert!(stage.log.erase(&id).await.unwrap());
    stage.fails(None);
    let tested = stage.tested(&data).await;
    let error = tested["result"]["errors"][0].as_str().unwrap();
    assert!(error.contains("erased"), "{error}");
    assert_eq!(stage.logged(&tested).await.status, Status::Ignored);
    assert_eq!(stage.dynamo.dump("bookings").await, "");
}

#[tokio::test]
async fn only_a_key_that_may_operate_is_taken() {
    let stage = Stage::new().await;
    let data = full("invitee.created.json");
    let body = json!({ "eventData": data }).to_string();
    // A signature is no key.
    let signature = sign(SIGNING_KEY, Timestamp::now().as_second(), body.as_bytes());
    let signed = [
        (HEADER, signature.as_str()),
        ("content-type", "application/json"),
    ];
    let unknown = with("unknown", body.clone());
    for (request, status, code) in [
        (post(PATH, &signed, body.clone()), 401, "UNAUTHORIZED"),
        (unknown, 401, "UNAUTHORIZED"),
        (with("read", body.clone()), 403, "FORBIDDEN"),
    ] {
        let (answered, answer) = stage.answered(request).await;
        assert_eq!((answered, &answer["code"]), (status, &json!(code)));
    }
    assert!(
        stage
            .log
            .get(&DeliveryId::of(data.to_string().as_bytes()))
            .await
            .unwrap()
            .is_none()
    );
    let bearer = [("authorization", "Bearer all")];
    assert_eq!(stage.answered(post(PATH, &bearer, body)).await.0, 200);
}

#[tokio::test]
async fn a_request_of_another_shape_is_told_what_to_send() {
    let stage = Stage::new().await;
    let data = full("invitee.created.json");
    for body in [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        data.to_string(),
        json!({ "eventData": [data] }).to_string(),
        json!({ "eventData": data.to_string() }).to_string(),
        json!({ "eventData": data, "event": "invitee.created" }).to_string(),
    ] {
        let (status, answer) = stage.answered(with("operate", body)).await;
        assert_eq!(
            (status, &answer["code"]),
            (400, &json!("INVALID_PARAMETER"))
        );
        let error = answer["error"].as_str().unwrap();
        assert!(
            error.contains("eventData") && error.contains("payload"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_body_over_64_kib_or_of_another_type_is_refused() {
    let stage = Stage::new().await;
    let mut body = json!({ "eventData": full("invitee.created.json") }).to_string();
    body.push_str(&" ".repeat(MAX_BODY - body.len()));
    assert_eq!(stage.answered(with("operate", body.clone())).await.0, 200);
    body.push(' ');
    let (status, answer) = stage.answered(with("operate", body.clone())).await;
    assert_eq!(
        (status, &answer["code"]),
        (413, &json!("PAYLOAD_TOO_LARGE"))
    );
    let text = [("x-api-key", "operate"), ("content-type", "text/plain")];
    let (status, answer) = stage.answered(post(PATH, &text, body.trim())).await;
    assert_eq!(
        (status, &answer["code"]),
        (415, &json!("UNSUPPORTED_MEDIA_TYPE"))
    );
    // Without a key nobody learns more than that.
    assert_eq!(stage.answered(with("", body)).await.0, 401);
}

#[tokio::test]
async fn switched_off_it_is_not_found_for_anybody() {
    let mut stage = Stage::new().await;
    stage.webhooks.tester = None;
    let data = full("invitee.created.json");
    let unsigned = post(PATH, &[], json!({ "eventData": data }).to_string());
    for request in [test(&data), with("unknown", "{}"), unsigned] {
        let (status, answer) = stage.answered(request).await;
        assert_eq!((status, &answer["code"]), (404, &json!("NOT_FOUND")));
        let (_, elsewhere) = stage.answered(post("/v1/nothing", &[], "")).await;
        assert_eq!(answer["error"], elsewhere["error"]);
    }
    assert_eq!(stage.dynamo.dump("deliveries").await, "");
}

#[tokio::test]
async fn webhooks_go_their_own_way() {
    let stage = Stage::new().await;
    let body = fixture("invitee.created.json");
    for path in ["/v1/webhooks/calendly", "/v1/webhooks/calendly/ABC-2"] {
        let signature = sign(SIGNING_KEY, Timestamp::now().as_second(), &body);
        let request = post(path, &[(HEADER, &signature)], body.clone());
        let (status, answer) = stage.answered(request).await;
        assert_eq!((status, &answer["success"]), (200, &json!(true)));
        assert_eq!(stage.queue.drain().len(), 1);
        // There a key is no signature.
        let (status, answer) = stage
            .answered(post(path, &[("x-api-key", "all")], body.clone()))
            .await;
        assert_eq!(
            (status, &answer["code"]),
            (401, &json!("INVALID_SIGNATURE"))
        );
    }
    let mut get = test(&json!({}));
    *get.method_mut() = lambda_http::http::Method::GET;
    assert_eq!(stage.answered(get).await.0, 405);
}
