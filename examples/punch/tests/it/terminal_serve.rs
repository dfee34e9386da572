//! `punch terminal serve`: a terminal that a program can connect to, as contracts and flags say.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};

use punch_protocol::tcp::{
    Carrier, CommKey, Command, Frame, Framed, FreeSizes, Limits, Packet, ReplyNumber, SessionField,
};

use crate::command::{PATIENCE, Running, punch, run};

pub(crate) fn serve(arguments: &[&str]) -> Running {
    Running::start(punch().args(["terminal", "serve", "--addr", "127.0.0.1:0"]).args(arguments))
}

/// The address behind a carrier's name in the next line.
pub(crate) fn address(running: &mut Running, serial: &str, carrier: &str) -> String {
    let line = running.line();
    let start = format!("terminal {serial} on {carrier} ");
    line.strip_prefix(&start).unwrap_or_else(|| panic!("{line}")).to_owned()
}

fn written(carrier: Carrier, command: Command, session: u16, reply: u16, data: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let packet = Packet::new(command, SessionField(session), ReplyNumber(reply), data);
    carrier.write(&packet, &mut wire, &Limits::default()).unwrap();
    wire
}

/// One request and one answer: command, session field, data.
fn ask(stream: &mut TcpStream, command: Command, session: u16, reply: u16, data: &[u8]) -> (Command, u16, Vec<u8>) {
    stream.write_all(&written(Carrier::Tcp, command, session, reply, data)).unwrap();
    let mut received = Vec::new();
    loop {
        if let Framed::Complete { frame, .. } = Frame::parse(&received, &Limits::default()).unwrap() {
            assert_eq!(frame.packet.reply.0, reply);
            return (frame.packet.command, frame.packet.session.0, frame.packet.data.to_vec());
        }
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        received.extend(byte);
    }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

#[test]
fn serves_tcp_and_udp_on_one_port_until_it_is_stopped() {
    let mut running = serve(&["--serial", "SIM7", "--records", "345", "--users", "12"]);
    let tcp = address(&mut running, "SIM7", "tcp");
    assert_eq!(address(&mut running, "SIM7", "udp"), tcp);

    let mut stream = connect(&tcp);
    let (command, session, _) = ask(&mut stream, Command::CONNECT, 0, 0, b"");
    assert_eq!(command, Command::ACK_OK);
    let (_, _, sizes) = ask(&mut stream, Command::FREE_SIZES, session, 1, b"");
    let sizes = FreeSizes::new(&sizes);
    assert_eq!((sizes.records(), sizes.users()), (Some(345), Some(12)));
    let (_, _, option) = ask(&mut stream, Command::OPTIONS_READ, session, 2, b"~SerialNumber\0");
    assert_eq!(option, b"~SerialNumber=SIM7\0");
    assert_eq!(ask(&mut stream, Command::EXIT, session, 3, b"").0, Command::ACK_OK);
    drop(stream);

    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(&written(Carrier::Udp, Command::CONNECT, 0, 1, b""), &tcp).unwrap();
    let mut datagram = [0; 2048];
    let len = socket.recv(&mut datagram).unwrap();
    let packet = Packet::parse(&datagram[..len], &Limits::default()).unwrap();
    assert_eq!((packet.command, packet.reply), (Command::ACK_OK, ReplyNumber(1)));

    let done = running.terminate();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stderr.contains("Left"), "{done:?}");
}

#[test]
fn with_udp_it_serves_nothing_else() {
    let mut running = serve(&["--udp"]);
    let udp = address(&mut running, "SIMULATED1", "udp");
    assert!(TcpStream::connect(udp).is_err());
    assert_eq!(running.terminate().stdout, "");
}

#[test]
fn wants_the_comm_key_and_tells_what_happened_as_json() {
    let mut running = serve(&["--comm-key", "45", "--json"]);
    let ready: serde_json::Value = serde_json::from_str(&running.line()).unwrap();
    assert_eq!((&ready["serial"], &ready["tcp"]), (&"SIMULATED1".into(), &ready["udp"]));
    let mut stream = connect(ready["tcp"].as_str().unwrap());
    let (command, session, _) = ask(&mut stream, Command::CONNECT, 0, 0, b"");
    assert_eq!(command, Command::ACK_UNAUTH);
    let proof = CommKey::new(45).unwrap().scramble(session, 50).to_bytes();
    assert_eq!(ask(&mut stream, Command::AUTH, session, 1, &proof).0, Command::ACK_OK);
    let events = [(); 2].map(|()| serde_json::from_str::<serde_json::Value>(&running.line()).unwrap());
    assert_eq!(events[0], serde_json::json!({ "event": "connected", "session": session }));
    assert_eq!(events[1], serde_json::json!({ "event": "proved" }));
}

#[test]
fn people_punch_while_it_is_served() {
    let mut running = serve(&["--records", "0", "--live-every", "0.01", "--layout", "16"]);
    let mut stream = connect(&address(&mut running, "SIMULATED1", "tcp"));
    let (_, session, _) = ask(&mut stream, Command::CONNECT, 0, 0, b"");
    let register = written(Carrier::Tcp, Command::EVENT, session, 1, &[1, 0, 0, 0]);
    stream.write_all(&register).unwrap();
    // The answer, then an event of 12 bytes.
    let mut answer = [0; 16 + 16 + 12];
    stream.read_exact(&mut answer).unwrap();
    let Framed::Complete { frame, .. } = Frame::parse(&answer[16..], &Limits::default()).unwrap() else { panic!() };
    assert_eq!((frame.packet.command, frame.packet.session.0), (Command::EVENT, 1));
}

#[test]
fn what_makes_no_terminal_is_a_usage_error() {
    for arguments in [
        &["--comm-key", "1000000"][..],
        &["--loss", "1.5"],
        &["--reorder", "nan"],
        &["--live-every", "0"],
        &["--live-every", "-1"],
        &["--packet-max", "0"],
        &["--layout", "41"],
        &["--serial", "../x"],
        &["--segment", "all"],
    ] {
        let done = run(&[&["terminal", "serve", "--addr", "127.0.0.1:0"], arguments].concat(), b"");
        assert_eq!((done.code, done.stdout.as_str()), (Some(2), ""), "{arguments:?} {done:?}");
    }
}
