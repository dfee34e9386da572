//! The dashboard: who gets in, and what a page of another site can make of somebody who is in.

use gateway::api::ApiKey;
use reqwest::header::{HeaderName, HeaderValue};

use crate::harness::{API_KEY, PAGES, Recorder, Site, Visitor, endpoint};
use punch_webhook::PayloadFormat;

/// Every form there is, with fields that would be good.
const FORMS: [(&str, &[(&str, &str)]); 11] = [
    ("/dashboard/login", &[("key", API_KEY)]),
    ("/dashboard/language", &[("language", "es")]),
    ("/dashboard/logout", &[]),
    ("/dashboard/devices/approve", &[("serial", "T9")]),
    ("/dashboard/deliveries/1/resend", &[]),
    ("/dashboard/endpoints/1/state", &[("state", "paused")]),
    ("/dashboard/endpoints/1/test", &[]),
    ("/dashboard/quarantine/retry", &[]),
    ("/dashboard/quarantine/row_1/fix", &[("pin", "7")]),
    ("/dashboard/quarantine/row_1/register", &[("badge", "7"), ("name", "")]),
    ("/dashboard/quarantine/row_1/discard", &[("reason", "no")]),
];

#[tokio::test]
async fn nobody_sees_a_page_without_the_key() {
    let site = Site::start(|_| ()).await;
    site.punch("7700771\t2026-03-28 08:47:12\t0\t1\n").await;
    let mut visitor = Visitor::of(&site);
    let pages = [&PAGES[..], &["/dashboard/events", "/dashboard/deliveries/1", "/dashboard/nowhere"]].concat();
    for path in pages {
        let page = visitor.get(path).await;
        assert_eq!((page.status, page.html.as_str()), (303, ""), "{path}");
        assert!(page.location().starts_with("/dashboard/login"), "{path}: {}", page.location());
    }
    assert_eq!(visitor.get("/").await.location(), "/dashboard");
    let login = visitor.read("/dashboard/login?to=%2Fdashboard%2Fsites").await;
    for personal in ["7700771", "T1", "Door", "<nav"] {
        assert!(!login.contains(personal), "{personal} on a page without a login");
    }
    // Whoever had a page in mind gets there; whoever was sent with another goal does not.
    let goal = visitor.get("/dashboard/deliveries?state=failed").await;
    assert_eq!(goal.location(), "/dashboard/login?to=%2Fdashboard%2Fdeliveries%3Fstate%3Dfailed");
    for (to, there) in [
        ("/dashboard/deliveries?state=failed", "/dashboard/deliveries?state=failed"),
        ("https://elsewhere.example/", "/dashboard"),
        ("//elsewhere.example/dashboard", "/dashboard"),
        ("/dashboard.elsewhere.example", "/dashboard"),
        ("/dashboard/\r\nSet-Cookie: a=b", "/dashboard"),
    ] {
        let mut visitor = Visitor::of(&site);
        visitor.get("/dashboard/login").await;
        let entered = visitor.submit("/dashboard/login", &[("key", API_KEY), ("to", to)]).await;
        assert_eq!((entered.status, entered.location()), (303, there));
    }
}

#[tokio::test]
async fn a_wrong_key_opens_nothing_and_the_right_one_a_session_that_ends() {
    let site = Site::start(|_| ()).await;
    let mut visitor = Visitor::of(&site);
    for wrong in ["", "pk_of_the_test", "pk_of_the_tests2", "\u{e9}"] {
        let page = visitor.log_in(wrong).await;
        assert_eq!(page.status, 401);
        assert!(page.html.contains("role=\"alert\"") && page.set_cookies().is_empty(), "{}", page.html);
        assert!(wrong.is_empty() || !page.html.contains(wrong), "the key is shown again");
    }
    let entered = visitor.log_in(API_KEY).await;
    let [cookie] = entered.set_cookies()[..] else { panic!("one cookie") };
    assert!(cookie.ends_with("; Path=/dashboard; HttpOnly; SameSite=Strict; Max-Age=43200"), "{cookie}");
    assert_eq!(visitor.get("/dashboard").await.status, 200);
    // Over https, whether the browser says so or the proxy before us, it never leaves in the clear.
    for (name, value) in [("origin", "https://punch.example"), ("x-forwarded-proto", "https")] {
        let mut visitor = Visitor::of(&site);
        visitor.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        let entered = visitor.log_in(API_KEY).await;
        assert!(entered.set_cookies()[0].ends_with("; Secure"), "{:?}", entered.set_cookies());
    }
    // What somebody has copied ends with the session too.
    let copied = visitor.cookies.clone();
    visitor.get("/dashboard").await;
    assert_eq!(visitor.submit("/dashboard/logout", &[]).await.location(), "/dashboard/login");
    visitor.cookies = copied;
    assert_eq!(visitor.get("/dashboard").await.status, 303);
}

#[tokio::test]
async fn a_session_outlasts_a_restart_and_ends_with_its_key() {
    let site = Site::start(|_| ()).await;
    let cookies = Visitor::logged_in(&site).await.cookies;
    let site = site.restart(|_| ()).await;
    let mut visitor = Visitor::of(&site);
    visitor.cookies = cookies.clone();
    assert_eq!(visitor.get("/dashboard").await.status, 200);
    let site = site.restart(|config| config.api_key = Some(ApiKey::new("pk_another".to_owned()))).await;
    let mut visitor = Visitor::of(&site);
    visitor.cookies = cookies;
    assert_eq!(visitor.get("/dashboard").await.status, 303);
    assert_eq!(visitor.log_in(API_KEY).await.status, 401);
    assert_eq!(visitor.log_in("pk_another").await.status, 303);
}

#[tokio::test]
async fn a_form_without_the_token_of_its_visitor_is_refused_and_does_nothing() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|config| config.endpoints.push(endpoint(&receiver.url(), PayloadFormat::Nested))).await;
    site.punch("7\t2026-03-02 08:00:00\t0\t1\t0\n\t2026-03-02 08:01:00\t0\t1\t0\n").await;
    site.delivered_all().await;
    let (mut visitor, other) = (Visitor::logged_in(&site).await, Visitor::logged_in(&site).await);
    visitor.read("/dashboard").await;
    let before_login = Visitor::of(&site);
    for (path, fields) in FORMS {
        let cut = visitor.token[1..].to_owned();
        for token in [None, Some(""), Some(&*other.token), Some(&*cut)] {
            let token: Vec<(&str, &str)> = token.map(|token| ("token", token)).into_iter().collect();
            let page = visitor.submit_bare(path, &[&token, fields].concat()).await;
            assert_eq!(page.status, 403, "{path}");
            assert!(page.html.contains("Form refused") && page.set_cookies().is_empty(), "{path}: {}", page.html);
        }
        // A body that a page of another site can send without asking.
        let text = format!("token={}", visitor.token);
        let plain = visitor.request("POST", path).header("content-type", "text/plain").body(text);
        assert_eq!(plain.send().await.unwrap().status(), 403, "{path}");
    }
    // The token of a session is of no use to whoever is not in it.
    let mut stranger = before_login;
    stranger.token.clone_from(&visitor.token);
    assert_eq!(stranger.submit("/dashboard/login", &[("key", API_KEY)]).await.status, 403);
    assert_eq!(stranger.submit("/dashboard/devices/approve", &[("serial", "T9")]).await.location(), "/dashboard/login");
    let untouched = visitor.read("/dashboard").await;
    assert!(untouched.contains("lang=\"en\""));
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM device").await, 1);
    assert_eq!(site.fates().await, ["delivered", "held/anonymous"]);
    assert_eq!(site.ask::<String>("SELECT health FROM endpoint").await, "healthy");
    assert_eq!(receiver.seen().len(), 1);
    // A form that is too long is none of ours.
    let long = "x".repeat(20_000);
    assert_eq!(visitor.submit("/dashboard/devices/approve", &[("serial", &long)]).await.status, 403);
}

#[tokio::test]
async fn keys_cannot_be_tried_for_ever() {
    let site = Site::start(|_| ()).await;
    let mut inside = Visitor::logged_in(&site).await;
    let mut visitor = Visitor::of(&site);
    for _ in 0..10 {
        assert_eq!(visitor.log_in("pk_guessed").await.status, 401);
    }
    let refused = visitor.log_in(API_KEY).await;
    assert_eq!(refused.status, 429, "the right key is not looked at either");
    let wait: u32 = refused.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    assert_eq!(inside.get("/dashboard").await.status, 200, "whoever is in stays so");
}

#[tokio::test]
async fn every_answer_keeps_to_itself_and_nothing_runs_from_a_page() {
    let site = Site::start(|_| ()).await;
    let mut visitor = Visitor::logged_in(&site).await;
    let assets = ["/dashboard/style.css", "/dashboard/live.js", "/dashboard/icon.svg", "/dashboard/nowhere", "/"];
    for path in [&PAGES[..], &assets, &["/dashboard/login", "/dashboard/deliveries/7", "/dashboard/logout"]].concat() {
        let page = visitor.get(path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert!(policy.contains("script-src 'self'") && policy.contains("style-src 'self'"), "{path}: {policy}");
        assert!(policy.contains("form-action 'self'") && !policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        if page.html.starts_with("<!DOCTYPE html>") {
            for inline in ["<style", " style=", " onclick", " onload", "javascript:", "http://", "https://"] {
                assert!(!page.html.contains(inline), "{path} has {inline}");
            }
            let scripts: Vec<&str> = page.html.split("<script").skip(1).collect();
            let expected = usize::from(path == "/dashboard/punches");
            assert_eq!(scripts.len(), expected, "{path}");
            assert!(scripts.iter().all(|script| script.starts_with(" src=\"/dashboard/live.js\" defer></script>")));
        }
    }
    assert_eq!(visitor.get("/dashboard/nowhere").await.status, 404);
    assert_eq!(visitor.get("/dashboard/deliveries/x").await.status, 404);
    assert_eq!(visitor.get("/dashboard/logout").await.status, 404, "a form is no page");
}
