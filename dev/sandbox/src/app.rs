//! What every request handler and every background task shares.

use crate::Options;
use crate::state::State;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::UnboundedSender;

/// How webhooks leave a sandbox.
#[derive(Debug)]
pub(crate) enum Sending {
    /// By HTTP, when they are due.
    Http {
        client: reqwest::Client,
        /// Numbers of deliveries whose next attempt is due.
        due: UnboundedSender<usize>,
    },
    /// They are left for the program around it to fetch.
    Collected,
}

impl Sending {
    /// Sends by HTTP: each number that goes to `due` is one attempt.
    pub(crate) fn http(options: &Options, due: UnboundedSender<usize>) -> reqwest::Result<Self> {
        let client = reqwest::Client::builder()
            .user_agent("Calendly")
            .connect_timeout(options.connect_timeout)
            .timeout(options.connect_timeout + options.read_timeout)
            .read_timeout(options.read_timeout)
            // A redirect is a failed delivery to Calendly.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self::Http { client, due })
    }
}

/// A sandbox at work.
#[derive(Debug)]
pub(crate) struct App {
    pub options: Options,
    pub sending: Sending,
    state: Mutex<State>,
}

/// The same, as handlers get it.
pub(crate) type Shared = Arc<App>;

impl App {
    pub(crate) fn new(options: Options, sending: Sending) -> Self {
        let state = Mutex::new(State::new(&options));
        Self {
            options,
            sending,
            state,
        }
    }

    /// The state as it is now, for as long as the guard lives; never held over an `await`.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = state.clock.now();
        state.bookings.let_links_come(now);
        state
    }
}
