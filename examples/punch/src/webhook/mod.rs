//! `punch webhook`: sign, verify, listen, send; and what a gateway sends.

mod operate;
mod outbox;

use core::time::Duration;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use chrono::DateTime;
use clap::{Args, Subcommand, ValueEnum};
use punch_normalize::EventId;
use punch_webhook::{Event, PayloadFormat, Secret, Signer, Verifier};
use simulator::receiver::{Receiver, Reply, Script};

use crate::exit::{Exit, UsageError};

/// Work with signed webhooks.
#[derive(Debug, Args)]
pub(crate) struct WebhookCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Sign the body on standard input and print the headers.
    ///
    /// Example: punch webhook sign --scheme standard --secret whsec_… --id `evt_1` --timestamp 1614265330 < body.json
    Sign(Sign),
    /// Check the signature of the body on standard input. Exit code 0 if it is good, 1 if not.
    ///
    /// Example: punch webhook verify --secret whsec_… --header 'X-PunchConnect-Signature: sha256=…' < body.json
    Verify(Verify),
    /// Receive webhooks, verify each and say what came.
    ///
    /// Example: punch webhook listen --addr 127.0.0.1:3000 --secret whsec_… --respond 500,reset,200
    Listen(Listen),
    /// Send one signed test event.
    ///
    /// Example: punch webhook send --url http://127.0.0.1:3000/webhook --secret whsec_…
    Send(Send),
    /// Say where a gateway sends events, and how each endpoint stands.
    ///
    /// Example: punch webhook endpoints --api-key-file punch.key
    Endpoints(outbox::Endpoints),
    /// List what a gateway sends, newest first.
    ///
    /// Example: punch webhook deliveries --state failed --api-key-file punch.key
    Deliveries(outbox::Deliveries),
    /// Send again what was delivered or given up, under the same event id.
    ///
    /// Example: punch webhook resend 1042 --api-key-file punch.key
    Resend(outbox::Resend),
    /// Say what was tried to make a delivery, and what was answered. The exit code is 1 if it was given up.
    ///
    /// Example: punch webhook attempts 1042 --api-key-file punch.key
    Attempts(operate::Attempts),
    /// Send the events of a time to an endpoint once more, under their own ids. The exit code is 1 if some are given up.
    ///
    /// Example: punch webhook replay 1 --since 2026-03-28T00:00:00Z --only-failed --api-key-file punch.key
    Replay(operate::Replay),
    /// Give an endpoint a new secret, and print it.
    ///
    /// Example: punch webhook roll 1 --previous-hours 48 --api-key-file punch.key
    Roll(operate::Roll),
    /// Send an endpoint a test event.
    ///
    /// Example: punch webhook test 1 --api-key-file punch.key
    Test(operate::Test),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SchemeName {
    /// `X-PunchConnect-Signature: sha256=…` over the body.
    Punchconnect,
    /// The three headers of Standard Webhooks.
    Standard,
}

#[derive(Debug, Args)]
struct Secrets {
    /// The secret; may be given twice during a roll, the new one first.
    #[arg(long, required_unless_present = "secret_file")]
    secret: Vec<String>,
    /// A file with the secret, which keeps it out of the process list.
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
}

impl Secrets {
    fn read(&self) -> anyhow::Result<Vec<Secret>> {
        let mut texts = self.secret.clone();
        if let Some(file) = &self.secret_file {
            let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
            texts.push(text.trim_end().to_owned());
        }
        let parse = |text| Secret::new(text).map_err(|error| UsageError(format!("--secret: {error}")).into());
        texts.into_iter().map(parse).collect()
    }
}

#[derive(Debug, Args)]
struct Sign {
    /// Which signature.
    #[arg(long, value_enum, default_value = "punchconnect")]
    scheme: SchemeName,
    #[command(flatten)]
    secrets: Secrets,
    /// The event's id, for Standard Webhooks.
    #[arg(long, required_if_eq("scheme", "standard"))]
    id: Option<String>,
    /// Seconds since 1970, for Standard Webhooks. Default now.
    #[arg(long, value_name = "SECONDS")]
    timestamp: Option<u64>,
}

#[derive(Debug, Args)]
struct Verify {
    /// Which signature; by default the one the headers carry.
    #[arg(long, value_enum)]
    scheme: Option<SchemeName>,
    #[command(flatten)]
    secrets: Secrets,
    /// A header as received, `Name: value`; repeatable.
    #[arg(long, value_name = "HEADER")]
    header: Vec<String>,
    /// The time to judge by, in seconds since 1970. Default now.
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    now: Option<i64>,
    /// Seconds that `webhook-timestamp` may be off.
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    tolerance: u64,
}

#[derive(Debug, Args)]
struct Listen {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    #[command(flatten)]
    secrets: Secrets,
    /// What to answer with, in turn: a status, `silent`, `reset` (breaks off within the answer) or `drip` (an answer that
    /// never ends).
    #[arg(long, value_delimiter = ',', default_value = "200")]
    respond: Vec<Reply>,
    /// Milliseconds to wait before each answer.
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
    /// Print each verified body on a line instead of a table.
    #[arg(long)]
    ndjson: bool,
}

#[derive(Debug, Args)]
struct Send {
    /// Where to send.
    #[arg(long)]
    url: String,
    #[command(flatten)]
    secrets: Secrets,
    /// The event's id.
    #[arg(long, default_value = "evt_test")]
    id: String,
    /// Send standard input instead of a test event.
    #[arg(long)]
    stdin: bool,
}

/// Runs the command.
pub(crate) fn run(command: WebhookCommand) -> anyhow::Result<Exit> {
    match command.action {
        Action::Sign(sign) => print_signature(&sign),
        Action::Verify(verify) => check_signature(&verify),
        Action::Listen(listen) => crate::asynchronous(self::listen(listen)),
        Action::Send(send) => crate::asynchronous(self::send(send)),
        Action::Endpoints(endpoints) => crate::asynchronous(outbox::endpoints(endpoints)),
        Action::Deliveries(deliveries) => crate::asynchronous(outbox::deliveries(deliveries)),
        Action::Resend(resend) => crate::asynchronous(outbox::resend(resend)),
        Action::Attempts(attempts) => crate::asynchronous(operate::attempts(attempts)),
        Action::Replay(replay) => crate::asynchronous(operate::replay(replay)),
        Action::Roll(roll) => crate::asynchronous(operate::roll(roll)),
        Action::Test(test) => crate::asynchronous(operate::test(test)),
    }
}

fn body() -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body).context("read standard input")?;
    Ok(body)
}

fn signer(secrets: &[Secret]) -> anyhow::Result<Signer> {
    match secrets {
        [one] => Ok(Signer::new(one)),
        [new, old] => Ok(Signer::rolling(new, old)),
        _ => Err(UsageError("--secret: expected one, or two during a roll".to_owned()).into()),
    }
}

fn print_signature(sign: &Sign) -> anyhow::Result<Exit> {
    let secrets = sign.secrets.read()?;
    let (signer, body) = (signer(&secrets)?, body()?);
    match sign.scheme {
        SchemeName::Punchconnect => {
            crate::say(format_args!("X-PunchConnect-Signature: {}", signer.punchconnect(&body)));
        }
        SchemeName::Standard => {
            let id = EventId::parse(sign.id.as_deref().unwrap_or_default());
            let id = id.map_err(|error| UsageError(format!("--id: {error}")))?;
            let now = u64::try_from(gateway::clock::now().timestamp()).unwrap_or(0);
            let timestamp = sign.timestamp.unwrap_or(now);
            let Some(signature) = signer.standard(&id, timestamp, &body) else {
                let problem = secrets.first().and_then(|secret| secret.check_standard().err());
                let problem = problem.map(|error| error.to_string()).unwrap_or_default();
                return Err(UsageError(format!("--secret: {problem}")).into());
            };
            crate::say(format_args!(
                "webhook-id: {id}\nwebhook-timestamp: {timestamp}\nwebhook-signature: {signature}"
            ));
        }
    }
    Ok(Exit::Done)
}

fn check_signature(verify: &Verify) -> anyhow::Result<Exit> {
    let secrets = verify.secrets.read()?;
    let Some((first, others)) = secrets.split_first() else {
        return Err(UsageError("--secret: expected at least one".to_owned()).into());
    };
    let mut verifier = Verifier::new(first).with_tolerance(Duration::from_secs(verify.tolerance));
    for secret in others {
        verifier = verifier.with_secret(secret);
    }
    let mut headers = Vec::new();
    for header in &verify.header {
        let pair = header.split_once(':').map(|(name, value)| (name, value.strip_prefix(' ').unwrap_or(value)));
        headers.push(pair.ok_or_else(|| UsageError(format!("--header `{header}`: expected `Name: value`")))?);
    }
    let now = match verify.now {
        Some(seconds) => DateTime::from_timestamp(seconds, 0)
            .ok_or_else(|| UsageError("--now: expected seconds since 1970".to_owned()))?,
        None => gateway::clock::now(),
    };
    let body = body()?;
    let result = match verify.scheme {
        Some(SchemeName::Punchconnect) => verifier.verify_punchconnect(headers, &body),
        Some(SchemeName::Standard) => verifier.verify_standard(headers, &body, now),
        None => verifier.verify(headers, &body, now),
    };
    match result {
        Ok(_) => Ok(Exit::Done),
        Err(error) => {
            eprintln!("{error}");
            Ok(Exit::Wrong)
        }
    }
}

async fn listen(listen: Listen) -> anyhow::Result<Exit> {
    let secrets = listen.secrets.read()?;
    let secret = secrets.first().context("no secret")?;
    let script = Script { replies: listen.respond, delay: Duration::from_millis(listen.delay_ms) };
    let receiver = Receiver::start(listen.addr, secret, script).await;
    let (receiver, mut arrivals) =
        receiver.with_context(|| format!("listen on {}; choose with --addr", listen.addr))?;
    eprintln!("listening on http://{}; stop with Ctrl-C", receiver.addr);
    while let Some(arrival) = arrivals.recv().await {
        match (&arrival.event_id, &arrival.problem) {
            (Some(_), _) if listen.ndjson => crate::say(format_args!("{}", String::from_utf8_lossy(&arrival.body))),
            (Some(id), _) => {
                let (reply, kind, length) = (arrival.reply, event_type(&arrival.body), arrival.body.len());
                crate::say(format_args!("{reply}  {id}  {kind}  {length} bytes, verified"));
            }
            (None, problem) => eprintln!("{}  refused: {}", arrival.reply, problem.as_deref().unwrap_or_default()),
        }
    }
    Ok(Exit::Done)
}

/// What an event is about, as its body says.
fn event_type(body: &[u8]) -> String {
    let event: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let kind = event.as_ref().and_then(|event| event.get("event_type")?.as_str());
    kind.unwrap_or("no event_type").to_owned()
}

async fn send(send: Send) -> anyhow::Result<Exit> {
    let id = EventId::parse(&send.id).map_err(|error| UsageError(format!("--id: {error}")))?;
    let now = gateway::clock::now();
    let payload = if send.stdin { body()? } else { Event::test(&id, now).body(PayloadFormat::Nested).render(1) };
    let headers = signer(&send.secrets.read()?)?.headers(&id, &payload, now);
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let mut request = client.post(&send.url).header("Content-Type", "application/json").body(payload);
    for (name, value) in headers.iter() {
        request = request.header(name, value);
    }
    let response = request.timeout(Duration::from_secs(10)).send().await.context("send")?;
    let status = response.status();
    crate::say(format_args!("{status}"));
    Ok(if status.is_success() { Exit::Done } else { Exit::Wrong })
}
