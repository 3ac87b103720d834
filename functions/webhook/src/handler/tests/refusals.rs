//! An address that is refused too often is told when to try again; one that signs is never held up.

use super::*;
use jiff::Timestamp;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use platform::metrics::{Metric, capture};
use serde_json::json;

const ADDRESS: &str = "203.0.113.9";

/// The request as API Gateway hands it over, from this address.
fn from(address: &str, mut request: Request) -> Request {
    let context: RequestContext = serde_json::from_value(json!({
        "accountId": "123456789012",
        "apiId": "abc123",
        "http": {
            "method": "POST",
            "path": "/v1/webhooks/calendly",
            "protocol": "HTTP/1.1",
            "sourceIp": address,
            "userAgent": "curl/8.5.0",
        },
        "timeEpoch": 0,
    }))
    .unwrap();
    // Anybody can write a header.
    let forwarded = "198.51.100.77".parse().unwrap();
    request.headers_mut().insert("x-forwarded-for", forwarded);
    request.with_request_context(context)
}

fn forged() -> Request {
    request(&fixture("invitee.created.json"), "t=1,v1=00")
}

/// How a request is answered: its status and code, and the header `Retry-After`.
async fn answered(stage: &Stage, request: Request) -> (u16, String, Option<u32>) {
    let response = stage.receiver.handle(&request, &TrackingId::random()).await;
    let retry_after = response.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.map(|value| value.to_str().unwrap().parse().unwrap());
    let body: serde_json::Value = serde_json::from_slice(response.body().as_ref()).unwrap();
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    (response.status().as_u16(), code, retry_after)
}

async fn refused(stage: &Stage, request: Request, status: u16, code: &str) {
    let answer = answered(stage, request).await;
    assert_eq!(answer, (status, code.to_owned(), None));
}

async fn limited(stage: &Stage, request: Request) {
    let captured = capture();
    let (status, code, retry_after) = answered(stage, request).await;
    assert_eq!((status, code.as_str()), (429, "RATE_LIMITED"));
    assert!((1..=900).contains(&retry_after.unwrap()), "{retry_after:?}");
    assert_eq!(captured.sum(Metric::RefusedRateLimited), 1);
}

#[tokio::test]
async fn after_100_refusals_an_address_is_limited_and_a_true_signature_passes() {
    let (stage, dynamo) = Stage::new().await;
    for _ in 0..100 {
        refused(&stage, from(ADDRESS, forged()), 401, "INVALID_SIGNATURE").await;
    }
    limited(&stage, from(ADDRESS, forged())).await;
    limited(&stage, from(ADDRESS, forged())).await;

    let body = fixture("invitee.created.json");
    let (status, answer) = stage.post(from(ADDRESS, signed(&body))).await;
    assert_eq!((status, &answer["success"]), (200, &true.into()));
    assert_eq!(stage.sent().len(), 1);
    limited(&stage, from(ADDRESS, forged())).await;

    let other = from("203.0.113.10", forged());
    refused(&stage, other, 401, "INVALID_SIGNATURE").await;
    // A process that has just started knows it, too.
    let started = Stage::with(dynamo.client());
    limited(&started, from(ADDRESS, forged())).await;
}

#[tokio::test]
async fn every_fault_of_the_caller_counts() {
    let (stage, _dynamo) = Stage::new().await;
    let body = fixture("invitee.created.json");
    let stale = sign(KEY, Timestamp::now().as_second() - 999, &body);
    let typed = |body: &[u8]| {
        let mut request = signed(body);
        let plain = "text/plain".parse().unwrap();
        request.headers_mut().insert(header::CONTENT_TYPE, plain);
        from(ADDRESS, request)
    };
    let large = vec![b'x'; MAX_BODY + 1];
    for _ in 0..25 {
        let stale = from(ADDRESS, request(&body, &stale));
        refused(&stage, stale, 401, "STALE_SIGNATURE").await;
        refused(&stage, from(ADDRESS, forged()), 401, "INVALID_SIGNATURE").await;
        refused(&stage, typed(&body), 415, "UNSUPPORTED_MEDIA_TYPE").await;
        let large = from(ADDRESS, signed(&large));
        refused(&stage, large, 413, "PAYLOAD_TOO_LARGE").await;
    }
    limited(&stage, typed(&body)).await;
}

#[tokio::test]
async fn what_is_our_fault_does_not_count() {
    let (mut stage, dynamo) = Stage::new().await;
    let crashes = Crashes::none();
    stage.receiver.limiter = Limiter::new(dynamo.crashing(&crashes), "limits".to_owned());
    stage.receiver.keys.unreadable = true;
    refused(
        &stage,
        from(ADDRESS, forged()),
        500,
        "SIGNING_KEY_UNAVAILABLE",
    )
    .await;
    stage.receiver.keys.unreadable = false;
    stage.receiver.queue.1 = true;
    let body = fixture("invitee.created.json");
    refused(
        &stage,
        from(ADDRESS, signed(&body)),
        503,
        "STORE_UNAVAILABLE",
    )
    .await;
    assert_eq!(crashes.calls(), 0);
}

#[tokio::test]
async fn what_is_accepted_costs_no_call_of_the_limiter() {
    let (mut stage, dynamo) = Stage::new().await;
    let crashes = Crashes::none();
    stage.receiver.limiter = Limiter::new(dynamo.crashing(&crashes), "limits".to_owned());
    let body = fixture("invitee.created.json");
    for _ in 0..2 {
        assert_eq!(stage.post(from(ADDRESS, signed(&body))).await.0, 200);
    }
    assert_eq!(crashes.calls(), 0);
    refused(&stage, from(ADDRESS, forged()), 401, "INVALID_SIGNATURE").await;
    assert!(crashes.calls() > 0);
}

#[tokio::test]
async fn without_a_limiter_what_is_refused_stays_refused_and_the_rest_accepted() {
    let (mut stage, _dynamo) = Stage::new().await;
    stage.receiver.limiter = Limiter::new(Dynamo::unreachable(), "limits".to_owned());
    for _ in 0..101 {
        refused(&stage, from(ADDRESS, forged()), 401, "INVALID_SIGNATURE").await;
    }
    let body = fixture("invitee.created.json");
    assert_eq!(stage.post(from(ADDRESS, signed(&body))).await.0, 200);
}

#[tokio::test]
async fn who_has_no_address_is_not_limited() {
    let (stage, _dynamo) = Stage::new().await;
    for _ in 0..101 {
        refused(&stage, forged(), 401, "INVALID_SIGNATURE").await;
        refused(&stage, from("", forged()), 401, "INVALID_SIGNATURE").await;
    }
}
