//! SIGHUP: a gateway takes whoever its file names now, says what waits for a restart, and survives a file that is wrong.

use crate::site::{Site, exchange};

fn append(site: &Site, text: &str) {
    let path = site.folder.path().join("punch.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, before + text).unwrap();
}

fn upload(site: &Site, serial: &str) -> u16 {
    let target = format!("/iclock/cdata?SN={serial}&table=ATTLOG");
    exchange(site.device, "POST", &target, "", "7\t2026-03-02 08:00:00\t0\t1\n").0
}

#[test]
fn a_signal_makes_a_gateway_take_its_file_and_say_what_waits_for_a_restart() {
    let mut site = Site::start(&[("T1", "UTC")]);
    assert_eq!((upload(&site, "T1"), upload(&site, "T2")), (200, 503));

    // A file that is wrong changes nothing, and says what is wrong.
    append(&site, "[[device]]\nserial = \"T2\"\nzone = \"Mars\"\n");
    site.process().signal("HUP");
    let said = site.process().complaint_with("was not taken");
    assert!(said.contains("1 errors"), "{said}");
    let said = site.process().complaint_with("zone");
    assert!(said.contains("device[2].zone"), "{said}");
    assert_eq!((upload(&site, "T1"), upload(&site, "T2")), (200, 503));

    let path = site.folder.path().join("punch.toml");
    let text = std::fs::read_to_string(&path).unwrap().replace("Mars", "America/Bogota");
    std::fs::write(&path, text + "[retention]\ndelivered_days = 30\n").unwrap();
    site.process().signal("HUP");
    let said = site.process().complaint_with("names now was taken");
    assert!(said.contains("devices=1"), "{said}");
    let said = site.process().complaint_with("next start");
    assert!(said.trim_end().ends_with("key=retention"), "{said}");
    assert_eq!(upload(&site, "T2"), 200);
}
