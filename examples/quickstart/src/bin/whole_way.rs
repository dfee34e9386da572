//! The whole way of a punch, without a socket, a file or a clock: an upload comes in, a signed webhook goes out.

use punch_normalize::{DeviceZone, Normalizer, Observation, Rules, TenantKey};
use punch_protocol::RawPunch;
use punch_protocol::push::{Limits, Parts, Request, Row, Session, Settings, Turn};
use punch_webhook::{DeviceInfo, EmployeeInfo, Event, PayloadFormat, Secret, Signer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now = "2026-03-28T14:47:13Z".parse()?; // whoever calls has the clock
    let body = b"1042\t2026-03-28 08:47:12\t0\t1\n1042\t2026-03-28 08:47:30\t0\t1\n";
    let parts = Parts::new("POST", "/iclock/cdata", "SN=CZKE2241600045&table=ATTLOG&Stamp=9999", body);
    let (serial, request) = Request::parse(parts, &Limits::default())?;
    let mut session = Session::approved(serial.clone(), Settings::default());
    let (Request::Upload(upload), Turn::Store(receipt)) = (&request, session.handle(&request, now)) else {
        return Err("not an upload".into());
    };

    let rules = Rules::new(DeviceZone::parse("America/Mexico_City")?);
    let mut normalizer = Normalizer::new(TenantKey::new([7; 32]));
    let signer = Signer::new(&Secret::from_random([7; 32]));
    for row in upload.rows() {
        let Ok(Row::Punch(row)) = row else { continue }; // a real program keeps the bytes of a row in error
        let mut raw = RawPunch::new(serial.clone(), row.pin().into_owned(), row.time()?);
        (raw.status, raw.verify) = (row.status(), row.verify());
        let verdict = normalizer.observe(&rules, Observation::new(raw, now));
        let Some(punch) = verdict.fresh() else { continue }; // the second row: the same finger, 18 s later
        let event = Event::punch(punch, &DeviceInfo::default(), &EmployeeInfo::new(punch.pin.to_text()))
            .body(PayloadFormat::Nested)
            .render(1);
        println!("{}\n{}", String::from_utf8_lossy(&event), signer.punchconnect(&event));
    }
    // Once the rows are on disk, and not before: nothing but the receipt can say OK to the terminal.
    println!("{}", String::from_utf8_lossy(receipt.stored().body()));
    Ok(())
}
