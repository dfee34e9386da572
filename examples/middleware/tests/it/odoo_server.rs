//! The program `odoo` against a real Odoo. `.ci/run odoo` starts one; without `PUNCH_TEST_ODOO_URL` there is none, and this
//! test is skipped.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use simulator::odoo_server::{BOT, MonthAt, OdooServer};
use tempfile::tempdir;

use crate::program::{Program, odoo, signed};

fn program(server: &OdooServer, folder: &Path) -> Command {
    let mut command = odoo(&server.url, folder);
    command.envs([("ODOO_DB", server.database.as_str()), ("ODOO_USER", BOT), ("ODOO_PASS", server.key.as_str())]);
    command
}

/// S0-001, S0-010, S0-035 to S0-037: a month as it arrives, the program killed again and again. Every pair to the second,
/// nothing invented.
#[tokio::test(flavor = "multi_thread")]
async fn a_month_as_it_arrives_is_there_to_the_second() {
    let Some(server) = OdooServer::from_env().await.expect("everything about PUNCH_TEST_ODOO_URL is set") else {
        return eprintln!("skipped: PUNCH_TEST_ODOO_URL is not set; .ci/run odoo starts an Odoo and sets it");
    };
    let (month, folder) = (MonthAt::new(&server, 40).await.unwrap(), tempdir().unwrap());
    for part in month.month.deliveries.chunks(900) {
        let program = Program::run(program(&server, folder.path()), &[]).await;
        for deliveries in part.chunks(20) {
            let events: Vec<Value> = deliveries
                .iter()
                .map(|it| {
                    let at = it.at.to_rfc3339();
                    json!({ "event_id": it.id, "employee_id": it.badge, "timestamp": at, "direction": it.direction })
                })
                .collect();
            let body = serde_json::to_vec(&events).unwrap();
            let id = format!("evt_list_{}", deliveries[0].id);
            assert_eq!(program.post("/webhook", &signed(&id, &body), &body).await.0, 200);
        }
        program.kill();
    }
    let program = Program::run(program(&server, folder.path()), &[]).await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(300);
    while program.health().await.unwrap()["waiting"] != 0 {
        assert!(tokio::time::Instant::now() < deadline, "still waiting: {:?}", program.health().await);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let wrongs = month.wrongs(&server).await.unwrap();
    assert!(wrongs.is_empty(), "{} wrongs: {:#?}", wrongs.len(), &wrongs[..wrongs.len().min(5)]);
}
