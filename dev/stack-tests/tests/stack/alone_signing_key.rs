//! No signing key, no webhook; a rotated key, no webhook lost.

use platform::deliveries::DeliveryId;
use stack_tests::{Function, Samples, Stack, eventually};

#[tokio::test]
async fn without_a_key_nothing_is_accepted() {
    let stack = Stack::from_env().await;
    let key = &stack.signing_key;
    let body = Samples::fresh().body("invitee.created");
    // A secret that never held a key, so that none before it counts either.
    let none = r#"{"signingKey": ""}"#;
    let secret = stack.new_secret(Function::Webhook, none).await;
    let environment = [
        ("CALENDLY_SECRET_ID", secret.as_str()),
        ("SIGNING_KEY_CACHE_SECONDS", "0"),
    ];
    let refused = async || {
        for key in [key.as_str(), "", "   ", "null"] {
            let answer = stack.post(body.clone()).key(key).send().await;
            answer.problem(500, "SIGNING_KEY_UNAVAILABLE");
        }
        let unsigned = stack.post(body.clone()).signatures(&[]).send().await;
        assert_ne!(unsigned.status, 200);
    };
    stack
        .with_environment(Function::Webhook, &environment, async || {
            refused().await;
            for value in [
                r#"{"signingKey": "   "}"#.to_owned(),
                r#"{"clientId": ""}"#.to_owned(),
                r#"{"signingKey": null}"#.to_owned(),
                format!("not JSON {key}"),
            ] {
                stack.put_secret(&secret, &value).await;
                refused().await;
            }
            stack.delete_secret(&secret).await;
            refused().await;
        })
        .await;
    let id = DeliveryId::of(body.as_bytes());
    stack
        .get(&format!("/v1/deliveries/{id}"))
        .await
        .problem(404, "NOT_FOUND");
    // With the key back, what was refused is accepted: Calendly sends it again.
    stack.applied(body).await;
}

#[tokio::test]
async fn with_secrets_manager_down_nothing_is_accepted() {
    let stack = Stack::from_env().await;
    let body = Samples::fresh().body("invitee.created");
    let nowhere = [("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:9")];
    stack
        .with_environment(Function::Webhook, &nowhere, async || {
            let answer = stack.post(body.clone()).send().await;
            answer.problem(500, "SIGNING_KEY_UNAVAILABLE");
        })
        .await;
    stack.applied(body).await;
}

#[tokio::test]
async fn the_key_before_a_rotation_counts_too() {
    let stack = Stack::from_env().await;
    // Asks often, and is refused until the function reads the secret again.
    let asking = Stack::from_address([127, 0, 0, 2]).await;
    let next = format!("next-{}", uuid::Uuid::new_v4());
    let other = Samples::fresh().body("invitee.created");
    // The function has the key in its cache.
    stack
        .accepted(Samples::fresh().body("invitee.created"))
        .await;
    stack
        .with_signing_key(&next, async || {
            let body = Samples::fresh().body("invitee.created");
            eventually("the new key is accepted", async || {
                let answer = asking.post(body.clone()).key(&next).send().await;
                if answer.status == 200 {
                    Ok(())
                } else {
                    Err(answer)
                }
            })
            .await;
            // What Calendly signed with the old one just before, or tries again.
            stack
                .applied(Samples::fresh().body("invitee.created"))
                .await;
            let foreign = stack.post(other.clone()).key("a third key").send().await;
            foreign.problem(401, "INVALID_SIGNATURE");
        })
        .await;
    eventually("the first key is accepted again", async || {
        let answer = stack.post(other.clone()).send().await;
        if answer.status == 200 {
            Ok(())
        } else {
            Err(answer)
        }
    })
    .await;
}
