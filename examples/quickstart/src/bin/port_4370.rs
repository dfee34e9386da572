//! `punch-protocol`, feature `tcp`: the log of a terminal is read over port 4370, without a socket and without a clock.

use punch_protocol::tcp::{Answer, AttendanceRecord, Carrier, Client, ClientConfig, ClientEvent, EncodedTime, Person};
use punch_protocol::tcp::{Request, Terminal, TerminalProfile, User, Wanted};
use punch_protocol::{Pin, SerialNumber, Status, Verify, civil};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (clock, now) = (civil::parse(b"2026-11-22 12:00:00")?, core::time::Duration::ZERO);
    let mut terminal = Terminal::new(&SerialNumber::parse("SIM1")?, TerminalProfile::default());
    terminal.memory_mut().write_user(&User::new(1, Person::Pin(Pin::new(b"1042"))))?;
    let time = EncodedTime::of(civil::parse(b"2026-11-22 08:47:12")?).ok_or("not in this century")?;
    terminal.memory_mut().keep(&AttendanceRecord::new(Person::Slot(1), time, Status(0), Verify::FINGERPRINT))?;
    terminal.handle_connected(Carrier::Tcp, now);

    let config = ClientConfig::new(Carrier::Tcp);
    let (mut client, mut bytes) = (Client::new(config, now), Vec::new());
    let log = client.submit(Request::Read(Wanted::Attendance), now)?;
    loop {
        // A program writes these bytes to a socket, reads what comes, and calls `handle_timeout` at `poll_timeout`.
        while client.poll_transmit(&mut bytes) {
            terminal.handle_input(&core::mem::take(&mut bytes), now);
        }
        while terminal.poll_transmit(&mut bytes) {
            client.handle_input(&core::mem::take(&mut bytes), now);
        }
        match client.poll_event() {
            Some(ClientEvent::Done { ticket, result }) if ticket == log => {
                let Answer::Dataset(download) = result? else { return Err("no dataset".into()) };
                let log = download.attendance(&config.limits, clock)?;
                for row in log.rows() {
                    let (Some(pin), Some(time)) = (row.person.pin(), row.time.civil()) else { continue };
                    println!("{} {time} {:?}", pin.to_text(), row.state);
                }
                return Ok(log.reconcile(true)?); // fewer rows than the terminal counts are no success
            }
            Some(ClientEvent::Ended(ending)) => return Err(ending.to_string().into()),
            _ => {}
        }
    }
}
