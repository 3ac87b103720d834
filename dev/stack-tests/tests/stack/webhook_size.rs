//! Bodies up to 1 MiB are stored, queued and read back whole.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use platform::deliveries::DeliveryId;
use rand::RngCore;
use serde_json::{Value, json};
use stack_tests::{Samples, Stack, assert_has};

const MIB: usize = 1024 * 1024;

/// A body with spaces at its end, `size` bytes in all.
fn padded(body: &str, size: usize) -> Vec<u8> {
    let mut body = body.as_bytes().to_vec();
    body.resize(size, b' ');
    body
}

/// A sample, `size` bytes in all, that hardly compresses: `put` puts the noise into it.
fn noisy(samples: &Samples, size: usize, put: impl Fn(&mut Value, &str)) -> String {
    let with = |noise: &str| samples.edited("invitee.created", |json| put(json, noise));
    let missing = size - with("").len();
    let mut noise = vec![0; missing];
    rand::rng().fill_bytes(&mut noise);
    with(&STANDARD.encode(noise)[..missing])
}

fn as_answer(json: &mut Value, noise: &str) {
    json["payload"]["questions_and_answers"][0]["answer"] = noise.into();
}

#[tokio::test]
async fn exactly_1_mib_is_applied() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = padded(&samples.body("invitee.created"), MIB);
    let id = stack.applied(body.clone()).await;
    assert_eq!(
        stack.event(&samples.event(1)).await["name"],
        "30 Minute Consultation"
    );
    let id = DeliveryId::parse(&id).unwrap();
    let (_, kept) = stack.deliveries.get_with_body(&id).await.unwrap().unwrap();
    assert!(kept.unwrap() == body);
}

#[tokio::test]
async fn one_byte_more_is_refused() {
    let stack = Stack::from_env().await;
    let body = padded(&Samples::fresh().body("invitee.created"), MIB + 1);
    let error = stack
        .post(body.clone())
        .send()
        .await
        .problem(413, "PAYLOAD_TOO_LARGE");
    assert!(error.contains("1048577"), "{error}");
    let id = DeliveryId::of(&body);
    stack
        .get(&format!("/v1/deliveries/{id}"))
        .await
        .problem(404, "NOT_FOUND");
    // Whoever can't sign learns the same, and in Base64 it is the bytes that count.
    let unsigned = stack
        .post(body)
        .signatures(&[])
        .content_type(Some("application/x+json"));
    unsigned.send().await.problem(413, "PAYLOAD_TOO_LARGE");
}

#[tokio::test]
async fn a_large_one_in_base64_is_applied() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = padded(&samples.body("invitee.created"), MIB);
    let answer = stack
        .post(body)
        .content_type(Some("application/x+json"))
        .send()
        .await
        .ok();
    stack
        .until_status(answer["deliveryId"].as_str().unwrap(), "processed")
        .await;
    stack.event(&samples.event(1)).await;
}

#[tokio::test]
async fn one_that_hardly_compresses_is_kept_whole_and_applied() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = noisy(&samples, MIB, |json, noise| json["noise"] = noise.into());
    assert_eq!(body.len(), MIB);
    let id = stack.applied(body.clone()).await;
    assert_eq!(
        stack.event(&samples.event(1)).await["name"],
        "30 Minute Consultation"
    );
    let (_, kept) = {
        let id = DeliveryId::parse(&id).unwrap();
        stack.deliveries.get_with_body(&id).await.unwrap().unwrap()
    };
    assert!(kept.unwrap() == body.as_bytes());
    let again = stack.post(body).send().await.ok();
    assert_has(&again, &json!({ "duplicate": true, "deliveryId": id }));
}

#[tokio::test]
async fn a_long_answer_is_shown_cut_and_the_delivery_keeps_it_whole() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = noisy(&samples, 450 * 1024, as_answer);
    let sent: Value = serde_json::from_str(&body).unwrap();
    let id = stack.applied(body.clone()).await;
    let event = stack.event(&samples.event(1)).await;
    let answer = &event["invitees"][0]["answers"][0];
    assert_eq!(answer["truncated"], true);
    let (cut, whole) = (
        answer["answer"].as_str().unwrap(),
        sent["payload"]["questions_and_answers"][0]["answer"]
            .as_str()
            .unwrap(),
    );
    assert!(cut.len() > 1000 && whole.starts_with(cut.trim_end_matches('…')));
    let delivery = stack.delivery(&id).await;
    let warnings = delivery["warnings"].to_string();
    assert!(
        warnings.contains("questions_and_answers[0].answer"),
        "{warnings}"
    );
    let id = DeliveryId::parse(&id).unwrap();
    let (_, kept) = stack.deliveries.get_with_body(&id).await.unwrap().unwrap();
    assert!(kept.unwrap() == body.as_bytes());
}

#[tokio::test]
async fn a_booking_longer_than_dynamodb_can_hold_is_applied() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = noisy(&samples, MIB, as_answer);
    stack.applied(body).await;
    let event = stack.event(&samples.event(1)).await;
    assert_eq!(event["invitees"][0]["status"], "active");
    assert_eq!(event["invitees"][0]["answers"][0]["truncated"], true);
}
