//! The requests of the published product, as docs/api.md has them, run by curl.

use serde_json::json;

use crate::harness::{API_KEY, Site, blocks_of, is_there};
use crate::receivers::bash;

/// S1-017, S1-018, S2-043 to S2-046, S2-052, S2-053, S2-073, S2-078 to S2-080: host and key aside, nothing is changed.
#[tokio::test]
async fn the_requests_of_the_published_product_run_unchanged() {
    let tools = [("bash", "--version"), ("curl", "--version")];
    if !tools.into_iter().all(|(tool, version)| is_there(tool, version, "install bash and curl")) {
        return;
    }
    let site = Site::start(|_| ()).await;
    site.punch("1042\t2026-03-28 08:47:12\t0\t1\n1042\t2026-04-01 08:47:12\t0\t1\n").await;
    let (_, device) = site.get("/v1/devices/T1").await;
    let id = device["data"]["id"].as_str().unwrap().to_owned();
    let [block] = blocks_of("api.md", "bash").try_into().expect("one block");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://{}", site.gateway.api_addr);
    let variables = [("PUNCH_URL", url), ("PUNCH_API_KEY", API_KEY.to_owned()), ("DEVICE_ID", id.clone())];
    let answers = bash(block, folder.path(), variables).await;
    let [first, second, attendance, devices, device, command, again] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    assert_eq!(first["data"]["signatures"], json!(["punchconnect"]), "{first}");
    assert_eq!(second["data"]["events"], json!(["attendance.punch", "device.status"]), "{second}");
    assert_eq!(attendance["data"].as_array().unwrap().len(), 1, "{attendance}");
    assert_eq!(attendance["data"][0]["device"]["id"], json!(id), "{attendance}");
    assert_eq!((&devices["data"][0]["id"], &devices["meta"]["total"]), (&json!(id), &json!(1)), "{devices}");
    assert_eq!(device["data"]["serial_number"], "T1", "{device}");
    assert_eq!(
        (&command["data"]["command"], &command["data"]["total"]),
        (&json!("sync_employees"), &json!(2)),
        "{command}"
    );
    assert_eq!(command, again, "the same call under its key is one order");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM command").await, 1);
}
