//! Who gets a message, and what goes wrong with it: decided when it is made, in its order, so
//! that a seed gives the same faults however quick the sending is.

use super::delivery::{Delivery, Stage};
use crate::app::{App, Sending, Shared};
use crate::bookings::Message;
use crate::state::State;
use std::sync::Arc;
use std::time::Duration;

/// Held webhooks are let go when nothing was added for this long.
const IDLE: Duration = Duration::from_millis(300);

impl App {
    /// Addresses messages to every subscription that wants them.
    pub(crate) fn announce(self: &Arc<Self>, state: &mut State, messages: Vec<Message>) {
        for message in messages {
            let planned: Vec<_> = state
                .subscriptions
                .iter()
                .filter(|subscription| subscription.wants(&message, &state.accounts))
                .map(|subscription| Delivery {
                    subscription: subscription.id.clone(),
                    url: subscription.url.clone(),
                    event: message.event,
                    event_uri: message.event_uri.clone(),
                    invitee_uri: message.invitee_uri.clone(),
                    body: subscription.body(&message, state.faults.webhook_form),
                    at: message.at,
                    is_repeat: false,
                    stage: Stage::Waiting,
                    attempts: Vec::new(),
                })
                .collect();
            for delivery in planned {
                self.plan(state, delivery);
            }
        }
    }

    fn plan(self: &Arc<Self>, state: &mut State, mut delivery: Delivery) {
        let (drop, repeat) = (state.faults.drop, state.faults.repeat);
        let dropped = state.faults.happens("drop", drop);
        let repeated = state.faults.happens("repeat", repeat);
        if dropped {
            delivery.stage = Stage::Dropped;
            state.deliveries.all.push(delivery);
            return;
        }
        let again = repeated.then(|| Delivery {
            is_repeat: true,
            ..delivery.clone()
        });
        for delivery in std::iter::once(delivery).chain(again) {
            let number = state.deliveries.all.len();
            state.deliveries.all.push(delivery);
            match &self.sending {
                // Whoever fetches them decides when and in which order they arrive.
                Sending::Collected => state.deliveries.ready.push(number),
                Sending::Http { .. } if state.faults.reorder => self.hold(state, number),
                Sending::Http { .. } => self.release(state, number),
            }
        }
    }

    fn hold(self: &Arc<Self>, state: &mut State, number: usize) {
        state.deliveries.held.push(number);
        state.deliveries.holds += 1;
        if state.deliveries.held.len() >= state.faults.window() {
            self.release_held(state);
            return;
        }
        let app = Shared::clone(self);
        let holds = state.deliveries.holds;
        tokio::spawn(async move {
            tokio::time::sleep(IDLE).await;
            let mut state = app.state();
            if state.deliveries.holds == holds {
                app.release_held(&mut state);
            }
        });
    }

    /// Lets the held webhooks go, in another order.
    pub(crate) fn release_held(self: &Arc<Self>, state: &mut State) {
        let mut held = std::mem::take(&mut state.deliveries.held);
        let first = held.first().copied();
        held.sort_by_key(|number| state.faults.place(*number as u64));
        // An order that the seed left as it was would be no fault.
        if held.len() > 1 && held.first().copied() == first {
            held.rotate_left(1);
        }
        for number in held {
            self.release(state, number);
        }
    }

    fn release(&self, state: &State, number: usize) {
        self.due_after(Duration::from_millis(state.faults.delay_ms), number);
    }

    /// Makes a delivery's next attempt due, now or later. With no one left to send it, nothing
    /// happens: the sandbox is stopping.
    pub(crate) fn due_after(&self, delay: Duration, number: usize) {
        let Sending::Http { due, .. } = &self.sending else {
            return;
        };
        if delay.is_zero() {
            let _ = due.send(number);
            return;
        }
        let due = due.clone();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let _ = due.send(number);
        });
    }
}
