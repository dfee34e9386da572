use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use axum::Router;
use bytes::{Buf as _, Bytes};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::handler::Devices;
use super::request_line;

/// How long a terminal may take for its headers, and again for a whole request.
const REQUEST_DEADLINE: Duration = Duration::from_secs(30);

/// Connections served at once; a further one waits to be accepted.
const CONNECTIONS_MAX: usize = 4096;

/// Serves terminals until `stop` says so.
pub(crate) async fn serve(listener: TcpListener, devices: Devices, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    // Made once: a terminal opens a connection for every request.
    let router = devices.router(REQUEST_DEADLINE);
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|&stop| stop) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, stop) = (router.clone(), stop.clone());
                tokio::spawn(async move {
                    if let Err(error) = serve_one(stream, router, stop).await {
                        // Terminals come and go; a broken connection is theirs to repeat.
                        tracing::debug!(%error, "device connection");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn serve_one(
    mut stream: TcpStream,
    router: Router,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    stream.set_nodelay(true)?;
    let opening = tokio::time::timeout(REQUEST_DEADLINE, request_line::read(&mut stream)).await??;
    let io = TokioIo::new(Reopened { opening: opening.bytes, stream });
    let connection = http1::Builder::new()
        // Firmware searches for `Content-Length:` and `Date:` in exactly this spelling.
        .title_case_headers(true)
        // A client that says it will send no more still waits for its answer.
        .half_close(true)
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_DEADLINE)
        .keep_alive(!opening.repaired)
        .serve_connection(io, TowerToHyperService::new(router));
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return Ok(ended?),
        _ = stop.wait_for(|&stop| stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    Ok(connection.await?)
}

/// A stream whose first bytes have been read already.
struct Reopened {
    opening: Bytes,
    stream: TcpStream,
}

impl AsyncRead for Reopened {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.opening.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let taken = self.opening.len().min(buffer.remaining());
        buffer.put_slice(self.opening.get(..taken).unwrap_or_default());
        self.opening.advance(taken);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Reopened {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
