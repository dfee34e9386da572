//! `punch audit` and `punch erase`: a log that is whole or says where it breaks, and somebody who is gone from it all.

use rusqlite::Connection;

use crate::command::{Done, run};
use crate::site::{Site, exchange};

fn ask(site: &Site, arguments: &[&str]) -> Done {
    let url = format!("http://{}", site.api);
    run(&[arguments, &["--gateway", &url, "--api-key", Site::KEY]].concat(), b"")
}

fn verified(done: &Done) -> String {
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    done.stdout.trim_end().to_owned()
}

fn broken(done: &Done, at: &str) {
    assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""), "{}", done.stderr);
    assert!(done.stderr.contains(at), "{}", done.stderr);
}

#[test]
fn a_log_is_checked_at_the_gateway_in_a_file_and_in_the_store() {
    let site = Site::start(&[("T1", "UTC")]);
    site.approve("T2");
    site.approve("T3");
    let head = verified(&ask(&site, &["audit", "verify"]));
    assert!(head.starts_with("3:") && head.len() == 66, "{head}");
    let Done { stdout: exported, .. } = ask(&site, &["audit", "export"]);
    assert_eq!(exported.lines().count(), 3);
    let file = site.folder.path().join("audit.ndjson");
    let path = file.display().to_string();
    let in_file = |lines: &str, more: &[&str]| {
        std::fs::write(&file, lines).unwrap();
        run(&[&["audit", "verify", "--file", &path], more].concat(), b"")
    };
    assert_eq!(verified(&in_file(&exported, &[])), head);
    assert_eq!(verified(&in_file(&exported, &["--head", &head])), head);
    broken(&in_file(&exported.replacen("\"T2\"", "\"T9\"", 1), &[]), "entry 2");
    broken(&in_file(&exported.replacen("\"at\":", "\"at\" :", 1), &[]), "line 1");
    let lines: Vec<&str> = exported.lines().collect();
    broken(&in_file(&[lines[0], lines[2]].join("\n"), &[]), "entry 2");
    let cut = [lines[0], lines[1]].join("\n");
    let shorter = verified(&in_file(&cut, &[]));
    broken(&in_file(&cut, &["--head", &head]), "entry 3");
    // What is behind a place that was checked before.
    let Done { stdout: rest, .. } = ask(&site, &["audit", "export", "--after", "2"]);
    assert_eq!(verified(&in_file(&rest, &["--after", &shorter])), head);
    let store = format!("sqlite:{}", site.folder.path().join("punch.sqlite").display());
    let in_store = |more: &[&str]| run(&[&["audit", "verify", "--store", &store], more].concat(), b"");
    assert_eq!(verified(&in_store(&[])), head);
    let connection = Connection::open(site.folder.path().join("punch.sqlite")).unwrap();
    assert_eq!(connection.execute("DELETE FROM audit WHERE seq = 3", []).unwrap(), 1);
    drop(connection);
    assert_eq!(verified(&in_store(&[])), shorter, "by itself it looks whole");
    broken(&in_store(&["--head", &head]), "entry 3");
    broken(&ask(&site, &["audit", "verify", "--head", &head]), "entry 3");
    let Done { code, stderr, .. } = run(&["audit", "verify", "--store", "sqlite:/nowhere/punch.sqlite"], b"");
    assert!(code == Some(3) && stderr.contains("name the file of a gateway"), "{stderr}");
    let Done { code, .. } = in_store(&["--head", "3:abc"]);
    assert_eq!(code, Some(2));
}

#[test]
fn somebody_is_erased_with_what_was_kept_of_them() {
    let site = Site::start(&[("T1", "UTC")]);
    let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", Site::KEY);
    let person = r#"{"badge_number":"GONEPIN77","id":"gone","name":"Greta Gone"}"#;
    assert_eq!(exchange(site.api, "POST", "/v1/employees", &headers, person).0, 201);
    let rows = "GONEPIN77\t2026-03-02 08:00:00\t0\t1\n8\t2026-03-02 08:00:00\t0\t1\n";
    assert_eq!(exchange(site.device, "POST", "/iclock/cdata?SN=T1&table=ATTLOG", "", rows).1, "OK: 2");
    assert!(site.has_bytes("GONEPIN77") && site.has_bytes("Greta Gone"));
    let Done { code, stdout, stderr } = ask(&site, &["erase", "--id", "gone"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stdout.starts_with("erased from 1 entries of the register, 1 rows, 1 bodies"), "{stdout}");
    assert!(!site.has_bytes("GONEPIN77") && !site.has_bytes("Greta Gone"));
    let Done { code, stderr, .. } = ask(&site, &["erase", "--id", "gone"]);
    assert!(code == Some(2) && stderr.contains("nothing was changed"), "{stderr}");
}

#[test]
fn a_terminal_is_let_in_from_its_networks_and_under_its_path_until_that_is_lifted() {
    let site = Site::start(&[("T1", "UTC")]);
    let push = |prefix: &str| {
        let target = format!("{prefix}/iclock/cdata?SN=T1&table=ATTLOG");
        exchange(site.device, "POST", &target, "", "7\t2026-03-02 08:00:00\t0\t1\n").0
    };
    let token = site.folder.path().join("token");
    std::fs::write(&token, "Kd93_path-of-this-terminal\n").unwrap();
    let restrict = |more: &[&str]| ask(&site, &[&["devices", "restrict", "T1"], more].concat());
    let Done { code, stdout, stderr } =
        restrict(&["--allow", "127.0.0.0/8", "--path-token-file", token.to_str().unwrap()]);
    assert!(code == Some(0) && stdout.contains("from its next call on"), "{stderr}");
    assert_eq!((push(""), push("/Kd93_path-of-this-terminal")), (503, 200));
    let Done { stdout, .. } = ask(&site, &["devices", "show", "T1"]);
    assert!(
        stdout.contains("127.0.0.0/8") && stdout.contains("path token     set") && !stdout.contains("Kd93"),
        "{stdout}"
    );
    assert_eq!(restrict(&["--allow", "192.0.2.0/24"]).code, Some(0));
    assert_eq!(push("/Kd93_path-of-this-terminal"), 503);
    assert_eq!(restrict(&["--lift"]).code, Some(0));
    assert_eq!(push(""), 200);
    for wrong in
        [&[][..], &["--allow", "door"], &["--lift", "--allow", "10.0.0.0/8"], &["--path-token-file", "/nowhere"]]
    {
        assert_eq!(restrict(wrong).code, Some(2), "{wrong:?}");
    }
}
