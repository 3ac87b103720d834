//! Calls of the SDK as X-Ray's daemon hears of them: a listener of this machine stands in for it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_sqs::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_sqs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sqs::error::BoxError;
use aws_sdk_sqs::operation::send_message::SendMessageInput;
use aws_sdk_sqs::types::MessageSystemAttributeNameForSends as Attribute;
use calendly::api::Endpoints;
use calendly::oauth::{App, OAuth};
use jiff::Timestamp;
use lambda_http::Context;
use platform::deliveries::{DeliveryId, DeliveryStore};
use platform::invocation::invoked;
use platform::queue::{DeliveryRef, Outbox, Queue};
use platform::trace::{Daemon, Subsegments, current};
use serde_json::{Value, json};
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::dynamo::Dynamo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tracing::Instrument;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
const PARENT: &str = "53995c3f42cd8ad8";

/// Stands in for the daemon of one test's thread.
struct Listener {
    socket: UdpSocket,
    _tracing: DefaultGuard,
}

fn traced(address: SocketAddr) -> DefaultGuard {
    let subsegments = Subsegments::new(Daemon::at(address).unwrap());
    tracing::subscriber::set_default(tracing_subscriber::registry().with(subsegments))
}

impl Listener {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Self {
            _tracing: traced(socket.local_addr().unwrap()),
            socket,
        }
    }

    /// Every document so far. A datagram on this machine is there as soon as it is sent.
    fn documents(&self) -> Vec<Value> {
        let mut found = Vec::new();
        let mut bytes = [0; 8192];
        while let Ok(length) = self.socket.recv(&mut bytes) {
            let text = std::str::from_utf8(&bytes[..length]).unwrap();
            let (header, document) = text.split_once('\n').unwrap();
            let header: Value = serde_json::from_str(header).unwrap();
            assert_eq!(header, json!({"format": "json", "version": 1}));
            found.push(serde_json::from_str(document).unwrap());
        }
        found
    }
}

fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .build()
}

fn invocation(sampled: u8) -> Context {
    let mut context = Context::default();
    context.request_id = String::from("r-1");
    context.xray_trace_id = Some(format!("Root={ROOT};Parent={PARENT};Sampled={sampled}"));
    context
}

fn id() -> DeliveryId {
    DeliveryId::of(b"a body")
}

async fn store(dynamo: &Dynamo) -> DeliveryStore {
    dynamo.deliveries("deliveries").await;
    let client = platform::aws::dynamodb(&config(dynamo.endpoint()));
    DeliveryStore::new(client, "deliveries".to_owned())
}

fn seconds() -> f64 {
    Timestamp::now().as_duration().as_secs_f64()
}

#[tokio::test]
async fn a_call_is_a_subsegment_of_its_invocation() {
    let listener = Listener::start();
    let store = store(&Dynamo::start().await).await;
    let before = seconds();
    let found = invoked(Some(&invocation(1)), store.get(&id())).await;
    let after = seconds();
    assert_eq!(found.unwrap(), None);
    let documents = listener.documents();
    assert_eq!(documents.len(), 1, "{documents:?}");
    let mut document = documents[0].clone();
    let id = document["id"].take();
    let id = id.as_str().unwrap();
    assert!(
        id.len() == 16 && id.bytes().all(|c| c.is_ascii_hexdigit()),
        "{id}"
    );
    let (start, end) = (document["start_time"].take(), document["end_time"].take());
    let (start, end) = (start.as_f64().unwrap(), end.as_f64().unwrap());
    assert!(
        before <= start && start < end && end <= after,
        "{before} {start} {end} {after}"
    );
    assert_eq!(
        document["aws"]["region"].take(),
        std::env::var("AWS_REGION").map_or(Value::Null, Value::from)
    );
    let aws = document["aws"].as_object_mut().unwrap();
    aws.remove("region");
    // Nothing else: no key, no part of an item.
    let expected = json!({
        "type": "subsegment", "name": "DynamoDB", "namespace": "aws",
        "trace_id": ROOT, "parent_id": PARENT, "id": null, "start_time": null, "end_time": null,
        "aws": {"operation": "GetItem", "table_name": "deliveries"},
        "http": {"response": {"status": 200}},
    });
    assert_eq!(document, expected);
}

#[tokio::test]
async fn a_refusal_is_an_error_and_no_answer_a_fault() {
    let listener = Listener::start();
    let dynamo = Dynamo::start().await;
    let absent = platform::aws::dynamodb(&config(dynamo.endpoint()));
    let absent = DeliveryStore::new(absent, "no-such-table".to_owned());
    let nowhere = platform::aws::dynamodb(&config("http://127.0.0.1:1"));
    let nowhere = DeliveryStore::new(nowhere, "deliveries".to_owned());
    for (store, status, flag, other) in [
        (absent, json!(400), "error", "fault"),
        (nowhere, Value::Null, "fault", "error"),
    ] {
        let found = invoked(Some(&invocation(1)), store.get(&id())).await;
        assert!(found.is_err());
        let document = listener.documents().pop().unwrap();
        assert_eq!(document["http"]["response"]["status"], status);
        assert_eq!(
            (&document[flag], &document[other]),
            (&json!(true), &Value::Null)
        );
    }
}

#[tokio::test]
async fn a_call_that_is_given_up_is_told_as_a_fault() {
    let listener = Listener::start();
    // Takes connections, and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let client = platform::aws::dynamodb(&config(&endpoint));
    let store = DeliveryStore::new(client, "deliveries".to_owned());
    invoked(Some(&invocation(1)), async {
        let id = id();
        let call = store.get(&id);
        tokio::select! {
            _ = call => panic!("nobody answers"),
            _ = silent.accept() => {}
        }
    })
    .await;
    let documents = listener.documents();
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0]["fault"], true);
}

#[tokio::test]
async fn a_record_belongs_to_the_trace_that_its_message_was_sent_in() {
    let listener = Listener::start();
    let store = store(&Dynamo::start().await).await;
    let other = "1-5759e989-000000000000000000000001";
    let header = format!("Root={other};Parent=00000000000000aa;Sampled=1");
    invoked(Some(&invocation(0)), async {
        let span = tracing::error_span!("record", xrayTraceId = header);
        store.get(&id()).instrument(span).await.unwrap();
        // A message without a trace of its own belongs to the invocation.
        let span = tracing::error_span!("record", xrayTraceId = tracing::field::Empty);
        store.get(&id()).instrument(span).await.unwrap();
    })
    .await;
    let documents = listener.documents();
    assert_eq!(documents.len(), 1, "the invocation itself is not sampled");
    assert_eq!(documents[0]["trace_id"], other);
    assert_eq!(documents[0]["parent_id"], "00000000000000aa");
}

#[tokio::test]
async fn what_is_not_sampled_or_in_no_trace_is_not_sent() {
    let listener = Listener::start();
    let store = store(&Dynamo::start().await).await;
    let mut no_parent = invocation(1);
    no_parent.xray_trace_id = Some(format!("Root={ROOT};Sampled=1"));
    for context in [
        Some(&invocation(0)),
        Some(&no_parent),
        Some(&Context::default()),
        None,
    ] {
        invoked(context, store.get(&id())).await.unwrap();
    }
    assert_eq!(listener.documents(), [Value::Null; 0]);
}

#[tokio::test]
async fn without_a_daemon_all_goes_on_without_delay() {
    let address = {
        let gone = UdpSocket::bind("127.0.0.1:0").unwrap();
        gone.local_addr().unwrap()
    };
    let _tracing = traced(address);
    // Had each of these to wait for an answer, it would take minutes.
    let began = Instant::now();
    let span = tracing::error_span!(
        "invocation",
        xrayTraceId = format!("Root={ROOT};Parent={PARENT};Sampled=1")
    );
    let _inside = span.enter();
    for _ in 0..1000 {
        drop(tracing::error_span!(
            "call",
            service = "Calendly",
            operation = "list events"
        ));
    }
    assert!(
        began.elapsed() < Duration::from_secs(60),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_call_to_calendly_is_a_remote_one() {
    let listener = Listener::start();
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoints = Endpoints {
        auth: format!("http://{}", server.local_addr().unwrap()),
        ..Endpoints::default()
    };
    let app = App {
        client_id: "an-id".to_owned(),
        client_secret: "a-secret".to_owned(),
    };
    let oauth = OAuth::new(platform::http::outgoing().unwrap(), &endpoints, app);
    let refused = async {
        let (mut stream, _) = server.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        let answer = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        stream
    };
    let context = invocation(1);
    let revoked = invoked(Some(&context), oauth.revoke("a-token"));
    let (revoked, _stream) = tokio::join!(revoked, refused);
    assert!(revoked.is_err());
    let mut document = listener.documents().pop().unwrap();
    for field in ["id", "start_time", "end_time"] {
        assert!(!document[field].take().is_null(), "{field}");
    }
    // Nothing else: no address, no token.
    let expected = json!({
        "type": "subsegment", "name": "Calendly", "namespace": "remote",
        "trace_id": ROOT, "parent_id": PARENT, "id": null, "start_time": null, "end_time": null,
        "annotations": {"operation": "revoke a token"},
        "http": {"response": {"status": 429}},
        "error": true, "throttle": true,
    });
    assert_eq!(document, expected);
}

/// Keeps the trace that a message is sent with, and sends none.
#[derive(Debug, Clone, Default)]
struct Sent(Arc<Mutex<Vec<Option<String>>>>);

impl Intercept for Sent {
    fn name(&self) -> &'static str {
        "sent"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input().downcast_ref::<SendMessageInput>().unwrap();
        let trace = input.message_system_attributes();
        let trace = trace.and_then(|all| all.get(&Attribute::AwsTraceHeader)?.string_value());
        self.0.lock().unwrap().push(trace.map(str::to_owned));
        Err("not sent".into())
    }
}

#[tokio::test]
async fn a_message_takes_its_trace_along() {
    let listener = Listener::start();
    let sent = Sent::default();
    let client = platform::aws::sqs(&config("http://127.0.0.1:1"));
    let client = aws_sdk_sqs::Client::from_conf(
        client
            .config()
            .to_builder()
            .interceptor(sent.clone())
            .build(),
    );
    let queue = Queue::new(
        client,
        "http://127.0.0.1:1/000000000000/webhooks".to_owned(),
    );
    let delivery = DeliveryRef {
        delivery_id: id(),
        tracking_id: "t-1".to_owned(),
        event: None,
    };
    for context in [Some(&invocation(1)), Some(&invocation(0)), None] {
        invoked(context, async {
            queue.send(&delivery).await.unwrap_err();
            assert_eq!(current().is_some(), context.is_some());
        })
        .await;
    }
    // Whether it is sampled is decided once, for all that follows.
    let expected = [
        invocation(1).xray_trace_id,
        invocation(0).xray_trace_id,
        None,
    ];
    assert_eq!(*sent.0.lock().unwrap(), expected);
    let document = listener.documents().pop().unwrap();
    assert_eq!(document["name"], "SQS");
    assert_eq!(document["aws"]["operation"], "SendMessage");
    assert_eq!(
        document["aws"]["queue_url"],
        "http://127.0.0.1:1/000000000000/webhooks"
    );
}
