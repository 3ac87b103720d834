//! The X-Ray daemon that Lambda runs beside a function.

use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// What the daemon wants before each document.
const HEADER: &str = "{\"format\":\"json\",\"version\":1}\n";

/// The way to the daemon: datagrams, which wait for nobody.
#[derive(Debug)]
pub struct Daemon {
    socket: UdpSocket,
}

impl Daemon {
    /// The one that `AWS_XRAY_DAEMON_ADDRESS` names; nothing where there is none.
    pub fn from_env() -> Option<Self> {
        let address = std::env::var("AWS_XRAY_DAEMON_ADDRESS").ok()?;
        Self::at(address.parse().ok()?)
    }

    /// The one at `address`.
    pub fn at(address: SocketAddr) -> Option<Self> {
        let any = match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.set_nonblocking(true).ok()?;
        socket.connect(address).ok()?;
        Some(Self { socket })
    }

    /// Sends a document. One that can't be sent is given up: the work itself must not suffer.
    pub(super) fn send(&self, document: &Value) {
        let _ = self.socket.send(format!("{HEADER}{document}").as_bytes());
    }
}
