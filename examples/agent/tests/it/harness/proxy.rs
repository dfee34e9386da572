use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a request on its way.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It arrives, and its answer is lost.
    LoseAnswer,
    /// It arrives, and its answer is cut in the middle.
    CutAnswer,
    /// It is lost.
    LoseRequest,
    /// Somebody else answers with this text.
    Answer(String),
}

/// A line to a gateway that breaks by plan: one fault a request, and then none.
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    upstream: Arc<Mutex<SocketAddr>>,
    plan: Arc<Mutex<VecDeque<Fault>>>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub(crate) async fn start(upstream: SocketAddr, plan: impl IntoIterator<Item = Fault>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let plan = Arc::new(Mutex::new(plan.into_iter().collect::<VecDeque<Fault>>()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let upstream = Arc::new(Mutex::new(upstream));
        let (led_to, faults, requests) = (Arc::clone(&upstream), Arc::clone(&plan), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let upstream = *led_to.lock().unwrap();
                let (faults, requests) = (Arc::clone(&faults), Arc::clone(&requests));
                tokio::spawn(async move { serve(client, upstream, &faults, &requests).await });
            }
        });
        Self { addr, upstream, plan, seen }
    }

    /// Leads to another place from now on.
    pub(crate) fn lead_to(&self, upstream: SocketAddr) {
        *self.upstream.lock().unwrap() = upstream;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Faults that have not happened.
    pub(crate) fn faults_left(&self) -> usize {
        self.plan.lock().unwrap().len()
    }

    /// The requests that came, as they stood on the wire.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// An answer with this status, these further headers and this body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Fault {
    Fault::Answer(format!(
        "HTTP/1.1 {status}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

async fn serve(
    mut client: TcpStream,
    upstream: SocketAddr,
    plan: &Mutex<VecDeque<Fault>>,
    seen: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let request = read_request(&mut client).await?;
    seen.lock().unwrap().push(request.clone());
    let fault = plan.lock().unwrap().pop_front();
    let answer = match &fault {
        Some(Fault::LoseRequest) => Vec::new(),
        Some(Fault::Answer(text)) => text.clone().into_bytes(),
        Some(Fault::LoseAnswer | Fault::CutAnswer) | None => pass(upstream, &request).await?,
    };
    let kept = match fault {
        Some(Fault::LoseAnswer) => 0,
        Some(Fault::CutAnswer) => answer.len() - 5,
        _ => answer.len(),
    };
    client.write_all(&answer[..kept]).await?;
    client.shutdown().await
}

async fn pass(upstream: SocketAddr, request: &str) -> io::Result<Vec<u8>> {
    let mut gateway = TcpStream::connect(upstream).await?;
    // One request a connection, so that one fault meets one request.
    gateway.write_all(request.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes()).await?;
    let mut answer = Vec::new();
    gateway.read_to_end(&mut answer).await?;
    assert!(answer.starts_with(b"HTTP/1.1 "), "the gateway has answered, so what it took is on disk");
    Ok(answer)
}

async fn read_request(client: &mut TcpStream) -> io::Result<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Ok(text);
            }
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
