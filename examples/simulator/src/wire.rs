//! HTTP/1 as terminals speak it: exact bytes out, and of the answer what firmware reads.
//!
//! An ordinary client corrects what a terminal gets wrong. This one corrects nothing.

use core::fmt;
use core::time::Duration;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use punch_protocol::push::{HttpAnswer, Pace};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long an answer may take, as terminals wait by default.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longest head of an answer, in bytes.
const HEAD_MAX: usize = 64 << 10;
/// Longest body of an answer, in bytes.
const BODY_MAX: u64 = 16 << 20;

/// The way to a server: where it is, and a connection if one is open.
#[derive(Debug)]
pub struct Wire {
    host: String,
    prefix: String,
    /// Where the host was found, and where from it is called, if that was asked for.
    at: Option<SocketAddr>,
    from: Option<Ipv4Addr>,
    tls: Option<Trust>,
    open: Option<Connection>,
}

/// Whom a terminal believes over TLS.
#[derive(Clone)]
struct Trust(TlsConnector);

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust(..)")
    }
}

type Connection = BufReader<Box<dyn Stream>>;

/// What a request goes over: TCP, or TLS over it.
trait Stream: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + fmt::Debug + Send + Sync + Unpin> Stream for S {}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Date` header.
    pub date: Option<String>,
    /// The body.
    pub body: Vec<u8>,
    keeps_open: bool,
}

impl Reply {
    /// The answer as a terminal looks at it.
    pub fn as_answer(&self) -> HttpAnswer<'_> {
        let mut answer = HttpAnswer::new(self.status, &self.body);
        (answer.content_type, answer.date) = (self.content_type.as_deref(), self.date.as_deref());
        answer
    }
}

impl Wire {
    /// Reads an address such as `http://127.0.0.1:8081` or `http://gateway/secret`. Nothing is opened yet. For `https://` a
    /// terminal has to be told whom it believes: the file has, in PEM, the root, or the certificate of the server itself.
    ///
    /// # Errors
    ///
    /// It is no such address, or the file cannot be read.
    pub fn to(server: &str, ca_file: Option<&Path>) -> anyhow::Result<Self> {
        let (rest, tls) = match (server.trim().split_once("://"), ca_file) {
            (Some(("http", rest)), _) => (rest, None),
            (Some(("https", rest)), Some(file)) => (rest, Some(trust(file)?)),
            (Some(("https", _)), None) => {
                bail!("server {server:?}: https needs a file with the certificate that the terminal believes")
            }
            _ => bail!(
                "server {server:?}: expected http://HOST:PORT, or https://HOST:PORT with a certificate to believe"
            ),
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() || host.contains(char::is_whitespace) {
            bail!("server {server:?}: expected a host behind `://`");
        }
        let path = path.trim_end_matches('/');
        let prefix = if path.is_empty() { String::new() } else { format!("/{path}") };
        Ok(Self { host: host.to_owned(), prefix, at: None, from: None, tls, open: None })
    }

    /// The host is at this address: nobody is asked for it again.
    #[must_use]
    pub fn found_at(self, at: SocketAddr) -> Self {
        Self { at: Some(at), ..self }
    }

    /// A way of its own to the same server, for the terminal of this number.
    ///
    /// On a machine that talks to itself each terminal has an address, as terminals have: all of them together would
    /// otherwise run out of ports.
    pub(crate) fn anew(&self, number: usize) -> Self {
        let is_own = cfg!(target_os = "linux") && self.at.is_some_and(|at| at.ip() == Ipv4Addr::LOCALHOST);
        let number = u32::try_from(number).unwrap_or(0) % 0x00fe_0000;
        let from = is_own.then(|| Ipv4Addr::from(0x7f01_0000 + number));
        Self {
            host: self.host.clone(),
            prefix: self.prefix.clone(),
            at: self.at,
            from,
            tls: self.tls.clone(),
            open: None,
        }
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> String {
        let usual = if self.tls.is_some() { 443 } else { 80 };
        if has_port(&self.host) { self.host.clone() } else { format!("{}:{usual}", self.host) }
    }

    /// The value of the `Host` header.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What stands in front of every path.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Sends a request and reads the answer, over the open connection if there is one. `classic` closes after the
    /// answer and knows headers only in the spelling of its firmware.
    ///
    /// # Errors
    ///
    /// There is no connection, or no whole answer within 10 s.
    pub async fn exchange(&mut self, bytes: &[u8], classic: bool) -> io::Result<Reply> {
        // A connection that was open may have been closed meanwhile. Then the request goes out once more.
        if let Some(mut stream) = self.open.take()
            && let Ok(reply) = within(send(&mut stream, bytes, None, false, classic)).await
        {
            self.keep(stream, &reply, classic);
            return Ok(reply);
        }
        let mut stream = self.connect().await?;
        let reply = within(send(&mut stream, bytes, None, false, classic)).await?;
        self.keep(stream, &reply, classic);
        Ok(reply)
    }

    /// Sends bytes over a connection of their own, at a pace, and reads the answer.
    ///
    /// # Errors
    ///
    /// There is no connection, or no whole answer within 10 s of the last byte.
    pub async fn exchange_apart(&self, bytes: &[u8], pace: Option<Pace>, hangs_up: bool) -> io::Result<Reply> {
        let mut stream = self.connect().await?;
        match pace {
            Some(_) => send(&mut stream, bytes, pace, hangs_up, false).await,
            None => within(send(&mut stream, bytes, None, hangs_up, false)).await,
        }
    }

    async fn connect(&self) -> io::Result<Connection> {
        let address = self.authority();
        let stream = match (self.at, self.from) {
            (Some(at), Some(from)) => {
                let socket = TcpSocket::new_v4()?;
                socket.bind((from, 0).into())?;
                within(socket.connect(at)).await?
            }
            (Some(at), None) => within(TcpStream::connect(at)).await?,
            (None, _) => within(TcpStream::connect(&address)).await?,
        };
        stream.set_nodelay(true)?;
        let Some(Trust(connector)) = &self.tls else {
            let plain: Box<dyn Stream> = Box::new(stream);
            return Ok(BufReader::new(plain));
        };
        let name = address.rsplit_once(':').map_or(address.as_str(), |(name, _)| name);
        let name = ServerName::try_from(name.trim_matches(['[', ']']).to_owned()).map_err(io::Error::other)?;
        let secure: Box<dyn Stream> = Box::new(within(connector.connect(name, stream)).await?);
        Ok(BufReader::new(secure))
    }

    fn keep(&mut self, stream: Connection, reply: &Reply, classic: bool) {
        self.open = (reply.keeps_open && !classic).then_some(stream);
    }
}

/// Believes the certificates of a file, and nobody else.
fn trust(file: &Path) -> anyhow::Result<Trust> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).with_context(|| file.display().to_string())? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Trust(Arc::new(versions.with_root_certificates(roots).with_no_client_auth()).into()))
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

async fn within<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(TIMEOUT, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn send(
    stream: &mut Connection,
    bytes: &[u8],
    pace: Option<Pace>,
    hangs_up: bool,
    classic: bool,
) -> io::Result<Reply> {
    // A server may refuse before it has read everything; what it says is what counts.
    let mut written = Ok(());
    let every = pace.and_then(|pace| pace.every.to_std().ok()).unwrap_or_default();
    for piece in bytes.chunks(pace.map_or(bytes.len(), |pace| pace.bytes).max(1)) {
        written = stream.write_all(piece).await;
        if written.is_err() {
            break;
        }
        if pace.is_some() {
            tokio::time::sleep(every).await;
        }
    }
    if hangs_up {
        written = written.and(stream.shutdown().await);
    }
    match within(receive(stream, classic)).await {
        Ok(reply) => Ok(reply),
        Err(error) => Err(written.err().unwrap_or(error)),
    }
}

async fn receive(stream: &mut Connection, classic: bool) -> io::Result<Reply> {
    let mut line = line(stream).await?;
    let status = status_of(&line).ok_or(io::ErrorKind::InvalidData)?;
    let mut headers = Vec::new();
    let mut len = line.len();
    let keeps_open = line.starts_with("HTTP/1.1");
    loop {
        line = self::line(stream).await?;
        len += line.len();
        if len > HEAD_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let header = |wanted: &str| {
        let is = |name: &str| if classic { name == wanted } else { name.eq_ignore_ascii_case(wanted) };
        headers.iter().find(|(name, _)| is(name)).map(|(_, value)| value.clone())
    };
    let length = header("Content-Length").and_then(|value| value.parse::<u64>().ok());
    let chunked = header("Transfer-Encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    let closes = header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let body = if chunked { chunks(stream).await? } else { body(stream, length).await? };
    let keeps_open = keeps_open && !closes && (chunked || length.is_some());
    Ok(Reply { status, content_type: header("Content-Type"), date: header("Date"), body, keeps_open })
}

/// The status line must begin with exactly one of the two versions.
fn status_of(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    rest.get(..3)?.parse().ok()
}

/// A line without its end; the empty one ends a head.
async fn line(stream: &mut Connection) -> io::Result<String> {
    let mut line = Vec::new();
    let limit = u64::try_from(HEAD_MAX).unwrap_or(u64::MAX);
    if stream.take(limit).read_until(b'\n', &mut line).await? == 0 || line.last() != Some(&b'\n') {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// As many bytes as announced, or until the server closes.
async fn body(stream: &mut Connection, length: Option<u64>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let limit = length.unwrap_or(BODY_MAX);
    if limit > BODY_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let got = stream.take(limit).read_to_end(&mut body).await?;
    match length {
        Some(length) if u64::try_from(got).is_ok_and(|got| got < length) => Err(io::ErrorKind::UnexpectedEof.into()),
        Some(_) | None => Ok(body),
    }
}

async fn chunks(stream: &mut Connection) -> io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let head = line(stream).await?;
        let size = head.split(';').next().and_then(|size| u64::from_str_radix(size.trim(), 16).ok());
        let size = size.ok_or(io::ErrorKind::InvalidData)?;
        if u64::try_from(whole.len()).unwrap_or(u64::MAX).saturating_add(size) > BODY_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        whole.extend(body(stream, Some(size)).await?);
        if size == 0 {
            while !line(stream).await?.is_empty() {}
            return Ok(whole);
        }
        line(stream).await?;
    }
}
