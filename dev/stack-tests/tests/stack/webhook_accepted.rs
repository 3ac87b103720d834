//! What is answered to webhooks with a right signature.

use serde_json::json;
use stack_tests::{Samples, Stack, assert_has, sign};

#[tokio::test]
async fn a_new_one_is_logged_and_queued() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let answer = stack.post(samples.body("invitee.created")).send().await;
    let header = answer.tracking_id.clone();
    let body = answer.ok();
    assert_eq!(
        body,
        json!({
            "success": true,
            "message": "Webhook logged and queued",
            "trackingId": header,
            "deliveryId": body["deliveryId"],
        })
    );
    let delivery = stack
        .until_status(body["deliveryId"].as_str().unwrap(), "processed")
        .await;
    assert_has(
        &delivery,
        &json!({
            "id": body["deliveryId"],
            "trackingId": header,
            "provider": "calendly",
            "event": "invitee.created",
            "attempts": 1,
            "nextAttemptAt": null,
            "lastError": null,
            "eventUri": samples.event_uri(1),
            "inviteeUri": samples.invitee_uri(1),
        }),
    );
    assert!(delivery["receivedAt"].as_str() <= delivery["processedAt"].as_str());
    assert!(delivery["receivedAt"].is_string());
}

#[tokio::test]
async fn the_same_body_again_is_a_duplicate() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = samples.body("invitee.created");
    let first = stack.post(body.clone()).send().await.ok();
    let id = first["deliveryId"].as_str().unwrap();
    stack.until_status(id, "processed").await;
    let event = stack.event(&samples.event(1)).await;

    // The signature is another, since it is of another time; the body is what counts.
    let again = stack.post(body).seconds_from_now(5).send().await.ok();
    assert_has(
        &again,
        &json!({ "success": true, "duplicate": true, "deliveryId": id }),
    );
    assert_ne!(again["trackingId"], first["trackingId"]);
    let delivery = stack.delivery(id).await;
    assert_has(
        &delivery,
        &json!({ "status": "processed", "trackingId": first["trackingId"] }),
    );
    assert_eq!(delivery["attempts"], 1, "it was not queued again");
    assert_eq!(stack.event(&samples.event(1)).await, event);
}

#[tokio::test]
async fn many_at_once_with_the_same_body_are_one_delivery() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    let posts = (0..8).map(|_| stack.post(body.clone()).send());
    let answers = futures::future::join_all(posts).await;
    let bodies: Vec<_> = answers.into_iter().map(stack_tests::Answer::ok).collect();
    let new = bodies
        .iter()
        .filter(|body| body.get("duplicate").is_none())
        .count();
    assert_eq!(new, 1);
    assert!(
        bodies
            .iter()
            .all(|body| body["deliveryId"] == bodies[0]["deliveryId"])
    );
}

#[tokio::test]
async fn an_event_that_is_not_handled_is_kept_and_not_queued() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().edited("event_type.updated", |json| {
        // This sample has no id of its own that a test could make fresh.
        json["payload"]["uri"] = uuid::Uuid::new_v4().to_string().into();
    });
    let answer = stack.post(body.clone()).send().await.ok();
    assert_has(&answer, &json!({ "success": true, "ignored": true }));
    assert_eq!(answer.get("duplicate"), None);
    let id = answer["deliveryId"].as_str().unwrap();
    let again = stack.post(body).send().await.ok();
    assert_has(
        &again,
        &json!({ "ignored": true, "duplicate": true, "deliveryId": id }),
    );

    // What was queued after it has been processed: it would have been, too.
    stack
        .applied(Samples::fresh().body("invitee.created"))
        .await;
    let delivery = stack.delivery(id).await;
    assert_has(
        &delivery,
        &json!({
            "status": "ignored",
            "event": "event_type.updated",
            "attempts": 0,
            "processedAt": null,
            "lastError": null,
        }),
    );
}

#[tokio::test]
async fn a_body_that_can_not_be_read_is_kept_with_the_reason() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let unique = samples.event(1);
    let created = samples.body("invitee.created");
    let without = |name: &str| {
        samples.edited("invitee.created", |json| {
            json["payload"].as_object_mut().unwrap().remove(name);
        })
    };
    let cases = [
        (format!("not JSON {unique}"), "not JSON"),
        (created[..created.len() - 9].to_owned(), "not JSON"),
        (format!("[\"{unique}\"]"), "`event`"),
        (
            format!("{{\"event\": \"invitee.created\", \"id\": \"{unique}\"}}"),
            "payload",
        ),
        (without("uri"), "uri"),
    ];
    for (body, reason) in cases {
        let answer = stack.post(body.clone()).send().await.ok();
        assert_has(&answer, &json!({ "success": true, "ignored": true }));
        let delivery = stack.delivery(answer["deliveryId"].as_str().unwrap()).await;
        assert_has(
            &delivery,
            &json!({ "status": "unprocessable", "attempts": 0 }),
        );
        let error = delivery["lastError"].as_str().unwrap();
        assert!(error.contains(reason), "{error}");
        assert!(
            !error.contains(&unique) && !error.contains("Ada"),
            "a part of the body: {error}"
        );
    }
}

#[tokio::test]
async fn the_path_may_name_a_generation() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    let posted = stack
        .post(body.clone())
        .to("/v1/webhooks/calendly/g2")
        .send()
        .await
        .ok();
    assert_eq!(posted["success"], true);
    stack
        .until_status(posted["deliveryId"].as_str().unwrap(), "processed")
        .await;
    // Two subscriptions overlap while one is replaced: both send the same body.
    let other = stack
        .post(body.clone())
        .to("/v1/webhooks/calendly/g3")
        .send()
        .await
        .ok();
    assert_has(
        &other,
        &json!({ "duplicate": true, "deliveryId": posted["deliveryId"] }),
    );
    let forged = stack
        .post(body)
        .to("/v1/webhooks/calendly/g2")
        .key("another key");
    forged.send().await.problem(401, "INVALID_SIGNATURE");
}

#[tokio::test]
async fn any_of_several_signatures_may_be_the_right_one() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    let good = sign(&stack.signing_key, body.as_bytes(), 0);
    let two = good.replace(",v1=", &format!(",v1={},v1=", "0".repeat(64)));
    assert_eq!(two.matches("v1=").count(), 2);
    stack.post(body).signatures(&[&two]).send().await.ok();
}

#[tokio::test]
async fn a_body_that_comes_in_base64_is_verified_by_its_bytes() {
    // API Gateway hands over bodies of other than a few content types, and of no UTF-8, in Base64.
    let stack = Stack::from_env().await;
    for content_type in [Some("application/vnd.calendly+json"), None] {
        let samples = Samples::fresh();
        let body = samples.body("invitee.created.unicode");
        let forged = stack
            .post(body.clone())
            .content_type(content_type)
            .key("another key");
        forged.send().await.problem(401, "INVALID_SIGNATURE");
        let answer = stack
            .post(body)
            .content_type(content_type)
            .send()
            .await
            .ok();
        stack
            .until_status(answer["deliveryId"].as_str().unwrap(), "processed")
            .await;
        let event = stack.event(&samples.event(7)).await;
        assert_eq!(event["invitees"][0]["email"], "søren+日本@exämple.test");
    }

    let mut bytes = Samples::fresh().body("invitee.created").into_bytes();
    bytes.extend([0xff, 0xfe, b'\n', 0]);
    let forged = stack.post(bytes.clone()).key("another key");
    forged.send().await.problem(401, "INVALID_SIGNATURE");
    let answer = stack.post(bytes.clone()).send().await.ok();
    assert_eq!(answer["ignored"], true);
    let id = platform::deliveries::DeliveryId::of(&bytes);
    assert_eq!(answer["deliveryId"], id.as_str());
    let (_, kept) = stack.deliveries.get_with_body(&id).await.unwrap().unwrap();
    assert_eq!(kept.unwrap(), bytes);
}

#[tokio::test]
async fn a_header_that_came_twice_counts_once() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    let good = sign(&stack.signing_key, body.as_bytes(), 0);
    stack
        .post(body)
        .signatures(&[&good, &good])
        .send()
        .await
        .ok();
}

#[tokio::test]
async fn the_path_may_end_in_a_slash() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    let posted = stack
        .post(body.clone())
        .to("/v1/webhooks/calendly/")
        .send()
        .await
        .ok();
    stack
        .until_status(posted["deliveryId"].as_str().unwrap(), "processed")
        .await;
    let other = stack
        .post(body)
        .to("/v1/webhooks/calendly/g2/")
        .send()
        .await
        .ok();
    assert_has(
        &other,
        &json!({ "duplicate": true, "deliveryId": posted["deliveryId"] }),
    );
}
