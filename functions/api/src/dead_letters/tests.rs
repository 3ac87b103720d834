//! Dead letters that are put away, against an embedded DynamoDB.

use super::*;
use jiff::Timestamp;
use lambda_http::Body;
use platform::deliveries::{ErrorKind, Failure, NewDelivery};
use serde_json::{Value, json};
use testkit::dynamo::Dynamo;

async fn stage() -> (Dynamo, Api) {
    let dynamo = Dynamo::start().await;
    dynamo.deliveries("deliveries").await;
    let api = Api::on(&dynamo);
    (dynamo, api)
}

/// Logs a delivery, and gives it up as one that is too large.
async fn dead(api: &Api, body: &[u8]) -> DeliveryId {
    let id = DeliveryId::of(body);
    let new = NewDelivery {
        id: &id,
        tracking_id: "t",
        provider: "calendly",
        event: Some("invitee.created"),
        status: Status::Received,
        reason: None,
        event_uri: None,
        invitee_uri: None,
        warnings: &[],
        about: None,
        occurred_at: None,
        received_at: Timestamp::now(),
        body,
    };
    api.deliveries.record(&new, api.retention).await.unwrap();
    let failure = Failure::new(ErrorKind::TooLarge, "too large");
    api.deliveries.dead(&id, &failure, 1).await.unwrap();
    id
}

/// The status, and the delivery or the error's code and text.
async fn put_away(api: &Api, id: &DeliveryId, body: impl ToString) -> (u16, Value) {
    let request = Request::new(Body::Text(body.to_string()));
    match api.put_away(id, "on-call", &request).await {
        Ok((status, body)) => (status.as_u16(), body),
        Err(problem) => {
            let body = json!([problem.code, problem.message]);
            (problem.status.as_u16(), body)
        }
    }
}

#[tokio::test]
async fn a_discard_answers_the_delivery_and_the_same_to_a_repeat() {
    let (_dynamo, api) = stage().await;
    let id = dead(&api, b"d").await;
    let (status, first) = put_away(&api, &id, json!({"reason": "  entered by hand\n"})).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(first["status"], "discarded");
    assert_eq!(first["discarded"]["by"], "on-call");
    assert_eq!(first["discarded"]["reason"], "entered by hand");
    assert_eq!(
        (&first["errorKind"], &first["retryable"]),
        (&json!("too_large"), &json!(false))
    );
    let again = put_away(&api, &id, json!({"reason": "other"})).await;
    assert_eq!(again, (200, first));
}

#[tokio::test]
async fn what_is_not_dead_is_a_conflict_that_says_how_it_stands() {
    let (_dynamo, api) = stage().await;
    let id = dead(&api, b"d").await;
    api.deliveries.reopen(&id).await.unwrap();
    let (status, problem) = put_away(&api, &id, json!({"reason": "why"})).await;
    assert_eq!((status, &problem[0]), (409, &json!("NOT_DEAD")));
    assert!(problem[1].as_str().unwrap().contains("received"));
    let unknown = DeliveryId::of(b"never logged");
    let (status, _) = put_away(&api, &unknown, json!({"reason": "why"})).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn without_a_reason_nothing_is_put_away() {
    let (_dynamo, api) = stage().await;
    let id = dead(&api, b"d").await;
    for body in [
        json!({}),
        json!({"reason": " "}),
        json!({"reason": "x".repeat(501)}),
        json!({"reason": "why", "dryRun": true}),
        json!(["why"]),
    ] {
        let (status, problem) = put_away(&api, &id, &body).await;
        assert_eq!(
            (status, &problem[0]),
            (400, &json!("INVALID_PARAMETER")),
            "{body}"
        );
    }
    let (status, _) = put_away(&api, &id, "").await;
    assert_eq!(status, 400);
    let delivery = api.deliveries.get(&id).await.unwrap().unwrap();
    assert_eq!(delivery.status, Status::Dead);
}
