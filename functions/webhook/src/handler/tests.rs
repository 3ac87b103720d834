use super::*;
use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use lambda_http::http::HeaderValue;
use platform::deliveries::About;
use platform::traffic::TrafficStore;
use std::sync::Mutex;
use testkit::dynamo::{Crashes, Dynamo};
use testkit::{fixture, sign};

const KEY: &str = "test-signing-key-made-up-0123456789abcdef";

/// A queue that remembers, or one that is away.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Vec<DeliveryRef>>>, bool);

impl Outbox for Sent {
    async fn send(&self, delivery: &DeliveryRef) -> platform::Result<()> {
        if self.1 {
            return Err(away());
        }
        self.0.lock().unwrap().push(delivery.clone());
        Ok(())
    }
}

fn away() -> platform::Error {
    platform::Error::Aws {
        action: "reach it",
        cause: "no connection".to_owned(),
    }
}

/// What the cache holds, and what the secret holds by now.
#[derive(Clone, Default)]
struct Keys {
    cached: Vec<SigningKey>,
    now: Vec<SigningKey>,
    unreadable: bool,
}

impl SigningKeys for Keys {
    async fn keys(&self) -> platform::Result<Vec<SigningKey>> {
        if self.unreadable {
            return Err(away());
        }
        Ok(self.cached.clone())
    }

    async fn keys_now(&self) -> platform::Result<Vec<SigningKey>> {
        self.keys().await.map(|_| self.now.clone())
    }
}

fn key(key: &str) -> Vec<SigningKey> {
    SigningKey::new(key).into_iter().collect()
}

struct Stage {
    receiver: Receiver<Sent, Keys>,
    sent: Sent,
}

impl Stage {
    async fn new() -> (Self, Dynamo) {
        let dynamo = Dynamo::start().await;
        dynamo.deliveries("deliveries").await;
        dynamo.limits("limits").await;
        (Self::with(dynamo.client()), dynamo)
    }

    fn with(client: Client) -> Self {
        let sent = Sent::default();
        let receiver = Receiver {
            log: DeliveryStore::new(client.clone(), "deliveries".to_owned()),
            queue: sent.clone(),
            keys: Keys {
                cached: key(KEY),
                now: key(KEY),
                unreadable: false,
            },
            limiter: Limiter::new(client.clone(), "limits".to_owned()),
            traffic: TrafficCounter::new(TrafficStore::new(client, "limits".to_owned())),
            tolerance: Duration::from_secs(180),
            retention: SignedDuration::from_hours(24),
        };
        Self { receiver, sent }
    }

    /// Has the counts of traffic written by a client of their own.
    fn count_traffic_by(&mut self, client: Client) {
        let store = TrafficStore::new(client, "limits".to_owned());
        self.receiver.traffic = TrafficCounter::new(store);
    }

    async fn post(&self, request: Request) -> (u16, serde_json::Value) {
        let response = self.receiver.handle(&request, &TrackingId::random()).await;
        let status = response.status().as_u16();
        let id = response.headers()["x-tracking-id"]
            .to_str()
            .unwrap()
            .to_owned();
        let body: serde_json::Value = serde_json::from_slice(response.body().as_ref()).unwrap();
        assert_eq!(body["trackingId"], id);
        (status, body)
    }

    fn sent(&self) -> Vec<DeliveryRef> {
        self.sent.0.lock().unwrap().clone()
    }

    async fn status(&self, body: &[u8]) -> Option<Status> {
        let found = self.receiver.log.get(&DeliveryId::of(body)).await.unwrap();
        found.map(|delivery| delivery.status)
    }
}

fn signed(body: &[u8]) -> Request {
    request(body, &sign(KEY, Timestamp::now().as_second(), body))
}

fn request(body: &[u8], signature: &str) -> Request {
    lambda_http::http::Request::builder()
        .method("POST")
        .uri("/v1/webhooks/calendly")
        .header("content-type", "application/json; charset=utf-8")
        .header(signature::HEADER, signature)
        .body(Body::from(body.to_vec()))
        .unwrap()
}

#[tokio::test]
async fn a_new_webhook_is_one_write_and_one_send() {
    let (_, dynamo) = Stage::new().await;
    let crashes = Crashes::none();
    let mut stage = Stage::with(dynamo.crashing(&crashes));
    stage.count_traffic_by(dynamo.client());
    let body = fixture("invitee.created.json");
    let (status, answer) = stage.post(signed(&body)).await;
    assert_eq!(status, 200);
    assert_eq!(answer["success"], true);
    assert_eq!(answer["message"], "Webhook logged and queued");
    assert_eq!(answer["deliveryId"], DeliveryId::of(&body).as_str());
    assert_eq!(answer.get("duplicate"), None);
    assert_eq!(crashes.calls(), 1);
    let sent = stage.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].tracking_id, answer["trackingId"]);
    let logged = stage
        .receiver
        .log
        .get(&DeliveryId::of(&body))
        .await
        .unwrap();
    let logged = logged.unwrap();
    assert_eq!(logged.status, Status::Received);
    let made = "2026-11-20T09:15:01Z".parse().unwrap();
    assert_eq!(
        logged.occurred_at,
        Some(made),
        "as the body's `created_at` says"
    );
}

#[tokio::test]
async fn what_is_not_understood_is_logged_with_the_webhook() {
    let (stage, _dynamo) = Stage::new().await;
    for (name, warnings) in [("half-a-surrogate-pair", 1), ("byte-order-mark", 0)] {
        let body = fixture(&format!("../odd/{name}.json"));
        let (status, answer) = stage.post(signed(&body)).await;
        assert_eq!((status, answer.get("ignored")), (200, None), "{name}");
        let id = DeliveryId::of(&body);
        let logged = stage.receiver.log.get(&id).await.unwrap().unwrap();
        assert_eq!(
            (logged.status, logged.warnings.len()),
            (Status::Received, warnings)
        );
    }
}

#[tokio::test]
async fn a_duplicate_is_queued_again_until_it_is_processed() {
    let (stage, _dynamo) = Stage::new().await;
    let body = fixture("invitee.created.json");
    let (_, first) = stage.post(signed(&body)).await;
    let log = &stage.receiver.log;
    let id = DeliveryId::of(&body);
    assert!(!log.get(&id).await.unwrap().unwrap().sent_again);
    let (status, again) = stage.post(signed(&body)).await;
    assert_eq!((status, &again["duplicate"]), (200, &true.into()));
    // What applies it knows of both messages.
    assert!(log.get(&id).await.unwrap().unwrap().sent_again);
    // Every message of a delivery carries the tracking id under which it is logged.
    let ids: Vec<_> = stage
        .sent()
        .into_iter()
        .map(|sent| sent.tracking_id)
        .collect();
    assert_eq!(ids, [first["trackingId"].as_str().unwrap(); 2]);

    stage
        .receiver
        .log
        .processed(&DeliveryId::of(&body), Some(&[]), &[])
        .await
        .unwrap();
    let (status, again) = stage.post(signed(&body)).await;
    assert_eq!((status, &again["duplicate"]), (200, &true.into()));
    assert_eq!(stage.sent().len(), 2);
}

#[tokio::test]
async fn what_is_not_handled_or_not_readable_is_logged_and_never_queued() {
    let (stage, _dynamo) = Stage::new().await;
    for (body, want) in [
        (fixture("event_type.updated.json"), Status::Ignored),
        (b"not json".to_vec(), Status::Unprocessable),
        (
            br#"{"event":"invitee.created"}"#.to_vec(),
            Status::Unprocessable,
        ),
        (vec![0xff, 0xfe], Status::Unprocessable),
        (Vec::new(), Status::Unprocessable),
    ] {
        let (status, answer) = stage.post(signed(&body)).await;
        assert_eq!((status, &answer["ignored"]), (200, &true.into()));
        assert_eq!(stage.status(&body).await, Some(want));
    }
    assert!(stage.sent().is_empty());
}

/// Some proxies send a header on twice; API Gateway joins the two with a comma.
#[tokio::test]
async fn headers_that_came_twice_count_once() {
    let (stage, _dynamo) = Stage::new().await;
    let body = fixture("invitee.created.json");
    let signature = sign(KEY, Timestamp::now().as_second(), &body);
    let mut joined = request(&body, &format!("{signature},{signature}"));
    let types = HeaderValue::from_static("application/json,application/json; charset=utf-8");
    joined.headers_mut().insert(header::CONTENT_TYPE, types);
    let (status, answer) = stage.post(joined).await;
    assert_eq!(status, 200, "{answer}");

    let body = fixture("invitee.canceled.json");
    let mut two = signed(&body);
    let same = two.headers()[signature::HEADER].clone();
    two.headers_mut().append(signature::HEADER, same);
    let (status, answer) = stage.post(two).await;
    assert_eq!(status, 200, "{answer}");

    let earlier = sign(KEY, Timestamp::now().as_second() - 5, &body);
    let mut doubtful = signed(&body);
    doubtful
        .headers_mut()
        .append(signature::HEADER, earlier.parse().unwrap());
    let (status, answer) = stage.post(doubtful).await;
    assert_eq!(
        (status, &answer["code"]),
        (401, &"INVALID_SIGNATURE".into())
    );
    assert!(answer["error"].as_str().unwrap().contains("more than once"));
    let mut mixed = signed(&body);
    let types = HeaderValue::from_static("application/json,text/plain");
    mixed.headers_mut().insert(header::CONTENT_TYPE, types);
    assert_eq!(stage.post(mixed).await.0, 415);
}

#[tokio::test]
async fn nothing_without_a_true_signature_is_logged() {
    let (stage, _dynamo) = Stage::new().await;
    let body = fixture("invitee.created.json");
    let now = Timestamp::now().as_second();
    let cases = [
        (sign("another key", now, &body), "INVALID_SIGNATURE"),
        ("t=1,v1=00".to_owned(), "INVALID_SIGNATURE"),
        (sign(KEY, now - 200, &body), "STALE_SIGNATURE"),
        (sign(KEY, now + 200, &body), "STALE_SIGNATURE"),
    ];
    for (signature, code) in cases {
        let (status, answer) = stage.post(request(&body, &signature)).await;
        assert_eq!((status, &answer["code"]), (401, &code.into()));
    }
    let mut unsigned = signed(&body);
    unsigned.headers_mut().remove(signature::HEADER);
    let (status, answer) = stage.post(unsigned).await;
    assert_eq!(
        (status, &answer["code"]),
        (401, &"INVALID_SIGNATURE".into())
    );
    assert_eq!(stage.status(&body).await, None);
    assert!(stage.sent().is_empty());
}

#[tokio::test]
async fn a_missing_or_unreadable_key_accepts_nothing() {
    let (mut stage, _dynamo) = Stage::new().await;
    let body = fixture("invitee.created.json");
    let none = Keys::default();
    let unreadable = Keys {
        unreadable: true,
        ..none.clone()
    };
    for keys in [none, unreadable] {
        stage.receiver.keys = keys;
        let (status, answer) = stage.post(signed(&body)).await;
        assert_eq!(
            (status, &answer["code"]),
            (500, &"SIGNING_KEY_UNAVAILABLE".into())
        );
    }
    assert_eq!(stage.status(&body).await, None);
}

#[tokio::test]
async fn a_key_that_was_just_rotated_is_accepted() {
    let (mut stage, _dynamo) = Stage::new().await;
    stage.receiver.keys.cached = key("the old one");
    let body = fixture("invitee.created.json");
    assert_eq!(stage.post(signed(&body)).await.0, 200);
}

#[tokio::test]
async fn sizes_and_content_types() {
    let (stage, _dynamo) = Stage::new().await;
    let mut body = vec![b'x'; MAX_BODY];
    assert_eq!(stage.post(signed(&body)).await.0, 200);
    body.push(b'x');
    let (status, answer) = stage.post(signed(&body)).await;
    assert_eq!(
        (status, &answer["code"]),
        (413, &"PAYLOAD_TOO_LARGE".into())
    );

    let body = fixture("invitee.created.json");
    let typed = |content_type: &'static str| {
        let mut request = signed(&body);
        request
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        request
    };
    let (status, answer) = stage.post(typed("text/plain")).await;
    assert_eq!(
        (status, &answer["code"]),
        (415, &"UNSUPPORTED_MEDIA_TYPE".into())
    );
    assert_eq!(
        stage.post(typed("application/vnd.calendly+json")).await.0,
        200
    );
}

#[tokio::test]
async fn a_store_or_queue_that_is_away_makes_calendly_try_again() {
    let body = fixture("invitee.created.json");
    let stage = Stage::with(Dynamo::unreachable());
    let (status, answer) = stage.post(signed(&body)).await;
    assert_eq!(
        (status, &answer["code"]),
        (503, &"STORE_UNAVAILABLE".into())
    );

    let (mut stage, _dynamo) = Stage::new().await;
    stage.receiver.queue.1 = true;
    let (status, answer) = stage.post(signed(&body)).await;
    assert_eq!(
        (status, &answer["code"]),
        (503, &"STORE_UNAVAILABLE".into())
    );
    assert_eq!(stage.status(&body).await, Some(Status::Received));
    // The next try finds it logged, and queues it.
    stage.receiver.queue.1 = false;
    let (status, answer) = stage.post(signed(&body)).await;
    assert_eq!((status, &answer["duplicate"]), (200, &true.into()));
    assert_eq!(stage.sent().len(), 1);
}

#[tokio::test]
async fn the_largest_body_is_one_call_and_comes_back_whole() {
    let (_, dynamo) = Stage::new().await;
    let crashes = Crashes::none();
    let mut stage = Stage::with(dynamo.crashing(&crashes));
    stage.count_traffic_by(dynamo.client());
    let noise = testkit::noise(MAX_BODY);
    for again in [false, true] {
        let (status, answer) = stage.post(signed(&noise)).await;
        assert_eq!((status, answer.get("duplicate").is_some()), (200, again));
    }
    assert_eq!(crashes.calls(), 2);
    let id = DeliveryId::of(&noise);
    let (delivery, body) = stage
        .receiver
        .log
        .get_with_body(&id)
        .await
        .unwrap()
        .unwrap();
    assert!(body.unwrap() == noise && delivery.status == Status::Unprocessable);
}

#[tokio::test]
async fn a_delivery_is_found_by_what_it_is_about() {
    let (stage, _dynamo) = Stage::new().await;
    let routed = fixture("routing_form_submission.created.json");
    let mut form: serde_json::Value = serde_json::from_slice(&routed).unwrap();
    form["payload"]["submitter"] = serde_json::Value::Null;
    let form = form.to_string().into_bytes();
    let created = fixture("invitee.created.json");
    let ignored = fixture("event_type.updated.json");
    for body in [&created, &routed, &form, &ignored] {
        assert_eq!(stage.post(signed(body)).await.0, 200);
    }
    let about = async |about: About| {
        let page = stage.receiver.log.about(&about, None, 10).await.unwrap();
        page.items.into_iter().map(|delivery| delivery.id)
    };
    // A submission that led to a booking belongs to the event.
    let event = about(About::event("00000001-1111-4222-8333-444455556666")).await;
    assert!(event.eq([DeliveryId::of(&created), DeliveryId::of(&routed)]));
    let submission = about(About::submission("cccc0001-1111-4222-8333-444455556666")).await;
    assert!(submission.eq([DeliveryId::of(&form)]));
}

#[tokio::test]
async fn an_erased_webhook_that_comes_again_is_a_duplicate_and_stays_erased() {
    let (stage, _dynamo) = Stage::new().await;
    let body = fixture("invitee.created.json");
    stage.post(signed(&body)).await;
    let id = DeliveryId::of(&body);
    assert!(stage.receiver.log.erase(&id).await.unwrap());
    let (status, again) = stage.post(signed(&body)).await;
    assert_eq!((status, &again["duplicate"]), (200, &true.into()));
    assert_eq!(stage.sent().len(), 1, "it is not queued again");
    let kept = stage.receiver.log.body(&id).await.unwrap();
    assert_eq!(kept, platform::deliveries::Body::Erased);
}

mod metrics;
mod refusals;
mod traffic;
