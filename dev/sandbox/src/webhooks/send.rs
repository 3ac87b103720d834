//! Attempts: each signed anew, each answer recorded, failures tried again after a wait.

use super::delivery::{Attempt, Stage};
use crate::app::{App, Sending, Shared};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

/// How old a stale signature is, in seconds.
const STALE: i64 = 3600;
/// How much of an answer is kept, in characters.
const KEPT: usize = 2000;

/// Sends what is due, in its order, until the sandbox stops.
pub(crate) async fn deliver(app: Shared, mut due: UnboundedReceiver<usize>) {
    let permits = Arc::new(Semaphore::new(app.options.parallel_deliveries.max(1)));
    while let Some(number) = due.recv().await {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
            return;
        };
        let app = Shared::clone(&app);
        tokio::spawn(async move {
            if let Sending::Http { client, .. } = &app.sending
                && let Some(request) = Request::prepare(&app, number)
            {
                let attempt = request.send(client).await;
                if let Some(wait) = record(&app, number, attempt) {
                    app.due_after(wait, number);
                }
            }
            drop(permit);
        });
    }
}

/// What an attempt sends.
#[derive(Debug)]
pub(crate) struct Request {
    pub url: String,
    pub body: String,
    /// The signed time and the header.
    pub signature: Option<(i64, String)>,
    pub at: Timestamp,
}

impl Request {
    /// `None` if the subscription is no longer there to be told.
    pub(crate) fn prepare(app: &App, number: usize) -> Option<Self> {
        let mut state = app.state();
        let state = &mut *state;
        let delivery = state.deliveries.all.get_mut(number)?;
        let subscription = state
            .subscriptions
            .iter()
            .find(|known| known.id == delivery.subscription && !known.disabled);
        let Some(subscription) = subscription else {
            delivery.stage = Stage::Abandoned;
            return None;
        };
        let at = state.clock.next();
        let stale = state.faults.is_stale(number, delivery.attempts.len());
        let time = at.as_second() - if stale { STALE } else { 0 };
        let signature = subscription
            .key
            .as_ref()
            .and_then(|key| Some((time, sign(key, time, &delivery.body)?)));
        Some(Self {
            url: delivery.url.clone(),
            body: delivery.body.clone(),
            signature,
            at,
        })
    }

    /// The attempt, with its answer.
    pub(crate) fn answered(
        &self,
        result: Result<u16, String>,
        answer: String,
        millis: u128,
    ) -> Attempt {
        Attempt {
            at: self.at,
            signed_at: self.signature.as_ref().map(|(time, _)| *time),
            result,
            answer,
            millis,
        }
    }

    async fn send(self, http: &reqwest::Client) -> Attempt {
        let start = Instant::now();
        let mut request = http
            .post(&self.url)
            .header("content-type", "application/json")
            .header("accept", "*/*")
            .body(self.body.clone());
        if let Some((_, header)) = &self.signature {
            request = request.header("Calendly-Webhook-Signature", header);
        }
        let (result, answer) = match request.send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                let text = response.text().await.unwrap_or_default();
                (Ok(status), text.chars().take(KEPT).collect())
            }
            Err(error) => (Err(reason(&error)), String::new()),
        };
        self.answered(result, answer, start.elapsed().as_millis())
    }
}

fn reason(error: &reqwest::Error) -> String {
    let what = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "could not connect"
    } else {
        "failed"
    };
    format!("{what}: {error}")
}

fn sign(key: &str, time: i64, body: &str) -> Option<String> {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).ok()?;
    let mac = mac.chain_update(format!("{time}.")).chain_update(body);
    let signature = hex::encode(mac.finalize().into_bytes());
    Some(format!("t={time},v1={signature}"))
}

/// Keeps an attempt, and decides what follows from it: answers the wait before the next one.
pub(crate) fn record(app: &App, number: usize, attempt: Attempt) -> Option<Duration> {
    let mut state = app.state();
    let state = &mut *state;
    let now = state.clock.next();
    let delivery = state.deliveries.all.get_mut(number)?;
    let delivered = matches!(attempt.result, Ok(200..=299));
    // "Gone": the receiver wants no more of it, ever.
    let gone = attempt.result == Ok(410);
    delivery.attempts.push(attempt);
    let wait = app.options.retry_delays.get(delivery.attempts.len() - 1);
    let retry = wait.copied().filter(|_| !delivered && !gone);
    delivery.stage = match retry {
        _ if delivered => Stage::Delivered,
        Some(_) => Stage::Retrying,
        None => Stage::Failed,
    };
    let is_first = delivery.attempts.len() == 1;
    let subscription = delivery.subscription.clone();
    if gone {
        state.subscriptions.retain(|known| known.id != subscription);
    }
    let subscription = state.subscription(&subscription)?;
    if delivered {
        subscription.given_up = 0;
    } else if retry.is_some() && is_first {
        subscription.retry_started_at = Some(now);
        subscription.updated_at = now;
    } else if retry.is_none() {
        subscription.given_up += 1;
        let limit = app.options.disable_after;
        if limit > 0 && subscription.given_up >= limit {
            subscription.disabled = true;
            subscription.updated_at = now;
        }
    }
    retry
}
