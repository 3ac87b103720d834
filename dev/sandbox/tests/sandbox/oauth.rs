//! Authorize, trade, refresh, revoke, introspect.

use super::support::*;
use reqwest::{Method, Url};
use sandbox::Options;
use serde_json::{Value, json};
use std::time::Duration;

const BACK: &str = "http://127.0.0.1:9/callback";
const SCOPES: &str = "users:read scheduled_events:read webhooks:write";
/// Verifier and challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The redirect's parameters.
async fn authorize(desk: &Desk, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut url = Url::parse(&desk.url("/oauth/authorize")).unwrap();
    url.query_pairs_mut()
        .append_pair("client_id", "sandbox-client-id")
        .append_pair("response_type", "code")
        .append_pair("redirect_uri", BACK)
        .append_pair("scope", SCOPES)
        .append_pair("state", "a state&=")
        .append_pair("code_challenge", CHALLENGE)
        .append_pair("code_challenge_method", "S256")
        .extend_pairs(more);
    let response = desk.http.get(url).send().await.unwrap();
    assert_eq!(response.status(), 302);
    let location = response.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(BACK));
    let location = Url::parse(location).unwrap();
    location.query_pairs().into_owned().collect()
}

fn get<'a>(pairs: &'a [(String, String)], name: &str) -> &'a str {
    let pair = pairs.iter().find(|(key, _)| key == name);
    &pair.unwrap_or_else(|| panic!("{name} is in {pairs:?}")).1
}

async fn approve(desk: &Desk, more: &[(&str, &str)]) -> String {
    let mut all = vec![("auto", "approve")];
    all.extend(more);
    get(&authorize(desk, &all).await, "code").to_owned()
}

async fn token(desk: &Desk, fields: &[(&str, &str)]) -> (u16, Value) {
    let request = desk.http.post(desk.url("/oauth/token"));
    let request = request.basic_auth("sandbox-client-id", Some("sandbox-client-secret"));
    let response = request.form(fields).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn exchange(desk: &Desk, code: &str, verifier: &str) -> (u16, Value) {
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", BACK),
        ("code_verifier", verifier),
    ];
    token(desk, &fields).await
}

async fn refresh(desk: &Desk, token_text: &str) -> (u16, Value) {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token_text),
    ];
    token(desk, &fields).await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_code_is_traded_once_for_tokens_that_work() {
    let mut desk = start().await;
    let back = authorize(&desk, &[("auto", "approve")]).await;
    assert_eq!(get(&back, "state"), "a state&=");
    let code = get(&back, "code");
    let (status, tokens) = exchange(&desk, code, VERIFIER).await;
    assert_eq!(status, 200);
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["scope"], SCOPES);
    assert_eq!(tokens["expires_in"], 7200);
    assert_eq!(tokens["owner"], DANA);
    assert_eq!(tokens["organization"], ORGANIZATION);
    assert!(text(&tokens["access_token"]).len() > 1024);

    desk.token = text(&tokens["access_token"]);
    let me = desk.get("/users/me").await;
    assert_eq!(me["resource"]["uri"], DANA);
    assert_eq!(me["resource"]["current_organization"], ORGANIZATION);

    let (status, error) = exchange(&desk, code, VERIFIER).await;
    assert_eq!((status, &error["error"]), (400, &"invalid_grant".into()));
}

#[tokio::test]
async fn a_code_needs_its_verifier_its_redirect_and_its_time() {
    let desk = start().await;
    let code = approve(&desk, &[]).await;
    for verifier in ["", "wrong"] {
        assert_eq!(exchange(&desk, &code, verifier).await.0, 400, "{verifier}");
    }
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", "http://127.0.0.1:9/other"),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(token(&desk, &fields).await.0, 400);
    // None of these used it up.
    assert_eq!(exchange(&desk, &code, VERIFIER).await.0, 200);

    let old = approve(&desk, &[("code_expired", "1")]).await;
    assert_eq!(
        exchange(&desk, &old, VERIFIER).await.1["error"],
        "invalid_grant"
    );
}

#[tokio::test]
async fn a_refresh_token_works_once() {
    let mut desk = start().await;
    let code = approve(&desk, &[]).await;
    let (_, first) = exchange(&desk, &code, VERIFIER).await;
    let old = text(&first["refresh_token"]);
    let (status, second) = refresh(&desk, &old).await;
    assert_eq!(status, 200);
    assert_ne!(second["refresh_token"], first["refresh_token"]);
    assert_ne!(second["access_token"], first["access_token"]);
    let (status, error) = refresh(&desk, &old).await;
    assert_eq!((status, &error["error"]), (400, &"invalid_grant".into()));
    // The new pair is not harmed by it.
    desk.token = text(&second["access_token"]);
    desk.get("/users/me").await;
    let calls = desk.control(Method::GET, "/calls", json!({})).await;
    assert_eq!(
        calls["byRoute"]["POST /oauth/token refresh_token"],
        json!({"200": 1, "400": 1})
    );
}

#[tokio::test]
async fn expired_and_revoked_tokens_are_refused_by_name() {
    let mut desk = start().await;
    let code = approve(&desk, &[]).await;
    let (_, tokens) = exchange(&desk, &code, VERIFIER).await;
    let personal = std::mem::replace(&mut desk.token, text(&tokens["access_token"]));
    desk.post("/expire-tokens", json!({})).await;
    let refused = desk.call(Method::GET, "/users/me", None).await;
    assert_eq!(refused.status(), 401);
    let error: Value = refused.json().await.unwrap();
    assert_eq!(
        error,
        json!({"title": "Unauthenticated", "message": "The access token expired"})
    );
    // A personal access token does not expire.
    desk.token = personal;
    desk.get("/users/me").await;

    let (_, tokens) = refresh(&desk, &text(&tokens["refresh_token"])).await;
    desk.token = text(&tokens["access_token"]);
    let form = [
        ("client_id", "sandbox-client-id"),
        ("client_secret", "sandbox-client-secret"),
        ("token", &desk.token),
    ];
    let post = |path: &str| desk.http.post(desk.url(path)).form(&form).send();
    let seen: Value = post("/oauth/introspect")
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(seen["active"], true);
    assert_eq!(seen["owner"], DANA);
    assert_eq!(post("/oauth/revoke").await.unwrap().status(), 200);
    let seen: Value = post("/oauth/introspect")
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(seen, json!({"active": false}));
    let refused = desk.call(Method::GET, "/users/me", None).await;
    let error: Value = refused.json().await.unwrap();
    assert_eq!(error["message"], "The access token was revoked");
    let (status, _) = refresh(&desk, &text(&tokens["refresh_token"])).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn denials_and_bad_requests_go_back_to_the_app_or_to_nobody() {
    let desk = start().await;
    let denied = authorize(&desk, &[("auto", "deny")]).await;
    assert_eq!(get(&denied, "error"), "access_denied");
    assert_eq!(get(&denied, "state"), "a state&=");
    let unknown = authorize(&desk, &[("scope", "wishes:grant"), ("auto", "approve")]).await;
    assert_eq!(get(&unknown, "error"), "invalid_scope");
    // Where it would go can't be trusted: a page, not a redirect.
    for query in [
        "client_id=other&redirect_uri=http://127.0.0.1:9/callback",
        "client_id=sandbox-client-id&redirect_uri=http://elsewhere.example.com/",
        "client_id=sandbox-client-id",
    ] {
        let url = desk.url(&format!("/oauth/authorize?auto=approve&{query}"));
        let response = desk.http.get(url).send().await.unwrap();
        assert_eq!(response.status(), 400, "{query}");
    }
    let request = desk.http.post(desk.url("/oauth/token"));
    let request = request.basic_auth("sandbox-client-id", Some("guess"));
    let response = request.form(&[("grant_type", "refresh_token")]).send();
    let response = response.await.unwrap();
    assert_eq!(response.status(), 401);
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"], "invalid_client");
}

#[tokio::test]
async fn fewer_scopes_can_be_granted_and_other_accounts_picked() {
    let mut desk = start().await;
    let more = [
        ("scope_granted", "users:read"),
        ("user", "AAAAHOSTUSER0003"),
    ];
    let code = approve(&desk, &more).await;
    let (_, tokens) = exchange(&desk, &code, VERIFIER).await;
    assert_eq!(tokens["scope"], "users:read");
    assert!(text(&tokens["owner"]).ends_with("AAAAHOSTUSER0003"));
    desk.token = text(&tokens["access_token"]);
    desk.get("/users/me").await;
    let path = "/webhook_subscriptions?scope=organization&organization=x";
    let refused = desk.call(Method::GET, path, None).await;
    assert_eq!(refused.status(), 403);
    let error: Value = refused.json().await.unwrap();
    assert_eq!(error["required_scopes"], json!(["webhooks:read"]));
}

#[tokio::test]
async fn token_calls_have_a_limit_and_faults_of_their_own() {
    let options = Options {
        token_rate_limit: 2,
        rate_window: Duration::from_secs(30),
        ..Options::default()
    };
    let desk = start_with(options).await;
    let code = approve(&desk, &[]).await;
    let (_, tokens) = exchange(&desk, &code, VERIFIER).await;
    let faults = json!({"tokenErrors": {"500": true}, "errorBody": "html"});
    desk.control(Method::PUT, "/faults", faults).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", "x")];
    let send = || {
        let request = desk.http.post(desk.url("/oauth/token"));
        let request = request.basic_auth("sandbox-client-id", Some("sandbox-client-secret"));
        request.form(&fields).send()
    };
    let broken = send().await.unwrap();
    assert_eq!(broken.status(), 500);
    assert!(broken.text().await.unwrap().starts_with("<html>"));

    let faults = json!({"tokenBody": "partial"});
    desk.control(Method::PUT, "/faults", faults).await;
    let (status, partial) = refresh(&desk, &text(&tokens["refresh_token"])).await;
    assert_eq!((status, partial), (200, json!({})));
    let (status, _) = refresh(&desk, &text(&tokens["refresh_token"])).await;
    assert_eq!(status, 429);
}
