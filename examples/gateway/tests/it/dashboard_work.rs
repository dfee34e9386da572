//! The dashboard: what can be done there, without JavaScript, by the same rules as over the API.

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use gateway::config::UnknownBadges;
use punch_webhook::PayloadFormat;

use crate::harness::{Recorder, Site, Visitor, endpoint, eventually, get};

/// S1-051 to S1-055: the request, the answer, how long it took and what was tried; and once more with one click.
#[tokio::test]
async fn a_delivery_is_shown_attempt_by_attempt_and_sent_again_once() {
    let receiver = Recorder::start(|number| match number {
        0 => (StatusCode::UNPROCESSABLE_ENTITY, "no such employee").into_response(),
        _ => StatusCode::OK.into_response(),
    })
    .await;
    let site = Site::delivering_to(&receiver).await;
    site.punch("7\t2026-03-02 08:00:00\t0\t1\t0\n").await;
    eventually("it is given up", async || {
        (site.ask::<i64>("SELECT count(*) FROM delivery WHERE state = 'failed'").await == 1).then_some(())
    })
    .await;
    let mut visitor = Visitor::logged_in(&site).await;
    assert!(visitor.read("/dashboard/deliveries?state=failed").await.contains("/dashboard/deliveries/1\""));
    let html = visitor.read("/dashboard/deliveries/1").await;
    let sent = &receiver.seen()[0];
    let escaped = core::str::from_utf8(&sent.body).unwrap().replace('"', "&quot;");
    assert!(html.contains(&escaped), "the body as it was sent: {html}");
    for name in ["content-type", "user-agent", "webhook-attempt", "webhook-id", "webhook-timestamp"] {
        let line = format!("{name}</dt><dd><span class=\"code\">{}</span></dd>", sent.header(name));
        assert!(html.contains(&line), "{line}: {html}");
    }
    for part in [">422<", "no such employee", " ms</p>", "action=\"/dashboard/deliveries/1/resend\""] {
        assert!(html.contains(part), "{part}: {html}");
    }
    let again = visitor.follow("/dashboard/deliveries/1/resend", &[]).await;
    assert!(again.contains("It is on its way again"), "{again}");
    site.delivered_all().await;
    assert_eq!(receiver.seen().len(), 2, "one more request, and no second one");
    assert_eq!(receiver.event_ids().len(), 1, "under the same id");
    let html = visitor.read("/dashboard/deliveries/1").await;
    assert!(html.contains(">422<") && html.contains(">200<"), "both attempts: {html}");
    assert_eq!(visitor.submit("/dashboard/deliveries/9/resend", &[]).await.status, 404);
}

#[tokio::test]
async fn an_endpoint_is_paused_resumed_and_tested() {
    let receiver = Recorder::start(|number| match number {
        0 => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        _ => StatusCode::OK.into_response(),
    })
    .await;
    let site = Site::delivering_to(&receiver).await;
    site.punch("7\t2026-03-02 08:00:00\t0\t1\t0\n").await;
    site.attempts(1).await;
    let mut visitor = Visitor::logged_in(&site).await;
    let html = visitor.read("/dashboard/endpoints").await;
    assert!(html.contains(&receiver.url()) && html.contains("Last error</dt><dd>422 "), "{html}");
    let paused = visitor.follow("/dashboard/endpoints/1/state", &[("state", "paused")]).await;
    assert!(paused.contains(">paused<") && paused.contains("value=\"active\""), "{paused}");
    site.punch("7\t2026-03-02 09:00:00\t1\t1\t0\n").await;
    let waits = visitor.follow("/dashboard/deliveries/1/resend", &[]).await;
    assert!(!waits.contains("/resend\""), "what is on its way is not sent again: {waits}");
    let twice = visitor.follow("/dashboard/deliveries/1/resend", &[]).await;
    assert!(twice.contains("It is on its way already."), "{twice}");
    assert!(visitor.read("/dashboard/endpoints").await.contains(
        "Deliveries waiting</dt><dd><a href=\"/dashboard/deliveries?state=waiting&amp;endpoint_id=1\">2</a>"
    ));
    assert_eq!(receiver.seen().len(), 1);
    let resumed = visitor.follow("/dashboard/endpoints/1/state", &[("state", "active")]).await;
    assert!(resumed.contains(">healthy<"), "{resumed}");
    site.delivered_all().await;
    let tested = visitor.follow("/dashboard/endpoints/1/test", &[]).await;
    assert!(tested.contains("webhook.test") && tested.contains("The test event is on its way."), "{tested}");
    site.delivered_all().await;
    assert_eq!(receiver.seen().last().unwrap().json()["event_type"], "webhook.test");
    assert_eq!(visitor.submit("/dashboard/endpoints/1/state", &[("state", "asleep")]).await.status, 404);
    assert_eq!(visitor.submit("/dashboard/endpoints/9/test", &[]).await.status, 404);
}

/// S1-020: whoever calls shows up, and is let in with one click; or by its serial before it calls.
#[tokio::test]
async fn a_terminal_is_let_in_from_the_page() {
    let site = Site::start(|_| ()).await;
    let row = "7\t2026-03-02 08:00:00\t0\t1\t0\n";
    assert_eq!(site.upload("T9", "ATTLOG", row).await.status, 503);
    let mut visitor = Visitor::logged_in(&site).await;
    let html = visitor.read("/dashboard/devices").await;
    assert!(html.contains("name=\"serial\" value=\"T9\""), "{html}");
    let approved = visitor.follow("/dashboard/devices/approve", &[("serial", "T9")]).await;
    assert!(approved.contains("The terminal is let in") && !approved.contains("value=\"T9\""), "{approved}");
    get(site.gateway.device_addr, "/iclock/getrequest?SN=T9").await;
    assert_eq!(site.upload("T9", "ATTLOG", row).await.body, "OK: 1");
    assert!(visitor.read("/dashboard/devices").await.contains(">online<"));
    assert!(visitor.follow("/dashboard/devices/approve", &[("serial", " NEW1 ")]).await.contains(">NEW1<"));
    let refused = visitor.follow("/dashboard/devices/approve", &[("serial", "no good!")]).await;
    assert!(refused.contains("role=\"alert\"") && !refused.contains("no good!"), "{refused}");
}

async fn held(site: &Site, reason: &'static str) -> String {
    let sql: &'static str = match reason {
        "anonymous" => "SELECT id FROM row WHERE reason = 'anonymous'",
        "clock_reset" => "SELECT id FROM row WHERE reason = 'clock_reset' ORDER BY seq",
        "future" => "SELECT id FROM row WHERE reason = 'future'",
        "unregistered_badge" => "SELECT id FROM row WHERE reason = 'unregistered_badge'",
        _ => "SELECT id FROM row WHERE reason = 'malformed'",
    };
    site.ask(sql).await
}

/// S2-068 to S2-070: each reason has its cure on the page of the row.
#[tokio::test]
async fn held_rows_are_put_right_by_their_reason() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| {
        config.unknown_badges = UnknownBadges::Hold;
        config.endpoints.push(endpoint(&receiver.url(), PayloadFormat::Nested));
        let known = "[[employee]]\nbadge = \"7\"\n[[employee]]\nbadge = \"9\"\n";
        config.employees = gateway::config::Config::parse(known).unwrap().employees;
    })
    .await;
    site.punch(
        "7\t2000-01-01 00:00:07\t0\t1\t0\n7\t2000-01-01 09:00:07\t1\t1\t0\n\t2026-03-02 08:00:00\t0\t1\t0\n\
         7\t2090-03-02 08:00:00\t0\t1\t0\njunk\n0042\t2026-03-02 08:00:00\t0\t1\t0\n",
    )
    .await;
    let mut visitor = Visitor::logged_in(&site).await;
    let list = visitor.read("/dashboard/quarantine").await;
    assert!(list.contains("all <b>6</b>") && list.contains("clock was unset <b>2</b>"), "{list}");
    assert_eq!(visitor.read("/dashboard/quarantine?reason=future").await.matches("<th scope=\"row\">").count(), 1);
    let mut put_right = async |reason: &'static str, verb: &str, fields: &[(&str, &str)]| {
        let path = format!("/dashboard/quarantine/{}", held(&site, reason).await);
        let page = visitor.read(&path).await;
        for (name, _) in fields {
            assert!(page.contains(&format!("name=\"{name}\"")), "{reason} has a field {name}: {page}");
        }
        visitor.follow(&format!("{path}/{verb}"), fields).await
    };
    // What cannot be is refused, and the row stays as it is.
    for (reason, verb, fields, said) in [
        ("anonymous", "fix", ("pin", " "), "This is no PIN."),
        ("malformed", "fix", ("text", "still junk"), "This is no row either."),
        ("future", "fix", ("true_time", "2009-01-01T00:00:00"), "This time would be before 2010"),
        ("future", "fix", ("true_time", "yesterday"), "This time would be before 2010"),
        ("future", "discard", ("reason", " "), "Say why"),
        ("unregistered_badge", "register", ("badge", " "), "This is no badge number."),
    ] {
        let name = [("name", "")];
        let fields = if verb == "register" { [&[fields][..], &name].concat() } else { vec![fields] };
        let page = put_right(reason, verb, &fields).await;
        assert!(page.contains(said) && page.contains("role=\"alert\""), "{reason} {verb}: {page}");
    }
    assert_eq!(site.fates().await.iter().filter(|fate| fate.starts_with("held")).count(), 6);
    let done = "Taken once more: 1 delivered, 0 second punches, 0 still held.";
    assert!(put_right("anonymous", "fix", &[("pin", "9")]).await.contains(done));
    assert!(put_right("malformed", "fix", &[("text", "9\t2026-03-02 09:00:00\t1\t1")]).await.contains(done));
    assert!(put_right("future", "fix", &[("true_time", "2026-03-03T08:00")]).await.contains(done));
    // Both rows of the clock that was unset, by what one of them should have been.
    let both = put_right("clock_reset", "fix", &[("true_time", "2026-03-04T08:00:07"), ("all", "true")]).await;
    assert!(both.contains("Taken once more: 2 delivered"), "{both}");
    let registered = put_right("unregistered_badge", "register", &[("badge", "0042"), ("name", "Ana")]).await;
    assert!(registered.contains("Of its rows 1 are delivered"), "{registered}");
    assert!(visitor.read("/dashboard/quarantine").await.contains("There is no such row."));
    site.delivered_all().await;
    let mut times: Vec<String> =
        receiver.seen().iter().map(|seen| seen.json()["timestamp"].as_str().unwrap().to_owned()).collect();
    times.sort();
    let expected = ["02T08:00:00", "02T08:00:00", "02T09:00:00", "03T08:00:00", "04T08:00:07", "04T17:00:07"];
    assert_eq!(times, expected.map(|time| format!("2026-03-{time}Z")));
}

#[tokio::test]
async fn a_row_is_put_away_taken_back_and_taken_once_more() {
    let site = Site::start(|_| ()).await;
    site.punch("\t2026-03-02 08:00:00\t0\t1\t0\njunk\n").await;
    let path = format!("/dashboard/quarantine/{}", held(&site, "anonymous").await);
    let mut visitor = Visitor::logged_in(&site).await;
    visitor.read(&path).await;
    let away = visitor.follow(&format!("{path}/discard"), &[("reason", "a test <of> the installer")]).await;
    assert!(away.contains("a test &lt;of&gt; the installer") && away.contains("Take it back"), "{away}");
    assert!(visitor.read("/dashboard/quarantine?discarded=true").await.contains(&path));
    assert!(!visitor.read("/dashboard/quarantine").await.contains(&path));
    let back = visitor.follow(&format!("{path}/retry"), &[]).await;
    assert!(back.contains("1 still held") && back.contains("Put it away"), "{back}");
    // All of a kind at once; the cause is still there.
    visitor.read("/dashboard/quarantine?reason=anonymous").await;
    let all = visitor.follow("/dashboard/quarantine/retry", &[("reason", "anonymous")]).await;
    assert!(all.contains("Taken once more: 0 delivered, 0 second punches, 1 still held."), "{all}");
    assert!(all.contains("aria-current=\"true\">names nobody"), "the list is the one before: {all}");
    for verb in ["retry", "fix", "discard"] {
        let gone = visitor.submit(&format!("/dashboard/quarantine/row_none/{verb}"), &[("reason", "x")]).await;
        assert!(gone.status == 404 || gone.location().ends_with("notice=gone"), "{verb}: {}", gone.status);
    }
    assert_eq!(visitor.get("/dashboard/quarantine/row_none").await.status, 404);
}
