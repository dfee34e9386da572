//! The client that terminals use: what it sends, and which answers it takes.

use core::time::Duration;

use punch_protocol::SerialNumber;
use punch_protocol::push::{Hostile, Mischief, Profile, Terminal};
use simulator::terminal::{Behaviour, Happening, Play, play};
use simulator::wire::Wire;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const REQUEST: &[u8] = b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

/// Answers connections in turn, each with its bytes and then the end; returns what each connection brought.
async fn answering(answers: Vec<&'static [u8]>) -> (Wire, tokio::task::JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let wire = Wire::to(&format!("http://{}/base/", listener.local_addr().unwrap()), None).unwrap();
    let server = tokio::spawn(async move {
        let mut brought = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 64 << 10];
            let got = stream.read(&mut bytes).await.unwrap();
            bytes.truncate(got);
            brought.push(bytes);
            stream.write_all(answer).await.unwrap();
        }
        brought
    });
    (wire, server)
}

#[tokio::test]
async fn answers_are_read_by_length_by_chunk_and_to_the_end() {
    let answers: Vec<&[u8]> = vec![
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\nDate: D\r\nConnection: close\r\n\r\nOKxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\nO\r\n1;x\r\nK\r\n0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nOK",
    ];
    let (mut wire, server) = answering(answers).await;
    assert_eq!(wire.prefix(), "/base");
    for _ in 0..3 {
        let reply = wire.exchange(REQUEST, false).await.unwrap();
        assert_eq!((reply.status, reply.body.as_slice()), (200, &b"OK"[..]));
    }
    assert_eq!(server.await.unwrap(), [REQUEST, REQUEST, REQUEST]);
}

/// A cut answer is none, and so is a status line of another protocol.
#[tokio::test]
async fn half_an_answer_is_none() {
    let answers: Vec<&[u8]> = vec![
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nOK",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"HTTP/2 200\r\n\r\nOK",
        b"",
    ];
    let count = answers.len();
    let (mut wire, server) = answering(answers).await;
    for _ in 0..count {
        assert!(wire.exchange(REQUEST, false).await.is_err());
    }
    server.await.unwrap();
}

/// Old firmware finds headers only in its own spelling.
#[tokio::test]
async fn classic_terminals_know_one_spelling() {
    let answer: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nOK and more";
    let (mut wire, server) = answering(vec![answer, answer]).await;
    let reply = wire.exchange(REQUEST, true).await.unwrap();
    assert_eq!((reply.content_type, reply.body.as_slice()), (None, &b"OK and more"[..]));
    let reply = wire.exchange(REQUEST, false).await.unwrap();
    assert_eq!((reply.content_type.as_deref(), reply.body.as_slice()), (Some("text/plain"), &b"OK"[..]));
    server.await.unwrap();
}

#[test]
fn an_address_is_plain_http() {
    assert!(Wire::to("https://gateway", None).unwrap_err().to_string().contains("believes"));
    assert!(Wire::to("http://", None).is_err() && Wire::to("gateway:8081", None).is_err());
}

/// The bytes on the wire are those of the firmware, blanks included, and every mischief of a server that says `OK` to
/// everything is noticed.
#[tokio::test]
async fn a_server_that_believes_everything_is_found_out() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    let believing = tokio::spawn(async move {
        let mut lines = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 64 << 10];
            let got = stream.read(&mut bytes).await.unwrap();
            let text = String::from_utf8_lossy(&bytes[..got]).into_owned();
            let line = text.lines().next().unwrap_or_default().to_owned();
            let last = line.contains("INFO=");
            let body = if line.contains("options=all") { "GET OPTION FROM: T1\nDelay=1\n" } else { "OK" };
            lines.push(line);
            let answer = format!("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            stream.write_all(answer.as_bytes()).await.unwrap();
            if last {
                return lines;
            }
        }
    });
    let terminal = Terminal::with_profile(SerialNumber::parse("T1").unwrap(), Profile::classic());
    let (sender, happenings) = mpsc::channel(1);
    sender.send(Happening::Row(b"1\t2026-03-28 08:00:00\t0\t1".to_vec())).await.unwrap();
    drop(sender);
    let hostile = Hostile::new([Mischief::TruncatedBody, Mischief::EvilSerial, Mischief::CrLf], 7);
    let script = Play { hostile: Some(hostile), stay: Duration::from_secs(1), once: false };
    let achieved = play(terminal, Behaviour::new(server), script, happenings).await.unwrap();
    let unfair: Vec<_> = achieved.unfair.keys().copied().collect();
    assert_eq!(unfair, [Mischief::TruncatedBody, Mischief::EvilSerial]);
    assert_eq!((achieved.sent, achieved.acknowledged, achieved.bent), (1, 1, 3));
    let lines = believing.await.unwrap();
    assert!(lines.last().unwrap().contains("INFO=Ver 6.60 Jul 12 2012,"), "{lines:?}");
}
