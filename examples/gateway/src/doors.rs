//! The listeners of a gateway, opened before anybody is served.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::StartError;
use crate::config::{Config, TlsConfig};
use crate::device::Devices;
use crate::listen::{Listener, Places, Tls};
use crate::metrics::Metrics;
use crate::{api, device};

/// Where terminals and clients of the API come in.
#[derive(Debug)]
pub(crate) struct Doors {
    /// Terminals, in plain HTTP.
    plain: Option<Listener>,
    /// Terminals, over TLS.
    secure: Option<Listener>,
    /// The API and the dashboard.
    api: Listener,
}

/// Connections that may wait to be accepted: all of a fleet that comes back at once, as far as the system allows it.
const ACCEPTED_LATER: u32 = 4096;

impl Doors {
    /// Opens them all.
    ///
    /// # Errors
    ///
    /// An address is taken, or a certificate cannot be used.
    pub(crate) async fn open(config: &Config, metrics: &Metrics) -> Result<Self, StartError> {
        let proxies = Arc::new(config.trusted_proxies.clone());
        let open = async |addr, flag, tls: Option<&TlsConfig>| -> Result<Listener, StartError> {
            let refused = |source| StartError::Listen { addr, flag, source };
            let tls = tls.map(Tls::load).transpose().map_err(|error| StartError::Tls(error.to_string()))?;
            let tcp = wait_on(addr).map_err(refused)?;
            let addr = tcp.local_addr().map_err(refused)?;
            Ok(Listener { tcp, addr, tls: tls.map(Arc::new), proxies: Arc::clone(&proxies), metrics: metrics.clone() })
        };
        let plain = match config.device_plain {
            true => Some(open(config.device_addr, "--device-addr", None).await?),
            false => None,
        };
        let secure = match &config.device_tls {
            Some((addr, tls)) => Some(open(*addr, "listen.device_tls", Some(tls)).await?),
            None => None,
        };
        let api = open(config.api_addr, "--api-addr", config.api_tls.as_ref()).await?;
        Ok(Self { plain, secure, api })
    }

    /// Where terminals come in, in plain HTTP unless that is off; where they come in over TLS; and where the API is.
    pub(crate) fn addresses(&self) -> (SocketAddr, Option<SocketAddr>, SocketAddr) {
        let (plain, secure) = (self.plain.as_ref().map(|door| door.addr), self.secure.as_ref().map(|door| door.addr));
        (plain.or(secure).unwrap_or(self.api.addr), secure, self.api.addr)
    }

    /// What speaks TLS, by the name of its listener.
    pub(crate) fn certificates(&self) -> Certificates {
        let named = [("device", self.secure.as_ref()), ("api", Some(&self.api))];
        named.into_iter().filter_map(|(name, door)| Some((name, door?.tls.clone()?))).collect()
    }

    /// Serves whoever comes in, until `stop` says so.
    pub(crate) fn serve(
        self,
        devices: &Devices,
        pushed: &Router,
        router: Router,
        stop: &watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let certificates = self.certificates();
        let places = Places::new(device::CONNECTIONS_MAX);
        let Self { plain, secure, api } = self;
        let of_devices = plain.into_iter().chain(secure).map(|door| {
            tokio::spawn(device::serve(door, places.clone(), devices.clone(), pushed.clone(), stop.clone()))
        });
        let followed = certificates.into_iter().map(|(_, tls)| tokio::spawn(tls.follow_files(stop.clone())));
        let mut tasks: Vec<_> = of_devices.chain(followed).collect();
        tasks.push(tokio::spawn(api::serve(api, router, stop.clone())));
        tasks
    }
}

fn wait_on(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A port is free again as soon as its last owner has ended.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(ACCEPTED_LATER)
}

/// What speaks TLS, by the name of its listener.
pub(crate) type Certificates = Vec<(&'static str, Arc<Tls>)>;
