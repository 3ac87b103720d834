//! A running sandbox.

use crate::app::{App, Shared};
use crate::{Options, api, controls, oauth, page, webhooks};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// A running sandbox; it stops when it is dropped.
#[derive(Debug)]
pub struct Sandbox {
    base_url: String,
    server: JoinHandle<io::Result<()>>,
    deliveries: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

fn router(app: &Shared) -> Router {
    Router::new()
        .merge(api::router(app))
        .merge(oauth::router())
        .merge(controls::router())
        .merge(page::router())
        .layer(DefaultBodyLimit::max(4 << 20))
        .with_state(Arc::clone(app))
}

impl Sandbox {
    /// Starts on 127.0.0.1. Fails if the port is taken.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let (due, numbers) = mpsc::unbounded_channel();
        let app = Arc::new(App::new(options, due).map_err(io::Error::other)?);
        let deliveries = tokio::spawn(webhooks::deliver(Arc::clone(&app), numbers));
        let (stop, stopped) = oneshot::channel();
        let router = router(&app);
        let server = tokio::spawn(async move {
            axum::serve(listener, router)
                .with_graceful_shutdown(async {
                    // A dropped sender is a stop too.
                    let _ = stopped.await;
                })
                .await
        });
        Ok(Self {
            base_url,
            server,
            deliveries,
            stop: Some(stop),
        })
    }

    /// Where it answers, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Stops: no webhook is sent from now on, and open requests have a second to end.
    pub async fn shutdown(mut self) {
        self.deliveries.abort();
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), &mut self.server).await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.deliveries.abort();
        self.server.abort();
    }
}
