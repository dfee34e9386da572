//! The dashboard: what its pages show, in both languages, and what they never show.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use gateway::config::Config;
use punch_webhook::PayloadFormat;
use reqwest::header::{ACCEPT_LANGUAGE, HeaderValue};
use serde_json::{Value, json};

use crate::harness::{PAGES, PATIENCE, Recorder, SECRET, Site, Visitor, device, endpoint, eventually, get};

/// The languages, each with the name of a page in it and that in the other.
const LANGUAGES: [(&str, &str, &str); 2] = [("en", ">Deliveries<", ">Entregas<"), ("es", ">Entregas<", ">Deliveries<")];

#[tokio::test]
async fn every_page_speaks_the_language_of_the_browser_or_the_one_that_was_chosen() {
    let site = Site::start(|_| ()).await;
    let mut visitor = Visitor::logged_in(&site).await;
    visitor.headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("es-MX,es;q=0.9,en;q=0.8"));
    for path in [&PAGES[..], &["/dashboard/nowhere"]].concat() {
        let page = visitor.get(path).await;
        let (code, ours, other) = LANGUAGES[1];
        assert_eq!(page.header("content-language"), code, "{path}");
        assert!(page.html.contains(&format!("<html lang=\"{code}\">")), "{path}");
        assert!(page.html.contains(ours) && !page.html.contains(other), "{path}");
    }
    // The switch leads back to the page that it is on, with what was asked for there.
    let here = "/dashboard/deliveries?state=failed";
    visitor.read(here).await;
    let switched = visitor.submit("/dashboard/language", &[("language", "en"), ("to", here)]).await;
    assert_eq!((switched.status, switched.location()), (303, here));
    for path in PAGES {
        let html = visitor.read(path).await;
        let (code, ours, other) = LANGUAGES[0];
        assert!(html.contains(&format!("<html lang=\"{code}\">")) && html.contains(ours), "{path}");
        assert!(!html.contains(other), "{path}");
    }
    assert_eq!(visitor.submit("/dashboard/language", &[("language", "xx")]).await.status, 404);
}

/// What somebody types into a register, a terminal sends or a receiver answers is text on every page.
#[tokio::test]
async fn hostile_names_rows_and_answers_are_shown_as_text() {
    const EVIL: &str = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>";
    let receiver = Recorder::start(|_| (StatusCode::UNPROCESSABLE_ENTITY, EVIL).into_response()).await;
    let employees = format!("[[employee]]\nbadge = \"7\"\nname = {}\n", json!(EVIL));
    let site = Site::start(|config| {
        (config.devices[0].name, config.devices[0].site) = (EVIL.to_owned(), EVIL.to_owned());
        config.employees = Config::parse(&employees).unwrap().employees;
        config.endpoints.push(endpoint(&receiver.url(), PayloadFormat::Nested));
    })
    .await;
    site.punch(&format!("7\t2026-03-02 08:00:00\t0\t1\t0\n{EVIL}\n")).await;
    site.attempts(1).await;
    site.gateway.devices.look_at_sites(gateway::clock::now()).await.unwrap();
    let held = site.ask::<String>("SELECT id FROM row WHERE fate = 'held'").await;
    let mut visitor = Visitor::logged_in(&site).await;
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("event_id", EVIL), ("device", EVIL), ("reason", EVIL), ("state", EVIL), ("notice", EVIL)])
        .finish();
    let pages = [
        "/dashboard/deliveries/1".to_owned(),
        format!("/dashboard/quarantine/{held}"),
        format!("/dashboard/deliveries?{query}"),
        format!("/dashboard/quarantine?{query}"),
        format!("/dashboard/sites?{query}"),
    ];
    let mut shown = 0;
    for path in PAGES.map(str::to_owned).iter().chain(&pages) {
        let html = visitor.read(path).await;
        assert!(!html.contains("<script>") && !html.contains("<img"), "{path}: {html}");
        shown += usize::from(html.contains("&lt;script&gt;alert("));
    }
    assert!(shown >= 6, "it is shown, as text: {shown}");
}

/// Production 4: what the API does not show, no page does.
#[tokio::test]
async fn no_page_shows_a_secret_or_what_a_header_holds() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| {
        let mut endpoint = endpoint(&receiver.url(), PayloadFormat::Nested);
        endpoint.options.headers.insert("Authorization".to_owned(), "Bearer canary".to_owned());
        config.endpoints.push(endpoint);
    })
    .await;
    site.punch("7\t2026-03-02 08:00:00\t0\t1\t0\n").await;
    site.delivered_all().await;
    let mut visitor = Visitor::logged_in(&site).await;
    let pages = [&PAGES[..], &["/dashboard/deliveries/1", "/dashboard/deliveries/2"]].concat();
    for path in pages {
        let html = visitor.get(path).await.html;
        for secret in [&SECRET[6..], "canary", "pk_of_the_tests", receiver.seen()[0].header("webhook-signature")] {
            assert!(!html.contains(secret), "{path} shows {secret}");
        }
    }
    let shown = visitor.read("/dashboard/deliveries/1").await;
    assert!(shown.contains("<dt class=\"code\">webhook-signature</dt><dd><i>not shown</i></dd>"), "{shown}");
    assert!(shown.contains("authorization</dt><dd><i>not shown</i></dd>"), "{shown}");
}

/// S1-053, S3-048: how things stand, on one page.
#[tokio::test]
async fn the_overview_counts_terminals_deliveries_and_rows_and_draws_the_day() {
    let receiver = Recorder::start(|number| match number {
        0 => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        _ => StatusCode::OK.into_response(),
    })
    .await;
    let site = Site::start(|config| {
        config.devices.push(device("T2"));
        config.endpoints.push(endpoint(&receiver.url(), PayloadFormat::Nested));
    })
    .await;
    get(site.gateway.device_addr, "/iclock/getrequest?SN=T9").await;
    site.punch("7\t2026-03-02 08:00:00\t0\t1\t0\n").await;
    site.attempts(1).await;
    site.punch("8\t2026-03-02 08:00:00\t0\t1\t0\njunk\n").await;
    site.attempts(2).await;
    let mut visitor = Visitor::logged_in(&site).await;
    let html = visitor.read("/dashboard").await;
    for (name, count) in [
        ("Terminals online", 1),
        ("Terminals late", 0),
        ("Not heard since the start", 1),
        ("Terminals that want in", 1),
        ("Deliveries failed", 1),
        ("Deliveries made in 24 hours", 1),
        ("Rows held", 1),
        ("Punches accepted in 24 hours", 2),
        ("Badges registered", 0),
    ] {
        let (_, behind) = html.split_once(&format!("{name}<")).unwrap_or_else(|| panic!("{name}: {html}"));
        let number = behind.split_once("<dd>").unwrap().1.split('<').next().unwrap();
        assert_eq!(number, count.to_string(), "{name}");
    }
    assert_eq!(html.matches("<svg ").count(), 2);
    assert_eq!(html.matches("class=\"bar\"").count(), 1, "one hour has punches");
    // Whoever cannot see it has the same numbers as a table.
    assert_eq!(html.matches("<th scope=\"row\">").count(), 48);
}

#[tokio::test]
async fn punches_are_a_plain_list_without_javascript_and_come_by_themselves_with_it() {
    let employees = Config::parse("[[employee]]\nbadge = \"7\"\nname = \"Ana\"\n").unwrap().employees;
    let site = Site::start(|config| config.employees = employees).await;
    site.punch("7\t2026-03-02 08:00:00\t0\t1\t0\n").await;
    let mut visitor = Visitor::logged_in(&site).await;
    let html = visitor.read("/dashboard/punches").await;
    for part in
        ["2026-03-02 08:00:00+00:00", "Ana", "Door T1", ">in<", ">fingerprint<", "<th scope=\"col\">Person</th>"]
    {
        assert!(html.contains(part), "{part}: {html}");
    }
    let stream = visitor.request("GET", "/dashboard/events").send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut events = Events(stream, String::new());
    let first = events.next().await.unwrap();
    assert!(html.contains(&first), "the list of the page: {first}");
    site.punch("7\t2026-03-02 09:00:00\t1\t1\t0\n").await;
    let second = events.next().await.unwrap();
    assert!(second.contains("2026-03-02 09:00:00+00:00") && second.contains(&first), "{second}");
    // Whoever logs out sees nothing more, and a stop does not wait for whoever listens.
    let mut other = Visitor::logged_in(&site).await;
    let stream = other.request("GET", "/dashboard/events").send().await.unwrap();
    let mut others = Events(stream, String::new());
    others.next().await.unwrap();
    other.read("/dashboard").await;
    other.submit("/dashboard/logout", &[]).await;
    site.punch("7\t2026-03-02 10:00:00\t0\t1\t0\n").await;
    assert!(events.next().await.unwrap().contains("2026-03-02 10:00:00+00:00"));
    assert_eq!(others.next().await, None);
    let stopping = tokio::spawn(site.gateway.shut_down());
    assert_eq!(events.next().await, None);
    tokio::time::timeout(PATIENCE, stopping).await.unwrap().unwrap();
}

/// What a stream of server-sent events says.
struct Events(reqwest::Response, String);

impl Events {
    /// The list of the next event; `None` if there is no more.
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some((event, rest)) = self.1.split_once("\n\n") {
                let data = event.strip_prefix("event: punches\ndata: ").map(ToOwned::to_owned);
                self.1 = rest.to_owned();
                // Anything else only keeps the connection up.
                let Some(data) = data else { continue };
                return serde_json::from_str::<Value>(&data).unwrap().as_str().map(ToOwned::to_owned);
            }
            let chunk = tokio::time::timeout(PATIENCE, self.0.chunk()).await.expect("the stream says nothing");
            self.1.push_str(core::str::from_utf8(&chunk.ok()??).unwrap());
        }
    }
}

/// Lists are as long as a page, and lead on.
#[tokio::test]
async fn long_lists_come_in_pages_that_keep_what_was_asked_for() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| config.endpoints.push(endpoint(&receiver.url(), PayloadFormat::Nested))).await;
    let rows: String = (0..51).map(|n| format!("{n}\t2026-03-02 08:00:00\t0\t1\t0\n")).collect();
    site.punch(&rows).await;
    eventually("all are delivered", async || (receiver.seen().len() == 51).then_some(())).await;
    site.delivered_all().await;
    let mut visitor = Visitor::logged_in(&site).await;
    let first = visitor.read("/dashboard/deliveries?state=delivered").await;
    assert_eq!(first.matches("<th scope=\"row\">").count(), 50);
    assert!(first.contains("href=\"/dashboard/deliveries?state=delivered&amp;page=2\""), "{first}");
    let second = visitor.read("/dashboard/deliveries?state=delivered&page=2").await;
    assert_eq!(second.matches("<th scope=\"row\">").count(), 1);
    assert!(second.contains("rel=\"prev\"") && !second.contains("rel=\"next\""));
    assert_eq!(visitor.read("/dashboard/deliveries?state=failed").await.matches("<th scope=\"row\">").count(), 0);
    // What is no page is the first.
    assert!(visitor.read("/dashboard/deliveries?page=0").await.contains("page=2"));
    assert!(visitor.read("/dashboard/deliveries?page=x").await.contains("rel=\"next\""));
}
