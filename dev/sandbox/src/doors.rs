//! Who may use a sandbox over HTTP: no web page but its own.
//!
//! Any page that is open in a browser of this machine may send requests to 127.0.0.1, and one whose
//! name is pointed there (DNS rebinding) may read the answers. The controls need no token, so they
//! would do what such a page says.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

/// What a request of this path lets nobody but the sandbox's own page do.
const CONTROLS: &str = "/_sandbox";

/// The router behind its doors, as it listens on a port of this machine.
pub(crate) fn shut(router: Router, port: u16) -> Router {
    router.layer(from_fn_with_state(port, guard))
}

async fn guard(State(port): State<u16>, request: Request, next: Next) -> Response {
    match refusal(request.headers(), request.uri().path(), port) {
        Some(why) => (StatusCode::FORBIDDEN, why).into_response(),
        None => next.run(request).await,
    }
}

/// Why a request is not let in, if it isn't.
fn refusal(headers: &HeaderMap, path: &str, port: u16) -> Option<&'static str> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok());
    let ours = |host: &str| {
        ["127.0.0.1", "localhost", "[::1]"]
            .iter()
            .any(|name| host.eq_ignore_ascii_case(&format!("{name}:{port}")))
    };
    let Some(host) = host.filter(|host| ours(host) && hosts.next().is_none()) else {
        return Some("This is not the name of the sandbox.");
    };
    let own_origin = |origin: &str| origin.eq_ignore_ascii_case(&format!("http://{host}"));
    let from_elsewhere = |name, ours: &dyn Fn(&str) -> bool| {
        let values = headers.get_all(name).iter();
        values
            .into_iter()
            .any(|value| !value.to_str().is_ok_and(ours))
    };
    let foreign = from_elsewhere(ORIGIN.as_str(), &own_origin)
        || from_elsewhere("sec-fetch-site", &|site| {
            site == "same-origin" || site == "none"
        });
    (foreign && path.starts_with(CONTROLS)).then_some("Other pages may not control the sandbox.")
}
