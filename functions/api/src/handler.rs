//! Routes.

use crate::{docs, openapi};
use contract::{Access, Found, Operation, Params, Route};
use jiff::SignedDuration;
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use platform::auth::{ApiKeys, Caller};
use platform::bookings::BookingStore;
use platform::connections::ConnectionStore;
use platform::cors::Cors;
use platform::deliveries::DeliveryStore;
use platform::health::Sources;
use platform::http::{self, Problem, TrackingId, answer};
use platform::queue::Queue;
use platform::syncs::SyncStore;
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

/// The function: answers one request at a time.
pub struct Api {
    /// Bookings.
    pub bookings: BookingStore,
    /// The delivery log.
    pub deliveries: DeliveryStore,
    /// Connections.
    pub connections: ConnectionStore,
    /// Queue of deliveries to be processed.
    pub queue: Queue,
    /// Syncs that were asked for.
    pub syncs: SyncStore,
    /// Queue of sync jobs.
    pub sync_jobs: Queue,
    /// Queue of what was given up.
    pub dead_letters: Queue,
    /// Where it is looked whether all is well.
    pub sources: Sources,
    /// API keys.
    pub keys: ApiKeys,
    /// How long deliveries are kept.
    pub retention: SignedDuration,
    /// Which web pages of others may call.
    pub cors: Cors,
}

/// An answer with its status.
pub type Answer = Result<(StatusCode, Value), Problem>;

/// A request, as far as it is understood.
pub(crate) struct Call<'a> {
    pub(crate) request: &'a Request,
    pub(crate) route: &'static Route,
    pub(crate) params: Params,
    pub(crate) tracking_id: &'a TrackingId,
    caller: Option<Caller>,
}

impl Call<'_> {
    /// The path parameter `name`; 404 where it can't name anything.
    pub(crate) fn id(&self, name: &str, unknown: fn() -> Problem) -> Result<&str, Problem> {
        self.params.id(self.route, name).ok_or_else(unknown)
    }

    /// Who called.
    pub(crate) fn caller(&self) -> Result<&Caller, Problem> {
        // Only a route that asks for a key asks for its holder.
        self.caller.as_ref().ok_or_else(Problem::unavailable)
    }
}

impl Api {
    /// Answers one request.
    pub async fn handle(&self, request: &Request, tracking_id: &TrackingId) -> Response<Body> {
        let mut response = self.find(request, tracking_id).await;
        self.cors.apply(request, &mut response);
        response
    }

    async fn find(&self, request: &Request, tracking_id: &TrackingId) -> Response<Body> {
        let began = Instant::now();
        let (operation, response) = match contract::find(request) {
            Found::Nothing => ("none", contract::not_found(tracking_id)),
            Found::OtherMethod(methods) if Cors::is_preflight(request) => {
                ("preflight", self.cors.preflight(&methods, tracking_id))
            }
            Found::OtherMethod(methods) => ("none", contract::other_method(&methods, tracking_id)),
            Found::Route(route, ids) => (
                route.operation.id(),
                self.route(request, route, ids, tracking_id).await,
            ),
        };
        tracing::info!(
            method = http::method(request.method()),
            operation,
            status = response.status().as_u16(),
            durationMs = platform::millis_since(began),
            "request answered"
        );
        response
    }

    async fn route(
        &self,
        request: &Request,
        route: &'static Route,
        ids: Vec<String>,
        tracking_id: &TrackingId,
    ) -> Response<Body> {
        match self.call(request, route, ids, tracking_id).await {
            Ok(response) => response,
            Err(problem) => {
                tracing::info!(code = problem.code, "request refused");
                problem.answer(tracking_id)
            }
        }
    }

    async fn call(
        &self,
        request: &Request,
        route: &'static Route,
        ids: Vec<String>,
        tracking_id: &TrackingId,
    ) -> Result<Response<Body>, Problem> {
        let caller = match route.access {
            Access::Key(scope) => Some(self.keys.caller(request, scope).await?),
            Access::Anyone | Access::KeyOrStartLink | Access::Signature => None,
        };
        let call = Call {
            request,
            route,
            params: Params::of(request, route, ids)?,
            tracking_id,
            caller,
        };
        if route.access.operates() {
            call.caller()?.operates(route.operation.id(), tracking_id);
        }
        self.operate(&call).await
    }

    /// Does what was asked for, by somebody who may.
    async fn operate(&self, call: &Call<'_>) -> Result<Response<Body>, Problem> {
        let Call {
            request,
            route,
            tracking_id,
            ..
        } = *call;
        let answered = match route.operation {
            Operation::GetHealth => health(),
            Operation::GetStatus => self.status(call).await,
            Operation::GetOpenapi => return openapi::answer(request, tracking_id),
            Operation::GetDocs => return docs::answer(None, request, tracking_id),
            Operation::GetDocsAsset => {
                let asset = call.params.id(route, "asset").unwrap_or_default();
                return docs::answer(Some(asset), request, tracking_id);
            }
            Operation::ListEvents => self.events(call).await,
            Operation::GetEvent => self.event(call).await,
            Operation::GetEventHistory => self.event_history(call).await,
            Operation::GetInvitee => self.invitee(call).await,
            Operation::GetInviteeHistory => self.invitee_history(call).await,
            Operation::GetActivity => self.activity(call).await,
            Operation::EraseContact => self.erase_contact(call).await,
            Operation::Erase => self.erase(call).await,
            Operation::ListDeliveries => self.list_deliveries(call).await,
            Operation::GetDelivery => self.delivery(call).await,
            Operation::ReplayDelivery => self.replay(call).await,
            Operation::ListDeadLetters => self.list_dead_letters(call).await,
            Operation::RedriveDeadLetters => self.redrive(call).await,
            Operation::DiscardDeadLetter => self.discard(call).await,
            Operation::ListConnections => self.list_connections(call).await,
            Operation::StartSync => self.start_sync(call).await,
            Operation::GetSync => self.sync(call).await,
            // Routes of other functions: API Gateway sends their requests there, unless there is a
            // slash at the end of their paths.
            Operation::ReceiveWebhook
            | Operation::ReceiveWebhookGeneration
            | Operation::TestWebhook
            | Operation::Authorize
            | Operation::AuthorizeCallback
            | Operation::Connect
            | Operation::Disconnect
            | Operation::ListSubscriptions
            | Operation::Subscribe
            | Operation::Unsubscribe => return Ok(contract::written_otherwise(route, tracking_id)),
        };
        let (status, body) = answered?;
        Ok(answer(status, tracking_id, &body))
    }
}

fn health() -> Answer {
    ok(contract::answers::Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        timestamp: ambient::now(),
    })
}

/// A 200.
pub(crate) fn ok(body: impl Serialize) -> Answer {
    with_status(StatusCode::OK, body)
}

pub(crate) fn with_status(status: StatusCode, body: impl Serialize) -> Answer {
    let body = serde_json::to_value(body).map_err(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        unreadable()
    })?;
    Ok((status, body))
}

/// What the store or a queue could not do, for the caller and for the log.
pub fn unavailable(error: platform::Error) -> Problem {
    tracing::error!(%error, "request not answered");
    if error.is_transient() {
        Problem::unavailable()
    } else {
        unreadable()
    }
}

fn unreadable() -> Problem {
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "STORED_RECORD_UNREADABLE",
        "a stored record can't be read; the log line with this tracking id says which",
    )
}

#[cfg(test)]
mod tests;
