//! Routes.

use crate::handler::{Receiver, SigningKeys};
use crate::test_endpoint::Tester;
use contract::{Found, Operation};
use lambda_http::{Body, Request, Response};
use platform::apply::Apply;
use platform::http::TrackingId;
use platform::queue::Outbox;
use platform::secrets::Versions;

/// The function: answers one request at a time.
pub struct Webhooks<Q, K, A, V> {
    /// Takes Calendly's webhooks.
    pub receiver: Receiver<Q, K>,
    /// Takes tests, where the stage switches that on.
    pub tester: Option<Tester<A, V>>,
}

impl<Q: Outbox, K: SigningKeys, A: Apply, V: Versions> Webhooks<Q, K, A, V> {
    /// Answers one request.
    pub async fn handle(&self, request: &Request, tracking_id: &TrackingId) -> Response<Body> {
        match contract::find(request) {
            Found::Route(route, _) => match (route.operation, &self.tester) {
                (Operation::ReceiveWebhook | Operation::ReceiveWebhookGeneration, _) => {
                    self.receiver.handle(request, tracking_id).await
                }
                (Operation::TestWebhook, Some(tester)) => {
                    tester.handle(request, route, tracking_id).await
                }
                // Switched off, or a route of another function.
                _ => not_found(tracking_id),
            },
            Found::OtherMethod(methods) => contract::other_method(&methods, tracking_id),
            Found::Nothing => not_found(tracking_id),
        }
    }
}

fn not_found(tracking_id: &TrackingId) -> Response<Body> {
    tracing::info!(trackingId = %tracking_id, outcome = "not found", "request refused");
    contract::not_found(tracking_id)
}
