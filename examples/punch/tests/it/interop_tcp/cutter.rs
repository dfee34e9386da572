//! A line that delivers the first ten bytes of whatever the terminal says, and the others later.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Within the 16 bytes in front of an answer's data.
const FIRST: usize = 10;
/// Long enough for whoever waits to have read them.
const LATER: Duration = Duration::from_millis(50);

/// Leads to a port; returns the one to connect to. It is there until the test is over.
pub(super) fn to(port: u16) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let from = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for client in listener.incoming() {
            let server = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).unwrap();
            lead(client.unwrap(), server);
        }
    });
    from
}

/// Either end may break off, which ends both ways.
fn lead(mut client: TcpStream, mut server: TcpStream) {
    client.set_nodelay(true).unwrap();
    let (mut asking, mut asked) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        drop(std::io::copy(&mut asking, &mut asked));
        drop(asked.shutdown(Shutdown::Both));
    });
    thread::spawn(move || {
        let mut said = vec![0; 64 << 10];
        while let Ok(count @ 1..) = server.read(&mut said) {
            let (first, others) = said[..count].split_at(FIRST.min(count));
            if client.write_all(first).is_err() {
                break;
            }
            thread::sleep(LATER);
            if client.write_all(others).is_err() {
                break;
            }
        }
        drop(client.shutdown(Shutdown::Both));
    });
}
