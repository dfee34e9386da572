//! A terminal of the old kind: it goes by the resume mark that the server gives back, and after a power cut it
//! knows no other. A mark that moves before the rows are stored would lose them here.

use alloc::collections::BTreeSet;

use punch_protocol::SerialNumber;
use punch_protocol::push::{Limits, Parts, Request, Response, Row, ServerAnswer, Session, Settings, Turn};

use crate::random::{Random, at};

const ROWS: usize = 40;

struct Old {
    rows: Vec<String>,
    /// Rows up to here are done, as far as the terminal knows.
    mark: usize,
    connected: bool,
}

impl Old {
    fn request(&self, batch: usize) -> (String, String) {
        if !self.connected {
            return ("SN=OLD1&options=all&pushver=2.2.14".to_owned(), String::new());
        }
        let last = (self.mark + batch).min(self.rows.len());
        (format!("SN=OLD1&table=ATTLOG&Stamp={last}"), self.rows[self.mark..last].concat())
    }

    fn answer(&mut self, query: &str, response: &Response) {
        match ServerAnswer::of(response.status(), response.body()) {
            ServerAnswer::Options(options) => {
                self.mark = options.value("Stamp").unwrap().parse().unwrap();
                self.connected = true;
            }
            ServerAnswer::Accepted { .. } => self.mark = query.rsplit_once('=').unwrap().1.parse().unwrap(),
            _ => {}
        }
    }
}

struct Server {
    session: Session,
    /// What is on disk: rows, and the mark in the same transaction.
    stored: BTreeSet<Vec<u8>>,
    mark: String,
}

impl Server {
    fn restart(&mut self) {
        let mut settings = Settings::default();
        settings.stamps.set("ATTLOG", &self.mark);
        self.session = Session::approved(SerialNumber::parse("OLD1").unwrap(), settings);
    }

    fn serve(&mut self, query: &str, body: &str, store_fails: bool) -> Response {
        let parts = Parts::new("POST", "/iclock/cdata", query, body.as_bytes());
        let (_, request) = Request::parse(parts, &Limits::default()).unwrap();
        match (self.session.handle(&request, at(0)), &request) {
            (Turn::Reply(reply), _) => reply,
            (Turn::Store(receipt), _) if store_fails => receipt.refused(),
            (Turn::Store(receipt), Request::Upload(upload)) => {
                for row in upload.rows() {
                    let Ok(Row::Punch(row)) = row else { panic!("{row:?}") };
                    self.stored.insert(row.pin().as_bytes().to_vec());
                }
                upload.stamp().unwrap().clone_into(&mut self.mark);
                self.session.advance(upload.head());
                receipt.stored()
            }
            (turn, request) => panic!("{request:?} got {turn:?}"),
        }
    }
}

#[test]
fn a_terminal_that_goes_by_marks_loses_nothing() {
    let (mut refusals, mut power_cuts) = (0, 0);
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let rows: Vec<String> = (0..ROWS).map(|index| format!("{index}\t2026-03-28 08:47:12\t0\t1\n")).collect();
        let mut terminal = Old { rows, mark: 0, connected: false };
        let mut server = Server {
            session: Session::approved(SerialNumber::parse("OLD1").unwrap(), Settings::default()),
            stored: BTreeSet::new(),
            mark: "0".to_owned(),
        };
        let mut steps = 0;
        while !terminal.connected || terminal.mark < ROWS {
            steps += 1;
            assert!(steps < 5000, "no progress");
            let (query, body) = terminal.request(1 + usize::try_from(random.below(7)).unwrap());
            let store_fails = random.chance(30);
            refusals += u32::from(store_fails && !body.is_empty());
            let response = server.serve(&query, &body, store_fails);
            if !random.chance(20) {
                terminal.answer(&query, &response);
            }
            if random.chance(20) {
                terminal.connected = false;
                power_cuts += 1;
            }
            if random.chance(10) {
                server.restart();
            }
        }
        assert_eq!(server.stored.len(), ROWS, "seed {seed}");
    }
    assert!(refusals > 1000 && power_cuts > 1000, "{refusals} refusals, {power_cuts} power cuts");
}
