//! Web pages of other hosts: only those that the stack names may read what the API answers.

use reqwest::Method;
use stack_tests::Stack;

/// The one that the stack under test names (`dev/local/run_with_stack.py`).
const NAMED: &str = "https://console.example.com";

#[tokio::test]
async fn a_named_page_may_ask_and_read() {
    let stack = Stack::from_env().await;
    for (path, method) in [
        ("/v1/events", "GET"),
        ("/v1/contacts/a%40example.com", "DELETE"),
        ("/v1/connections", "POST"),
    ] {
        let asks = [("origin", NAMED), ("access-control-request-method", method)];
        let told = stack.call(Method::OPTIONS, path, &asks, None).await;
        assert_eq!(told.status, 204, "{told:?}");
        assert_eq!(told.header("access-control-allow-origin"), NAMED);
        let methods = told.header("access-control-allow-methods");
        assert!(methods.split(", ").any(|it| it == method), "{told:?}");
        let headers = told.header("access-control-allow-headers");
        for header in ["authorization", "x-api-key", "content-type"] {
            assert!(headers.contains(header), "{told:?}");
        }
    }
    for path in ["/v1/events?limit=1", "/v1/webhook-subscriptions"] {
        let headers = [("origin", NAMED), ("x-api-key", stack.api_key.as_str())];
        let answer = stack.call(Method::GET, path, &headers, None).await;
        assert_eq!(answer.header("access-control-allow-origin"), NAMED);
        assert_eq!(answer.header("vary"), "origin");
        answer.ok();
    }
    // An error can be read, too.
    let headers = [("origin", NAMED)];
    let answer = stack.call(Method::GET, "/v1/events", &headers, None).await;
    assert_eq!(answer.header("access-control-allow-origin"), NAMED);
    answer.problem(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn another_page_may_not() {
    let stack = Stack::from_env().await;
    let other = "https://console.example.com.test";
    let asks = [("origin", other), ("access-control-request-method", "GET")];
    let told = stack.call(Method::OPTIONS, "/v1/events", &asks, None).await;
    assert_eq!(told.header("access-control-allow-origin"), "");
    let headers = [("origin", other), ("x-api-key", stack.api_key.as_str())];
    let answer = stack.call(Method::GET, "/v1/events", &headers, None).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
