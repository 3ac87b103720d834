//! A request, of the event that API Gateway makes of it (payload format 2.0).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lambda_http::aws_lambda_events::apigw::ApiGatewayV2httpRequestContext;
use lambda_http::http::uri::{Authority, PathAndQuery, Scheme};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use std::collections::HashMap;

/// Why no request can be made of an event, for whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("the request did not come as API Gateway hands one over")]
    Event,
    #[error("the method can't be read")]
    Method,
    #[error("the header Host names no host")]
    Host,
    #[error(
        "the query can't be read; percent-encode what a URI may not have, such as quotes, spaces \
         and angle brackets"
    )]
    Query,
    #[error("a header can't be read")]
    Header,
    #[error("the body is not the base64 that it is said to be")]
    Body,
}

/// What of an event is used. Fields that are left out or null are as if they were empty.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    headers: Option<HashMap<String, Option<String>>>,
    request_context: Option<Context>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    domain_name: Option<String>,
    http: Option<Http>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: Option<String>,
    source_ip: Option<String>,
}

/// What a path may not have as it is. API Gateway has decoded it.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The request that the event is.
pub(super) fn request(event: &str) -> Result<Request, Malformed> {
    let event: Event = serde_json::from_str(event).map_err(|_| Malformed::Event)?;
    let Context { domain_name, http } = event.request_context.unwrap_or_default();
    let Http { method, source_ip } = http.unwrap_or_default();
    let method = method.unwrap_or_default();
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| Malformed::Method)?;
    let headers = headers(event.headers.unwrap_or_default())?;
    let path = event.raw_path.unwrap_or_default();
    let query = event.raw_query_string.unwrap_or_default();
    let uri = uri(&headers, domain_name.as_deref(), &path, &query)?;
    let base64 = event.is_base64_encoded == Some(true);

    let mut context = ApiGatewayV2httpRequestContext::default();
    context.domain_name = domain_name;
    context.http.method = method.clone();
    context.http.source_ip = source_ip;
    let mut request = Request::new(body(event.body, base64)?);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    let Ok(query) = query.parse::<lambda_http::aws_lambda_events::query_map::QueryMap>();
    Ok(request
        .with_raw_http_path(path)
        .with_query_string_parameters(query)
        .with_request_context(RequestContext::ApiGatewayV2(context)))
}

fn headers(given: HashMap<String, Option<String>>) -> Result<HeaderMap, Malformed> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let Some(value) = value else { continue };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Malformed::Header)?;
        let value = HeaderValue::try_from(value).map_err(|_| Malformed::Header)?;
        // More of them than a map holds are no request either.
        headers
            .try_append(name, value)
            .map_err(|_| Malformed::Header)?;
    }
    Ok(headers)
}

fn uri(
    headers: &HeaderMap,
    domain_name: Option<&str>,
    path: &str,
    query: &str,
) -> Result<Uri, Malformed> {
    let host = match headers.get(header::HOST) {
        Some(host) => host.to_str().map_err(|_| Malformed::Host)?,
        None => domain_name.unwrap_or("localhost"),
    };
    let host: Authority = host.parse().map_err(|_| Malformed::Host)?;
    let path = path.trim_start_matches('/');
    let mut whole = format!("/{}", utf8_percent_encode(path, ENCODED));
    if !query.is_empty() {
        whole.push('?');
        whole.push_str(query);
    }
    // A fragment stays with who asks; where one comes along, it is a mistake in the query.
    if query.contains('#') {
        return Err(Malformed::Query);
    }
    let whole: PathAndQuery = whole.parse().map_err(|_| Malformed::Query)?;
    Uri::builder()
        .scheme(Scheme::HTTPS)
        .authority(host)
        .path_and_query(whole)
        .build()
        .map_err(|_| Malformed::Host)
}

fn body(text: Option<String>, base64: bool) -> Result<Body, Malformed> {
    Ok(match text {
        None => Body::Empty,
        Some(text) if base64 => {
            let bytes = STANDARD.decode(text).map_err(|_| Malformed::Body)?;
            Body::Binary(bytes)
        }
        Some(text) => Body::Text(text),
    })
}
