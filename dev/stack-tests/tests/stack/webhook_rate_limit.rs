//! An address whose webhooks are refused too often is told when to try again.

use rand::Rng;
use stack_tests::{Answer, Samples, Stack};

/// A 429 that says when to try again.
fn limited(answer: Answer) {
    let seconds = answer.header("retry-after").to_owned();
    let error = answer.problem(429, "RATE_LIMITED");
    assert!(error.contains(&seconds), "{error}");
    let seconds: u32 = seconds.parse().unwrap();
    assert!((1..=900).contains(&seconds), "{seconds}");
}

#[tokio::test]
async fn after_100_refusals_and_never_for_a_true_signature() {
    // One of many addresses, so that the test can be run again before the window ends. None of them
    // is counted together with those of the other tests.
    let stack = Stack::from_address([127, 0, 77, rand::rng().random_range(1..=254)]).await;
    let body = Samples::fresh().body("invitee.created");
    for _ in 0..100 {
        let answer = stack.post(body.clone()).key("another key").send().await;
        assert_eq!(answer.header("retry-after"), "");
        answer.problem(401, "INVALID_SIGNATURE");
    }
    limited(stack.post(body.clone()).key("another key").send().await);
    limited(stack.post(body.clone()).signatures(&[]).send().await);
    let generation = stack.post(body.clone()).to("/v1/webhooks/calendly/g2");
    limited(generation.key("another key").send().await);

    let elsewhere = Stack::from_env().await;
    let forged = elsewhere.post(body.clone()).key("another key");
    forged.send().await.problem(401, "INVALID_SIGNATURE");

    let id = stack.applied(body.clone()).await;
    assert_eq!(stack.delivery(&id).await["status"], "processed");
    limited(stack.post(body).key("another key").send().await);
}
