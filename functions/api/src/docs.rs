//! `GET /v1/docs`: the API to read and to try, in Swagger UI. All that the page needs is in this
//! program (`build.rs` packs it), and its browser is told to ask no other host.

use crate::cacheable::{Content, FOR_MINUTES, FOREVER, cacheable};
use lambda_http::http::{HeaderValue, StatusCode, header};
use lambda_http::{Body, Request, Response};
use platform::http::{self, Problem, TrackingId};
use serde_json::json;

/// A file that the page refers to.
struct Asset {
    /// With a hash of its content, so that it can be kept for good.
    name: &'static str,
    content_type: &'static str,
    hash: &'static str,
    gzipped: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Swagger UI sets styles on its elements; scripts are files of ours only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// Answers a GET of `/v1/docs`, or of `/v1/docs/{asset}`. An unknown asset is 404 `NOT_FOUND`.
pub fn answer(
    asset: Option<&str>,
    request: &Request,
    tracking_id: &TrackingId,
) -> Result<Response<Body>, Problem> {
    let Some(name) = asset else {
        return page(request, tracking_id);
    };
    let asset = ASSETS
        .iter()
        .find(|asset| asset.name == name)
        .ok_or_else(|| {
            Problem::not_found(
                "the docs page has no such file; if it was open during a deployment, load it again",
            )
        })?;
    cacheable(
        request,
        tracking_id,
        asset.content_type,
        FOREVER,
        asset.hash,
        Content::Gzipped(asset.gzipped),
    )
}

fn page(request: &Request, tracking_id: &TrackingId) -> Result<Response<Body>, Problem> {
    // The page's addresses are relative, and would lead elsewhere from `/v1/docs/`.
    if request.uri().path().ends_with('/') {
        let location = "../docs";
        let body = json!({"location": location});
        let mut response = http::answer(StatusCode::PERMANENT_REDIRECT, tracking_id, &body);
        let location = HeaderValue::from_static(location);
        response.headers_mut().insert(header::LOCATION, location);
        return Ok(response);
    }
    let mut response = cacheable(
        request,
        tracking_id,
        "text/html; charset=utf-8",
        FOR_MINUTES,
        PAGE_HASH,
        Content::Plain(PAGE.as_bytes()),
    )?;
    let policy = HeaderValue::from_static(POLICY);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use sha2::{Digest, Sha256};
    use std::io::Read;

    fn get(path: &str, headers: &[(&str, &str)]) -> Result<Response<Body>, Problem> {
        let mut request = lambda_http::http::Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::Empty).unwrap();
        let asset = path
            .strip_prefix("/v1/docs/")
            .filter(|asset| !asset.is_empty());
        let id = TrackingId::random();
        let answer = answer(asset, &request, &id);
        if let Ok(answer) = &answer {
            assert_eq!(answer.headers()["x-tracking-id"], id.as_str());
        }
        answer
    }

    fn page_text() -> String {
        let page = get("/v1/docs", &[]).unwrap();
        String::from_utf8(page.body().to_vec()).unwrap()
    }

    fn asset_named(start: &str) -> &'static Asset {
        let found = ASSETS.iter().find(|asset| asset.name.starts_with(start));
        found.unwrap()
    }

    /// The addresses in the page's attributes.
    fn addresses(page: &str) -> Vec<&str> {
        let (sources, links) = (page.split(" src=\""), page.split(" href=\""));
        let rest = sources.skip(1).chain(links.skip(1));
        rest.map(|rest| rest.split('"').next().unwrap()).collect()
    }

    /// What a new content changes.
    fn hash(content: &[u8]) -> String {
        hex::encode(&Sha256::digest(content)[..8])
    }

    fn unpacked(answer: &Response<Body>) -> Vec<u8> {
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        let mut bytes = Vec::new();
        let mut reader = GzDecoder::new(answer.body().as_ref());
        reader.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_page_refers_to_every_asset_and_to_no_other_host() {
        let page = page_text();
        let (mut assets, others): (Vec<_>, Vec<_>) = addresses(&page)
            .into_iter()
            .partition(|address| address.starts_with("./docs/"));
        assert_eq!(others, ["./openapi.json"]);
        assets.sort_unstable();
        assets.dedup();
        assert_eq!(assets.len(), ASSETS.len());
        for address in assets {
            let path = address.replace("./", "/v1/");
            assert_eq!(get(&path, &[]).unwrap().status(), StatusCode::OK, "{path}");
        }
        let init = asset_named("init.");
        let init = get(&format!("/v1/docs/{}", init.name), &[]).unwrap();
        let init = String::from_utf8(init.body().to_vec()).unwrap();
        for text in [&page, &init] {
            assert!(!text.contains("http") && !text.contains("\"//"), "{text}");
        }
        assert!(init.contains("url: \"./openapi.json\""));
    }

    #[test]
    fn the_page_may_run_its_own_scripts_only() {
        for headers in [&[][..], &[("if-none-match", "*")]] {
            let page = get("/v1/docs", headers).unwrap();
            let policy = page.headers()["content-security-policy"].to_str().unwrap();
            let directives: Vec<&str> = policy.split("; ").collect();
            for directive in [
                "default-src 'none'",
                "script-src 'self'",
                "connect-src 'self'",
                "frame-ancestors 'none'",
            ] {
                assert!(directives.contains(&directive), "{directive} in {policy}");
            }
        }
        let page = page_text();
        let scripts = page.matches("<script").count();
        assert_eq!(page.matches("\"></script>").count(), scripts);
        assert_eq!(page.matches("<script src=").count(), scripts);
    }

    #[test]
    fn the_page_is_kept_for_minutes_and_then_asked_for_by_its_tag() {
        let page = get("/v1/docs", &[("accept-encoding", "gzip")]).unwrap();
        assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(page.headers()["cache-control"], "public, max-age=300");
        assert_eq!(unpacked(&page), page_text().as_bytes());
        let etag = page.headers()["etag"].to_str().unwrap();
        assert!(etag.contains(&hash(page_text().as_bytes())), "{etag}");
        let headers = [("accept-encoding", "gzip"), ("if-none-match", etag)];
        let again = get("/v1/docs", &headers).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert!(again.body().is_empty());
    }

    #[test]
    fn an_asset_is_the_same_in_both_encodings_and_kept_for_good() {
        for asset in &ASSETS {
            let path = format!("/v1/docs/{}", asset.name);
            let plain = get(&path, &[]).unwrap();
            assert!(!plain.headers().contains_key("content-encoding"));
            let packed = get(&path, &[("accept-encoding", "gzip, deflate, br")]).unwrap();
            assert!(unpacked(&packed) == plain.body().to_vec(), "{path}");
            // Lambda's limit, with a third on top for base64.
            assert!(plain.body().len() < 4_500_000, "{path}");
            let hash = hash(plain.body().as_ref());
            assert!(asset.name.contains(&format!(".{hash}.")), "{path}");
            for answer in [&plain, &packed] {
                assert_eq!(answer.status(), StatusCode::OK);
                let kept = &answer.headers()["cache-control"];
                assert_eq!(kept, "public, max-age=31536000, immutable");
                assert_eq!(answer.headers()["vary"], "accept-encoding");
                assert_eq!(answer.headers()["content-type"], asset.content_type);
            }
        }
    }

    #[test]
    fn swagger_ui_is_whole_and_goes_with_its_licence() {
        let assert_has = |start: &str, has: &str| {
            let asset = asset_named(start);
            let answer = get(&format!("/v1/docs/{}", asset.name), &[]).unwrap();
            let text = answer.body().to_vec();
            let found = text.windows(has.len()).any(|part| part == has.as_bytes());
            assert!(found, "{} has no {has}", asset.name);
        };
        assert_has("swagger-ui-bundle.", "SwaggerUIBundle");
        assert_has("swagger-ui.", ".swagger-ui");
        assert_has("swagger-ui-license.", "SmartBear Software");
        assert_has("swagger-ui-license.", "Apache License");
        assert_eq!(asset_named("favicon-").content_type, "image/png");
    }

    #[test]
    fn an_unknown_asset_is_not_found() {
        for name in [
            "swagger-ui.css",
            "init.0000000000000000.js",
            "..",
            "page.html",
        ] {
            let problem = get(&format!("/v1/docs/{name}"), &[]).unwrap_err();
            assert_eq!(problem.status, StatusCode::NOT_FOUND, "{name}");
            assert_eq!(problem.code, "NOT_FOUND");
        }
    }

    #[test]
    fn a_slash_at_the_end_leads_to_the_page() {
        let answer = get("/v1/docs/", &[("if-none-match", "*")]).unwrap();
        assert_eq!(answer.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(answer.headers()["location"], "../docs");
    }
}
