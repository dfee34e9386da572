//! `punch-protocol`: what a terminal posts, and what it is answered.

use punch_protocol::push::{Limits, Parts, Request, Row, Session, Settings, Turn};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Three rows; the second one cannot be read and costs its neighbours nothing.
    let body = b"1042\t2026-03-28 08:47:12\t0\t1\nnonsense\n007\t2026-03-28 08:47:15\t255\t15\n";
    let parts = Parts::new("POST", "/iclock/cdata", "SN=CZKE2241600045&table=ATTLOG&Stamp=9999", body);
    let (serial, request) = Request::parse(parts, &Limits::default())?;

    let mut session = Session::approved(serial, Settings::default());
    let Turn::Store(receipt) = session.handle(&request, "2026-03-28T14:47:13Z".parse()?) else {
        return Err("an approved terminal's upload is to be stored".into());
    };
    let Request::Upload(upload) = &request else { return Err("not an upload".into()) };
    for row in upload.rows() {
        match row {
            Ok(Row::Punch(row)) => println!("{} {} {:?}", row.pin().to_text(), row.time()?, row.status()),
            Ok(other) => println!("{other:?}"),
            Err(error) => println!("{error}"), // `error.raw` has the bytes; keep them
        }
    }
    // Here the rows go to disk. Then:
    let answer = receipt.stored();
    println!("{} {}", answer.status(), String::from_utf8_lossy(answer.body()));
    Ok(())
}
