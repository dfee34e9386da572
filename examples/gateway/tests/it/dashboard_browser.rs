//! The dashboard in a real browser: by keyboard, on a phone, bright and dark. It leaves pictures in `target/screenshots`.

use std::path::Path;
use std::process::{Command, Stdio};

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use gateway::config::{Config, UnknownBadges};
use punch_webhook::PayloadFormat;

use crate::harness::{API_KEY, NODE, Recorder, Site, device, endpoint, get, is_there};

/// The names under which Chromium is installed.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

const INSTALL: &str = "install Chromium, on Debian and Ubuntu: apt-get install chromium";

/// Something of everything: people, terminals that are there and that are not, deliveries that fail, rows that are held.
async fn busy_site(receiver: &Recorder, dead: &Recorder) -> Site {
    let employees =
        "[[employee]]\nbadge = \"7\"\nname = \"María de los Ángeles Fernández\"\n[[employee]]\nbadge = \"8\"\n";
    let site = Site::start(|config| {
        config.unknown_badges = UnknownBadges::Hold;
        config.devices.push(device("CGQ0123456789"));
        config.employees = Config::parse(employees).unwrap().employees;
        for receiver in [receiver, dead] {
            config.endpoints.push(endpoint(&receiver.url(), PayloadFormat::Nested));
        }
    })
    .await;
    for serial in ["UNKNOWN1", "UNKNOWN2"] {
        get(site.gateway.device_addr, &format!("/iclock/getrequest?SN={serial}")).await;
    }
    let rows: String = (0..30).map(|minute| format!("8\t2026-03-02 08:{minute:02}:00\t0\t15\t0\n")).collect();
    site.punch(&rows).await;
    site.punch(
        "7\t2000-01-01 00:00:07\t0\t1\t0\n\t2026-03-02 08:00:00\t0\t1\t0\n7\t2090-03-02 08:00:00\t0\t1\t0\n\
         a row that no manual has, and that goes on and on without a blank: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n\
         0042\t2026-03-02 08:00:00\t0\t1\t0\n",
    )
    .await;
    site.attempts(31).await;
    site.gateway.devices.look_at_sites(gateway::clock::now()).await.unwrap();
    site
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_is_used_by_keyboard_and_fits_a_phone() {
    let found = BROWSERS.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    let browser = found.unwrap_or(BROWSERS[0]);
    if !is_there(browser, "--version", INSTALL) || !NODE.is_there() {
        return;
    }
    let receiver = Recorder::start(|number| match number {
        0 => (StatusCode::UNPROCESSABLE_ENTITY, "{\"error\":\"no such employee\"}").into_response(),
        _ => StatusCode::OK.into_response(),
    })
    .await;
    let dead = Recorder::always(503).await;
    let site = busy_site(&receiver, &dead).await;
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new("node");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/browser.mjs")).env("PUNCH_CHROMIUM", browser);
    command.args([site.gateway.api_addr, site.gateway.device_addr].map(|addr| addr.to_string())).arg(API_KEY);
    command.arg(Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots")).arg(profile.path());
    command.stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let (said, log) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said == "9 pages\n", "{said}{log}");
}
