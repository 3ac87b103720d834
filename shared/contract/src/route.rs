//! What a route is, and how a request finds its own.

use crate::params::Parameter;
use crate::routes::ROUTES;
use lambda_http::http::{HeaderValue, Method, StatusCode, header};
use lambda_http::{Body, Request, RequestExt, Response};
use percent_encoding::percent_decode_str;
use platform::http::{Problem, TrackingId};
use platform::secrets::Scope;
use schemars::{Schema, SchemaGenerator};

/// Every operation of the API; `operationId` in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the table of routes says what each does
pub enum Operation {
    GetHealth,
    GetStatus,
    GetOpenapi,
    GetDocs,
    GetDocsAsset,
    ReceiveWebhook,
    ReceiveWebhookGeneration,
    TestWebhook,
    ListEvents,
    GetEvent,
    GetEventHistory,
    GetInvitee,
    GetInviteeHistory,
    GetActivity,
    EraseContact,
    Erase,
    ListDeliveries,
    GetDelivery,
    ReplayDelivery,
    ListDeadLetters,
    RedriveDeadLetters,
    DiscardDeadLetter,
    StartSync,
    GetSync,
    Authorize,
    AuthorizeCallback,
    ListConnections,
    Connect,
    Disconnect,
    ListSubscriptions,
    Subscribe,
    Unsubscribe,
}

impl Operation {
    /// Its name in the document and in the log of operating calls.
    pub fn id(self) -> &'static str {
        match self {
            Self::GetHealth => "getHealth",
            Self::GetStatus => "getStatus",
            Self::GetOpenapi => "getOpenapi",
            Self::GetDocs => "getDocs",
            Self::GetDocsAsset => "getDocsAsset",
            Self::ReceiveWebhook => "receiveWebhook",
            Self::ReceiveWebhookGeneration => "receiveWebhookGeneration",
            Self::TestWebhook => "testWebhook",
            Self::ListEvents => "listEvents",
            Self::GetEvent => "getEvent",
            Self::GetEventHistory => "getEventHistory",
            Self::GetInvitee => "getInvitee",
            Self::GetInviteeHistory => "getInviteeHistory",
            Self::GetActivity => "getActivity",
            Self::EraseContact => "eraseContact",
            Self::Erase => "erase",
            Self::ListDeliveries => "listDeliveries",
            Self::GetDelivery => "getDelivery",
            Self::ReplayDelivery => "replay",
            Self::ListDeadLetters => "listDeadLetters",
            Self::RedriveDeadLetters => "redrive",
            Self::DiscardDeadLetter => "discardDeadLetter",
            Self::StartSync => "sync",
            Self::GetSync => "getSync",
            Self::Authorize => "authorize",
            Self::AuthorizeCallback => "authorizeCallback",
            Self::ListConnections => "listConnections",
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::ListSubscriptions => "listSubscriptions",
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
        }
    }
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Anyone,
    /// Whoever holds an API key with the scope.
    Key(Scope),
    /// An API key with the scope `operate`, or a signed start link.
    KeyOrStartLink,
    /// Calendly, by its signature.
    Signature,
}

impl Access {
    /// Whether it asks for more than to read: then who called is on record.
    pub fn operates(self) -> bool {
        matches!(self, Self::Key(scope) if scope != Scope::Read)
    }
}

/// What an answer's body is.
#[derive(Clone, Copy)]
pub enum Content {
    /// JSON of a type.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// JSON of any form, with its media type.
    AnyJson,
    /// JSON of a type for programs, a page for browsers.
    JsonOrHtml(fn(&mut SchemaGenerator) -> Schema),
    /// A page.
    Html,
    /// A file of one of these media types.
    File(&'static [&'static str]),
    /// Nothing.
    Empty,
}

/// A good answer.
#[derive(Clone, Copy)]
pub struct Good {
    /// HTTP status.
    pub status: u16,
    /// When it comes.
    pub about: &'static str,
    /// What it holds.
    pub content: Content,
}

/// An error answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// HTTP status.
    pub status: u16,
    /// `UPPER_SNAKE`.
    pub code: &'static str,
    /// When it comes.
    pub about: &'static str,
}

/// What a request's body is.
#[derive(Clone, Copy)]
pub struct Input {
    /// When one must be there.
    pub required: bool,
    /// Its type.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// One route.
pub struct Route {
    /// What it does.
    pub operation: Operation,
    /// `GET`, `POST` or `DELETE`.
    pub method: Method,
    /// Its path, with `{names}` of path parameters.
    pub path: &'static str,
    /// Group in the document.
    pub tag: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What else there is to say.
    pub description: &'static str,
    /// Who may call.
    pub access: Access,
    /// Path and query parameters.
    pub parameters: &'static [Parameter],
    /// The request's body.
    pub input: Option<Input>,
    /// Good answers.
    pub good: &'static [Good],
    /// Error answers, in groups that several routes share.
    pub errors: &'static [&'static [Error]],
}

impl Route {
    /// The route of an operation.
    pub fn of(operation: Operation) -> Option<&'static Self> {
        ROUTES.iter().find(|route| route.operation == operation)
    }

    fn fits<'a>(&self, parts: &[&'a str]) -> Option<Vec<&'a str>> {
        let own: Vec<&str> = self.path.trim_start_matches('/').split('/').collect();
        if own.len() != parts.len() {
            return None;
        }
        let mut ids = Vec::new();
        for (own, part) in own.into_iter().zip(parts) {
            if own.starts_with('{') {
                if part.is_empty() {
                    return None;
                }
                ids.push(*part);
            } else if own != *part {
                return None;
            }
        }
        Some(ids)
    }
}

/// Where a request leads.
pub enum Found {
    /// To a route, with the path parameters in their order, decoded.
    Route(&'static Route, Vec<String>),
    /// To a path that takes other methods: these.
    OtherMethod(Vec<Method>),
    /// Nowhere.
    Nothing,
}

/// The route of a request.
pub fn find(request: &Request) -> Found {
    let path = match request.raw_http_path() {
        "" => request.uri().path(),
        path => path,
    };
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let mut fitting: Vec<(&Route, Vec<&str>)> = ROUTES
        .iter()
        .filter_map(|route| Some((route, route.fits(&parts)?)))
        .collect();
    // The one that says more of the path: `…/calendly/test` before `…/calendly/{generation}`.
    let fewest = fitting.iter().map(|(_, ids)| ids.len()).min();
    fitting.retain(|(_, ids)| Some(ids.len()) == fewest);
    let found = fitting
        .iter()
        .find(|(route, _)| route.method == request.method());
    match found {
        Some((route, ids)) => Found::Route(route, ids.iter().map(|id| decoded(id)).collect()),
        None if fitting.is_empty() => Found::Nothing,
        None => Found::OtherMethod(
            fitting
                .iter()
                .map(|(route, _)| route.method.clone())
                .collect(),
        ),
    }
}

/// A part of the path. API Gateway has decoded it already; what isn't decoded shows by its lack of
/// the characters that were encoded.
fn decoded(part: &str) -> String {
    if part.contains('@') {
        return part.to_owned();
    }
    percent_decode_str(part).decode_utf8_lossy().into_owned()
}

/// The answer to a request that leads to no route.
pub fn not_found(tracking_id: &TrackingId) -> Response<Body> {
    Problem::not_found("no such route; GET /v1/openapi.json lists what there is")
        .answer(tracking_id)
}

/// The answer to a request for a route of another function. API Gateway sends it where it belongs if
/// its path is written as the route's; so it isn't.
pub fn written_otherwise(route: &Route, tracking_id: &TrackingId) -> Response<Body> {
    Problem::not_found(format!(
        "no such route; this one is written {}, without a slash at its end",
        route.path
    ))
    .answer(tracking_id)
}

/// The answer to a path that takes other methods.
pub fn other_method(methods: &[Method], tracking_id: &TrackingId) -> Response<Body> {
    let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let methods = methods.join(", ");
    let problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        format!("this path takes {methods}"),
    );
    let mut response = problem.answer(tracking_id);
    if let Ok(methods) = HeaderValue::from_str(&methods) {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn request(method: Method, path: &str) -> Request {
        let mut request = Request::default().with_raw_http_path(path);
        *request.method_mut() = method;
        request
    }

    #[test]
    fn a_request_finds_the_route_that_says_most_of_its_path() {
        let operation = |method, path: &str| match find(&request(method, path)) {
            Found::Route(route, ids) => (route.operation, ids),
            _ => panic!("{path}"),
        };
        let test = operation(Method::POST, "/v1/webhooks/calendly/test");
        assert_eq!(test, (Operation::TestWebhook, vec![]));
        let generation = operation(Method::POST, "/v1/webhooks/calendly/abc-2");
        assert_eq!(
            generation,
            (
                Operation::ReceiveWebhookGeneration,
                vec!["abc-2".to_owned()]
            )
        );
        let invitee = operation(Method::GET, "/v1/events/e/invitees/i");
        assert_eq!(
            invitee,
            (Operation::GetInvitee, vec!["e".to_owned(), "i".to_owned()])
        );
        for path in [
            "/v1/contacts/a+b@x.y/activity",
            "/v1/contacts/a+b%40x.y/activity",
        ] {
            assert_eq!(
                operation(Method::GET, path),
                (Operation::GetActivity, vec!["a+b@x.y".to_owned()])
            );
        }
    }

    #[test]
    fn other_methods_and_paths_lead_nowhere() {
        assert!(matches!(
            find(&request(Method::PUT, "/v1/events")),
            Found::OtherMethod(methods) if methods == [Method::GET]
        ));
        for path in [
            "/v1",
            "/v1/event",
            "/v1/events/",
            "/v1/events//invitees/i",
            "/",
        ] {
            let found = find(&request(Method::GET, path));
            assert!(
                matches!(found, Found::Nothing) || path == "/v1/events/",
                "{path}"
            );
        }
    }

    #[test]
    fn each_operation_and_each_path_has_one_route() {
        let operations: BTreeSet<_> = ROUTES.iter().map(|route| route.operation.id()).collect();
        assert_eq!(operations.len(), ROUTES.len());
        let paths: BTreeSet<_> = ROUTES
            .iter()
            .map(|route| (route.method.as_str(), route.path))
            .collect();
        assert_eq!(paths.len(), ROUTES.len());
        for route in ROUTES {
            let named: Vec<_> = route
                .path
                .split('/')
                .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
                .collect();
            let in_path: Vec<_> = route
                .parameters
                .iter()
                .filter(|parameter| parameter.place == crate::Place::Path)
                .map(|parameter| parameter.name)
                .collect();
            assert_eq!(named, in_path, "{}", route.path);
        }
    }
}
