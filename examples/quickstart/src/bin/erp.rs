//! `punch-erp`: one punch becomes one ERPNext record. A closure stands for the HTTP client and for the server.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use punch_erp::erpnext::{ErpNext, ErpNextSettings, WriteCheckin};
use punch_erp::{HttpRequest, HttpResponse, drive, render_masked};
use punch_normalize::EventId;
use punch_webhook::{ReceivedEvent, Secret, Signer, Verifier};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now: DateTime<Utc> = "2026-03-28T08:47:15Z".parse()?;
    // A punch to write can only come out of a verified body.
    let (secret, id) = (Secret::from_random([7; 32]), EventId::parse("evt_1")?);
    let body = br#"{"event_id":"evt_1","employee_id":"0042","timestamp":"2026-03-28T08:47:12Z","punch_type":"in"}"#;
    let headers = Signer::new(&secret).headers(&id, body, now);
    let verified = Verifier::new(&secret).verify(headers.iter(), body, now)?;
    let ReceivedEvent::Punch(punch) = verified.event()? else { return Err("not a punch".into()) };

    let site = ErpNext::new(ErpNextSettings::new("https://erp.example.com", "key", "s3cret", "Asia/Dhaka"))?;
    let outcome = drive(&mut WriteCheckin::new(&site, &punch, now), |request: HttpRequest| {
        println!("{}\n", render_masked(&request));
        Ok(HttpResponse::new(Bytes::from_static(if request.method() == "GET" {
            br#"{"data":[{"name":"HR-EMP-00001","attendance_device_id":"0042","status":"Active"}]}"#
        } else {
            br#"{"data":{"name":"evt_1","employee":"HR-EMP-00001","employee_name":"Alice","time":"2026-03-28 14:47:12","log_type":"IN"}}"#
        })))
    });
    println!("{}: {}", outcome.word(), outcome.remote_id().unwrap_or("no record"));
    Ok(())
}
