//! The function behind its keys, against an embedded DynamoDB: whatever is stored can be read.

use super::*;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use booking::{
    Answer, ByPart, ConnectionId, EventRecord, EventUri, Facts, InviteeRecord, InviteeUri, Latest,
    Provider, Slot, Stamp,
};
use jiff::Timestamp;
use lambda_http::RequestExt;
use platform::deliveries::{About, DeliveryId, NewDelivery, Status};
use platform::health::Settings;
use platform::room::{MAX_ANSWER, carried};
use platform::secrets::{ManagedSecret, RotatingSecret};
use platform::ticks::{Tick, TickStore};
use platform::traffic::{Outcome, TrafficCounter, TrafficStore};
use serde_json::Value as Json;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::time::Duration;
use testkit::dynamo::Dynamo;

const EVENT: &str = "https://api.calendly.com/scheduled_events/e0";

impl Api {
    /// The function on tables of an embedded DynamoDB, which are named after what they hold. Nothing
    /// else can be reached.
    pub(crate) fn on(dynamo: &Dynamo) -> Self {
        let aws = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .build();
        let queue = || Queue::new(platform::aws::sqs(&aws), "http://127.0.0.1:1".to_owned());
        let keys = || {
            let secret = ManagedSecret::new(platform::aws::secrets(&aws), "none".to_owned());
            RotatingSecret::new(secret, "API key secret", Duration::ZERO)
        };
        let client = dynamo.client();
        let deliveries = DeliveryStore::new(client.clone(), "deliveries".to_owned());
        let connections = ConnectionStore::new(client.clone(), "connections".to_owned());
        Self {
            sources: Sources {
                deliveries: deliveries.clone(),
                connections: connections.clone(),
                traffic: TrafficStore::new(client.clone(), "limits".to_owned()),
                ticks: TickStore::new(client.clone(), "connections".to_owned()),
                settings: Settings {
                    sync_overdue: SignedDuration::from_hours(1),
                    quiet: None,
                    every_gauge: true,
                },
            },
            bookings: BookingStore::new(client.clone(), "bookings".to_owned()),
            deliveries,
            connections,
            queue: queue(),
            syncs: SyncStore::new(client, "connections".to_owned()),
            sync_jobs: queue(),
            dead_letters: queue(),
            keys: ApiKeys {
                all: keys(),
                readers: keys(),
            },
            retention: SignedDuration::from_hours(24),
            cors: Cors::default(),
        }
    }
}

struct Stage {
    dynamo: Dynamo,
    api: Api,
}

impl Stage {
    async fn new() -> Self {
        let dynamo = Dynamo::start().await;
        dynamo.bookings("bookings").await;
        let api = Api::on(&dynamo);
        Self { dynamo, api }
    }

    /// A 200's body, as somebody gets it who may.
    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Json {
        let query: HashMap<String, Vec<String>> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), vec![(*value).to_owned()]))
            .collect();
        let request = Request::default()
            .with_raw_http_path(path)
            .with_query_string_parameters(query);
        let Found::Route(route, ids) = contract::find(&request) else {
            panic!("no route {path}");
        };
        let tracking_id = TrackingId::random();
        let call = Call {
            request: &request,
            route,
            params: Params::of(&request, route, ids).unwrap(),
            tracking_id: &tracking_id,
            caller: None,
        };
        let response = self.api.operate(&call).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let body = str::from_utf8(response.body().as_ref()).unwrap();
        assert!(carried(body) <= MAX_ANSWER, "{path}: {}", body.len());
        serde_json::from_str(body).unwrap()
    }

    /// Every page of it.
    async fn pages(&self, path: &str, query: &[(&str, &str)]) -> Vec<Json> {
        let mut pages = vec![self.get(path, query).await];
        while let Some(cursor) = pages[pages.len() - 1]["nextCursor"].as_str() {
            let cursor = cursor.to_owned();
            let next = [query, &[("cursor", cursor.as_str())]].concat();
            pages.push(self.get(path, &next).await);
            assert!(pages.len() < 100, "no end");
        }
        pages
    }

    /// Stores invitees of the event, each with so many answers of so many characters.
    async fn book(&self, invitees: Range<usize>, answers: usize, length: usize) {
        let all: Vec<usize> = invitees.collect();
        for some in all.chunks(20) {
            let mut facts = Facts::new(Provider::Calendly);
            facts.add_event(&event(0));
            for number in some {
                let uri = format!("{EVENT}/invitees/i{number:04}");
                let mut invitee = InviteeRecord::about(InviteeUri::parse(&uri).unwrap());
                invitee.known = true;
                let answers = (0..answers).map(|number| Answer {
                    question: format!("Question {number}"),
                    answer: "x".repeat(length),
                    position: None,
                    truncated: false,
                });
                invitee.answers = Some(Latest::new(stamp(), answers.collect()));
                facts.add_invitee(&invitee);
            }
            self.api.bookings.apply(facts).await.unwrap();
        }
    }
}

fn stamp() -> Stamp {
    Stamp::new(Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH)
}

fn event(number: i64) -> EventRecord {
    let uri = EVENT.replace("e0", &format!("e{number}"));
    let mut event = EventRecord::about(EventUri::parse(&uri).unwrap(), Provider::Calendly);
    let start = Timestamp::from_second(2_000_000_000 + number).unwrap();
    let slot = Slot {
        start,
        end: Some(start),
    };
    event.slot = Some(ByPart::new(stamp(), slot));
    let account = ConnectionId::from_user_uri("https://api.calendly.com/users/U1").unwrap();
    event.connections.insert(account);
    event
}

fn ids(pages: &[Json], list: &str) -> Vec<String> {
    let items = pages.iter().flat_map(|page| page[list].as_array().unwrap());
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_event_of_seventy_long_invitees_is_read_to_its_end() {
    let stage = Stage::new().await;
    stage.book(0..70, 10, 10_000).await;
    let pages = stage.pages("/v1/events/e0", &[]).await;
    assert_eq!(pages.len(), 2);
    let wanted: Vec<_> = (0..70).map(|number| format!("i{number:04}")).collect();
    assert_eq!(ids(&pages, "invitees"), wanted);
    for page in &pages {
        assert_eq!(page["id"], "e0");
        for invitee in page["invitees"].as_array().unwrap() {
            let answers = invitee["answers"].as_array().unwrap();
            assert_eq!(answers.len(), 10);
            assert!(
                answers
                    .iter()
                    .all(|it| it["answer"].as_str().unwrap().len() == 10_000)
            );
        }
    }
}

#[tokio::test]
async fn an_event_of_more_than_a_thousand_invitees_is_read_to_its_end() {
    let stage = Stage::new().await;
    stage.book(0..1_020, 0, 0).await;
    let pages = stage.pages("/v1/events/e0", &[]).await;
    let lengths = pages
        .iter()
        .map(|page| page["invitees"].as_array().unwrap().len());
    assert_eq!(lengths.collect::<Vec<_>>(), [1_000, 20]);
    let mut found = ids(&pages, "invitees");
    found.dedup();
    assert_eq!(found.len(), 1_020);
}

/// More than an answer holds: its texts are cut, and say so.
#[tokio::test]
async fn one_invitee_who_is_larger_than_an_answer_is_shown_cut() {
    let stage = Stage::new().await;
    stage.book(0..3, 7, 1_000_000).await;
    let cut = |invitee: &Json| {
        let answers = invitee["answers"].as_array().unwrap();
        assert_eq!(answers.len(), 7);
        for answer in answers {
            assert_eq!(answer["truncated"], true);
            let answer = answer["answer"].as_str().unwrap();
            assert!(
                answer.starts_with("xxx") && answer.ends_with("(cut: 1000000 characters in all)")
            );
        }
    };
    cut(&stage.get("/v1/events/e0/invitees/i0001", &[]).await);
    let pages = stage.pages("/v1/events/e0", &[]).await;
    assert_eq!(ids(&pages, "invitees"), ["i0000", "i0001", "i0002"]);
    for page in &pages {
        page["invitees"].as_array().unwrap().iter().for_each(cut);
    }
}

#[tokio::test]
async fn a_page_of_long_events_is_shorter_and_goes_on() {
    let stage = Stage::new().await;
    for number in 0..30 {
        let mut event = event(number);
        event.notes = Some(Latest::new(stamp(), Some("x".repeat(300_000))));
        let mut facts = Facts::new(Provider::Calendly);
        facts.add_event(&event);
        stage.api.bookings.apply(facts).await.unwrap();
    }
    for sort in ["asc", "desc"] {
        let query = [("limit", "100"), ("sort", sort)];
        let pages = stage.pages("/v1/events", &query).await;
        assert_eq!(pages.len(), 2);
        let mut wanted: Vec<_> = (0..30).map(|number| format!("e{number}")).collect();
        if sort == "desc" {
            wanted.reverse();
        }
        assert_eq!(ids(&pages, "events"), wanted);
    }
}

#[tokio::test]
async fn a_history_ends_without_a_cursor() {
    let stage = Stage::new().await;
    stage.dynamo.deliveries("deliveries").await;
    stage.book(0..1, 1, 10).await;
    for path in [
        "/v1/events/e0/history",
        "/v1/events/e0/invitees/i0000/history",
    ] {
        let pages = stage.pages(path, &[]).await;
        assert_eq!(pages.len(), 1, "{path}");
        assert!(pages[0]["nextCursor"].is_null());
    }
}

#[tokio::test]
async fn a_history_of_more_than_a_thousand_invitees_is_all_of_theirs() {
    let stage = Stage::new().await;
    stage.dynamo.deliveries("deliveries").await;
    stage.book(0..1_020, 0, 0).await;
    let pages = stage.pages("/v1/events/e0/history", &[]).await;
    let steps = pages
        .iter()
        .flat_map(|page| page["history"].as_array().unwrap());
    let people: BTreeSet<_> = steps
        .map(|step| step["inviteeId"].as_str().unwrap())
        .collect();
    assert_eq!(people.len(), 1_020);
}

/// Deliveries about one event are one list, the oldest first: of whoever came late, they are far down.
#[tokio::test]
async fn an_invitee_of_many_has_their_deliveries_in_their_history() {
    let stage = Stage::new().await;
    stage.dynamo.deliveries("deliveries").await;
    stage.book(149..150, 0, 0).await;
    let now = Timestamp::now();
    for number in 0_i64..150 {
        let body = format!("{number}");
        let id = DeliveryId::of(body.as_bytes());
        let invitee = format!("{EVENT}/invitees/i{number:04}");
        let new = NewDelivery {
            id: &id,
            tracking_id: "t",
            provider: "calendly",
            event: Some("invitee.created"),
            status: Status::Received,
            reason: None,
            event_uri: Some(EVENT),
            invitee_uri: Some(&invitee),
            warnings: &[],
            about: Some(&About::event("e0")),
            occurred_at: None,
            received_at: now + SignedDuration::from_secs(number - 200),
            body: body.as_bytes(),
        };
        let days = SignedDuration::from_hours(24 * 30);
        stage.api.deliveries.record(&new, days).await.unwrap();
    }
    let last = stage.get("/v1/events/e0/invitees/i0149/history", &[]).await;
    let wanted = DeliveryId::of(b"149").to_string();
    let told = ids(std::slice::from_ref(&last), "deliveries");
    assert_eq!(told, std::slice::from_ref(&wanted));
    assert_eq!(last["moreDeliveries"], false);
    let all = stage.get("/v1/events/e0/history", &[]).await;
    assert_eq!(all["deliveries"].as_array().unwrap().len(), 100);
    assert_eq!(all["moreDeliveries"], true);

    // The same as lists: of the event, the newest first; and by the first digits of an id.
    let newest: Vec<_> = (0..150)
        .rev()
        .map(|n: i64| DeliveryId::of(n.to_string().as_bytes()).to_string())
        .collect();
    let about = stage
        .pages("/v1/deliveries", &[("eventId", "e0"), ("limit", "70")])
        .await;
    assert_eq!(ids(&about, "deliveries"), newest);
    let other = stage.pages("/v1/deliveries", &[("eventId", "e1")]).await;
    assert_eq!(ids(&other, "deliveries"), Vec::<String>::new());
    let found = stage
        .pages("/v1/deliveries", &[("idPrefix", &wanted[..8])])
        .await;
    assert_eq!(ids(&found, "deliveries"), [wanted]);
}

#[tokio::test]
async fn a_status_names_what_needs_somebody_and_what_could_not_be_looked_at() {
    let stage = Stage::new().await;
    stage.dynamo.deliveries("deliveries").await;
    stage.dynamo.connections("connections").await;
    stage.dynamo.limits("limits").await;
    let sources = &stage.api.sources;
    for tick in [Tick::Planned, Tick::Watched] {
        sources.ticks.note(tick, ambient::now()).await.unwrap();
    }
    let codes = async || {
        let status = stage.get("/v1/status", &[]).await;
        let reasons = status["reasons"].as_array().unwrap();
        let codes = reasons.iter().map(|one| one["code"].as_str().unwrap());
        let codes: Vec<_> = codes.map(str::to_owned).collect();
        (status["well"].as_bool().unwrap(), codes)
    };
    // The queue is out of reach here, which hides nothing else.
    assert_eq!(codes().await, (false, vec!["SOURCE_UNREADABLE".to_owned()]));
    let traffic = TrafficCounter::new(sources.traffic.clone());
    traffic.count(&[Outcome::Stale]).await;
    let (well, found) = codes().await;
    assert_eq!((well, found.len()), (false, 2));
    assert_eq!(found[0], "WEBHOOKS_STALE");
    let status = stage.get("/v1/status", &[]).await;
    let looked = status["lookedAt"].as_array().unwrap();
    let unknown = |one: &&Json| one["state"] == "unknown";
    let unknown: Vec<_> = looked.iter().filter(unknown).collect();
    assert_eq!(
        (unknown.len(), &unknown[0]["name"]),
        (1, &"dead letter queue".into())
    );
    assert!(looked.len() >= 6);
}
