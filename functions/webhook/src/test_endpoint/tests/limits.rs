//! An address whose tests are refused too often is told when to try again.

use super::*;

/// The request as API Gateway hands it over, from this address.
fn from(address: &str, request: Request) -> Request {
    let context: RequestContext = serde_json::from_value(json!({
        "accountId": "123456789012",
        "apiId": "abc123",
        "http": {
            "method": "POST",
            "path": PATH,
            "protocol": "HTTP/1.1",
            "sourceIp": address,
            "userAgent": "curl/8.5.0",
        },
        "timeEpoch": 0,
    }))
    .unwrap();
    request.with_request_context(context)
}

const ADDRESS: &str = "203.0.113.9";

async fn status(stage: &Stage, request: Request) -> (u16, Option<u32>) {
    let response = stage.webhooks.handle(&request, &TrackingId::random()).await;
    let retry_after = response.headers().get(header::RETRY_AFTER);
    let retry_after = retry_after.map(|value| value.to_str().unwrap().parse().unwrap());
    (response.status().as_u16(), retry_after)
}

#[tokio::test]
async fn after_10_refusals_of_any_kind_an_address_is_limited_and_a_good_test_passes() {
    let stage = Stage::new().await;
    let large = " ".repeat(MAX_BODY + 1);
    let typed = [("x-api-key", "operate"), ("content-type", "text/plain")];
    for _ in 0..2 {
        for (request, refused) in [
            (with("unknown", "{}"), 401),
            (with("read", "{}"), 403),
            (with("operate", "{}"), 400),
            (with("operate", large.clone()), 413),
            (post(PATH, &typed, "{}"), 415),
        ] {
            assert_eq!(
                status(&stage, from(ADDRESS, request)).await,
                (refused, None)
            );
        }
    }
    for key in ["unknown", "read", "operate"] {
        let (limited, retry_after) = status(&stage, from(ADDRESS, with(key, "{}"))).await;
        assert_eq!(limited, 429);
        assert!((1..=300).contains(&retry_after.unwrap()), "{retry_after:?}");
    }

    // Also one whose event isn't handled, or can't be read: the request is as it should be.
    for data in [
        full("invitee.created.json"),
        full("event_type.updated.json"),
        json!({}),
    ] {
        assert_eq!(
            status(&stage, from(ADDRESS, test(&data))).await,
            (200, None)
        );
    }
    let other = from("203.0.113.10", with("unknown", "{}"));
    assert_eq!(status(&stage, other).await, (401, None));
}

#[tokio::test]
async fn webhooks_and_tests_of_an_address_are_counted_apart() {
    let stage = Stage::new().await;
    for (path, headers) in [
        ("/v1/webhooks/calendly", [(HEADER, "t=1,v1=00")]),
        (PATH, [("x-api-key", "unknown")]),
        ("/v1/webhooks/calendly", [(HEADER, "t=1,v1=00")]),
    ] {
        for _ in 0..10 {
            let refused = from(ADDRESS, post(path, &headers, "{}"));
            assert_eq!(status(&stage, refused).await, (401, None));
        }
    }
}

#[tokio::test]
async fn what_is_our_fault_does_not_count() {
    let mut stage = Stage::new().await;
    stage.fails(Some(ErrorKind::Aws));
    let data = full("invitee.created.json");
    for _ in 0..11 {
        assert_eq!(
            status(&stage, from(ADDRESS, test(&data))).await,
            (503, None)
        );
    }
    assert_eq!(
        status(&stage, from(ADDRESS, with("unknown", "{}"))).await,
        (401, None)
    );
}
