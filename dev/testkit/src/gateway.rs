//! Events as API Gateway makes them of requests, and any others.

use proptest::prelude::*;
use serde_json::{Value, json};

/// An event as API Gateway makes it.
pub fn event() -> Value {
    json!({
        "version": "2.0",
        "routeKey": "GET /v1/contacts/{email}/activity",
        "rawPath": "/v1/contacts/a \"b\"@example.com/activity",
        "rawQueryString": "limit=3&cursor=a%22b",
        "headers": {
            "host": "abc.execute-api.eu-west-1.amazonaws.com",
            "x-api-key": "k-1",
            "x-forwarded-proto": "https",
        },
        "queryStringParameters": {"limit": "3", "cursor": "a\"b"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "domainName": "abc.execute-api.eu-west-1.amazonaws.com",
            "http": {
                "method": "GET",
                "path": "/v1/contacts/a \"b\"@example.com/activity",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.9",
                "userAgent": "curl/8.5.0",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "stage": "$default",
            "timeEpoch": 1_800_000_000_000_i64,
        },
        "isBase64Encoded": false,
    })
}

/// Texts as they come, and those that are odd in a URI, a header or JSON.
fn text() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => "\\PC{0,12}".prop_map(Value::from),
        4 => "[\"<>#?%&= /\\\\:@\\[\\]\\x00-\\x1f\\x7fa-z]{0,12}".prop_map(Value::from),
        2 => prop::sample::select(vec![
            "GET", "POST", "get", "TRACE", "", "/", "//", "/v1/events", "localhost", "a.b:99999", ":",
            "u@h", "1http", "2.0", "%", "a=%ff", "AAAA", "\u{0}",
        ]).prop_map(Value::from),
        1 => prop::sample::select(vec![
            json!(null), json!(7), json!(true), json!([]), json!({}), json!({"a": "b"}),
        ]),
    ]
}

fn headers() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        prop::sample::select(vec![
            "host",
            "Host",
            "x-forwarded-proto",
            "cookie",
            "content-type",
            "origin",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ];
    let map = prop::collection::hash_map(name, text(), 0..6);
    prop_oneof![
        8 => map.prop_map(|map| json!(map)),
        1 => text(),
    ]
}

/// Any event: that of API Gateway with any of its fields left out or another.
pub fn any_event() -> impl Strategy<Value = Value> {
    let places = [
        "/rawPath",
        "/rawQueryString",
        "/body",
        "/isBase64Encoded",
        "/requestContext",
        "/requestContext/domainName",
        "/requestContext/http",
        "/requestContext/http/method",
        "/requestContext/http/sourceIp",
        "/requestContext/stage",
        "/version",
    ];
    let changes = prop::collection::vec((prop::sample::select(places.to_vec()), text()), 0..6);
    let cookies = prop::option::of(prop::collection::vec(text(), 0..3));
    let left_out = prop::option::of(prop::sample::select(vec![
        "version",
        "rawPath",
        "rawQueryString",
        "headers",
        "requestContext",
        "isBase64Encoded",
    ]));
    let route = prop::option::of(prop::sample::select(vec![
        ("POST", "/v1/webhooks/calendly"),
        ("POST", "/v1/webhooks/calendly/a-generation"),
        ("POST", "/v1/webhooks/calendly/test"),
        ("GET", "/v1/auth/callback"),
        ("GET", "/v1/docs"),
    ]));
    let parts = (route, changes, headers(), cookies, left_out, any::<bool>());
    parts.prop_map(|(route, changes, headers, cookies, left_out, encoded)| {
        let mut event = event();
        if let Some((method, path)) = route {
            event["rawPath"] = json!(path);
            event["requestContext"]["http"]["method"] = json!(method);
        }
        event["headers"] = headers;
        event["body"] = json!("AAAA");
        event["isBase64Encoded"] = json!(encoded);
        if let Some(cookies) = cookies {
            event["cookies"] = json!(cookies);
        }
        for (place, value) in changes {
            if let Some(field) = event.pointer_mut(place) {
                *field = value;
            }
        }
        if let Some(name) = left_out {
            event.as_object_mut().unwrap().remove(name);
        }
        event
    })
}
