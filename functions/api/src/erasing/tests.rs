//! Somebody is erased from an embedded DynamoDB: whatever way their address is written in, wherever
//! it stands, and whatever became of the booking since.

use super::*;
use booking::{names, people_in};
use calendly::webhook::{Webhook, read};
use jiff::{SignedDuration, Timestamp};
use platform::apply::{Apply, Bookkeeper};
use platform::deliveries::{Body, Discarded, ErrorKind, Failure, NewDelivery, Status};
use platform::queue::DeliveryRef;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use testkit::dynamo::Dynamo;
use testkit::fixture;

const QUICK: Pace = Pace {
    limit: Duration::from_secs(600),
    second_look: Duration::ZERO,
};
/// No time for anything.
const NONE: Pace = Pace {
    limit: Duration::ZERO,
    second_look: Duration::ZERO,
};
const ANN: &str = "ann@b\u{fc}cher.example";
/// Whose address holds hers, or is held by it.
const NEIGHBOURS: [&str; 2] = ["joann@b\u{fc}cher.example", "ann@b\u{fc}cher.example.au"];

/// What of hers is in a table is found by its key; these are what she herself is found by.
fn ann() -> ContactKey {
    ContactKey::of(ANN)
}

struct Stage {
    dynamo: Dynamo,
    api: Api,
}

impl Stage {
    async fn new() -> Self {
        let dynamo = Dynamo::start().await;
        dynamo.deliveries("deliveries").await;
        dynamo.bookings("bookings").await;
        let api = Api::on(&dynamo);
        Self { dynamo, api }
    }

    /// Logs a webhook as the webhook function does.
    async fn log(&self, body: &[u8]) -> DeliveryId {
        let id = DeliveryId::of(body);
        let (status, about) = match read(body, Timestamp::now()) {
            Ok(Webhook::Booking(booking)) => {
                let event = booking.scheduled_event.map(|uri| About::event(uri.id()));
                let form = booking.submission.map(|uri| About::submission(uri.id()));
                (Status::Received, event.or(form))
            }
            Ok(Webhook::NotHandled { .. }) => (Status::Ignored, None),
            Err(_) => (Status::Unprocessable, None),
        };
        let new = NewDelivery {
            id: &id,
            tracking_id: "7c1f4a70-2f7b-4a0e-9a51-5d3c3b1a6e55",
            provider: "calendly",
            event: None,
            status,
            reason: None,
            event_uri: None,
            invitee_uri: None,
            about: about.as_ref(),
            warnings: &[],
            occurred_at: None,
            received_at: Timestamp::now(),
            body,
        };
        let recorded = self.api.deliveries.record(&new, self.api.retention).await;
        recorded.unwrap();
        id
    }

    /// Logs a webhook, and applies it where there is anything to apply.
    async fn tell(&self, body: &[u8]) -> DeliveryId {
        let id = self.log(body).await;
        let delivery = self.api.deliveries.get(&id).await.unwrap().unwrap();
        if delivery.status == Status::Received {
            let bookkeeper = Bookkeeper {
                jobs: fakes::MemoryQueue::default(),
                deliveries: self.api.deliveries.clone(),
                bookings: self.api.bookings.clone(),
            };
            let applied = bookkeeper.apply(&DeliveryRef::from(&delivery), 1).await;
            assert!(applied.is_ok());
        }
        id
    }

    async fn body(&self, id: &DeliveryId) -> Option<Vec<u8>> {
        match self.api.deliveries.body(id).await.unwrap() {
            Body::Kept(body) => Some(body),
            Body::Erased => None,
            Body::Unknown => panic!("{id} is not in the log"),
        }
    }

    async fn erase(&self) -> ErasureReport {
        let report = self.api.erase_all(ann(), QUICK).await.ok().unwrap();
        assert!(report.complete, "{report:?}");
        report
    }

    async fn dry_run(&self) -> ErasureReport {
        self.api.dry_run(ann(), QUICK).await.ok().unwrap()
    }

    /// Every stored record that names her.
    async fn records(&self) -> Vec<String> {
        let items = self.dynamo.items("bookings").await;
        let records = items
            .iter()
            .filter_map(|item| item.get("record")?.as_s().ok());
        let mut records: Vec<_> = records.cloned().collect();
        records.retain(|record| names(record.as_bytes(), &ann()));
        records
    }

    async fn everything(&self) -> String {
        let bookings = self.dynamo.dump("bookings").await;
        bookings + &self.dynamo.dump("deliveries").await
    }
}

fn edited(name: &str, edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut json = serde_json::from_slice(&fixture(name)).unwrap();
    edit(&mut json);
    json.to_string().into_bytes()
}

/// Grace's booking of a group that the neighbours are guests of.
fn grace(edit: impl FnOnce(&mut Value)) -> Vec<u8> {
    edited("invitee.created.group-guests.json", |json| {
        let guests = NEIGHBOURS.map(|email| json!({ "email": email }));
        json["payload"]["scheduled_event"]["event_guests"] = json!(guests);
        edit(json);
    })
}

fn later(json: &mut Value) {
    for at in ["/payload", "/payload/scheduled_event"] {
        json.pointer_mut(at).unwrap()["updated_at"] = "2026-11-22T09:00:00.000000Z".into();
    }
}

/// Ways to write her address.
fn forms() -> Vec<String> {
    [
        ANN,
        "ANN@B\u{dc}CHER.EXAMPLE",
        "a\u{200b}nn@bu\u{308}cher.example.",
        "ann@xn--bcher-kva.example",
        "\"Ann\"@b\u{fc}cher.example",
        "Ann <ann@B\u{fc}cher.example>",
        "mailto:ann%40b%C3%BCcher.example?subject=x",
        "\u{ff41}nn\u{ff20}b\u{fc}cher.example",
    ]
    .map(str::to_owned)
    .into()
}

/// Places of a body, and whether what stands there is hers.
const PLACES: [(&str, bool); 10] = [
    ("guest", true),
    ("host", true),
    ("invitee", true),
    ("answer", false),
    ("unknown field", false),
    ("name of a field", false),
    ("first of two fields", false),
    ("escaped", false),
    ("no event of ours", false),
    ("torn", false),
];

fn in_place(place: &str, form: &str) -> Vec<u8> {
    let quoted = json!(form).to_string();
    match place {
        "guest" => grace(|json| {
            let guests = &mut json["payload"]["scheduled_event"]["event_guests"];
            guests
                .as_array_mut()
                .unwrap()
                .push(json!({ "email": form }));
        }),
        "host" => grace(|json| {
            let hosts = &mut json["payload"]["scheduled_event"]["event_memberships"];
            hosts[0]["user_email"] = form.into();
        }),
        "invitee" => grace(|json| json["payload"]["email"] = form.into()),
        "answer" => grace(|json| {
            let answer = format!("with {form}, and others");
            json["payload"]["questions_and_answers"] =
                json!([{ "question": "?", "answer": answer }]);
        }),
        "unknown field" => grace(|json| json["payload"]["x"] = json!([[{ "y": form }]])),
        "name of a field" => grace(|json| json["payload"]["x"] = json!({ form: 1 })),
        "first of two fields" => {
            let text = String::from_utf8(grace(|_| ())).unwrap();
            let two = format!("\"name\":{quoted},\"name\":\"Grace Group\"");
            text.replace("\"name\":\"Grace Group\"", &two).into_bytes()
        }
        "escaped" => {
            let units = form.encode_utf16();
            let escaped: Vec<_> = units.map(|unit| format!("\\u{unit:04x}")).collect();
            let escaped = escaped.concat();
            let text = String::from_utf8(grace(|json| json["payload"]["x"] = "X".into())).unwrap();
            text.replace("\"X\"", &format!("\"{escaped}\""))
                .into_bytes()
        }
        "no event of ours" => json!({ "event": "event_type.updated", "payload": { "x": form } })
            .to_string()
            .into_bytes(),
        "torn" => format!("{{\"event\": \"invitee.created\", \"payload\": {{\"email\": {quoted}")
            .into_bytes(),
        other => panic!("{other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn however_and_wherever_somebody_is_named_nothing_of_them_is_left(
        told in proptest::collection::vec((select(PLACES.to_vec()), select(forms())), 1..4),
        replaced in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stage = Stage::new().await;
            let mut ids = Vec::new();
            for ((place, _), form) in &told {
                let body = in_place(place, form);
                assert!(names(&body, &ann()), "{place} {form}");
                ids.push(stage.tell(&body).await);
            }
            if replaced {
                // The guests are gone, the host is another, the invitee has another address.
                stage.tell(&grace(later)).await;
            }
            let others = stage.tell(&edited("invitee.created.json", |json| {
                json["payload"]["email"] = NEIGHBOURS[0].into();
            })).await;

            let would = stage.dry_run().await;
            let report = stage.erase().await;
            for id in &ids {
                assert_eq!(stage.body(id).await, None, "{told:?}");
            }
            let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
            assert_eq!(report.deliveries, distinct.len(), "{told:?}");
            assert_eq!(would.deliveries, distinct.len(), "{told:?}");
            assert_eq!(
                (would.invitees, would.events, would.submissions),
                (report.invitees, report.events, report.submissions)
            );
            // What Grace wrote of her is Grace's.
            let answered = told.iter().any(|((place, _), _)| *place == "answer");
            let left = stage.records().await;
            assert!(left.is_empty() || answered, "{told:?} {left:#?}");

            // Of all others nothing is lost.
            assert!(stage.body(&others).await.is_some());
            let all = stage.everything().await;
            for neighbour in NEIGHBOURS {
                let applied = told.iter().any(|((place, _), _)| !matches!(*place, "no event of ours" | "torn"));
                assert!(all.contains(neighbour) || !(applied || replaced), "{neighbour} {told:?}");
            }

            // Told once more, nothing comes back.
            for ((place, _), form) in &told {
                stage.tell(&in_place(place, form)).await;
            }
            let again = stage.erase().await;
            assert_eq!((again.invitees, again.events, again.deliveries), (0, 0, 0), "{told:?}");
        });
    }
}

#[tokio::test]
async fn a_dry_run_tells_what_would_go_and_changes_nothing() {
    let stage = Stage::new().await;
    for place in ["guest", "torn", "no event of ours"] {
        stage.tell(&in_place(place, ANN)).await;
    }
    stage
        .tell(&edited("invitee.created.json", |json| {
            json["payload"]["email"] = ANN.into();
        }))
        .await;
    let before = stage.everything().await;
    let would = stage.dry_run().await;
    assert_eq!(stage.everything().await, before);
    let want = ErasureReport {
        complete: true,
        dry_run: true,
        erased_at: None,
        invitees: 1,
        events: 1,
        deliveries: 4,
        ..ErasureReport::default()
    };
    assert_eq!(would, want);
    let report = stage.erase().await;
    assert_eq!(
        ErasureReport {
            dry_run: true,
            erased_at: None,
            ..report
        },
        want
    );
}

/// One that can't be applied, whoever tries: the event's record can't be read.
async fn given_up(stage: &Stage, body: &[u8]) -> DeliveryId {
    let id = stage.log(body).await;
    let client = stage.dynamo.client();
    let s = |text: &str| platform_value(text);
    client
        .put_item()
        .table_name("bookings")
        .item(
            "pk",
            s("calendly#event#00000005-1111-4222-8333-444455556666"),
        )
        .item("sk", s("event"))
        .item("etag", s("e"))
        .item("record", s("not JSON"))
        .send()
        .await
        .unwrap();
    stage
        .api
        .deliveries
        .dead(&id, &Failure::new(ErrorKind::Corrupt, "can't be read"), 1)
        .await
        .unwrap();
    id
}

fn platform_value(text: &str) -> aws_sdk_dynamodb::types::AttributeValue {
    aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned())
}

#[tokio::test]
async fn what_was_discarded_loses_the_person_too() {
    let stage = Stage::new().await;
    let id = given_up(&stage, &in_place("guest", ANN)).await;
    let put_away = stage.api.deliveries.discard(&id, "on-call", "why").await;
    assert!(matches!(put_away, Ok(Discarded::Now(_))));
    let report = stage.erase().await;
    assert_eq!((report.reduced, report.left), (1, 0));
    assert!(!names(&stage.body(&id).await.unwrap(), &ann()));
}

#[tokio::test]
async fn what_was_given_up_loses_the_person_and_tells_of_others_still() {
    let stage = Stage::new().await;
    let body = in_place("guest", ANN);
    let id = given_up(&stage, &body).await;
    let report = stage.erase().await;
    assert_eq!((report.deliveries, report.reduced, report.left), (0, 1, 0));
    let left = stage.body(&id).await.unwrap();
    let hers = BTreeSet::from([ann()]);
    assert_eq!(people_in(&left), &people_in(&body) - &hers);
    let delivery = stage.api.deliveries.get(&id).await.unwrap().unwrap();
    assert_eq!((delivery.status, delivery.erased_at), (Status::Dead, None));

    // Once its cause is gone, Grace's booking is not lost.
    let gone = stage.dynamo.client().delete_item().table_name("bookings");
    let gone = gone.key(
        "pk",
        platform_value("calendly#event#00000005-1111-4222-8333-444455556666"),
    );
    gone.key("sk", platform_value("event"))
        .send()
        .await
        .unwrap();
    let bookkeeper = Bookkeeper {
        jobs: fakes::MemoryQueue::default(),
        deliveries: stage.api.deliveries.clone(),
        bookings: stage.api.bookings.clone(),
    };
    assert!(
        bookkeeper
            .apply(&DeliveryRef::from(&delivery), 1)
            .await
            .is_ok()
    );
    let all = stage.everything().await;
    assert!(all.contains("grace.group@example.org") && all.contains(NEIGHBOURS[0]));
    assert!(stage.records().await.is_empty());
}

#[tokio::test]
async fn of_what_can_not_be_read_the_rest_stays() {
    let stage = Stage::new().await;
    let body = grace(|json| {
        json["payload"]["uri"] = "no URI".into();
        json["payload"]["scheduled_event"]["event_guests"][0]["email"] = ANN.into();
    });
    let id = stage.tell(&body).await;
    let delivery = stage.api.deliveries.get(&id).await.unwrap().unwrap();
    assert_eq!(delivery.status, Status::Unprocessable);
    assert_eq!(stage.dry_run().await.deliveries, 1);
    let report = stage.erase().await;
    assert_eq!((report.deliveries, report.reduced), (0, 1));
    let left = people_in(&stage.body(&id).await.unwrap());
    assert_eq!(left, &people_in(&body) - &BTreeSet::from([ann()]));
}

#[tokio::test]
async fn an_erasure_goes_on_where_its_time_ended() {
    let stage = Stage::new().await;
    let first = stage.tell(&in_place("no event of ours", ANN)).await;
    let second = stage.tell(&in_place("no event of ours", &forms()[1])).await;
    let stopped = stage.api.erase_all(ann(), NONE).await.ok().unwrap();
    assert_eq!((stopped.complete, stopped.deliveries), (false, 0));

    // As if it had come past the second, which is the newer one.
    let newest = stage.api.deliveries.get(&second).await.unwrap().unwrap();
    let at = newest.received_at.unwrap();
    let erasure = Erasure {
        at: stopped.erased_at.unwrap(),
        place: Some(format!("ignored {at:.6}#{second}")),
        left: false,
    };
    stage
        .api
        .bookings
        .keep_erasure(&ann(), &erasure)
        .await
        .unwrap();
    let report = stage.erase().await;
    assert_eq!(report.erased_at, stopped.erased_at, "it is one erasure");
    assert_eq!(report.deliveries, 1);
    assert_eq!(stage.body(&first).await, None);
    assert!(stage.body(&second).await.is_some(), "not read again");

    // The next one begins anew.
    let next = stage.erase().await;
    assert!(next.erased_at > report.erased_at);
    assert_eq!(stage.body(&second).await, None);
}

#[tokio::test]
async fn what_comes_late_and_is_set_aside_keeps_no_body_that_names_the_erased() {
    let stage = Stage::new().await;
    stage.erase().await;
    let noise = String::from_utf8(testkit::noise(600_000)).unwrap();
    let noise = noise.replace('@', "a");
    let large = format!(
        "{{\"event\": \"e\", \"to\": {}, \"x\": {}}}",
        json!(ANN),
        json!(noise)
    );
    for body in [
        in_place("no event of ours", &forms()[3]),
        in_place("torn", ANN),
        large.into_bytes(),
    ] {
        let id = stage.tell(&body).await;
        assert!(stage.body(&id).await.is_none());
        let delivery = stage.api.deliveries.get(&id).await.unwrap().unwrap();
        assert!(delivery.status.is_settled() && delivery.erased_at.is_some());
        let all = stage.dynamo.items("deliveries").await;
        assert!(all.iter().all(|item| !item.contains_key("body")));
        stage.tell(&body).await;
        assert!(stage.body(&id).await.is_none(), "sent again");
    }
    for other in [NEIGHBOURS[0], NEIGHBOURS[1], "ben@example.com"] {
        let id = stage.tell(&in_place("no event of ours", other)).await;
        assert!(stage.body(&id).await.is_some(), "{other}");
    }
}

#[tokio::test]
async fn an_erasure_that_was_left_for_long_begins_anew() {
    let stage = Stage::new().await;
    let id = stage.tell(&in_place("no event of ours", ANN)).await;
    let old = Erasure {
        at: Timestamp::now() - SignedDuration::from_hours(2),
        place: Some("ignored".to_owned()),
        left: false,
    };
    stage.api.bookings.keep_erasure(&ann(), &old).await.unwrap();
    let report = stage.erase().await;
    assert!(report.erased_at > Some(old.at));
    assert_eq!(stage.body(&id).await, None);
}

#[tokio::test]
async fn who_is_not_among_those_whom_an_event_keeps_is_erased_from_what_tells_of_it() {
    let stage = Stage::new().await;
    let told = |answer: String| {
        grace(|json| {
            json["payload"]["questions_and_answers"] =
                json!([{ "question": "?", "answer": answer }]);
        })
    };
    let id = stage.tell(&told(format!("with {ANN}"))).await;
    // All of them come before her.
    let strangers = (0..).map(|number| format!("stranger{number}@example.net"));
    let mut strangers = strangers.filter(|email| ContactKey::of(email) < ann());
    for _ in 0..booking::NAMED_LIMIT / booking::MAX_NAMED {
        let some: Vec<_> = strangers.by_ref().take(booking::MAX_NAMED).collect();
        stage.tell(&told(some.join(", "))).await;
    }
    let all = stage.dynamo.dump("bookings").await;
    assert!(!all.contains(ann().as_str()), "her key isn't kept");

    assert_eq!(stage.dry_run().await.deliveries, 1);
    assert_eq!(stage.erase().await.deliveries, 1);
    assert_eq!(stage.body(&id).await, None);
    let bodies = stage.dynamo.items("deliveries").await;
    let kept = bodies.iter().filter(|item| item.contains_key("body"));
    assert_eq!(kept.count(), 10, "those of the strangers");
}

/// One body that names more people than it can be found by, she after them all.
#[tokio::test]
async fn who_is_not_among_those_whom_a_body_is_found_by_is_erased_from_it() {
    let strangers = (0..).map(|number| format!("stranger{number}@example.net"));
    let strangers = strangers.filter(|email| ContactKey::of(email) < ann());
    let mut crowd: Vec<_> = strangers.take(booking::MAX_NAMED).collect();
    crowd.push(ANN.to_owned());
    let answer = json!([{ "question": "Who?", "answer": crowd.join(", ") }]);
    let booked = grace(|json| json["payload"]["questions_and_answers"] = answer.clone());
    let form = fixture("routing_form_submission.created.json");
    let mut form: Value = serde_json::from_slice(&form).unwrap();
    form["payload"]["questions_and_answers"] = answer.clone();
    form["payload"]["submitter"] = Value::Null;
    for body in [booked, form.to_string().into_bytes()] {
        let stage = Stage::new().await;
        let id = stage.tell(&body).await;
        let all = stage.dynamo.dump("bookings").await;
        assert!(!all.contains(ann().as_str()), "her key isn't kept");
        assert_eq!(stage.dry_run().await.deliveries, 1);
        assert_eq!(stage.erase().await.deliveries, 1);
        assert_eq!(stage.body(&id).await, None);
    }
}

#[tokio::test]
async fn what_an_earlier_request_left_is_looked_at_again() {
    let stage = Stage::new().await;
    let waits = stage.log(&in_place("guest", ANN)).await;
    let dead = stage.log(&in_place("torn", ANN)).await;
    // As if the first could not be applied, and the time ended behind it.
    let erasure = Erasure {
        at: Timestamp::now(),
        place: Some("ignored".to_owned()),
        left: true,
    };
    let store = &stage.api.bookings;
    store.keep_erasure(&ann(), &erasure).await.unwrap();
    let report = stage.api.erase_all(ann(), QUICK).await.ok().unwrap();
    assert!(!report.complete, "{report:?}");
    let report = stage.erase().await;
    assert_eq!(report.erased_at, Some(erasure.at), "it is one erasure");
    for id in [waits, dead] {
        assert_eq!(stage.body(&id).await, None);
    }
}

#[tokio::test]
async fn an_erasure_that_stops_among_the_bookings_leaves_what_leads_on_and_stays_one() {
    let stage = Stage::new().await;
    let id = stage.tell(&in_place("guest", ANN)).await;
    let stopped = stage.api.erase_all(ann(), NONE).await.ok().unwrap();
    assert!(!stopped.complete);
    assert_eq!(stage.records().await.len(), 1);
    let report = stage.erase().await;
    assert_eq!(report.erased_at, stopped.erased_at);
    assert_eq!((report.events, report.deliveries), (1, 1));
    assert_eq!(stage.body(&id).await, None);
}

#[tokio::test]
async fn what_can_not_be_read_or_is_large_keeps_nothing_else_from_being_erased() {
    let stage = Stage::new().await;
    let told = stage.tell(&in_place("guest", ANN)).await;
    let event = "00000005-1111-4222-8333-444455556666";
    let spoil = stage.dynamo.spoil("bookings", event, "record");
    spoil.await;
    let noise = String::from_utf8(testkit::noise(800_000)).unwrap();
    let large = grace(|json| {
        json["payload"]["uri"] = "no URI".into();
        json["payload"]["x"] = json!([noise.replace('@', "a")]);
        json["payload"]["y"] = ANN.into();
    });
    let large = stage.tell(&large).await;
    let torn = stage.tell(&in_place("torn", ANN)).await;

    let report = stage.api.erase_all(ann(), QUICK).await.ok().unwrap();
    assert_eq!((report.complete, report.left), (false, 1), "{report:?}");
    for id in [&told, &torn] {
        assert_eq!(stage.body(id).await, None);
    }
    let left = stage.body(&large).await.unwrap();
    assert!(!names(&left, &ann()) && left.len() > 600_000);
}
