//! Accounts are connected, or not, and disconnected: what of it must not be logged.

use super::collect;
use reqwest::{Method, Url};
use serde_json::json;
use stack_tests::{BROWSER, Began, Desk, Sandbox, Stack};
use std::collections::BTreeSet;

/// How the owner of an account may answer at Calendly.
const WAYS: [&str; 5] = [
    "auto=approve",
    "auto=deny",
    "auto=approve&code_expired=1",
    "auto=approve&scope_granted=users:read",
    "auto=approve&scope=made_up:read",
];

/// Adds the values of the parameters of a URL that are random.
fn add_parameters(url: &str, found: &mut BTreeSet<String>) {
    let url = Url::parse(url).unwrap();
    let secret = ["code", "state", "signature", "code_challenge"];
    let values = url
        .query_pairs()
        .filter(|(name, _)| secret.contains(&&**name));
    found.extend(values.map(|(_, value)| value.into_owned()));
}

/// What of an authorization that began is secret.
async fn add(stack: &Stack, began: &Began, found: &mut BTreeSet<String>) {
    add_parameters(&began.authorize_url, found);
    add_parameters(&began.start_url, found);
    found.insert(stack.verifier(&began.state).await);
}

/// Everything that can become of an authorization; the texts that no line of a log may have, and
/// the tracking ids of what was answered.
pub(super) async fn everything_happens(
    stack: &Stack,
    tracking_ids: &mut BTreeSet<String>,
) -> BTreeSet<String> {
    let sandbox = Sandbox::from_env();
    let account = sandbox.account("Lola Logged").await;
    let mut found = BTreeSet::new();
    for way in WAYS {
        for accept in [None, Some(BROWSER)] {
            let began = stack.authorize().await;
            add(stack, &began, &mut found).await;
            let more = format!("user={}&{way}", account.id);
            let back = sandbox.redirect(&began.authorize_url, &more).await;
            add_parameters(&back, &mut found);
            // With what is known, again, and with what is not.
            let foreign = back.replace("state=", "state=0123456789abcdef");
            add_parameters(&foreign, &mut found);
            for back in [&back, &back, &foreign] {
                let answer = stack.callback(back, accept).await;
                tracking_ids.extend(answer.tracking_id);
            }
        }
    }
    let wrong = stack
        .authorize()
        .await
        .start_url
        .replace("signature=", "signature=0");
    let path = wrong.strip_prefix(&stack.base_url).unwrap();
    let refused = stack
        .call(Method::GET, path, &[("accept", BROWSER)], None)
        .await;
    tracking_ids.extend(refused.tracking_id);
    let own = json!({ "personalAccessToken": "a-personal-token-that-nobody-granted" });
    let refused = stack.post_json("/v1/connections", &own).await;
    assert!(refused.status >= 400, "{refused:?}");
    tracking_ids.extend(refused.tracking_id);
    found.insert("a-personal-token-that-nobody-granted".to_owned());

    let mut desk = Desk::connected(stack, &sandbox, account).await;
    let invitee = desk
        .book("Lola Booker", "Product Demo", "2050-01-01T10:00:00Z")
        .await;
    let change = json!({ "startTime": "2050-01-02T10:00:00Z", "reason": "a private reason" });
    desk.reschedule(&invitee, &change).await;
    desk.assert_stored().await;
    tracking_ids.extend(stack.get("/v1/connections").await.tracking_id);
    let answer = stack.disconnect(&desk.account.id).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    tracking_ids.extend(answer.tracking_id);

    // Of the whole run: the sandbox forgets nothing.
    let state = sandbox.state().await;
    collect(&state["events"], &mut found);
    collect(&state["users"], &mut found);
    for token in state["tokens"].as_array().unwrap() {
        let names = ["accessToken", "refreshToken"].iter();
        let texts = names.filter_map(|name| token[name].as_str());
        found.extend(texts.map(str::to_owned));
    }
    found.insert(sandbox.client_secret.clone());
    assert!(found.contains("Lola Logged") && found.contains("a private reason"));
    found
}
