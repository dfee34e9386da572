//! A terminal that posts as fast as it is answered, over one connection that stays.

use std::net::SocketAddr;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

pub(crate) struct Terminal {
    stream: BufReader<TcpStream>,
    serial: String,
}

impl Terminal {
    /// Connects and greets.
    pub(crate) async fn connect(addr: SocketAddr, number: u32) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(addr).await.context("the device listener")?;
        stream.set_nodelay(true)?;
        let mut terminal = Self { stream: BufReader::new(stream), serial: serial(number) };
        let greeting = format!("GET /iclock/cdata?SN={}&options=all&pushver=2.4.1 HTTP/1.1", terminal.serial);
        let answer = terminal.ask(&greeting, "").await?;
        ensure!(answer.starts_with("GET OPTION FROM"), "a greeting was answered `{answer}`");
        Ok(terminal)
    }

    /// Posts rows and waits for their `OK`.
    pub(crate) async fn post(&mut self, rows: &str) -> anyhow::Result<()> {
        let head = format!("POST /iclock/cdata?SN={}&table=ATTLOG&Stamp=9999 HTTP/1.1", self.serial);
        let answer = self.ask(&head, rows).await?;
        ensure!(answer.starts_with("OK"), "rows were answered `{answer}`");
        Ok(())
    }

    async fn ask(&mut self, head: &str, body: &str) -> anyhow::Result<String> {
        let length = body.len();
        let request = format!("{head}\r\nHost: punch\r\nContent-Length: {length}\r\n\r\n{body}");
        self.stream.write_all(request.as_bytes()).await?;
        let mut status = String::new();
        self.stream.read_line(&mut status).await?;
        ensure!(status.contains(" 200 "), "answered `{}`", status.trim_end());
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).await?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

pub(crate) fn serial(number: u32) -> String {
    format!("BENCH{number:05}")
}

/// The badge of the person with this number.
pub(crate) fn badge(person: u32) -> u32 {
    100_000 + person
}

/// So many people at so many terminals.
#[derive(Clone, Copy)]
pub(crate) struct Company {
    pub(crate) terminals: u32,
    pub(crate) people: u32,
}

impl Company {
    /// Those at the terminal with this number.
    pub(crate) fn staff(self, number: u32) -> Staff {
        let people = (self.people / self.terminals).max(1);
        Staff { first: number * people, people }
    }
}

/// The people of one terminal, whom nobody else sees. Each comes, goes to lunch, is back, and goes home, day after day.
#[derive(Clone, Copy)]
pub(crate) struct Staff {
    first: u32,
    people: u32,
}

impl Staff {
    /// The badge of whoever made the punch with this number, counted from 0.
    pub(crate) fn badge(self, index: u32) -> u32 {
        badge(self.first + index % self.people)
    }

    /// Its row.
    pub(crate) fn row(self, index: u32) -> String {
        let (round, person) = (index / self.people, index % self.people);
        let hour = match round % 4 {
            0 => 8,
            1 => 12,
            2 => 13,
            _ => 17,
        };
        let (day, state) = (1 + round / 4 % 28, round % 2);
        let second = person * 2700 / self.people;
        let (minute, second) = (second / 60, second % 60);
        format!("{}\t2026-10-{day:02} {hour:02}:{minute:02}:{second:02}\t{state}\t1\t0\t0\n", self.badge(index))
    }
}
