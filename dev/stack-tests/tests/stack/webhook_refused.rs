//! What a webhook is refused for.

use stack_tests::{Samples, Stack, sign};

/// The header `t=…,v1=…` with another text for the digits of its signature.
fn with_digits(header: &str, digits: &str) -> String {
    let (time, _) = header.split_once(",v1=").unwrap();
    format!("{time},v1={digits}")
}

#[tokio::test]
async fn without_a_signature() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    let answer = stack.post(body).signatures(&[]).send().await;
    let error = answer.problem(401, "INVALID_SIGNATURE");
    assert!(error.contains("missing"), "{error}");
}

#[tokio::test]
async fn with_a_malformed_signature() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    let good = sign(&stack.signing_key, body.as_bytes(), 0);
    let (time, digits) = good.split_once(',').unwrap();
    for malformed in [
        "nonsense".to_owned(),
        time.to_owned(),
        digits.to_owned(),
        format!("t=now,{digits}"),
        with_digits(&good, "abc"),
        with_digits(&good, &"g".repeat(64)),
        format!("{good},"),
    ] {
        let answer = stack
            .post(body.clone())
            .signatures(&[&malformed])
            .send()
            .await;
        let error = answer.problem(401, "INVALID_SIGNATURE");
        assert!(error.contains("malformed"), "{malformed}: {error}");
    }
}

#[tokio::test]
async fn with_two_signature_headers_of_different_times() {
    // API Gateway joins them by a comma: two times, of which one was signed.
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    let good = sign(&stack.signing_key, body.as_bytes(), 0);
    let other = sign(&stack.signing_key, body.as_bytes(), -5);
    let answer = stack.post(body).signatures(&[&good, &other]).send().await;
    let error = answer.problem(401, "INVALID_SIGNATURE");
    assert!(error.contains("more than once"), "{error}");
}

#[tokio::test]
async fn with_a_wrong_signature() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    let another_body = sign(&stack.signing_key, body.replace("Ada", "Eve").as_bytes(), 0);
    let another_key = sign(&stack.signing_key.to_uppercase(), body.as_bytes(), 0);
    let longer_key = sign(&format!("{}\n", stack.signing_key), body.as_bytes(), 0);
    let zeros = with_digits(&another_body, &"0".repeat(64));
    for wrong in [another_body, another_key, longer_key, zeros] {
        let answer = stack.post(body.clone()).signatures(&[&wrong]).send().await;
        answer.problem(401, "INVALID_SIGNATURE");
    }
}

#[tokio::test]
async fn with_a_signature_of_another_time() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    for seconds in [-200, 200, -86_400] {
        let answer = stack
            .post(body.clone())
            .seconds_from_now(seconds)
            .send()
            .await;
        answer.problem(401, "STALE_SIGNATURE");
    }
    for seconds in [-170, 170] {
        stack
            .post(body.clone())
            .seconds_from_now(seconds)
            .send()
            .await
            .ok();
    }
}

#[tokio::test]
async fn with_another_content_type() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    for other in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "json",
    ] {
        let answer = stack
            .post(body.clone())
            .content_type(Some(other))
            .send()
            .await;
        answer.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    }
}

#[tokio::test]
async fn and_nothing_of_it_is_kept() {
    let stack = Stack::from_env().await;
    let samples = Samples::fresh();
    let body = samples.body("invitee.created");
    let id = platform::deliveries::DeliveryId::of(body.as_bytes());
    stack
        .post(body.clone())
        .key("another key")
        .send()
        .await
        .problem(401, "INVALID_SIGNATURE");
    stack
        .post(body.clone())
        .signatures(&[])
        .send()
        .await
        .problem(401, "INVALID_SIGNATURE");
    stack
        .post(body.clone())
        .seconds_from_now(-999)
        .send()
        .await
        .problem(401, "STALE_SIGNATURE");
    let text = stack.post(body.clone()).content_type(Some("text/plain"));
    text.send().await.problem(415, "UNSUPPORTED_MEDIA_TYPE");
    stack
        .get(&format!("/v1/deliveries/{id}"))
        .await
        .problem(404, "NOT_FOUND");

    // Nor is a forged one mistaken for the true one that follows.
    let answer = stack.post(body).send().await.ok();
    assert_eq!(answer.get("duplicate"), None);
    stack.until_status(id.as_str(), "processed").await;
}
