//! An embedded DynamoDB behind the real protocol, with this project's tables.

use crate::inside::{Gate, Inside};
use crate::meter::Meter;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextRef,
    BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
    StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use aws_smithy_types::config_bag::{Storable, StoreReplace};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// A server of its own, ended with its runtime; or a database that is called without a socket.
pub struct Dynamo {
    endpoint: String,
    inside: Option<Inside>,
}

impl Dynamo {
    /// Starts one on a free port of this machine.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let database = dynoxide::Database::memory().unwrap();
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        Self::at(address)
    }

    /// One that something else serves at `address`, well or badly.
    pub fn at(address: SocketAddr) -> Self {
        let endpoint = format!("http://{address}");
        Self {
            endpoint,
            inside: None,
        }
    }

    /// One that is called in this process and on this thread: quick, and twice the same.
    pub fn inside() -> Self {
        Self {
            endpoint: "http://inside".to_owned(),
            inside: Some(Inside::default()),
        }
    }

    /// A client whose calls all pass `gate`. Of a database [`inside`](Self::inside) only.
    pub fn through(&self, gate: std::sync::Arc<dyn Gate>) -> Client {
        let inside = self.inside.as_ref().expect("a database inside");
        Client::from_conf(self.config().http_client(inside.through(gate)).build())
    }

    /// Where it is.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::from_conf(self.config().build())
    }

    /// A client whose writes `crashes` can stop.
    pub fn crashing(&self, crashes: &Crashes) -> Client {
        Client::from_conf(self.config().interceptor(crashes.clone()).build())
    }

    /// A client whose calls `meter` counts.
    pub fn metered(&self, meter: &Meter) -> Client {
        Client::from_conf(self.config().interceptor(meter.clone()).build())
    }

    /// A client that reaches nothing.
    pub fn unreachable() -> Client {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 1))).client()
    }

    fn config(&self) -> aws_sdk_dynamodb::config::Builder {
        let config = aws_sdk_dynamodb::Config::builder();
        let config = match &self.inside {
            Some(inside) => config
                .http_client(inside.clone())
                .stalled_stream_protection(StalledStreamProtectionConfig::disabled()),
            None => config,
        };
        config
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .retry_config(RetryConfig::disabled())
    }

    /// Makes a deliveries table as the template has it.
    pub async fn deliveries(&self, table: &str) {
        let indexes = [
            index("byStatus", "statusBucket", "statusAt"),
            index("byTime", "timeBucket", "receivedKey"),
            index("byAbout", "about", "receivedKey"),
        ];
        let names = [
            "id",
            "statusBucket",
            "statusAt",
            "timeBucket",
            "receivedKey",
            "about",
        ];
        let indexes = indexes.map(with_what_a_list_shows).into();
        self.table(table, &names, ("id", None), indexes).await;
    }

    /// Makes a bookings table as the template has it.
    pub async fn bookings(&self, table: &str) {
        let keys_only = |mut index: GlobalSecondaryIndex| {
            let keys = Projection::builder().projection_type(ProjectionType::KeysOnly);
            index.projection = Some(keys.build());
            index
        };
        let indexes = vec![
            index("byStart", "bucket", "startKey"),
            keys_only(index("byStatus", "statusBucket", "startKey")),
            keys_only(index("byParty", "party", "startKey")),
        ];
        let names = ["pk", "sk", "bucket", "statusBucket", "party", "startKey"];
        self.table(table, &names, ("pk", Some("sk")), indexes).await;
    }

    /// Makes a connections table as the template has it.
    pub async fn connections(&self, table: &str) {
        let index = index("byShard", "shard", "connectionId");
        let names = ["id", "shard", "connectionId"];
        self.table(table, &names, ("id", None), vec![index]).await;
    }

    /// Makes a table of limits as the template has it.
    pub async fn limits(&self, table: &str) {
        self.table(table, &["id"], ("id", None), Vec::new()).await;
    }

    async fn table(
        &self,
        table: &str,
        names: &[&str],
        key: (&str, Option<&str>),
        indexes: Vec<GlobalSecondaryIndex>,
    ) {
        let attributes = names.iter().map(|name| {
            AttributeDefinition::builder()
                .attribute_name(*name)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .unwrap()
        });
        self.client()
            .create_table()
            .table_name(table)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(attributes.collect()))
            .set_key_schema(Some(schema(key.0, key.1)))
            .set_global_secondary_indexes((!indexes.is_empty()).then_some(indexes))
            .send()
            .await
            .unwrap();
    }

    /// Every item of a table, as text in a fixed order: equal texts are equal tables.
    pub async fn dump(&self, table: &str) -> String {
        let mut lines: Vec<_> = self.items(table).await.iter().map(line).collect();
        lines.sort();
        lines.join("\n")
    }

    /// Spoils an attribute of the items whose own text has `named` in it: whatever it was, it can't
    /// be read any more.
    pub async fn spoil(&self, table: &str, named: &str, attribute: &str) {
        for mut item in self.items(table).await {
            if line(&item).contains(named) && item.contains_key(attribute) {
                let spoilt = AttributeValue::S("spoilt".to_owned());
                item.insert(attribute.to_owned(), spoilt);
                let put = self.client().put_item().table_name(table);
                put.set_item(Some(item)).send().await.unwrap();
            }
        }
    }

    /// Every item of a table, in any order.
    pub async fn items(&self, table: &str) -> Vec<HashMap<String, AttributeValue>> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let scan = self.client().scan().table_name(table);
            let page = scan.set_exclusive_start_key(start).send().await.unwrap();
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return items;
            }
        }
    }
}

fn line(item: &HashMap<String, AttributeValue>) -> String {
    let sorted: BTreeMap<_, _> = item.iter().collect();
    format!("{sorted:?}")
}

/// What a list of deliveries shows, and what its filters look at.
const SHOWN: [&str; 20] = [
    "trackingId",
    "provider",
    "event",
    "status",
    "receivedAt",
    "processedAt",
    "attempts",
    "nextAttemptAt",
    "lastError",
    "errorKind",
    "discardedAt",
    "discardedBy",
    "discardReason",
    "occurredAt",
    "eventUri",
    "inviteeUri",
    "changes",
    "warnings",
    "erasedAt",
    "expiresAt",
];

fn with_what_a_list_shows(mut index: GlobalSecondaryIndex) -> GlobalSecondaryIndex {
    let include = Projection::builder()
        .projection_type(ProjectionType::Include)
        .set_non_key_attributes(Some(SHOWN.map(str::to_owned).into()));
    index.projection = Some(include.build());
    index
}

fn index(name: &str, hash: &str, range: &str) -> GlobalSecondaryIndex {
    let all = Projection::builder().projection_type(ProjectionType::All);
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(schema(hash, Some(range))))
        .projection(all.build())
        .build()
        .unwrap()
}

fn schema(hash: &str, range: Option<&str>) -> Vec<KeySchemaElement> {
    let element = |name: &str, kind| {
        let element = KeySchemaElement::builder().attribute_name(name);
        element.key_type(kind).build().unwrap()
    };
    let range = range.map(|name| element(name, KeyType::Range));
    std::iter::once(element(hash, KeyType::Hash))
        .chain(range)
        .collect()
}

/// Stops a process at a write: the call fails, and the code under test has nothing left to do but
/// to give up, as if it had been killed there.
#[derive(Debug, Clone, Default)]
pub struct Crashes(Arc<Plan>);

#[derive(Debug, Default)]
struct Plan {
    /// Writes until the crash; below zero, none is planned.
    countdown: AtomicI64,
    calls: AtomicUsize,
    bytes: AtomicUsize,
    writes: AtomicUsize,
    happened: AtomicUsize,
}

impl Crashes {
    /// No crash planned.
    pub fn none() -> Self {
        let crashes = Self::default();
        crashes.0.countdown.store(-1, Ordering::SeqCst);
        crashes
    }

    /// Crash around the write number `n / 2` from now: before it is sent if `n` is even, after it
    /// took effect if odd.
    pub fn at(&self, n: u8) {
        self.0.countdown.store(n.into(), Ordering::SeqCst);
    }

    /// How many calls were made, reads included.
    pub fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }

    /// How many bytes the answers had.
    pub fn bytes(&self) -> usize {
        self.0.bytes.load(Ordering::SeqCst)
    }

    /// How many writes were made.
    pub fn writes(&self) -> usize {
        self.0.writes.load(Ordering::SeqCst)
    }

    /// How many crashes happened.
    pub fn happened(&self) -> usize {
        self.0.happened.load(Ordering::SeqCst)
    }

    fn pass(&self) -> Result<(), BoxError> {
        if self.0.countdown.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.0.happened.fetch_add(1, Ordering::SeqCst);
            return Err("crash".into());
        }
        Ok(())
    }
}

/// Marks a call that writes.
#[derive(Debug)]
struct IsWrite;

impl Storable for IsWrite {
    type Storer = StoreReplace<Self>;
}

fn is_write(target: Option<&str>) -> bool {
    target.is_some_and(|target| {
        ["PutItem", "UpdateItem", "TransactWriteItems", "DeleteItem"]
            .iter()
            .any(|write| target.ends_with(write))
    })
}

impl Intercept for Crashes {
    fn name(&self) -> &'static str {
        "crashes"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        if is_write(context.request().headers().get("x-amz-target")) {
            // The request is gone by the time its answer comes.
            bag.interceptor_state().store_put(IsWrite);
            self.0.writes.fetch_add(1, Ordering::SeqCst);
            return self.pass();
        }
        Ok(())
    }

    fn read_before_deserialization(
        &self,
        _: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if bag.load::<IsWrite>().is_some() {
            return self.pass();
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response().body().bytes().unwrap_or_default();
        self.0.bytes.fetch_add(answer.len(), Ordering::SeqCst);
        Ok(())
    }
}
