//! An account is connected by OAuth, by a program and by a browser.

use reqwest::Method;
use serde_json::json;
use stack_tests::{Account, BROWSER, Sandbox, Stack, assert_has};

async fn assert_connected(stack: &Stack, sandbox: &Sandbox, account: &Account) {
    let connection = stack.connection(&account.id).await.expect("in the list");
    assert_eq!(
        connection,
        json!({
            "id": account.id,
            "userUri": account.uri,
            "organizationUri": account.organization,
            "scopes": ["users:read", "scheduled_events:read", "webhooks:write"],
            "status": "active",
            "createdAt": connection["createdAt"],
            "authorizedAt": connection["authorizedAt"],
            "comparedAt": connection["comparedAt"],
        })
    );
    let now = jiff::Timestamp::now();
    for name in ["createdAt", "authorizedAt"] {
        let at: jiff::Timestamp = connection[name].as_str().unwrap().parse().unwrap();
        let age = now.duration_since(at).as_secs_f64();
        assert!((0.0..120.0).contains(&age), "{name}: {connection}");
    }
    let [subscription] = &sandbox.subscriptions(account).await[..] else {
        panic!("not one subscription");
    };
    let hooks = format!("{}/v1/webhooks/calendly/{}-", stack.base_url, account.id);
    let url = subscription["callback_url"].as_str().unwrap();
    assert!(url.starts_with(&hooks), "{url}");
    assert_has(
        subscription,
        &json!({
            "state": "active",
            "scope": "organization",
            "organization": account.organization,
            "events": [
                "invitee.created",
                "invitee.canceled",
                "invitee_no_show.created",
                "invitee_no_show.deleted",
            ],
        }),
    );
}

#[tokio::test]
async fn by_a_program() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Pia Program").await;
    assert_eq!(stack.connection(&account.id).await, None);
    assert_eq!(
        stack.connect(&sandbox, &account).await,
        json!({
            "message": "Authorization successful",
            "userUri": account.uri,
            "organizationUri": account.organization,
            "connectionId": account.id,
            "subscribed": true,
        })
    );
    assert_connected(&stack, &sandbox, &account).await;
}

#[tokio::test]
async fn by_a_browser_with_a_start_link() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Bo Browser").await;
    let start = stack.authorize().await.start_url;
    let start = start.strip_prefix(&stack.base_url).unwrap();
    // No API key: the link is what lets the browser in.
    let accept = [("accept", BROWSER)];
    let sent = stack.call(Method::GET, start, &accept, None).await;
    assert_eq!(sent.status, 302, "{sent:?}");
    let authorize = sent.header("location");
    assert!(authorize.starts_with(&sandbox.url), "{authorize}");
    let more = format!("auto=approve&user={}", account.id);
    let back = sandbox.redirect(authorize, &more).await;
    let page = stack.callback(&back, Some(BROWSER)).await.page(200);
    assert!(page.contains("<h1>Connected</h1>"), "{page}");
    assert!(page.contains("You can close this page."), "{page}");
    assert!(page.contains("Bo Browser"), "{page}");
    assert_connected(&stack, &sandbox, &account).await;

    let forged = start.replace("signature=", "signature=00");
    for path in [&forged, "/v1/auth/authorize"] {
        let refused = stack.call(Method::GET, path, &[], None).await;
        refused.problem(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn once_more_renews_the_connection() {
    let stack = Stack::from_env().await;
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Rita Renews").await;
    stack.connect(&sandbox, &account).await;
    let first = stack.connection(&account.id).await.unwrap();
    let subscription = sandbox.subscriptions(&account).await;
    stack.connect(&sandbox, &account).await;
    assert_connected(&stack, &sandbox, &account).await;
    let second = stack.connection(&account.id).await.unwrap();
    assert_eq!(first["createdAt"], second["createdAt"]);
    assert!(first["authorizedAt"].as_str() < second["authorizedAt"].as_str());
    // One that works is not replaced: webhooks could be missed meanwhile.
    assert_eq!(sandbox.subscriptions(&account).await, subscription);
    assert_eq!(sandbox.tokens(&account).await.len(), 2);
}
