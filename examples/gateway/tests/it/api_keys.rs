//! Keys to the API: made, shown once, kept as hashes, good for what their scope says, and taken back.

use serde_json::{Value, json};

use crate::api::check_error;
use crate::harness::{API_KEY, Site};

pub(crate) async fn make(site: &Site, name: &str, scope: &str) -> (u64, String) {
    let (status, made) = site.post("/v1/api-keys", json!({ "name": name, "scope": scope })).await;
    assert_eq!(status, 201, "{made}");
    (made["data"]["id"].as_u64().unwrap(), made["data"]["key"].as_str().unwrap().to_owned())
}

async fn status(site: &Site, key: &str, method: &str, path: &str) -> u16 {
    site.request(method, path).bearer_auth(key).send().await.unwrap().status().as_u16()
}

pub(crate) async fn revoke(site: &Site, id: u64) -> (u16, Value) {
    site.call(site.request("DELETE", &format!("/v1/api-keys/{id}")).bearer_auth(API_KEY)).await
}

#[tokio::test]
async fn a_key_is_good_for_what_its_scope_says() {
    let site = Site::start(|_| ()).await;
    // Look at attendance, look at the rest, change something, look at keys.
    let calls =
        [("GET", "/v1/attendance"), ("GET", "/v1/employees"), ("POST", "/v1/employees"), ("GET", "/v1/api-keys")];
    for (scope, expected) in [
        ("read", [200, 200, 403, 403]),
        ("write", [200, 200, 415, 403]),
        ("admin", [200, 200, 415, 200]),
        ("inspector", [200, 403, 403, 403]),
    ] {
        let (_, key) = make(&site, scope, scope).await;
        for ((method, path), expected) in calls.into_iter().zip(expected) {
            let status = status(&site, &key, method, path).await;
            // Without a body it comes as far as to be refused for that.
            let status = if status == 400 { 415 } else { status };
            assert_eq!(status, expected, "{scope}: {method} {path}");
        }
    }
    let (_, key) = make(&site, "x", "read").await;
    let (_, refused) = site.call(site.request("POST", "/v1/employees").bearer_auth(&key)).await;
    check_error(&refused, "forbidden");
}

#[tokio::test]
async fn a_key_is_shown_once_and_stored_as_a_hash() {
    let site = Site::start(|_| ()).await;
    let request = || {
        let request = site.request("POST", "/v1/api-keys").bearer_auth(API_KEY).header("Idempotency-Key", "k1");
        let request = request.header("Content-Type", "application/json");
        site.call(request.body(json!({ "name": "erp", "scope": "write" }).to_string()))
    };
    let (status_code, made) = request().await;
    let key = made["data"]["key"].as_str().unwrap().to_owned();
    assert!(status_code == 201 && key.starts_with("pk_") && key.len() == 67);
    let (again, repeated) = request().await;
    assert_eq!((again, &repeated["data"]["id"], &repeated["data"]["key"]), (201, &made["data"]["id"], &Value::Null));
    let (_, listed) = site.get("/v1/api-keys").await;
    assert!(!listed.to_string().contains(&key[3..]), "{listed}");
    assert_eq!((&listed["data"][0]["name"], &listed["meta"]["total"]), (&json!("erp"), &json!(1)));
    let site = site.restart(|_| ()).await;
    assert_eq!(status(&site, &key, "GET", "/v1/devices").await, 200, "after a restart too");
    let path = site.store_path();
    site.gateway.shut_down().await;
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        // The log of the store goes when the last of its connections does.
        let Ok(bytes) = std::fs::read(file.unwrap().path()) else { continue };
        assert!(!bytes.windows(key.len()).any(|window| window == key.as_bytes()), "the key is on disk");
    }
}

#[tokio::test]
async fn a_key_that_was_taken_back_is_refused_at_once_and_for_good() {
    let site = Site::start(|_| ()).await;
    let (id, key) = make(&site, "lost", "write").await;
    assert_eq!(status(&site, &key, "GET", "/v1/devices").await, 200);
    let (code, revoked) = revoke(&site, id).await;
    assert!(code == 200 && revoked["data"]["revoked_at"].is_string(), "{revoked}");
    assert_eq!(status(&site, &key, "GET", "/v1/devices").await, 401);
    assert_eq!(revoke(&site, id).await.0, 409);
    assert_eq!(revoke(&site, 99).await.0, 404);
    let site = site.restart(|_| ()).await;
    assert_eq!(status(&site, &key, "GET", "/v1/devices").await, 401);
    let (_, listed) = site.get("/v1/api-keys?state=active").await;
    assert_eq!(listed["data"], json!([]));
    let (_, listed) = site.get("/v1/api-keys?state=revoked&scope=write").await;
    assert_eq!(listed["data"][0]["id"], id);
}

/// Nobody locks everybody out.
#[tokio::test]
async fn the_last_key_that_may_do_everything_stays() {
    let site = Site::start(|config| config.api_key = None).await;
    let first = site.gateway.new_api_key.as_ref().unwrap().expose().to_owned();
    let delete = async |key: &str, id: u64| {
        site.call(site.request("DELETE", &format!("/v1/api-keys/{id}")).bearer_auth(key)).await
    };
    let (code, refused) = delete(&first, 1).await;
    assert_eq!(code, 409);
    check_error(&refused, "conflict");
    let request = site.request("POST", "/v1/api-keys").bearer_auth(&first).header("Content-Type", "application/json");
    let (_, made) = site.call(request.body(json!({ "name": "second", "scope": "admin" }).to_string())).await;
    let second = made["data"]["key"].as_str().unwrap();
    assert_eq!(delete(second, 1).await.0, 200);
    assert_eq!(status(&site, &first, "GET", "/v1/devices").await, 401);
    assert_eq!(delete(second, 2).await.0, 409);
}

/// The key of the first start of an older version goes on to work, and so does that of the file.
#[tokio::test]
async fn keys_of_before_go_on_to_work() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("punch.sqlite");
    let old = rusqlite::Connection::open(&path).unwrap();
    for sql in [
        include_str!("../../src/store/schema_1.sql"),
        include_str!("../../src/store/schema_2.sql"),
        include_str!("../../src/store/schema_3.sql"),
        include_str!("../../src/store/schema_4.sql"),
        include_str!("../../src/store/schema_5.sql"),
        include_str!("../../src/store/schema_6.sql"),
        include_str!("../../src/store/schema_9.sql"),
        include_str!("../../src/store/schema_12.sql"),
        include_str!("../../src/store/schema_13.sql"),
        include_str!("../../src/store/schema_14.sql"),
        include_str!("../../src/store/schema_15.sql"),
        include_str!("../../src/store/schema_16.sql"),
        include_str!("../../src/store/schema_17.sql"),
    ] {
        old.execute_batch(sql).unwrap();
    }
    let hash = gateway::api::hash_key("pk_old").to_vec();
    old.execute("INSERT INTO meta (key, value) VALUES ('api_key_hash', ?1)", [hash]).unwrap();
    old.pragma_update(None, "user_version", 17).unwrap();
    drop(old);
    let site = Site::start_in(folder, |config| config.api_key = None).await.unwrap();
    assert!(site.gateway.new_api_key.is_none());
    assert_eq!(status(&site, "pk_old", "GET", "/v1/api-keys").await, 200);
    let site = site.restart(|_| ()).await;
    assert_eq!(status(&site, API_KEY, "GET", "/v1/api-keys").await, 200);
    assert_eq!(status(&site, "pk_old", "GET", "/v1/api-keys").await, 200);
}

#[tokio::test]
async fn a_key_that_cannot_be_names_the_field_at_fault() {
    let site = Site::start(|_| ()).await;
    for (body, field) in [
        (json!({ "name": "x", "scope": "root" }), "scope"),
        (json!({ "name": "x" }), "scope"),
        (json!({ "name": " ", "scope": "read" }), "name"),
        (json!({ "name": "x", "scope": "read", "key": "mine" }), "key"),
    ] {
        let (code, answer) = site.post("/v1/api-keys", body.clone()).await;
        assert_eq!((code, &answer["error"]["field"]), (400, &json!(field)), "{body}: {answer}");
    }
}
