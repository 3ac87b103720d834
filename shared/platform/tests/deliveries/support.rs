use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use platform::deliveries::{
    About, Delivery, DeliveryId, DeliveryQuery, DeliveryStore, ErrorKind, Failure, NewDelivery,
    Recorded, Status,
};
use platform::http::TrackingId;
use testkit::dynamo::{Crashes, Dynamo};

/// A log of its own.
pub struct Log {
    pub dynamo: Dynamo,
    pub store: DeliveryStore,
    /// Counts what the store does.
    pub calls: Crashes,
}

/// A delivery that comes.
#[derive(Clone)]
pub struct Told {
    pub body: Vec<u8>,
    pub at: Timestamp,
    pub event: &'static str,
    pub status: Status,
    pub about: Option<About>,
    pub retention: SignedDuration,
}

pub fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

/// Now, in microseconds: what is stored has no more digits.
pub fn now() -> Timestamp {
    Timestamp::from_microsecond(Timestamp::now().as_microsecond()).unwrap()
}

pub fn told(body: impl AsRef<[u8]>, at: Timestamp) -> Told {
    Told {
        body: body.as_ref().to_vec(),
        at,
        event: "invitee.created",
        status: Status::Received,
        about: None,
        retention: days(3650),
    }
}

pub fn id(body: impl AsRef<[u8]>) -> DeliveryId {
    DeliveryId::of(body.as_ref())
}

/// That AWS did not do what it was asked for.
pub fn aws(error: &str) -> Failure {
    Failure::new(ErrorKind::Aws, error)
}

/// All of a list, 20 on a page.
pub fn all() -> DeliveryQuery {
    DeliveryQuery::all(20, days(100))
}

pub fn of_status(status: Status) -> DeliveryQuery {
    DeliveryQuery {
        status: Some(status),
        ..all()
    }
}

pub fn ids(deliveries: &[Delivery]) -> Vec<DeliveryId> {
    deliveries
        .iter()
        .map(|delivery| delivery.id.clone())
        .collect()
}

impl Log {
    pub async fn new() -> Self {
        let dynamo = Dynamo::start().await;
        dynamo.deliveries("deliveries").await;
        let calls = Crashes::none();
        let store = DeliveryStore::new(dynamo.crashing(&calls), "deliveries".to_owned());
        Self {
            dynamo,
            store,
            calls,
        }
    }

    pub async fn tell(&self, told: &Told) -> Recorded {
        self.tell_as(told, TrackingId::random().as_str()).await
    }

    pub async fn tell_as(&self, told: &Told, tracking_id: &str) -> Recorded {
        self.try_tell_as(told, tracking_id).await.unwrap()
    }

    pub async fn try_tell_as(&self, told: &Told, tracking_id: &str) -> platform::Result<Recorded> {
        let id = DeliveryId::of(&told.body);
        let new = NewDelivery {
            id: &id,
            tracking_id,
            provider: "calendly",
            event: Some(told.event),
            status: told.status,
            reason: None,
            event_uri: None,
            invitee_uri: None,
            warnings: &[],
            about: told.about.as_ref(),
            occurred_at: None,
            received_at: told.at,
            body: &told.body,
        };
        self.store.record(&new, told.retention).await
    }

    /// Many deliveries, in no order.
    pub async fn tell_all(&self, all: &[Told]) {
        futures::stream::iter(all)
            .for_each_concurrent(16, |told| async move {
                assert_eq!(self.tell(told).await, Recorded::New);
            })
            .await;
    }

    pub async fn get(&self, body: impl AsRef<[u8]>) -> Delivery {
        self.store.get(&id(body)).await.unwrap().unwrap()
    }

    /// Every page of a list; `between` is run after each.
    pub async fn pages(
        &self,
        mut query: DeliveryQuery,
        mut between: impl AsyncFnMut(usize),
    ) -> Vec<Vec<Delivery>> {
        let mut pages = Vec::new();
        loop {
            let page = self.store.list(&query).await.unwrap();
            assert!(page.items.len() <= query.limit);
            pages.push(page.items);
            between(pages.len()).await;
            match page.next {
                Some(next) => {
                    assert_ne!(Some(&next), query.after.as_ref(), "each page goes on");
                    query.after = Some(next);
                }
                None => return pages,
            }
        }
    }

    pub async fn list(&self, query: DeliveryQuery) -> Vec<DeliveryId> {
        ids(&self.pages(query, async |_| {}).await.concat())
    }
}
