//! What a webhook costs in the store: calls, and request units. `docs/cost.md` has this very table.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use fakes::MemoryQueue;
use jiff::{SignedDuration, Timestamp};
use platform::apply::{Apply, Bookkeeper};
use platform::bookings::BookingStore;
use platform::deliveries::{About, DeliveryId, DeliveryStore, NewDelivery, Status};
use platform::http::TrackingId;
use platform::queue::DeliveryRef;
use platform::syncs::SyncJob;
use testkit::dynamo::Dynamo;
use testkit::fixture;
use testkit::meter::{Meter, Units};

/// The stores of one stack, as the webhook and the worker function use them.
struct Stack {
    meter: Meter,
    log: DeliveryStore,
    worker: Bookkeeper<MemoryQueue<SyncJob>>,
}

impl Stack {
    async fn new() -> Self {
        let dynamo = Dynamo::start().await;
        dynamo.deliveries("deliveries").await;
        dynamo.bookings("bookings").await;
        let meter = Meter::default();
        let client = dynamo.metered(&meter);
        let log = DeliveryStore::new(client.clone(), "deliveries".to_owned());
        Self {
            meter,
            worker: Bookkeeper {
                jobs: MemoryQueue::default(),
                deliveries: log.clone(),
                bookings: BookingStore::new(client, "bookings".to_owned()),
            },
            log,
        }
    }

    /// Logs a webhook and applies it; answers what each took.
    async fn tell(&self, body: &[u8]) -> (Units, Units) {
        let json: serde_json::Value = serde_json::from_slice(body).unwrap();
        let text = |path: &str| json.pointer(path).and_then(serde_json::Value::as_str);
        let event_uri = text("/payload/scheduled_event/uri");
        let about = event_uri.and_then(|uri| uri.rsplit('/').next());
        let about = about.map(About::event);
        let tracking_id = TrackingId::random();
        let id = DeliveryId::of(body);
        let new = NewDelivery {
            id: &id,
            tracking_id: tracking_id.as_str(),
            provider: "calendly",
            event: text("/event"),
            status: Status::Received,
            reason: None,
            event_uri,
            invitee_uri: text("/payload/uri"),
            warnings: &[],
            about: about.as_ref(),
            occurred_at: None,
            received_at: Timestamp::now(),
            body,
        };
        let days = SignedDuration::from_hours(24 * 30);
        self.log.record(&new, days).await.unwrap();
        let received = self.meter.take();
        let delivery = DeliveryRef {
            delivery_id: id,
            tracking_id: tracking_id.as_str().to_owned(),
            event: text("/event").map(str::to_owned),
        };
        self.worker.apply(&delivery, 1).await.unwrap();
        (received, self.meter.take())
    }
}

/// A line of the table in `docs/cost.md`.
fn line(what: &str, calls: &str, units: Units) -> String {
    format!(
        "| {what} | {calls} | {} | {} | {} | {} |",
        units.read,
        units.table,
        units.index,
        units.write()
    )
}

fn worker_line(what: &str, units: Units) -> String {
    let calls = format!("{} reads, {} writes", units.reads, units.writes);
    line(what, &calls, units)
}

/// Somebody else of the same group event, a little later.
fn another(body: &[u8], number: usize) -> Vec<u8> {
    let text = String::from_utf8(body.to_vec()).unwrap();
    let text = text
        .replace("00000005-aaaa", &format!("{number:08}-aaaa"))
        .replace("grace.group@", &format!("grace.group{number}@"));
    text.into_bytes()
}

#[tokio::test]
async fn a_webhook_takes_as_many_calls_and_units_as_the_page_on_cost_says() {
    let mut table = Vec::new();
    let stack = Stack::new().await;
    // The first event of a month lists its bucket, which no later one does.
    stack
        .tell(&fixture("invitee.created.group-guests.json"))
        .await;

    let mut both = |what: &str, (received, applied): (Units, Units)| {
        if table.is_empty() {
            table.push(line("received, whatever it tells", "1 write", received));
        }
        table.push(worker_line(what, applied));
        received
    };
    let mut receipts = vec![
        both(
            "a booking, with a guest",
            stack.tell(&fixture("invitee.created.json")).await,
        ),
        both(
            "its cancellation",
            stack.tell(&fixture("invitee.canceled.json")).await,
        ),
        both(
            "a move, the canceled half",
            stack
                .tell(&fixture("reschedule.1-invitee.canceled.json"))
                .await,
        ),
        both(
            "a move, the created half",
            stack
                .tell(&fixture("reschedule.2-invitee.created.json"))
                .await,
        ),
        both(
            "a no-show mark",
            stack.tell(&fixture("invitee_no_show.created.json")).await,
        ),
    ];
    let group = fixture("invitee.created.group-guests.json");
    for number in 100..148 {
        stack.tell(&another(&group, number)).await;
    }
    receipts.push(both(
        "a booking that fills a group of 50",
        stack.tell(&another(&group, 148)).await,
    ));
    for receipt in &receipts {
        assert_eq!((receipt.reads, receipt.writes), (0, 1), "one write");
        assert_eq!(receipt, &receipts[0], "as much for each of the samples");
    }
    let table = table.join("\n");
    let page = include_str!("../../../docs/cost.md");
    assert!(page.contains(&table), "docs/cost.md must say:\n{table}");
}
