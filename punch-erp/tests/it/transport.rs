//! The client over real sockets.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use punch_erp::erpnext::{ErpNext, ErpNextSettings, LoggedUser};
use punch_erp::{Endpoint as _, Failure, HttpResponse, Reached, ReqwestTransport};

/// A server on this machine that answers one connection with `answer`, then keeps it open for `linger`.
/// Its address, and what it read.
fn serve(answer: Vec<u8>, linger: Duration) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            read.extend_from_slice(&byte);
        }
        stream.write_all(&answer).unwrap();
        std::thread::sleep(linger);
        String::from_utf8(read).unwrap()
    });
    (base, thread)
}

fn send(base: &str, transport: &ReqwestTransport) -> Result<HttpResponse, Failure> {
    let site = ErpNext::new(ErpNextSettings::new(base, "k", "s", "UTC")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(transport.send(LoggedUser::new(&site).request()))
}

fn answer(head: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()).into_bytes()
}

fn small() -> ReqwestTransport {
    ReqwestTransport::with_limits(Duration::from_millis(500), 100).unwrap()
}

/// The asynchronous driver over this client can be spawned.
#[test]
fn a_driven_flow_is_send() {
    fn check<F: Future + Send + 'static>(_: F) {}
    let (world, transport) = (crate::world::World::new(), small());
    let mut flow = punch_erp::erpnext::WriteCheckin::new(&world.site, &crate::world::alice(), crate::world::now());
    check(async move { punch_erp::drive_async(&mut flow, |request| transport.send(request)).await });
}

#[test]
fn an_answer() {
    let (base, server) = serve(answer("200 OK\r\nRetry-After: 7", "{\"message\":\"a@b\"}"), Duration::ZERO);
    let response = send(&base, &ReqwestTransport::new().unwrap()).unwrap();
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].as_bytes()), (200, b"7".as_slice()));
    assert_eq!(response.body(), "{\"message\":\"a@b\"}");
    let request = server.join().unwrap();
    assert!(request.starts_with("GET /api/method/frappe.auth.get_logged_user HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: token k:s\r\n") && !request.contains("cookie"), "{request}");
}

/// Section 0 fact 9: a redirect is an answer, not an instruction.
#[test]
fn a_redirect_is_not_followed() {
    let (base, _server) = serve(answer("301 Moved\r\nLocation: http://127.0.0.1:9/", ""), Duration::ZERO);
    assert_eq!(send(&base, &small()).unwrap().status().as_u16(), 301);
}

#[test]
fn failures() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    assert_eq!(send(&base, &small()).unwrap_err().reached(), Reached::No);

    for (answer, linger, what) in [
        (Vec::new(), Duration::from_secs(1), "no answer in time"),
        (Vec::new(), Duration::ZERO, "closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf".to_vec(), Duration::ZERO, "half an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf".to_vec(), Duration::from_secs(1), "slow body"),
        (answer("200 OK", &"x".repeat(101)), Duration::ZERO, "too long"),
        (b"SSH-2.0-OpenSSH\r\n\r\n".to_vec(), Duration::ZERO, "another protocol"),
    ] {
        let (base, _server) = serve(answer, linger);
        let failure = send(&base, &small()).unwrap_err();
        assert_eq!(failure.reached(), Reached::Unknown, "{what}");
        assert!(!failure.to_string().contains("127.0.0.1"));
    }
}
