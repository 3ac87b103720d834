//! A running sandbox.

use crate::app::{App, Sending};
use crate::{Options, World, doors, webhooks};
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
    world: World,
    server: JoinHandle<io::Result<()>>,
    deliveries: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Sandbox {
    /// One without a socket, a background task or a clock of its own: it does nothing but what it
    /// is asked to, and twice the same with the same surroundings. Its API is [`World::router`], and
    /// its webhooks are left to be fetched ([`World::take_webhooks`]).
    pub fn in_process(options: Options) -> World {
        World::of(Arc::new(App::new(options, Sending::Collected)))
    }

    /// Starts on 127.0.0.1. Fails if the port is taken.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let base_url = format!("http://{address}");
        let (due, numbers) = mpsc::unbounded_channel();
        let sending = Sending::http(&options, due).map_err(io::Error::other)?;
        let app = Arc::new(App::new(options, sending));
        let deliveries = tokio::spawn(webhooks::deliver(Arc::clone(&app), numbers));
        let (stop, stopped) = oneshot::channel();
        let world = World::of(app);
        let router = doors::shut(world.router(), address.port());
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
            world,
            server,
            deliveries,
            stop: Some(stop),
        })
    }

    /// Where it answers, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What it stands for, to be changed and looked at without HTTP.
    pub fn world(&self) -> &World {
        &self.world
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
