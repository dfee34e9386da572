//! Signatures against the published libraries of Standard Webhooks, in both directions.
//!
//! `PUNCH_INTEROP_PYTHON` names a Python that has PyPI `standardwebhooks`, `PUNCH_INTEROP_NODE_MODULES` a folder with
//! npm `standardwebhooks`. Without them plain `python3` and `node` are tried, and what is not there is skipped, unless
//! `PUNCH_INTEROP=required`.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::command::{Done, feed, run};

const SECRET: &str = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// Reads `{"op", "secret", "id", "timestamp", "body", "headers"}`; prints a signature, or ends with 0 or 1.
const PYTHON: &str = r#"
import base64, datetime, json, sys
from standardwebhooks import Webhook, WebhookVerificationError
job = json.load(sys.stdin)
body, webhook = base64.b64decode(job["body"]), Webhook(job["secret"])
if job["op"] == "sign":
    at = datetime.datetime.fromtimestamp(job["timestamp"], tz=datetime.timezone.utc)
    print(webhook.sign(job["id"], at, body.decode()))
else:
    try:
        webhook.verify(body, job["headers"], json_parse=False)
    except WebhookVerificationError as error:
        sys.exit(f"refused: {error}")
"#;

const NODE: &str = r#"
const { Webhook, WebhookVerificationError } = require("standardwebhooks");
const job = JSON.parse(require("fs").readFileSync(0, "utf8"));
const body = Buffer.from(job.body, "base64"), webhook = new Webhook(job.secret);
if (job.op === "sign") {
    console.log(webhook.sign(job.id, new Date(job.timestamp * 1000), body.toString()));
} else {
    try {
        webhook.verify(body, job.headers, { jsonParse: false });
    } catch (error) {
        if (!(error instanceof WebhookVerificationError)) throw error;
        console.error("refused: " + error.message);
        process.exit(1);
    }
}
"#;

/// A library of somebody else.
struct Library {
    name: &'static str,
    program: String,
    modules: Option<String>,
    flag: &'static str,
    import: &'static str,
    script: &'static str,
}

impl Library {
    fn python() -> Self {
        let program = python();
        let (flag, import) = ("-c", "import standardwebhooks");
        Self { name: "PyPI standardwebhooks", program, modules: None, flag, import, script: PYTHON }
    }

    fn node() -> Self {
        let modules = node_modules();
        let (flag, import) = ("-e", "require('standardwebhooks')");
        Self { name: "npm standardwebhooks", program: "node".to_owned(), modules, flag, import, script: NODE }
    }

    fn command(&self, script: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args([self.flag, script]);
        if let Some(modules) = &self.modules {
            command.env("NODE_PATH", modules);
        }
        command
    }

    fn is_there(&self) -> bool {
        imports(self.name, &mut self.command(self.import))
    }

    fn ask(&self, job: &Value) -> Done {
        feed(&mut self.command(self.script), job.to_string().as_bytes())
    }
}

/// Whether `name` is installed, as the command that imports it says; if it has to be, it is.
pub(crate) fn imports(name: &str, import: &mut Command) -> bool {
    let output = import.output();
    let is_there = output.as_ref().is_ok_and(|output| output.status.success());
    assert!(is_there || !required(), "{name} is required and cannot be imported: {output:?}");
    if !is_there {
        eprintln!("skipped: {name} cannot be imported by {}", import.get_program().display());
    }
    is_there
}

/// Whether everything of others has to be installed.
pub(crate) fn required() -> bool {
    std::env::var("PUNCH_INTEROP").is_ok_and(|word| word == "required")
}

/// The folder of what npm has installed.
pub(crate) fn node_modules() -> Option<String> {
    std::env::var("PUNCH_INTEROP_NODE_MODULES").ok()
}

/// The Python that has what is published there.
pub(crate) fn python() -> String {
    std::env::var("PUNCH_INTEROP_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

fn bodies() -> [Vec<u8>; 5] {
    let large = format!("{{\"note\":\"{}\"}}", "ñ€漢🕗".repeat(5_460));
    assert!((64 << 10) - large.len() < 16, "64 KiB and hardly less: {}", large.len());
    [
        b"{\"event_id\":\"evt_1\",\"timestamp\":\"2026-03-28T08:47:12Z\"}".to_vec(),
        "{\"name\":\"José Ñandú 漢字 🕗\\u0000\\\"\",\"n\":1.5}".as_bytes().to_vec(),
        Vec::new(),
        b" \r\n\t{ } \n".to_vec(),
        large.into_bytes(),
    ]
}

fn seconds_now() -> i64 {
    ::gateway::clock::now().timestamp()
}

fn ours_verifies_with_theirs(library: &Library, body: &[u8]) {
    let now = seconds_now();
    let timestamp = now.to_string();
    let arguments =
        ["webhook", "sign", "--scheme", "standard", "--secret", SECRET, "--id", "evt_42", "--timestamp", &timestamp];
    let signed = run(&arguments, body);
    assert_eq!(signed.code, Some(0), "{signed:?}");
    let headers: serde_json::Map<String, Value> = signed
        .stdout
        .lines()
        .map(|line| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.into())).unwrap())
        .collect();
    let job = |secret: &str, body: &[u8]| json!({ "op": "verify", "secret": secret, "body": STANDARD.encode(body), "headers": headers });
    let done = library.ask(&job(SECRET, body));
    assert_eq!(done.code, Some(0), "{}: {done:?}", library.name);
    for wrong in [job(OTHER, body), job(SECRET, &[body, b" "].concat())] {
        let done = library.ask(&wrong);
        assert!(done.code == Some(1) && done.stderr.contains("refused: "), "{}: {done:?}", library.name);
    }
}

fn theirs_verifies_with_ours(library: &Library, body: &[u8]) {
    let now = seconds_now();
    let job =
        json!({ "op": "sign", "secret": SECRET, "id": "evt_42", "timestamp": now, "body": STANDARD.encode(body) });
    let signed = library.ask(&job);
    assert_eq!(signed.code, Some(0), "{}: {signed:?}", library.name);
    let signature = format!("webhook-signature: {}", signed.stdout.trim_end());
    let (timestamp, now) = (format!("webhook-timestamp: {now}"), now.to_string());
    let verify = |secret: &str, body: &[u8]| {
        let headers = ["--header", "webhook-id: evt_42", "--header", &timestamp, "--header", &signature];
        let arguments = ["webhook", "verify", "--scheme", "standard", "--secret", secret, "--now", &now];
        run(&[&arguments[..], &headers].concat(), body)
    };
    let done = verify(SECRET, body);
    assert_eq!(done.code, Some(0), "{}: {done:?}", library.name);
    assert_eq!(verify(OTHER, body).code, Some(1), "{}", library.name);
    assert_eq!(verify(SECRET, &[body, b" "].concat()).code, Some(1), "{}", library.name);
}

fn both_ways(library: &Library) {
    if library.is_there() {
        for body in bodies() {
            ours_verifies_with_theirs(library, &body);
            theirs_verifies_with_ours(library, &body);
        }
    }
}

#[test]
fn signatures_are_those_of_the_python_library_both_ways() {
    both_ways(&Library::python());
}

#[test]
fn signatures_are_those_of_the_node_library_both_ways() {
    both_ways(&Library::node());
}
