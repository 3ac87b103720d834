//! Whatever API Gateway hands over, the function answers by the contract, or refuses it.

use super::*;
use lambda_http::Context;
use platform::gateway;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

/// What the contract has for whoever holds no key.
const REFUSALS: [&str; 8] = [
    "INVALID_REQUEST",
    "INVALID_SIGNATURE",
    "METHOD_NOT_ALLOWED",
    "NOT_FOUND",
    "PAYLOAD_TOO_LARGE",
    "RATE_LIMITED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
];

#[test]
fn no_event_is_a_fault() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let stage = runtime.block_on(Stage::new());
    let work = async |request: &Request, tracking_id: &TrackingId| {
        stage.webhooks.handle(request, tracking_id).await
    };
    let mut runner = TestRunner::new(Config::with_cases(300));
    let result = runner.run(&testkit::gateway::any_event(), |event| {
        let event = event.to_string();
        let answered = gateway::answered(&event, Context::default(), &work);
        let reply = runtime.block_on(answered);
        let body: Value = serde_json::from_str(&reply.body).unwrap();
        let code = body["code"].as_str().unwrap_or_default();
        if (400..500).contains(&reply.status_code) && REFUSALS.contains(&code) {
            return Ok(());
        }
        Err(TestCaseError::fail(format!("{reply:?}")))
    });
    result.unwrap();
}
