//! An account is disconnected: nothing of it stays, here or at Calendly, but its bookings.

use reqwest::Method;
use serde_json::json;
use stack_tests::{Desk, Sandbox, Stack};

#[tokio::test]
async fn nothing_is_sent_any_more_and_nothing_is_kept() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Lea Leaves").await;
    let id = account.id.clone();
    let mut desk = Desk::connected(&stack, &sandbox, account.clone()).await;
    let kept = desk
        .book("Ken Kept", "Office Visit", "2045-01-01T10:00:00Z")
        .await;
    desk.assert_stored().await;
    let [tokens] = &sandbox.tokens(&account).await[..] else {
        panic!("not one pair of tokens");
    };
    let tokens = ["accessToken", "refreshToken"].map(|name| tokens[name].as_str().unwrap());
    for token in tokens {
        assert!(sandbox.is_active(token).await);
    }
    assert_eq!(stack.secrets_named(&id).await.len(), 1);
    // Made while the stack runs, and yet tagged as all else.
    let tags = stack.tags_of_secrets_named(&id).await;
    assert_eq!(
        tags,
        [
            "service=calendly-serverless",
            "stack=calendly-local",
            "stage=dev"
        ]
    );
    assert_eq!(sandbox.subscriptions(&account).await.len(), 1);

    // Only with the key.
    let path = format!("/v1/connections/{id}");
    let refused = stack.call(Method::DELETE, &path, &[], None).await;
    refused.problem(401, "UNAUTHORIZED");
    assert!(stack.connection(&id).await.is_some());

    let answer = stack.disconnect(&id).await.ok();
    assert_eq!(
        answer,
        json!({ "message": "Disconnected", "connectionId": id, "leftAtCalendly": [] })
    );
    assert_eq!(stack.connection(&id).await, None);
    assert_eq!(
        sandbox.subscriptions(&account).await,
        [] as [serde_json::Value; 0]
    );
    for token in tokens {
        assert!(!sandbox.is_active(token).await);
    }
    assert_eq!(stack.secrets_named(&id).await, [""; 0]);

    // What is booked now, stays unknown; what was known, stays as it was.
    let before = sandbox.deliveries(&account).await.len();
    let stored = desk.events.first().unwrap().clone();
    let shown = stack.event(&stored).await;
    desk.book("Una Unknown", "Office Visit", "2045-01-02T10:00:00Z")
        .await;
    desk.cancel(&kept, &json!({})).await;
    sandbox.settle().await;
    assert_eq!(sandbox.deliveries(&account).await.len(), before);
    let unknown = desk.events.iter().find(|id| **id != stored).unwrap();
    let answer = stack.get(&format!("/v1/events/{unknown}")).await;
    answer.problem(404, "NOT_FOUND");
    assert_eq!(stack.event(&stored).await, shown);

    stack.disconnect(&id).await.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn it_may_connect_again() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Ray Returns").await;
    let desk = Desk::connected(&stack, &sandbox, account.clone()).await;
    stack.disconnect(&desk.account.id).await.ok();
    let mut desk = Desk::connected(&stack, &sandbox, account.clone()).await;
    assert_eq!(sandbox.subscriptions(&account).await.len(), 1);
    desk.book("Ray Guest", "Phone Call", "2045-02-01T10:00:00Z")
        .await;
    assert_eq!(desk.applied().await.len(), 1);
    desk.assert_stored().await;
}

#[tokio::test]
async fn another_connection_is_not_touched() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let (leaves, stays) = (
        sandbox.account("Leo Leaves").await,
        sandbox.account("Sia Stays").await,
    );
    stack.connect(&sandbox, &leaves).await;
    let mut desk = Desk::connected(&stack, &sandbox, stays.clone()).await;
    stack.disconnect(&leaves.id).await.ok();
    assert!(stack.connection(&stays.id).await.is_some());
    let tokens = &sandbox.tokens(&stays).await[0];
    assert!(
        sandbox
            .is_active(tokens["accessToken"].as_str().unwrap())
            .await
    );
    desk.book("Sia Guest", "Phone Call", "2045-03-01T10:00:00Z")
        .await;
    assert_eq!(desk.applied().await.len(), 1);
    desk.assert_stored().await;
}

#[tokio::test]
async fn one_that_is_not_there_is_not_found() {
    let stack = Stack::from_env().await;
    for id in ["NOBODY", "a%20b", "pending%23x"] {
        stack.disconnect(id).await.problem(404, "NOT_FOUND");
    }
}
