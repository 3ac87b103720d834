//! Requests that no well-behaved client sends, written to the wire by hand.

use serde_json::Value;
use stack_tests::Stack;
use std::io::{Read, Write};
use std::net::TcpStream;

/// What a request with this first line is answered: status and body.
fn wire(stack: &Stack, line: &str) -> (u16, Value) {
    let address = stack.base_url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    let headers = format!("host: {address}\r\ncontent-length: 0\r\nconnection: close");
    let request = format!("{line} HTTP/1.1\r\n{headers}\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test]
async fn what_a_query_may_not_have_is_refused_by_every_function() {
    let stack = Stack::from_env().await;
    for line in [
        "GET /v1/health?a=\"<b>\"",
        "POST /v1/webhooks/calendly?\"<>",
        "GET /v1/auth/callback?state=\"&code=<>",
    ] {
        let (status, body) = wire(&stack, line);
        assert_eq!((status, &body["code"]), (400, &"INVALID_REQUEST".into()));
        let id = body["trackingId"].as_str().unwrap();
        uuid::Uuid::parse_str(id).unwrap();
    }
}
