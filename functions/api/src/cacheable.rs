//! Answers that a browser may keep: with a strong `ETag`, 304 for what it has already, and gzipped
//! where it takes that.

use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use lambda_http::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use platform::http::{Problem, TrackingId};
use std::io::Read;

/// For what a new deployment may change.
pub const FOR_MINUTES: &str = "public, max-age=300";
/// For what has a name of its own for each content.
pub const FOREVER: &str = "public, max-age=31536000, immutable";

/// The bytes to answer with, in the form in which they are at hand.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// As they are.
    Plain(&'a [u8]),
    /// Gzipped ahead.
    Gzipped(&'a [u8]),
}

impl Content<'_> {
    fn plain(self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Plain(bytes) => Ok(bytes.to_vec()),
            Self::Gzipped(bytes) => all(GzDecoder::new(bytes)),
        }
    }

    fn gzipped(self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Plain(bytes) => all(GzEncoder::new(bytes, Compression::default())),
            Self::Gzipped(bytes) => Ok(bytes.to_vec()),
        }
    }
}

fn all(mut reader: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Answers a GET with `content`, or with 304 if the caller has it. `version` names the content: it
/// changes when, and only when, the bytes do; a hash of them will do. Lambda answers with no more
/// than 6 MB, a quarter less in base64, so `content` must be smaller, inflated.
pub fn cacheable(
    request: &Request,
    tracking_id: &TrackingId,
    content_type: &'static str,
    cache_control: &'static str,
    version: &str,
    content: Content<'_>,
) -> Result<Response<Body>, Problem> {
    let gzip = takes_gzip(request.headers());
    // A strong tag stands for exact bytes, so each encoding has its own.
    let etag = format!("\"{version}{}\"", if gzip { "-gzip" } else { "" });
    let known = has(request.headers(), &etag);
    let bytes = match (known, gzip) {
        (true, _) => Ok(Vec::new()),
        (false, true) => content.gzipped(),
        (false, false) => content.plain(),
    };
    let bytes = bytes.map_err(unreadable)?;
    let etag = HeaderValue::try_from(etag).map_err(unreadable)?;

    let mut response = Response::new(Body::Binary(bytes));
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag);
    headers.insert(
        header::VARY,
        HeaderValue::from_name(header::ACCEPT_ENCODING),
    );
    if gzip && !known {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, cache_control),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(tracking_id.as_str()) {
        headers.insert("x-tracking-id", id);
    }
    if known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    Ok(response)
}

fn unreadable(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "a file of the function's own can't be read");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "FILE_UNREADABLE",
        "a file that is part of the function can't be read; build and deploy it again",
    )
}

/// Whether `Accept-Encoding` allows gzip: by name, or else by `*`, and not with a weight of 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let mut any = false;
    for item in items(headers, header::ACCEPT_ENCODING) {
        let mut parts = item.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let refused = parts
            .filter_map(|part| part.strip_prefix("q=").or(part.strip_prefix("Q=")))
            .any(|weight| weight.parse() == Ok(0.0));
        if coding.eq_ignore_ascii_case("gzip") {
            return !refused;
        }
        any |= coding == "*" && !refused;
    }
    any
}

/// Whether `If-None-Match` names the tag. Weak tags match too: for a GET, RFC 9110 says so.
fn has(headers: &HeaderMap, etag: &str) -> bool {
    items(headers, header::IF_NONE_MATCH)
        .any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == etag)
}

/// The parts between commas of a header that may come more than once.
fn items(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"what a caller reads, what a caller reads, what a caller reads";

    fn ask(headers: &[(&str, &str)], content: Content<'_>) -> Response<Body> {
        let mut request = lambda_http::http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::Empty).unwrap();
        let id = TrackingId::random();
        let answer = cacheable(&request, &id, "text/plain", FOR_MINUTES, "v1", content).unwrap();
        assert_eq!(answer.headers()["x-tracking-id"], id.as_str());
        answer
    }

    fn encoding(accept: &str) -> Option<String> {
        let answer = ask(&[("accept-encoding", accept)], Content::Plain(TEXT));
        let encoding = answer.headers().get("content-encoding");
        encoding.map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn gzip_is_sent_only_to_who_takes_it() {
        for accept in [
            "gzip",
            "br, GZIP;q=0.5",
            "*",
            "deflate , *;q=1",
            "*;q=0, gzip",
        ] {
            assert_eq!(encoding(accept).as_deref(), Some("gzip"), "{accept}");
        }
        for accept in [
            "",
            "br",
            "identity",
            "gzip;q=0",
            "*, gzip; q=0.000",
            "*;q=0",
            "xgzip",
        ] {
            assert_eq!(encoding(accept), None, "{accept}");
        }
        let answer = ask(&[], Content::Plain(TEXT));
        assert!(!answer.headers().contains_key("content-encoding"));
        assert_eq!(answer.headers()["vary"], "accept-encoding");
    }

    #[test]
    fn both_forms_at_hand_give_the_same_bytes_in_both_encodings() {
        let packed = Content::Plain(TEXT).gzipped().unwrap();
        assert!(packed.len() < TEXT.len());
        for content in [Content::Plain(TEXT), Content::Gzipped(&packed)] {
            assert_eq!(ask(&[], content).body().as_ref(), TEXT);
            let answer = ask(&[("accept-encoding", "gzip")], content);
            assert_eq!(all(GzDecoder::new(answer.body().as_ref())).unwrap(), TEXT);
        }
    }

    #[test]
    fn what_the_caller_has_is_not_sent_again() {
        for sent in ["\"v1\"", "W/\"v1\"", "\"v0\", \"v1\"", "*"] {
            let answer = ask(&[("if-none-match", sent)], Content::Plain(TEXT));
            assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{sent}");
            assert!(answer.body().is_empty());
            assert_eq!(answer.headers()["etag"], "\"v1\"");
            assert_eq!(answer.headers()["cache-control"], FOR_MINUTES);
        }
        for sent in ["\"v0\"", "v1", "\"v1-gzip\""] {
            let answer = ask(&[("if-none-match", sent)], Content::Plain(TEXT));
            assert_eq!(answer.status(), StatusCode::OK, "{sent}");
        }
    }

    #[test]
    fn each_encoding_has_a_tag_of_its_own() {
        let gzip = ("accept-encoding", "gzip");
        let answer = ask(&[gzip, ("if-none-match", "\"v1\"")], Content::Plain(TEXT));
        assert_eq!(answer.status(), StatusCode::OK);
        let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
        assert_ne!(etag, "\"v1\"");
        let again = ask(&[gzip, ("if-none-match", &etag)], Content::Plain(TEXT));
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(!again.headers().contains_key("content-encoding"));
    }

    #[test]
    fn a_damaged_file_is_an_error_that_says_what_to_do() {
        let request = Request::default();
        let damaged = Content::Gzipped(b"not gzip");
        let id = TrackingId::random();
        let problem = cacheable(&request, &id, "text/plain", FOREVER, "v1", damaged).unwrap_err();
        assert_eq!(problem.code, "FILE_UNREADABLE");
    }
}
