//! Bodies that are not as documented: what they say is applied, and what isn't understood is told.

use super::*;
use serde_json::{Value, json};

/// A booking with this changed.
fn changed(change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut body: Value = serde_json::from_slice(&fixture("invitee.created.json")).unwrap();
    change(&mut body);
    body.to_string().into_bytes()
}

impl Stage {
    /// What became of a body.
    async fn applied(&self, body: &[u8]) -> Delivery {
        let message = self.logged(body, "invitee.created").await;
        assert!(self.hand(1, &[message]).await.is_empty());
        self.delivery(body).await
    }
}

#[tokio::test]
async fn every_odd_body_is_applied() {
    let stage = Stage::new().await;
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/odd");
    let mut applied = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.starts_with("test.") {
            continue;
        }
        let delivery = stage.applied(&std::fs::read(&path).unwrap()).await;
        assert_eq!(delivery.status, Status::Processed, "{name}");
        applied += 1;
    }
    assert!(applied > 20);
}

#[tokio::test]
async fn what_was_not_understood_stands_on_the_delivery() {
    let stage = Stage::new().await;
    let clear = stage.applied(&fixture("invitee.created.json")).await;
    assert_eq!(clear.warnings, [""; 0]);
    let body = changed(|body| body["payload"]["email"] = json!(["ada@example.com"]));
    let delivery = stage.applied(&body).await;
    let warning = "`payload.email` is a list, and not an e-mail address: left out";
    assert_eq!(delivery.warnings, [warning]);
    assert_eq!(delivery.status, Status::Processed);
    // A list of deliveries shows it, too.
    let query = DeliveryQuery {
        status: Some(Status::Processed),
        ..DeliveryQuery::all(10, SignedDuration::from_hours(24))
    };
    let listed = stage.deliveries.list(&query).await.unwrap().items;
    assert!(listed.contains(&delivery), "{listed:#?}");
}

#[tokio::test]
async fn a_body_that_tells_no_time_is_dated_by_when_it_came_also_when_it_is_replayed() {
    let stage = Stage::new().await;
    let body = changed(|body| {
        body.as_object_mut().unwrap().remove("created_at");
        for name in ["created_at", "updated_at"] {
            body["payload"][name] = json!("some day");
        }
        let event = &mut body["payload"]["scheduled_event"];
        event["updated_at"] = Value::Null;
        event["created_at"] = Value::Null;
    });
    let delivery = stage.applied(&body).await;
    assert_eq!(delivery.status, Status::Processed);
    assert!(
        delivery
            .warnings
            .iter()
            .any(|it| it.contains("when it came"))
    );
    let bookings = stage.dynamo.dump("bookings").await;
    stage.deliveries.reopen(&delivery.id).await.unwrap();
    let message = message_text(&delivery.id, "invitee.created");
    assert!(stage.hand(1, &[message]).await.is_empty());
    assert_eq!(stage.dynamo.dump("bookings").await, bookings);
}

#[tokio::test]
async fn of_a_text_that_was_cut_the_delivery_keeps_all() {
    let stage = Stage::new().await;
    let body = changed(|body| {
        body["payload"]["questions_and_answers"][0]["answer"] = json!("long ".repeat(10_000));
    });
    let delivery = stage.applied(&body).await;
    assert_eq!(delivery.status, Status::Processed);
    let field = "`payload.questions_and_answers[0].answer`";
    assert!(
        delivery.warnings[0].starts_with(field),
        "{:?}",
        delivery.warnings
    );
    let kept = stage.deliveries.get_with_body(&delivery.id).await.unwrap();
    assert!(kept.unwrap().1.unwrap() == body);
}
