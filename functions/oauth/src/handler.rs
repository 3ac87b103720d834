//! Routes.

use crate::config::AskFor;
use crate::page;
use calendly::api::Endpoints;
use contract::{Access, Found, Operation, Params, Route};
use lambda_http::http::{HeaderValue, Response, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};
use platform::auth::ApiKeys;
use platform::connections::{ConnectionStore, Vault};
use platform::cors::Cors;
use platform::http::{self, Problem, TrackingId, answer};
use platform::queue::Jobs;
use platform::secrets::{CalendlySecret, RotatingSecret, Versions};
use platform::syncs::SyncJob;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

/// The function: answers one request at a time.
pub struct Connector<V, S, J> {
    /// Connections.
    pub connections: ConnectionStore,
    /// Where tokens lie.
    pub vault: V,
    /// The OAuth app.
    pub app: RotatingSecret<CalendlySecret, S>,
    /// API keys.
    pub keys: ApiKeys<S>,
    /// Queue of sync jobs.
    pub jobs: J,
    /// For calls to Calendly.
    pub http: calendly::Http,
    /// Where Calendly is.
    pub endpoints: Endpoints,
    /// Which scopes are asked for.
    pub scopes: AskFor,
    /// Where this service is reached, if not at the API's own address.
    pub public_url: Option<String>,
    /// Which web pages of others may call.
    pub cors: Cors,
}

/// What a request is answered with: a browser gets a page of it.
pub enum Reply {
    /// Data, and the sentence for people.
    Done(StatusCode, Value, String),
    /// To Calendly's page.
    Redirect(String),
    /// Data for programs alone.
    Data(StatusCode, Value),
}

impl<V: Vault + Clone + Send + Sync, S: Versions, J: Jobs<SyncJob>> Connector<V, S, J> {
    /// Answers one request, which has to be answered before `until`.
    pub async fn handle(
        &self,
        request: &Request,
        tracking_id: &TrackingId,
        until: Instant,
    ) -> Response<Body> {
        let mut response = self.find(request, tracking_id, until).await;
        self.cors.apply(request, &mut response);
        response
    }

    async fn find(
        &self,
        request: &Request,
        tracking_id: &TrackingId,
        until: Instant,
    ) -> Response<Body> {
        let began = Instant::now();
        let (route, ids) = match contract::find(request) {
            Found::Route(route, ids) => (route, ids),
            Found::OtherMethod(methods) => return contract::other_method(&methods, tracking_id),
            Found::Nothing => return contract::not_found(tracking_id),
        };
        let result = self.route(request, (route, ids), tracking_id, until).await;
        let code = result.as_ref().err().map(|problem| problem.code);
        let response = shown(request, result, tracking_id);
        tracing::info!(
            method = http::method(request.method()),
            operation = route.operation.id(),
            status = response.status().as_u16(),
            code,
            durationMs = platform::millis_since(began),
            "request answered"
        );
        response
    }

    async fn route(
        &self,
        request: &Request,
        (route, ids): (&'static Route, Vec<String>),
        tracking_id: &TrackingId,
        until: Instant,
    ) -> Result<Reply, Problem> {
        let operation = route.operation;
        if let Access::Key(scope) = route.access {
            let caller = self.keys.caller(request, scope).await?;
            if route.access.operates() {
                caller.operates(operation.id(), tracking_id);
            }
        }
        let params = Params::of(request, route, ids)?;
        let id = params.id(route, "id");
        match operation {
            Operation::Authorize => self.authorize(request, &params).await,
            Operation::AuthorizeCallback => {
                self.callback(request, &params, tracking_id, until).await
            }
            Operation::Connect => self.connect_own(request, tracking_id, until).await,
            Operation::Disconnect => {
                let id = id.ok_or_else(unknown_connection)?;
                self.disconnect(id, tracking_id, until).await
            }
            Operation::ListSubscriptions => self.list_subscriptions(&params, until).await,
            Operation::Subscribe => self.subscribe(request, until).await,
            Operation::Unsubscribe => {
                let id = id.ok_or_else(unknown_subscription)?;
                self.unsubscribe(&params, id, until).await
            }
            // Routes of other functions: API Gateway sends their requests there.
            _ => Err(Problem::not_found("no such route here")),
        }
    }

    /// Where this service is reached from outside, without a slash at the end.
    pub fn base_url(&self, request: &Request) -> String {
        if let Some(url) = &self.public_url {
            return url.trim_end_matches('/').to_owned();
        }
        // API Gateway's own word for the host: a caller can't choose it, as it could a header.
        match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                format!(
                    "https://{}",
                    context.domain_name.as_deref().unwrap_or_default()
                )
            }
            _ => "https://localhost".to_owned(),
        }
    }
}

fn shown(
    request: &Request,
    result: Result<Reply, Problem>,
    tracking_id: &TrackingId,
) -> Response<Body> {
    let browser = wants_html(request);
    match result {
        Ok(Reply::Redirect(to)) => redirect(tracking_id, &to),
        Ok(Reply::Done(status, _, sentence)) if browser => {
            page::answer(status, tracking_id, "Connected", &sentence, None)
        }
        Ok(Reply::Done(status, data, _) | Reply::Data(status, data)) => {
            answer(status, tracking_id, &data)
        }
        Err(problem) if browser => page::answer(
            problem.status,
            tracking_id,
            "Not connected",
            &problem.message,
            Some(problem.code),
        ),
        Err(problem) => problem.answer(tracking_id),
    }
}

/// 404 for a connection that isn't there.
pub fn unknown_connection() -> Problem {
    Problem::not_found("no such connection; GET /v1/connections lists them")
}

/// 404 for a subscription that isn't there.
pub fn unknown_subscription() -> Problem {
    Problem::not_found("this connection has no such webhook subscription")
}

/// A 200 for programs.
pub fn data(body: impl Serialize) -> Result<Reply, Problem> {
    let body = serde_json::to_value(body).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        Problem::unavailable()
    })?;
    Ok(Reply::Data(StatusCode::OK, body))
}

/// A browser names HTML; programs name JSON, or anything.
pub fn wants_html(request: &Request) -> bool {
    let accept = request.headers().get(header::ACCEPT);
    accept
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"))
}

fn redirect(tracking_id: &TrackingId, to: &str) -> Response<Body> {
    let mut response = answer(StatusCode::FOUND, tracking_id, &serde_json::json!({}));
    *response.body_mut() = Body::Empty;
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(header::LOCATION, to);
    }
    response
}

/// What the store could not do.
pub fn unavailable(error: platform::Error) -> Problem {
    tracing::error!(%error, "request not answered");
    Problem::unavailable()
}

#[cfg(test)]
mod tests;
