//! What every request handler and every background task shares.

use crate::Options;
use crate::state::State;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc::UnboundedSender;

/// A sandbox at work.
#[derive(Debug)]
pub(crate) struct App {
    pub options: Options,
    state: Mutex<State>,
    /// Sends webhooks.
    pub http: reqwest::Client,
    /// Numbers of deliveries whose next attempt is due.
    pub due: UnboundedSender<usize>,
}

/// The same, as handlers get it.
pub(crate) type Shared = Arc<App>;

impl App {
    pub(crate) fn new(options: Options, due: UnboundedSender<usize>) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .user_agent("Calendly")
            .connect_timeout(options.connect_timeout)
            .timeout(options.connect_timeout + options.read_timeout)
            .read_timeout(options.read_timeout)
            // A redirect is a failed delivery to Calendly.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        let state = Mutex::new(State::new(&options));
        Ok(Self {
            options,
            state,
            http,
            due,
        })
    }

    /// The state, for as long as the guard lives; never held over an `await`.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
