//! What both listeners have in common: connections, plain or over TLS, and whose they are.

mod expiry;
mod places;
mod reload;
mod tls;
mod wire;

use core::net::IpAddr;
use core::time::Duration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderMap, Request};
use bytes::BytesMut;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tower::ServiceExt as _;

use crate::core::{Networks, Preface};
use crate::metrics::{Metrics, VERSIONS};
use expiry::EXPIRES_SOON;
pub(crate) use places::Places;
pub(crate) use reload::{Certificates, is_soon};
pub(crate) use tls::Tls;
pub(crate) use wire::Wire;

/// How long a peer may take until its first byte of HTTP can be read: the PROXY header, the TLS handshake.
const OPENING_DEADLINE: Duration = Duration::from_secs(10);

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// The address: of whoever has connected, or of whom a proxy of ours has named.
    pub(crate) address: IpAddr,
    /// Whether it came to us over TLS.
    pub(crate) is_tls: bool,
}

/// A listener, and how its connections begin.
#[derive(Debug)]
pub(crate) struct Listener {
    /// What listens.
    pub(crate) tcp: TcpListener,
    /// Where.
    pub(crate) addr: SocketAddr,
    /// What speaks TLS, if it does.
    pub(crate) tls: Option<Arc<Tls>>,
    /// The proxies that are believed.
    pub(crate) proxies: Arc<Networks>,
    /// Where failed handshakes are counted.
    pub(crate) metrics: Metrics,
}

/// Why a connection ended before its end.
pub(crate) type Broken = Box<dyn core::error::Error + Send + Sync>;

impl Listener {
    /// Takes connections until `stop` says so, and has `serve` serve each.
    pub(crate) async fn serve<S>(
        self,
        places: &Places,
        mut stop: watch::Receiver<bool>,
        serve: impl Fn(Wire, Client, watch::Receiver<bool>) -> S + Clone + Send + 'static,
    ) where
        S: Future<Output = Result<(), Broken>> + Send + 'static,
    {
        let Self { tcp, tls, proxies, metrics, .. } = self;
        loop {
            let Some(place) = places.take().await else { return };
            let accepted = tokio::select! {
                accepted = tcp.accept() => accepted,
                _ = stop.wait_for(|&stop| stop) => return,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            // Behind a proxy of ours are many.
            let from = Some(peer.ip().to_canonical()).filter(|from| !proxies.contain(*from));
            let Some(place) = place.seat(from) else {
                tracing::warn!(%peer, "an address has all the connections it may have; a further one is closed");
                continue;
            };
            let (serve, mut stop, opener) = (serve.clone(), stop.clone(), (tls.clone(), Arc::clone(&proxies)));
            let metrics = metrics.clone();
            tokio::spawn(async move {
                let opened = tokio::select! {
                    opened = tokio::time::timeout(OPENING_DEADLINE, open(stream, peer, opener, &metrics)) => opened,
                    _ = stop.wait_for(|&stop| stop) => return,
                };
                let served = match opened {
                    Ok(Ok((wire, client))) => serve(wire, client, stop).await,
                    Ok(Err(error)) => Err(error.into()),
                    Err(late) => Err(late.into()),
                };
                if let Err(error) = served {
                    // Terminals and browsers come and go; a broken connection is theirs to repeat.
                    tracing::debug!(%error, "a connection broke off");
                }
                drop(place);
            });
        }
    }
}

type Opener = (Option<Arc<Tls>>, Arc<Networks>);

/// Brings a connection to where HTTP begins.
async fn open(stream: TcpStream, peer: SocketAddr, opener: Opener, metrics: &Metrics) -> io::Result<(Wire, Client)> {
    stream.set_nodelay(true)?;
    let (tls, proxies) = opener;
    let mut client = Client { address: peer.ip().to_canonical(), is_tls: tls.is_some() };
    let mut wire = Wire::plain(stream);
    if proxies.contain(client.address) {
        let named = read_preface(&mut wire).await.inspect_err(|error| {
            tracing::warn!(proxy = %client.address, %error, "a connection of a trusted proxy is refused");
        })?;
        client.address = named.unwrap_or(client.address);
    }
    let Some(tls) = tls else { return Ok((wire, client)) };
    let newest = newest_offered(&mut wire).await?;
    match tls.accept(wire).await {
        Ok(wire) => Ok((wire, client)),
        Err(error) => {
            metrics.handshake_failed(newest);
            // The terminal shows nothing, so it has to be seen here.
            tracing::warn!(client = %client.address, offers = newest, %error, "TLS handshake failed");
            Err(error)
        }
    }
}

/// Where a first message of TLS says which version its client speaks at least, and until TLS 1.2 at most.
const VERSION_AT: core::ops::Range<usize> = 9..11;

/// The newest version that a client speaks, of those before 1.2 exactly. Its message is left to be read.
async fn newest_offered(wire: &mut Wire) -> io::Result<&'static str> {
    let mut bytes = BytesMut::with_capacity(512);
    while bytes.len() < VERSION_AT.end && wire.read_buf(&mut bytes).await? > 0 {}
    let [nothing, known @ .., newest] = VERSIONS;
    let offered = match bytes.get(VERSION_AT) {
        Some([3, minor]) => known.get(usize::from(*minor)).copied().unwrap_or(newest),
        _ => nothing,
    };
    wire.put_back(bytes.freeze());
    Ok(offered)
}

/// Reads what a proxy says of the connection, if it says anything, and leaves what follows to be read.
async fn read_preface(wire: &mut Wire) -> io::Result<Option<IpAddr>> {
    let mut bytes = BytesMut::with_capacity(256);
    loop {
        match Preface::read(&bytes).map_err(io::Error::other)? {
            Preface::Partial if bytes.len() <= Preface::MAX => {}
            Preface::Partial | Preface::None => {
                wire.put_back(bytes.freeze());
                return Ok(None);
            }
            Preface::Proxied { client, used } => {
                wire.put_back(bytes.split_off(used).freeze());
                return Ok(client);
            }
        }
        if wire.read_buf(&mut bytes).await? == 0 {
            wire.put_back(bytes.freeze());
            return Ok(None);
        }
    }
}

/// Answers what is asked over a connection until it ends or, once what is under way is answered, `stop` says so.
///
/// # Errors
///
/// The connection broke, or what came is no HTTP.
pub(crate) async fn answer(
    http: &http1::Builder,
    wire: Wire,
    client: Client,
    proxies: Arc<Networks>,
    router: Router,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Broken> {
    let router = router.map_request(move |request: Request<_>| signed(request, client, &proxies));
    let connection = http.serve_connection(TokioIo::new(wire), TowerToHyperService::new(router));
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        _ = stop.wait_for(|&stop| stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    Ok(connection.await?)
}

/// Notes in a request whose it is. A proxy of ours may say so for each request of a connection.
fn signed<B>(mut request: Request<B>, from: Client, proxies: &Networks) -> Request<B> {
    let address = client_of(request.headers(), from.address, proxies);
    request.extensions_mut().insert(Client { address, ..from });
    request
}

fn client_of(headers: &HeaderMap, peer: IpAddr, proxies: &Networks) -> IpAddr {
    let lines = |name: &str| -> Vec<&str> {
        // A line that is no text is no list of addresses either.
        headers.get_all(name).iter().map(|value| value.to_str().unwrap_or("?")).collect()
    };
    proxies.client(peer, &lines("x-forwarded-for"), &lines("forwarded"))
}
