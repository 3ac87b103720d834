//! Cross-origin requests: off unless the stack names web pages that may call.

use crate::http::{TrackingId, answer};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, Response};
use serde_json::json;

/// How long a browser may remember what it was told, in seconds; browsers keep it for two hours at
/// most.
const MAX_AGE: &str = "7200";

/// The origins that may call; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors(Vec<String>);

impl Cors {
    /// Origins such as `https://console.example.com`, separated by commas; `*` for any.
    pub fn new(origins: &str) -> Self {
        let origins = origins.split(',').map(str::trim);
        Self(
            origins
                .filter(|origin| !origin.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    /// Whether a browser asks what it may do.
    pub fn is_preflight(request: &Request) -> bool {
        let headers = request.headers();
        request.method() == Method::OPTIONS
            && headers.contains_key(header::ORIGIN)
            && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The answer to that. [`Self::apply`] adds whether this origin may.
    pub fn preflight(&self, methods: &[Method], tracking_id: &TrackingId) -> Response<Body> {
        let mut response = answer(StatusCode::NO_CONTENT, tracking_id, &json!({}));
        *response.body_mut() = Body::Empty;
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
        if let Ok(methods) = HeaderValue::from_str(&methods.join(", ")) {
            headers.insert(header::ALLOW, methods.clone());
            if !self.0.is_empty() {
                headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
                set(
                    headers,
                    header::ACCESS_CONTROL_ALLOW_HEADERS,
                    "authorization, content-type, x-api-key",
                );
                set(headers, header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            }
        }
        response
    }

    /// Tells the browser that the page it shows may read this answer, if it may.
    pub fn apply(&self, request: &Request, response: &mut Response<Body>) {
        if self.0.is_empty() {
            return;
        }
        let headers = response.headers_mut();
        // Another origin is answered otherwise, which a cache must know.
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        let Some(origin) = request.headers().get(header::ORIGIN) else {
            return;
        };
        let allowed = self
            .0
            .iter()
            .any(|known| known == "*" || origin.as_bytes() == known.as_bytes());
        if allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            set(
                headers,
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                "x-tracking-id, retry-after",
            );
        }
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, headers: &[(&'static str, &'static str)]) -> Request {
        let mut request = Request::default();
        *request.method_mut() = method;
        for (name, value) in headers {
            let value = HeaderValue::from_static(value);
            request.headers_mut().insert(*name, value);
        }
        request
    }

    fn allowed(cors: &Cors, origin: &'static str) -> Option<String> {
        let request = request(Method::GET, &[("origin", origin)]);
        let mut response = Response::new(Body::Empty);
        cors.apply(&request, &mut response);
        let value = response
            .headers()
            .get(header::ACCESS_CONTROL_ALLOW_ORIGIN)?;
        Some(value.to_str().unwrap().to_owned())
    }

    #[test]
    fn only_named_origins_may_and_none_by_default() {
        assert_eq!(allowed(&Cors::new(""), "https://a.example.com"), None);
        let cors = Cors::new("https://a.example.com, https://b.example.com");
        let own = Some("https://b.example.com".to_owned());
        assert_eq!(allowed(&cors, "https://b.example.com"), own);
        assert_eq!(allowed(&cors, "https://c.example.com"), None);
        assert_eq!(allowed(&cors, "https://a.example.com.evil.test"), None);
        assert!(allowed(&Cors::new("*"), "https://c.example.com").is_some());
    }

    #[test]
    fn a_preflight_tells_methods_and_headers() {
        let asking = request(
            Method::OPTIONS,
            &[
                ("origin", "https://a.example.com"),
                ("access-control-request-method", "GET"),
            ],
        );
        assert!(Cors::is_preflight(&asking));
        assert!(!Cors::is_preflight(&request(Method::OPTIONS, &[])));
        let id = TrackingId::random();
        let told = Cors::new("https://a.example.com").preflight(&[Method::GET], &id);
        assert_eq!(told.status(), 204);
        assert_eq!(told.headers()[header::ACCESS_CONTROL_ALLOW_METHODS], "GET");
        let off = Cors::default().preflight(&[Method::GET], &id);
        assert!(
            !off.headers()
                .contains_key(header::ACCESS_CONTROL_ALLOW_METHODS)
        );
    }
}
