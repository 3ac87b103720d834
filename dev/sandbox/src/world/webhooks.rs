//! Webhooks for a program that brings them itself: when, in which order and how often it likes.

use super::World;
use crate::webhooks::{Request, record};
use jiff::Timestamp;
use std::time::Duration;

/// A webhook that waits to be brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its number, in the order in which they were made.
    pub number: usize,
    /// Id of the subscription.
    pub subscription: String,
    /// Where it goes.
    pub url: String,
    /// Its event, such as `invitee.created`.
    pub event: &'static str,
    /// The body, as it is signed.
    pub body: String,
    /// When it happened, by Calendly's clock.
    pub at: Timestamp,
    /// It repeats the one before it.
    pub is_repeat: bool,
}

/// One attempt to bring a webhook, signed at its own time.
#[derive(Debug)]
pub struct Attempt {
    number: usize,
    request: Request,
}

impl Attempt {
    /// Where it goes.
    pub fn url(&self) -> &str {
        &self.request.url
    }

    /// `Calendly-Webhook-Signature`, if the subscription has a key.
    pub fn signature(&self) -> Option<&str> {
        let signature = self.request.signature.as_ref();
        signature.map(|(_, header)| header.as_str())
    }

    /// What it carries.
    pub fn body(&self) -> &str {
        &self.request.body
    }
}

impl World {
    /// The webhooks that were made since this was last asked, in their order. Those of a sandbox that
    /// sends them itself are never among them.
    pub fn take_webhooks(&self) -> Vec<Webhook> {
        let mut state = self.app.state();
        let ready = std::mem::take(&mut state.deliveries.ready);
        let deliveries = &state.deliveries.all;
        let webhook = |number: usize| {
            let delivery = deliveries.get(number)?;
            Some(Webhook {
                number,
                subscription: delivery.subscription.clone(),
                url: delivery.url.clone(),
                event: delivery.event,
                body: delivery.body.clone(),
                at: delivery.at,
                is_repeat: delivery.is_repeat,
            })
        };
        ready.into_iter().filter_map(webhook).collect()
    }

    /// Begins an attempt to bring a webhook, by its number. `None` if its subscription is no longer
    /// there to be told.
    pub fn attempt(&self, number: usize) -> Option<Attempt> {
        let request = Request::prepare(&self.app, number)?;
        Some(Attempt { number, request })
    }

    /// Tells how an attempt was answered: with a status, or why not at all. Answers how long Calendly
    /// waits before the next one; `None` if there will be none.
    pub fn answered(&self, attempt: &Attempt, answer: Result<u16, String>) -> Option<Duration> {
        let attempted = attempt.request.answered(answer, String::new(), 0);
        record(&self.app, attempt.number, attempted)
    }
}
