//! The page that a browser gets at the end of an authorization.

use lambda_http::Body;
use lambda_http::http::{HeaderValue, Response, StatusCode, header};
use platform::http::TrackingId;

const PAGE: &str = include_str!("page.html");

/// A page with a heading and a sentence; for an error also its code.
pub fn answer(
    status: StatusCode,
    tracking_id: &TrackingId,
    heading: &str,
    sentence: &str,
    code: Option<&str>,
) -> Response<Body> {
    let mark = if status.is_success() { "ok" } else { "failed" };
    let page = PAGE
        .replace("{mark}", mark)
        .replace("{heading}", &escape(heading))
        .replace("{sentence}", &escape(&sentence_case(sentence)))
        .replace("{code}", &escape(code.unwrap_or("OK")))
        .replace("{tracking_id}", &escape(tracking_id.as_str()));
    let mut response = platform::http::answer(status, tracking_id, &());
    *response.body_mut() = Body::Text(page);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
        ),
    );
    response
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), letters.as_str())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_text_only() {
        let id = TrackingId::random();
        let response = answer(
            StatusCode::BAD_REQUEST,
            &id,
            "No",
            "<b>x</b> & y",
            Some("CODE"),
        );
        let Body::Text(page) = response.body() else {
            panic!("a page is text");
        };
        assert!(page.contains("&lt;b&gt;x&lt;/b&gt; &amp; y."));
        assert!(page.contains(id.as_str()) && page.contains("CODE"));
        assert!(!page.contains("{sentence}"));
    }
}
