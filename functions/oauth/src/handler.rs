//! Routes.

use crate::page;
use calendly::api::Endpoints;
use lambda_http::http::{HeaderValue, Method, Response, StatusCode, header};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt};
use platform::connections::{ConnectionStore, Vault};
use platform::http::{Problem, TrackingId, answer};
use platform::queue::Jobs;
use platform::secrets::{ApiKeySecret, CalendlySecret, RotatingSecret, Scope, Versions};
use platform::syncs::SyncJob;
use serde_json::Value;
use tracing::Instrument;

/// The function: answers one request at a time.
pub struct Connector<V, S, J> {
    /// Connections.
    pub connections: ConnectionStore,
    /// Where tokens lie.
    pub vault: V,
    /// The OAuth app.
    pub app: RotatingSecret<CalendlySecret, S>,
    /// API keys.
    pub keys: RotatingSecret<ApiKeySecret, S>,
    /// Queue of sync jobs.
    pub jobs: J,
    /// For calls to Calendly.
    pub http: reqwest::Client,
    /// Where Calendly is.
    pub endpoints: Endpoints,
    /// Where this service is reached, if not at the API's own address.
    pub public_url: Option<String>,
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
    /// Answers one request.
    pub async fn handle(&self, request: &Request) -> Response<Body> {
        let tracking_id = TrackingId::random();
        // Every line that is written on the way carries the id.
        let span = tracing::info_span!("request", trackingId = %tracking_id);
        let result = self.route(request, &tracking_id).instrument(span).await;
        let (status, code) = match &result {
            Ok(Reply::Done(status, ..) | Reply::Data(status, _)) => (*status, None),
            Ok(Reply::Redirect(_)) => (StatusCode::FOUND, None),
            Err(problem) => (problem.status, Some(problem.code)),
        };
        tracing::info!(
            trackingId = %tracking_id,
            method = %request.method(),
            status = status.as_u16(),
            code,
            "request answered"
        );
        let browser = wants_html(request);
        match result {
            Ok(Reply::Redirect(to)) => redirect(&tracking_id, &to),
            Ok(Reply::Done(status, _, sentence)) if browser => {
                page::answer(status, &tracking_id, "Connected", &sentence, None)
            }
            Ok(Reply::Done(status, data, _) | Reply::Data(status, data)) => {
                answer(status, &tracking_id, &data)
            }
            Err(problem) if browser => page::answer(
                problem.status,
                &tracking_id,
                "Not connected",
                &problem.message,
                Some(problem.code),
            ),
            Err(problem) => problem.answer(&tracking_id),
        }
    }

    async fn route(&self, request: &Request, tracking_id: &TrackingId) -> Result<Reply, Problem> {
        let path = request.uri().path().trim_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        let method = request.method();
        match (method, &parts[..]) {
            (&Method::GET, ["v1", "auth", "authorize"]) => self.authorize(request).await,
            (&Method::GET, ["v1", "auth", "callback"]) => self.callback(request, tracking_id).await,
            (&Method::POST, ["v1", "connections"]) => {
                let caller = self.keys.caller(request, Scope::Operate).await?;
                caller.operates("connect", tracking_id);
                self.connect_own(request, tracking_id).await
            }
            (&Method::DELETE, ["v1", "connections", id]) => {
                let caller = self.keys.caller(request, Scope::Operate).await?;
                caller.operates("disconnect", tracking_id);
                self.disconnect(id, tracking_id).await
            }
            (&Method::GET, ["v1", "webhook-subscriptions"]) => {
                self.keys.caller(request, Scope::Read).await?;
                self.list_subscriptions(request).await
            }
            (&Method::POST, ["v1", "webhook-subscriptions"]) => {
                let caller = self.keys.caller(request, Scope::Operate).await?;
                caller.operates("subscribe", tracking_id);
                self.subscribe(request).await
            }
            (&Method::DELETE, ["v1", "webhook-subscriptions", id]) => {
                let caller = self.keys.caller(request, Scope::Operate).await?;
                caller.operates("unsubscribe", tracking_id);
                self.unsubscribe(request, id).await
            }
            _ => Err(Problem::not_found(
                "no such route; the README lists what there is",
            )),
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
