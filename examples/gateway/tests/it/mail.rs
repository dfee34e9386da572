//! People are told by e-mail when an endpoint takes no events: by a mail server that writes down what it is given.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use gateway::config::{Config, NotifyConfig, SmtpUrl};
use punch_webhook::PayloadFormat;
use simulator::world::quiet_addr;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{Recorder, Site, endpoint, eventually};

/// A mail server that takes everything.
struct Postbox {
    addr: SocketAddr,
    /// One text a mail: the envelope's lines, then the message.
    mails: Arc<Mutex<Vec<String>>>,
}

impl Postbox {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mails = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&mails);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&taken)));
            }
        });
        Self { addr, mails }
    }

    fn config(&self) -> NotifyConfig {
        NotifyConfig {
            smtp_url: SmtpUrl::new(format!("smtp://{}", self.addr)).unwrap(),
            from: "Punch <punch@example.com>".parse().unwrap(),
            to: vec!["it@example.com".parse().unwrap(), "Payroll <payroll@example.com>".parse().unwrap()],
        }
    }

    fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }
}

/// As much of RFC 5321 as a sender of plain mail needs.
async fn converse(stream: TcpStream, mails: Arc<Mutex<Vec<String>>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 postbox\r\n").await.ok()?;
    let mut mail = String::new();
    while let Some(line) = lines.next_line().await.ok()? {
        let answer: &[u8] = match line.get(..4).unwrap_or_default() {
            "EHLO" | "RSET" | "NOOP" => b"250 postbox\r\n",
            "MAIL" | "RCPT" => {
                mail.push_str(&format!("{line}\n"));
                b"250 taken\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                while let Some(line) = lines.next_line().await.ok()?.filter(|line| line != ".") {
                    mail.push_str(&format!("{line}\n"));
                }
                mails.lock().unwrap().push(std::mem::take(&mut mail));
                b"250 taken\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"502 unknown\r\n",
        };
        write.write_all(answer).await.ok()?;
    }
    Some(())
}

fn rows(count: u32) -> String {
    (0..count).map(|number| format!("{}\t2026-03-02 08:00:00\t0\t1\t0\n", 1001 + number)).collect()
}

/// S2-028: failed for good, hence an e-mail; one for many failures, one for each endpoint, and no secret in it.
#[tokio::test]
async fn a_failed_delivery_is_mailed_once_an_hour_for_each_endpoint() {
    let postbox = Postbox::start().await;
    let (refusing, gone) = (Recorder::always(400).await, Recorder::always(410).await);
    let site = Site::start(|config| {
        config.notify = Some(postbox.config());
        let url = format!("{}?token=s3cret", refusing.url());
        config.endpoints = vec![endpoint(&url, PayloadFormat::Nested), endpoint(&gone.url(), PayloadFormat::Nested)];
    })
    .await;
    site.punch(&rows(8)).await;
    eventually("two mails came", async || (postbox.mails().len() >= 2).then_some(())).await;
    eventually("all eight are given up", async || {
        let failed: i64 = site.ask("SELECT count(*) FROM delivery WHERE endpoint = 1 AND state = 'failed'").await;
        (failed == 8).then_some(())
    })
    .await;
    site.gateway.shut_down().await;
    let mut mails = postbox.mails();
    mails.sort_by_key(|mail| mail.contains("disabled"));
    let [failed, disabled] = mails.as_slice() else { panic!("{mails:?}") };
    for part in [
        "MAIL FROM:<punch@example.com>",
        "RCPT TO:<it@example.com>",
        "RCPT TO:<payroll@example.com>",
        "From: Punch <punch@example.com>",
        "To: it@example.com, Payroll <payroll@example.com>",
        "Subject: Punch: 127.0.0.1 does not take events",
        "Content-Type: text/plain",
        "Endpoint 1 at 127.0.0.1",
        "Deliveries given up: ",
        "punch webhook resend --all-failed",
    ] {
        assert!(failed.contains(part), "{part} is not in {failed}");
    }
    assert!(disabled.contains("Endpoint 2 at 127.0.0.1") && disabled.contains("It is disabled since "), "{disabled}");
    for mail in &mails {
        assert!(!mail.contains("s3cret") && !mail.contains("1001"), "{mail}");
    }
}

/// A mail is kept until a server has taken it: over a restart, and while there is no server.
#[tokio::test]
async fn a_mail_that_nobody_took_is_sent_after_a_restart() {
    let postbox = Postbox::start().await;
    let gone = Recorder::always(410).await;
    let mut unreachable = postbox.config();
    unreachable.smtp_url = SmtpUrl::new(format!("smtp://{}", quiet_addr())).unwrap();
    let site = Site::start(|config| {
        config.notify = Some(unreachable);
        config.endpoints = vec![endpoint(&gone.url(), PayloadFormat::Nested)];
    })
    .await;
    site.punch(&rows(1)).await;
    eventually("it was tried", async || {
        (site.ask::<i64>("SELECT coalesce(max(tries), 0) FROM mail").await > 0).then_some(())
    })
    .await;
    let waits: i64 = site.ask("SELECT not_before - created_at FROM mail").await;
    assert!(waits >= 60_000, "a minute's pause: {waits}");
    assert_eq!(site.edit("UPDATE mail SET not_before = not_before - 60000, created_at = created_at - 60000").await, 1);
    let site = site.restart(|config| config.notify = Some(postbox.config())).await;
    eventually("the mail came", async || (!postbox.mails().is_empty()).then_some(())).await;
    eventually("it is kept no longer", async || {
        (site.ask::<i64>("SELECT count(*) FROM mail").await == 0).then_some(())
    })
    .await;
    assert_eq!(postbox.mails().len(), 1);
}

/// Nobody to be told: nothing piles up.
#[tokio::test]
async fn without_a_section_no_mail_is_kept() {
    let gone = Recorder::always(410).await;
    let site = Site::delivering_to(&gone).await;
    site.punch(&rows(1)).await;
    eventually("it is disabled", async || {
        (site.get("/v1/webhooks/1").await.1["data"]["state"] == "disabled").then_some(())
    })
    .await;
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM mail").await, 0);
}

/// Without a section nobody is told; with one, everything in it has to be right, and no error shows the password.
#[test]
fn the_section_is_checked_and_its_password_not_shown() {
    let notify = |lines: &str| Config::parse(&format!("[notify]\n{lines}"));
    assert!(Config::parse("").unwrap().notify.is_none());
    let good = "from = \"p@example.com\"\nto = [\"a@example.com\"]\n";
    for url in ["smtps://u:canary@h", "smtp://u:canary@h:587?tls=required", "smtp://h:25"] {
        let config = notify(&format!("smtp_url = {url:?}\n{good}")).unwrap();
        let shown = format!("{config:?}");
        assert!(shown.contains("SmtpUrl(..)") && !shown.contains("canary"), "{url}");
    }
    for (url, why) in [
        ("smtp://u:canary@h", "in the clear"),
        ("smtp://u:canary@h?tls=opportunistic", "in the clear"),
        ("https://u:canary@h", "in the clear"),
        ("https://h/canary", "cannot be used"),
        ("canary", "not a URL"),
    ] {
        let errors = notify(&format!("smtp_url = {url:?}\n{good}")).unwrap_err().to_string();
        assert!(errors.starts_with("`notify.smtp_url`: ") && errors.contains(why), "{url}: {errors}");
        assert!(!errors.contains("canary"), "{errors}");
    }
    let errors = notify("from = \"nobody\"\nto = []\nsmtp_url_file = \"/no/such/file\"\n").unwrap_err().0;
    let keys: Vec<&str> = errors.iter().map(|error| error.key.as_str()).collect();
    assert_eq!(keys, ["notify.smtp_url_file", "notify.from", "notify.to"]);
    let errors = notify(&format!("{good}subject = \"x\"\n")).unwrap_err().0;
    assert_eq!(errors.len(), 2, "a key is missing and one unknown: {errors:?}");
}
