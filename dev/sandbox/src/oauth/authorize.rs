//! The authorize page, and the redirect that it ends in.
//!
//! Beside OAuth's own parameters: `auto=approve|deny` answers the redirect without the page,
//! `user` picks the account, `scope_granted` (repeatable, or separated by spaces) grants less
//! than was asked, and `code_expired` makes a code that is already too old.

use crate::app::{App, Shared};
use crate::grants::Code;
use crate::ids;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse, Response};
use jiff::SignedDuration;
use reqwest::Url;
use std::fmt::Write;

const PAGE: &str = include_str!("../page/authorize.html");

/// The parameters, some of which can come more than once.
type Params = Vec<(String, String)>;

fn param<'a>(params: &'a Params, name: &str) -> Option<&'a str> {
    params
        .iter()
        .find(|(key, value)| key == name && !value.is_empty())
        .map(|(_, value)| value.as_str())
}

fn words(params: &Params, name: &str) -> Vec<String> {
    params
        .iter()
        .filter(|(key, _)| key == name)
        .flat_map(|(_, value)| value.split_whitespace().map(str::to_owned))
        .collect()
}

/// What an authorization asks for, as far as an answer can be sent back.
struct Asked {
    redirect: Url,
    state: Option<String>,
}

impl Asked {
    fn redirect(mut self, answer: &[(&str, &str)]) -> Response {
        let mut query = self.redirect.query_pairs_mut();
        query.extend_pairs(answer);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        drop(query);
        (StatusCode::FOUND, [(LOCATION, self.redirect.to_string())]).into_response()
    }

    fn refuse(self, error: &str, description: &str) -> Response {
        self.redirect(&[("error", error), ("error_description", description)])
    }
}

/// `GET /oauth/authorize`.
pub(super) async fn authorize(State(app): State<Shared>, Query(params): Query<Params>) -> Response {
    let asked = match asked(&app, &params) {
        Ok(asked) => asked,
        Err(message) => return refusal(message),
    };
    if param(&params, "response_type") != Some("code") {
        return asked.refuse(
            "unsupported_response_type",
            "Only the type code is supported.",
        );
    }
    let challenge = param(&params, "code_challenge");
    if challenge.is_some() && param(&params, "code_challenge_method") != Some("S256") {
        return asked.refuse("invalid_request", "The code challenge method must be S256.");
    }
    let mut scopes = words(&params, "scope");
    if app.options.is_old_app() {
        scopes.clear();
    }
    let on = &app.options.app_scopes;
    if scopes.iter().any(|scope| !on.contains(scope)) {
        return asked.refuse(
            "invalid_scope",
            "The requested scope is invalid or unknown.",
        );
    }
    if scopes.is_empty() {
        scopes.clone_from(on);
    }
    match param(&params, "auto") {
        Some("approve") => approve(&app, &params, asked, scopes),
        Some("deny") => asked.refuse(
            "access_denied",
            "The resource owner or authorization server denied the request.",
        ),
        _ => page(&app, &params, &scopes),
    }
}

fn asked(app: &App, params: &Params) -> Result<Asked, &'static str> {
    if param(params, "client_id") != Some(&app.options.client_id) {
        return Err("No app has this client_id.");
    }
    let text = param(params, "redirect_uri").ok_or("The redirect_uri is missing.")?;
    let redirect = Url::parse(text).map_err(|_| "The redirect_uri is not a URL.")?;
    let known = &app.options.redirect_uris;
    let allowed = if known.is_empty() {
        let here = matches!(redirect.host_str(), Some("localhost" | "127.0.0.1"));
        redirect.scheme() == "https" || here
    } else {
        known.iter().any(|known| known == text)
    };
    if !allowed {
        return Err("The redirect_uri is not one of this app's.");
    }
    Ok(Asked {
        redirect,
        state: param(params, "state").map(str::to_owned),
    })
}

fn approve(app: &App, params: &Params, asked: Asked, mut scopes: Vec<String>) -> Response {
    let mut state = app.state();
    let user = match param(params, "user") {
        Some(named) => state.accounts.user(named),
        None => state.accounts.users.first(),
    };
    let Some(user) = user.map(|user| user.id.clone()) else {
        return refusal("No user has this id.");
    };
    if params.iter().any(|(name, _)| name == "scope_granted") {
        let granted = words(params, "scope_granted");
        scopes.retain(|scope| granted.contains(scope));
    }
    let now = state.clock.now();
    let lifetime = if param(params, "code_expired").is_some() {
        SignedDuration::from_secs(-1)
    } else {
        SignedDuration::try_from(app.options.code_lifetime).unwrap_or_default()
    };
    let code = ids::secret(2);
    state.grants.codes.push(Code {
        value: code.clone(),
        user,
        scopes,
        // As it was sent: the token call must repeat it to the letter.
        redirect_uri: param(params, "redirect_uri").unwrap_or_default().to_owned(),
        challenge: param(params, "code_challenge").map(str::to_owned),
        expires_at: now.saturating_add(lifetime).unwrap_or(now),
        used: false,
    });
    asked.redirect(&[("code", &code)])
}

fn refusal(message: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Sandbox Calendly</title>\
         <body style=\"font:16px system-ui;margin:4rem auto;max-width:32rem\">\
         <h1>This authorization can't go on</h1><p>{message}</p>"
    );
    (StatusCode::BAD_REQUEST, Html(page)).into_response()
}

fn page(app: &App, params: &Params, scopes: &[String]) -> Response {
    let mut hidden = String::new();
    for (name, value) in params {
        if !matches!(
            name.as_str(),
            "user" | "scope_granted" | "auto" | "code_expired"
        ) {
            let (name, value) = (escape(name), escape(value));
            let _ = writeln!(
                hidden,
                r#"<input type="hidden" name="{name}" value="{value}">"#
            );
        }
    }
    let mut users = String::new();
    for user in &app.state().accounts.users {
        let (id, name, email) = (&user.id, escape(&user.name), escape(&user.email));
        let _ = writeln!(users, r#"<option value="{id}">{name} ({email})</option>"#);
    }
    let mut boxes = String::new();
    for scope in scopes {
        let scope = escape(scope);
        let _ = writeln!(
            boxes,
            r#"<label class="check"><input type="checkbox" name="scope_granted" value="{scope}" checked> <code>{scope}</code></label>"#
        );
    }
    let page = PAGE
        .replace("<!-- users -->", &users)
        .replace("<!-- scopes -->", &boxes)
        .replace("<!-- hidden -->", &hidden);
    Html(page).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
