//! Who may call the API, and what it says to calls that it can't answer.

use reqwest::Method;
use serde_json::json;
use stack_tests::{Samples, Stack};

const ID: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

#[tokio::test]
async fn health_needs_no_key() {
    let stack = Stack::from_env().await;
    let health = stack.call(Method::GET, "/v1/health", &[], None).await.ok();
    assert_eq!(health["status"], "ok");
}

#[tokio::test]
async fn nobody_passes_without_a_right_key() {
    let stack = Stack::from_env().await;
    let key = stack.api_key.as_str();
    let longer = format!("{key}0");
    let bearer_wrong = format!("Bearer {longer}");
    let basic = format!("Basic {key}");
    for operation in stack.keyed_operations().await {
        for headers in [
            &[][..],
            &[("x-api-key", "")],
            &[("x-api-key", "wrong")],
            &[("x-api-key", &longer)],
            &[("x-api-key", &key[1..])],
            &[("authorization", "Bearer ")],
            &[("authorization", &bearer_wrong)],
            &[("authorization", &basic)],
            &[("authorization", key)],
            // A wrong one is not made good by a right one.
            &[("authorization", "Bearer wrong"), ("x-api-key", key)],
        ] {
            let answer = stack.try_out(&operation, headers).await;
            answer.problem(401, "UNAUTHORIZED");
        }
    }
}

#[tokio::test]
async fn the_readers_key_looks_at_everything_and_changes_nothing() {
    let stack = Stack::from_env().await;
    let key = [("x-api-key", stack.read_key.as_str())];
    for operation in stack.keyed_operations().await {
        let answer = stack.try_out(&operation, &key).await;
        if operation.scope.as_deref() == Some("read") {
            let status = answer.status;
            assert!(!matches!(status, 401 | 403), "{operation:?}: {status}");
        } else {
            answer.problem(403, "FORBIDDEN");
        }
    }
}

#[tokio::test]
async fn both_headers_are_read() {
    let stack = Stack::from_env().await;
    let bearer = format!("Bearer {}", stack.api_key);
    let lower = format!("bearer {}", stack.api_key);
    for header in [
        ("x-api-key", stack.api_key.as_str()),
        ("authorization", &bearer),
        ("Authorization", &lower),
    ] {
        stack
            .call(Method::GET, "/v1/events?limit=1", &[header], None)
            .await
            .ok();
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let stack = Stack::from_env().await;
    let unknown = Samples::fresh().event(1);
    for path in [
        format!("/v1/events/{unknown}"),
        "/v1/events/%2e%2e".to_owned(),
        "/v1/events/a%20b".to_owned(),
        format!("/v1/deliveries/{ID}"),
        "/v1/deliveries/1".to_owned(),
        "/v1/nothing".to_owned(),
        "/v1".to_owned(),
        "/v1/events/a/b".to_owned(),
    ] {
        stack.get(&path).await.problem(404, "NOT_FOUND");
    }
    let replay = stack
        .post_json(&format!("/v1/deliveries/{ID}/replay"), &json!(null))
        .await;
    replay.problem(404, "NOT_FOUND");
    // An unknown route is one for anybody.
    stack
        .call(Method::GET, "/v1/nothing", &[], None)
        .await
        .problem(404, "NOT_FOUND");
    // Nobody reads from where webhooks are posted.
    stack
        .get("/v1/webhooks/calendly")
        .await
        .problem(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_route_has_its_methods() {
    let stack = Stack::from_env().await;
    let operations = stack.operations().await;
    let key = [("x-api-key", stack.api_key.as_str())];
    for operation in &operations {
        if operation.template.starts_with("/v1/webhooks/") {
            continue; // of another function, which takes posts alone
        }
        let same = operations
            .iter()
            .filter(|it| it.template == operation.template);
        let methods: Vec<&Method> = same.map(|it| &it.method).collect();
        let other = [Method::DELETE, Method::POST, Method::PUT];
        for other in other.into_iter().filter(|it| !methods.contains(&it)) {
            let answer = stack.call(other, &operation.path, &key, None).await;
            let allow = answer.header("allow").to_owned();
            let error = answer.problem(405, "METHOD_NOT_ALLOWED");
            for method in &methods {
                assert!(error.contains(method.as_str()), "{error}");
                assert!(allow.contains(method.as_str()), "{allow}");
            }
        }
    }
}

#[tokio::test]
async fn a_bad_parameter_is_named() {
    let stack = Stack::from_env().await;
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=%00", "cursor"),
        ("from=yesterday", "from"),
        ("to=2027-13-01T00:00:00Z", "to"),
        ("from=2027-02-01T00:00:00Z&to=2027-01-01T00:00:00Z", "to"),
        ("limt=5", "limt"),
        ("limit=5&limit=6", "limit"),
    ] {
        let answer = stack.get(&format!("/v1/events?{query}")).await;
        let error = answer.problem(400, "INVALID_PARAMETER");
        assert!(error.starts_with(&format!("{name}:")), "{query}: {error}");
    }
    for path in [
        "/v1/dead-letters?limit=0".to_owned(),
        "/v1/dead-letters?cursor=x".to_owned(),
        "/v1/dead-letters?from=2027-01-01T00:00:00Z".to_owned(),
        "/v1/events/abc?x=1".to_owned(),
        format!("/v1/deliveries/{ID}?x=1"),
    ] {
        stack.get(&path).await.problem(400, "INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn a_redrive_that_is_not_understood_does_nothing() {
    let stack = Stack::from_env().await;
    for body in [
        json!({ "dryrun": true }),
        json!({ "limit": 0 }),
        json!({ "limit": 1001 }),
        json!({ "limit": "all" }),
        json!({ "deliveryId": "1" }),
        json!({ "dryRun": "yes" }),
    ] {
        let answer = stack.post_json("/v1/dead-letters/redrive", &body).await;
        answer.problem(400, "INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn a_redrive_is_an_object() {
    // A list would be read as the fields in their order: `[]` as "redrive everything".
    let stack = Stack::from_env().await;
    for body in [json!([]), json!([true, 1])] {
        let answer = stack.post_json("/v1/dead-letters/redrive", &body).await;
        answer.problem(400, "INVALID_PARAMETER");
    }
}
