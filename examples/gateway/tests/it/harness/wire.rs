use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::PATIENCE;

/// An answer, as bytes and as its parts.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Status line and headers, as they stood on the wire.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Writes `request` as it stands, says that nothing more will come, and reads to the end.
pub(crate) async fn exchange(addr: SocketAddr, request: &[u8]) -> Vec<u8> {
    talk(addr, request, true).await
}

async fn talk(addr: SocketAddr, request: &[u8], ends: bool) -> Vec<u8> {
    let talk = async {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        // The gateway may refuse before it has read everything; what it says is what counts.
        let written = stream.write_all(request).await;
        if ends {
            drop(written.and(stream.shutdown().await));
        }
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer).await);
        answer
    };
    tokio::time::timeout(PATIENCE, talk).await.expect("the gateway neither answered nor closed")
}

/// A `GET` as old firmware writes it.
pub(crate) async fn get(addr: SocketAddr, target: &str) -> Answer {
    let request =
        format!("GET {target} HTTP/1.0\r\nHost: x\r\nUser-Agent: iClock Proxy/1.09\r\nConnection: close\r\n\r\n");
    parse(&talk(addr, request.as_bytes(), false).await)
}

/// A `POST` as old firmware writes it: no content type, one request per connection.
pub(crate) async fn post(addr: SocketAddr, target: &str, body: &[u8]) -> Answer {
    let head = format!(
        "POST {target} HTTP/1.0\r\nHost: x\r\nUser-Agent: iClock Proxy/1.09\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    parse(&talk(addr, &[head.as_bytes(), body].concat(), false).await)
}

pub(crate) fn parse(answer: &[u8]) -> Answer {
    let text = String::from_utf8(answer.to_vec()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no HTTP answer: {text:?}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

impl Answer {
    pub(crate) fn of(answer: &[u8]) -> Self {
        parse(answer)
    }

    /// The value of a header in exactly this spelling.
    pub(crate) fn header(&self, spelled: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(spelled)?.strip_prefix(": "))
    }
}
