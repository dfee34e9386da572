//! A terminal on real sockets, asked by a client that only counts bytes.

use std::net::SocketAddr;
use std::time::Duration;

use punch_protocol::SerialNumber;
use punch_protocol::tcp::{
    Carrier, Command, Frame, Framed, Limits, Packet, ReplyNumber, SessionField, Terminal, TerminalProfile,
};
use simulator::backlog::Backlog;
use simulator::binary_terminal::{BinaryTerminal, Mishaps, Segments, Sockets};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;

/// What has not happened after this long will not happen.
const PATIENCE: Duration = Duration::from_secs(60);

fn terminal(packet_max: u32) -> (Terminal, Vec<u8>) {
    let profile = TerminalProfile { packet_max, ..TerminalProfile::default() };
    let mut terminal = Terminal::new(&SerialNumber::parse("SIM1").unwrap(), profile);
    Backlog { users: 10, records: 2000, seed: 5 }.fill(&mut terminal).unwrap();
    let records = terminal.memory().records().to_vec();
    (terminal, records)
}

async fn served(terminal: BinaryTerminal) -> SocketAddr {
    let sockets = Sockets::bind("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
    let addr = sockets.udp_addr().unwrap();
    assert_eq!(sockets.tcp_addr(), Some(addr));
    let (_, passers) = mpsc::channel(1);
    tokio::spawn(terminal.serve(sockets, passers));
    addr
}

fn written(carrier: Carrier, command: Command, session: u16, reply: u16) -> Vec<u8> {
    let mut wire = Vec::new();
    let packet = Packet::new(command, SessionField(session), ReplyNumber(reply), b"");
    carrier.write(&packet, &mut wire, &Limits::default()).unwrap();
    wire
}

/// Reads frames until one is an `ACK_OK`, and counts the reads it took.
async fn until_ok(stream: &mut TcpStream) -> (Vec<u8>, u16, usize) {
    let (mut received, mut data, mut reads) = (Vec::new(), Vec::new(), 0);
    loop {
        while let Framed::Complete { frame, used } = Frame::parse(&received, &Limits::default()).unwrap() {
            if frame.packet.command == Command::ACK_OK {
                return (data, frame.packet.session.0, reads);
            }
            if frame.packet.command == Command::DATA {
                data.extend_from_slice(frame.packet.data);
            }
            received.drain(..used);
        }
        let read = tokio::time::timeout(PATIENCE, stream.read_buf(&mut received)).await.unwrap().unwrap();
        assert_ne!(read, 0, "closed");
        reads += 1;
    }
}

#[tokio::test]
async fn the_same_records_come_however_the_stream_is_cut() {
    let mut reads = Vec::new();
    for segments in [Segments::Coalesce, Segments::Frame, Segments::Mss, Segments::Drip] {
        let (terminal, records) = terminal(1008);
        let addr = served(BinaryTerminal::new(terminal, 1).with_segments(segments)).await;
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(&written(Carrier::Tcp, Command::CONNECT, 0, 0)).await.unwrap();
        let (_, session, _) = until_ok(&mut stream).await;
        stream.write_all(&written(Carrier::Tcp, Command::ATTENDANCE_READ, session, 1)).await.unwrap();
        let (dataset, _, count) = until_ok(&mut stream).await;
        assert_eq!(dataset[4..], records, "{segments:?}");
        reads.push(count);
    }
    // 80 frames one by one are more reads than all at once.
    assert!(reads[1] > reads[0], "{reads:?}");
}

/// The second client is served when the first has gone.
#[tokio::test]
async fn one_client_at_a_time() {
    let addr = served(BinaryTerminal::new(terminal(65_536).0, 1)).await;
    let mut first = TcpStream::connect(addr).await.unwrap();
    first.write_all(&written(Carrier::Tcp, Command::CONNECT, 0, 0)).await.unwrap();
    until_ok(&mut first).await;
    let mut second = TcpStream::connect(addr).await.unwrap();
    second.write_all(&written(Carrier::Tcp, Command::CONNECT, 0, 0)).await.unwrap();
    let waits = tokio::time::timeout(Duration::from_millis(100), second.read_u8()).await;
    assert!(waits.is_err(), "{waits:?}");
    drop(first);
    until_ok(&mut second).await;
}

/// A client that restarts the terminal sees the connection closed, and can come back.
#[tokio::test]
async fn a_restart_closes_the_connection() {
    let addr = served(BinaryTerminal::new(terminal(65_536).0, 1)).await;
    for _ in 0..2 {
        let mut stream = TcpStream::connect(addr).await.unwrap();
        stream.write_all(&written(Carrier::Tcp, Command::CONNECT, 0, 0)).await.unwrap();
        let (_, session, _) = until_ok(&mut stream).await;
        stream.write_all(&written(Carrier::Tcp, Command::RESTART, session, 1)).await.unwrap();
        let end = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 16])).await.unwrap();
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    }
}

/// How many datagrams come in answer to 200 that are sent.
async fn answered(mishaps: Mishaps) -> (usize, bool) {
    let addr = served(BinaryTerminal::new(terminal(1024).0, 9).with_mishaps(mishaps)).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(addr).await.unwrap();
    for number in 0..200 {
        socket.send(&written(Carrier::Udp, Command::GET_TIME, 0, number)).await.unwrap();
    }
    let (mut replies, mut datagram) = (Vec::new(), [0; 2048]);
    // Nothing comes any more when nothing came for a while: the count is compared with wide margins.
    while let Ok(len) = tokio::time::timeout(Duration::from_millis(500), socket.recv(&mut datagram)).await {
        let packet = Packet::parse(&datagram[..len.unwrap()], &Limits::default()).unwrap();
        assert_eq!(packet.command, Command::ACK_ERROR_INIT);
        replies.push(packet.reply.0);
    }
    (replies.len(), replies.is_sorted())
}

#[tokio::test]
async fn datagrams_are_lost_doubled_and_overtaken_as_told() {
    assert_eq!(answered(Mishaps::default()).await, (200, true));
    // Lost on the way there or on the way back.
    let (count, in_order) = answered(Mishaps { loss: 0.5, ..Mishaps::default() }).await;
    assert!((20..90).contains(&count) && in_order, "{count}");
    let (count, _) = answered(Mishaps { duplicate: 1.0, ..Mishaps::default() }).await;
    assert_eq!(count, 800);
    let (count, in_order) = answered(Mishaps { reorder: 0.5, ..Mishaps::default() }).await;
    assert!(count == 200 && !in_order);
    assert_eq!(answered(Mishaps { loss: 1.0, ..Mishaps::default() }).await.0, 0);
}
