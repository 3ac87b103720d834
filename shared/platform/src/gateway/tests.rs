use super::*;
use crate::http::source_address;
use lambda_http::http::{HeaderValue, Method, header};
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::gateway::{any_event, event};

/// The same with something changed.
fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut event = event();
    change(&mut event);
    event
}

async fn good(_: &Request, tracking_id: &TrackingId) -> Response<Body> {
    crate::http::answer(StatusCode::OK, tracking_id, &json!({}))
}

async fn ask<W>(event: &str, work: &W) -> Reply
where
    W: AsyncFn(&Request, &TrackingId) -> Response<Body>,
{
    answered(event, Context::default(), work).await
}

/// The code of an error, which is in the form that every error has.
fn problem(reply: &Reply) -> String {
    let body: Value = serde_json::from_str(&reply.body).unwrap();
    let fields = body.as_object().unwrap().keys();
    let fields: Vec<&str> = fields.map(String::as_str).collect();
    assert_eq!(fields, ["code", "error", "timestamp", "trackingId"]);
    assert_eq!(body["trackingId"], reply.headers["x-tracking-id"]);
    body["code"].as_str().unwrap().to_owned()
}

#[test]
fn an_event_becomes_the_request_that_it_tells_of() {
    let request = event::request(&event().to_string()).unwrap();
    assert_eq!(request.method(), Method::GET);
    assert_eq!(
        request.raw_http_path(),
        "/v1/contacts/a \"b\"@example.com/activity"
    );
    assert_eq!(
        request.uri(),
        "https://abc.execute-api.eu-west-1.amazonaws.com\
         /v1/contacts/a%20%22b%22@example.com/activity?limit=3&cursor=a%22b"
    );
    let query = request.query_string_parameters();
    assert_eq!(query.first("limit"), Some("3"));
    assert_eq!(query.first("cursor"), Some("a\"b"));
    assert_eq!(request.headers()["x-api-key"], "k-1");
    assert_eq!(
        source_address(&request),
        Some("203.0.113.9".parse().unwrap())
    );
    assert!(request.body().is_empty());
}

#[test]
fn a_body_is_the_bytes_that_were_sent() {
    let bytes = |event: Value| {
        let request = event::request(&event.to_string()).unwrap();
        request.body().to_vec()
    };
    let text = with(|event| event["body"] = json!("{\"naïve\":1}"));
    assert_eq!(bytes(text), "{\"naïve\":1}".as_bytes());
    let encoded = with(|event| {
        event["body"] = json!("AP+A");
        event["isBase64Encoded"] = json!(true);
    });
    assert_eq!(bytes(encoded), [0, 255, 128]);
}

#[tokio::test]
async fn what_is_no_request_is_refused_before_anything_is_done_for_it() {
    let bad: [fn(&mut Value); 11] = [
        |event| event["rawQueryString"] = json!("a=\"b\""),
        |event| event["rawQueryString"] = json!("a=<b>"),
        |event| event["rawQueryString"] = json!("a=b c"),
        |event| event["rawQueryString"] = json!("a=b#c"),
        |event| event["headers"]["host"] = json!("a b"),
        |event| event["headers"]["host"] = json!("[::1"),
        |event| event["headers"]["host"] = json!("exämple.com"),
        |event| event["headers"]["x-a"] = json!("line\nbreak"),
        |event| event["requestContext"]["http"]["method"] = json!("GE T"),
        |event| event["isBase64Encoded"] = json!("yes"),
        |event| {
            event["body"] = json!("%%%");
            event["isBase64Encoded"] = json!(true);
        },
    ];
    let never = async |_: &Request, _: &TrackingId| -> Response<Body> { unreachable!() };
    for (number, change) in bad.into_iter().enumerate() {
        let reply = ask(&with(change).to_string(), &never).await;
        assert_eq!(reply.status_code, 400, "{number}: {reply:?}");
        assert_eq!(problem(&reply), "INVALID_REQUEST", "{number}");
    }
    // Text of a JSON string that no text can be made of, and what is no event at all.
    let broken = r#"{"body":"\ud800","requestContext":{"http":{"method":"GET"}}}"#;
    for event in [broken, "{}", "null", "[]", "7", ""] {
        let reply = ask(event, &never).await;
        assert_eq!(problem(&reply), "INVALID_REQUEST", "{event}");
    }
}

#[tokio::test]
async fn what_an_event_may_lack_is_not_missed() {
    let least = json!({"requestContext": {"http": {"method": "GET"}}, "headers": null});
    assert_eq!(ask(&least.to_string(), &good).await.status_code, 200);
    let host = with(|event| event["headers"] = json!({"host": null}));
    assert_eq!(ask(&host.to_string(), &good).await.status_code, 200);
}

#[tokio::test]
async fn an_answer_that_says_that_the_function_failed_is_counted_by_function_and_no_other() {
    for (status, counted) in [(200_u16, 0), (404, 0), (429, 0), (500, 1), (503, 1)] {
        let captured = metrics::capture();
        let answers = async |_: &Request, _: &TrackingId| {
            let mut response = Response::new(Body::Empty);
            *response.status_mut() = status.try_into().unwrap();
            response
        };
        ask(&event().to_string(), &answers).await;
        assert_eq!(captured.sum(Metric::ServerErrors), counted, "{status}");
        let lines = captured.lines();
        let line = lines.iter().find(|line| line["ServerErrors"] == 1);
        let dimensions = line.map(|line| &line["_aws"]["CloudWatchMetrics"][0]["Dimensions"]);
        let both = json!([["Stack"], ["Stack", "Function"]]);
        assert!(dimensions.is_none_or(|dimensions| *dimensions == both));
    }
}

#[tokio::test]
async fn a_panic_stays_within_its_answer_and_is_counted() {
    let captured = metrics::capture();
    let panics = async |_: &Request, _: &TrackingId| -> Response<Body> {
        tokio::task::yield_now().await;
        panic!("on something personal");
    };
    let reply = ask(&event().to_string(), &panics).await;
    assert_eq!(reply.status_code, 500);
    assert_eq!(problem(&reply), "INTERNAL_ERROR");
    assert!(!reply.body.contains("personal"));
    assert_eq!(captured.sum(Metric::Panics), 1);
    ask(&event().to_string(), &good).await;
    assert_eq!(captured.sum(Metric::Panics), 1);
}

#[tokio::test]
async fn every_answer_has_the_headers_that_keep_browsers_careful() {
    let panics = async |_: &Request, _: &TrackingId| -> Response<Body> { panic!() };
    for reply in [
        ask(&event().to_string(), &good).await,
        ask("{}", &good).await,
        ask(&event().to_string(), &panics).await,
    ] {
        let headers = &reply.headers;
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["strict-transport-security"], "max-age=31536000");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        let policy = &headers["content-security-policy"];
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}

fn reply(body: Body, headers: &[(header::HeaderName, &[u8])]) -> Reply {
    let mut response = Response::new(body);
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value).unwrap();
        response.headers_mut().append(name, value);
    }
    Reply::of(response)
}

#[test]
fn an_answer_keeps_its_own_policy_and_every_value_of_a_header() {
    let own = reply(
        Body::Empty,
        &[
            (
                header::CONTENT_SECURITY_POLICY,
                b"frame-ancestors 'none'; img-src 'self'",
            ),
            (header::VARY, b"accept-encoding"),
            (header::VARY, b"origin"),
        ],
    );
    assert_eq!(
        own.headers["content-security-policy"],
        "frame-ancestors 'none'; img-src 'self'"
    );
    assert_eq!(own.headers["vary"], "accept-encoding, origin");
    assert_eq!((own.body.as_str(), own.is_base64_encoded), ("", false));
}

#[test]
fn only_what_is_no_text_goes_out_in_base64() {
    let binary = |bytes: &[u8]| Body::Binary(bytes.to_vec());
    assert!(!reply(Body::Text("a".to_owned()), &[]).is_base64_encoded);
    assert_eq!(reply(binary("ä".as_bytes()), &[]).body, "ä");
    let image = reply(binary(&[0x89, b'P']), &[]);
    assert_eq!(
        (image.body.as_str(), image.is_base64_encoded),
        ("iVA=", true)
    );
    let packed = reply(binary(b"x"), &[(header::CONTENT_ENCODING, b"gzip")]);
    assert!(packed.is_base64_encoded);
}

#[test]
fn a_header_that_is_no_text_is_left_out() {
    let echo: (_, &[u8]) = (
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        b"https://ex\xe4mple.com",
    );
    let reply = reply(Body::Empty, &[echo]);
    assert!(!reply.headers.contains_key("access-control-allow-origin"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_event_is_answered_or_refused_and_never_panics(event in any_event()) {
        let captured = metrics::capture();
        let ready = ask(&event.to_string(), &good).now_or_never();
        let reply = ready.unwrap();
        if reply.status_code != 200 {
            prop_assert_eq!(reply.status_code, 400);
            prop_assert_eq!(problem(&reply), "INVALID_REQUEST");
        }
        prop_assert_eq!(captured.sum(Metric::Panics), 0);
    }
}
