//! A secret takes the place of another while events flow, and no receiver notices.

use punch_webhook::{PayloadFormat, Secret, Verifier};
use serde_json::{Value, json};

use crate::harness::{API_KEY, Recorder, SECRET, Seen, Site, endpoint, eventually};

fn row(minute: u32) -> String {
    format!("7\t2026-03-02 08:{minute:02}:00\t0\t1\t0\n")
}

async fn arrival(receiver: &Recorder, number: usize) -> Seen {
    eventually("the punch arrives", async || receiver.seen().get(number).cloned()).await
}

/// Whether a receiver with this secret alone takes the request: by the `PunchConnect` header, by the Standard Webhooks.
fn taken(seen: &Seen, secret: &str) -> (bool, bool) {
    let verifier = Verifier::new(&Secret::new(secret.to_owned()).unwrap());
    let headers = || seen.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    let standard = verifier.verify_standard(headers(), &seen.body, gateway::clock::now());
    (verifier.verify_punchconnect(headers(), &seen.body).is_ok(), standard.is_ok())
}

/// S1-019: each signs, and neither is taken for the other.
#[tokio::test]
async fn receivers_of_either_secret_take_what_is_sent_during_a_roll() {
    let receiver = Recorder::always(200).await;
    let site = Site::start(|_| ()).await;
    let body = json!({ "url": receiver.url(), "events": ["attendance.punch"], "secret": SECRET });
    assert_eq!(site.post("/v1/webhooks", body).await.0, 201);
    let (status, rolled) = site.post("/v1/webhooks/1/secret", json!({})).await;
    assert_eq!(status, 200);
    let new = rolled["data"]["secret"].as_str().unwrap().to_owned();
    site.punch(&row(0)).await;
    let seen = arrival(&receiver, 0).await;
    assert_eq!((taken(&seen, SECRET), taken(&seen, &new)), ((true, true), (false, true)));

    // The endpoint says until when, and neither secret.
    let (_, shown) = site.get("/v1/webhooks/1").await;
    assert_eq!(shown["data"]["previous_secret_until"], rolled["data"]["previous_secret_until"]);
    assert!(!shown.to_string().contains(&new) && !shown.to_string().contains(SECRET));

    // A restart goes on with both.
    let site = site.restart(|_| ()).await;
    site.punch(&row(1)).await;
    let seen = arrival(&receiver, 1).await;
    assert_eq!((taken(&seen, SECRET), taken(&seen, &new)), ((true, true), (false, true)));
}

/// Whoever asks for it gets both values in the `PunchConnect` header too, and after its time the older secret is nothing.
#[tokio::test]
async fn both_values_on_demand_and_none_of_the_older_secret_after_its_time() {
    let receiver = Recorder::always(200).await;
    let site = Site::delivering_to(&receiver).await;
    let second = "whsec_CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";
    let body = json!({ "secret": second, "both_signatures": true });
    let (status, rolled) = site.post("/v1/webhooks/1/secret", body).await;
    assert_eq!((status, &rolled["data"]["secret"]), (200, &Value::Null), "a given secret is not repeated");
    site.punch(&row(0)).await;
    let seen = arrival(&receiver, 0).await;
    assert_eq!(seen.header("x-punchconnect-signature").matches("sha256=").count(), 2);
    assert!(taken(&seen, SECRET).1 && taken(&seen, second).1);

    let third = "whsec_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";
    assert_eq!(site.post("/v1/webhooks/1/secret", json!({ "secret": third, "previous_hours": 0 })).await.0, 200);
    site.punch(&row(1)).await;
    let seen = arrival(&receiver, 1).await;
    assert_eq!((taken(&seen, second), taken(&seen, third)), ((false, false), (true, true)));
}

#[tokio::test]
async fn a_roll_that_cannot_be_names_the_field_at_fault() {
    let site = Site::start(|config| {
        config.endpoints.push(endpoint("http://127.0.0.1:9/", PayloadFormat::Nested));
    })
    .await;
    for (body, status, field) in [
        (json!({ "previous_hours": 169 }), 400, "previous_hours"),
        (json!({ "secret": "" }), 400, "secret"),
        (json!({ "secret": SECRET }), 409, "secret"),
        (json!({ "hours": 1 }), 400, "hours"),
    ] {
        let (found, answer) = site.post("/v1/webhooks/1/secret", body).await;
        assert_eq!((found, &answer["error"]["field"]), (status, &json!(field)), "{answer}");
    }
    assert_eq!(site.post("/v1/webhooks/1/secret", json!({ "previous_hours": 168 })).await.0, 200);
    assert_eq!(site.post("/v1/webhooks/2/secret", json!({})).await.0, 404);
    let without_key = site.request("POST", "/v1/webhooks/1/secret");
    assert_eq!(site.call(without_key).await.0, 401);
    let patch = site.request("PATCH", "/v1/webhooks/1").bearer_auth(API_KEY);
    let patch = patch.header("Content-Type", "application/json").body(json!({ "secret": SECRET }).to_string());
    // A secret that is changed at once ends the roll.
    let (_, changed) = site.call(patch).await;
    assert_eq!(changed["data"]["previous_secret_until"], Value::Null);
}
