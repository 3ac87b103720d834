//! A page for people: book, move, cancel and mark by click, and see each webhook's answer.

use crate::app::Shared;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};
use axum::routing::get;

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/", get(async || Html(include_str!("page/index.html"))))
        .route("/page.css", get(css))
        .route("/page.js", get(js))
}

async fn css() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css")], include_str!("page/page.css"))
}

async fn js() -> impl IntoResponse {
    let kind = [(CONTENT_TYPE, "text/javascript")];
    (kind, include_str!("page/page.js"))
}
