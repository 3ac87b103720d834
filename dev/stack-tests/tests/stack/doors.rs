//! What a web page that is open on this machine can send gets nowhere: raw requests, as a browser
//! would write them.

use serde_json::{Value, json};
use stack_tests::Stack;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A page of somebody else's.
const PAGE: &str = "Origin: https://evil.example";
/// An empty ZIP archive, in Base64.
const NOTHING: &str = "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==";

/// Where something listens: `http://127.0.0.1:8787` as host and port.
fn place(url: &str) -> &str {
    url.trim_start_matches("http://").trim_end_matches('/')
}

/// Status and body of one request. Its `Host` is the place's own where no header is one.
fn raw(place: &str, request: &str, headers: &[&str], body: &str) -> (u16, String) {
    let mut wire = TcpStream::connect(place).expect("nothing listens");
    wire.set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let own = format!("Host: {place}");
    let length = format!("Content-Length: {}", body.len());
    let mut head = vec![request];
    if !headers.iter().any(|header| header.starts_with("Host:")) {
        head.push(&own);
    }
    head.extend(headers);
    head.extend([length.as_str(), "Connection: close", "", ""]);
    wire.write_all(head.join("\r\n").as_bytes()).unwrap();
    wire.write_all(body.as_bytes()).unwrap();
    let mut answer = Vec::new();
    wire.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

/// The header that a signed request to the local AWS has.
fn signed() -> String {
    let key = std::env::var("AWS_ACCESS_KEY_ID").unwrap();
    format!(
        "Authorization: AWS4-HMAC-SHA256 \
         Credential={key}/20270101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
    )
}

/// The request that makes a Lambda function, which a page could send without asking leave.
fn make_function(place: &str, name: &str, headers: &[&str]) -> u16 {
    let body: Value = json!({
        "FunctionName": name,
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Role": "arn:aws:iam::000000000000:role/any",
        "Code": { "ZipFile": NOTHING },
    });
    let headers = [&["Content-Type: text/plain"], headers].concat();
    let request = "POST /2015-03-31/functions HTTP/1.1";
    raw(place, request, &headers, &body.to_string()).0
}

#[tokio::test]
async fn a_page_can_not_run_code_by_the_local_aws() {
    let stack = Stack::from_env().await;
    let place = place(&stack.base_url);
    let name = format!("evil-{}", uuid::Uuid::new_v4());
    let signed = signed();
    let of_a_page: [&[&str]; 6] = [
        &[PAGE],
        &[PAGE, &signed],
        &["Origin: null", &signed],
        &["Sec-Fetch-Site: cross-site", &signed],
        &["Sec-Fetch-Site: same-site", &signed],
        &[],
    ];
    for headers in of_a_page {
        assert_eq!(make_function(place, &name, headers), 403, "{headers:?}");
    }
    let one = format!("/2015-03-31/functions/{name}");
    let invoke = format!("POST {one}/invocations HTTP/1.1");
    assert_eq!(raw(place, &invoke, &[PAGE], "{}").0, 403);
    let look = format!("GET {one} HTTP/1.1");
    assert_eq!(raw(place, &look, &[&signed], "").0, 404);

    // With the key, and from no page, the same request does what it says.
    assert_eq!(make_function(place, &name, &[&signed]), 201);
    let delete = format!("DELETE {one} HTTP/1.1");
    assert_eq!(raw(place, &delete, &[&signed], "").0, 204);
}

#[tokio::test]
async fn no_page_may_read_what_the_local_aws_answers() {
    let stack = Stack::from_env().await;
    let place = place(&stack.base_url);
    let asks = [PAGE, "Access-Control-Request-Method: POST"];
    let answers = [
        raw(place, "OPTIONS / HTTP/1.1", &asks, ""),
        raw(place, "GET /_ministack/health HTTP/1.1", &[&signed()], ""),
    ];
    for (status, answer) in answers {
        let may_read = answer.to_lowercase().contains("access-control");
        assert!(!may_read, "{status}: {answer}");
    }
}

#[tokio::test]
async fn a_name_that_was_pointed_here_is_refused_everywhere() {
    let stack = Stack::from_env().await;
    let sandbox = std::env::var("SANDBOX_URL").unwrap();
    for (place, path) in [
        (place(&stack.base_url), "/v1/health"),
        (place(&stack.base_url), "/"),
        (place(&sandbox), "/_sandbox/state"),
        (place(&sandbox), "/"),
    ] {
        let port = place.rsplit(':').next().unwrap();
        let request = format!("GET {path} HTTP/1.1");
        for name in ["evil.example", "127.0.0.1.evil.example", "bucket.localhost"] {
            let host = format!("Host: {name}:{port}");
            let signed = signed();
            assert_eq!(
                raw(place, &request, &[&host, &signed], "").0,
                403,
                "{host}{path}"
            );
        }
        if path != "/" {
            for name in ["127.0.0.1", "localhost"] {
                let host = format!("Host: {name}:{port}");
                assert_eq!(raw(place, &request, &[&host], "").0, 200, "{host}{path}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_can_not_use_the_sandboxs_controls() {
    let sandbox = std::env::var("SANDBOX_URL").unwrap();
    let request = "POST /_sandbox/settle HTTP/1.1";
    for page in [PAGE, "Sec-Fetch-Site: same-site"] {
        assert_eq!(raw(place(&sandbox), request, &[page], "").0, 403, "{page}");
    }
}
