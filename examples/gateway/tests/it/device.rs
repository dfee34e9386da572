//! The device listener, byte for byte, as firmware on record speaks and hears it.

use punch_normalize::DeviceZone;
use punch_protocol::push::CommKey;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::{Answer, Site, device, exchange, get, post};

async fn handshake_of(site: &Site, serial: &str) -> Answer {
    let target = format!("/iclock/cdata?SN={serial}&options=all&pushver=2.4.1&language=69");
    get(site.gateway.device_addr, &target).await
}

/// Firmware searches the bytes of the head for these spellings, and sets its clock by `Date`.
#[tokio::test]
async fn answers_carry_the_headers_in_the_one_spelling_that_firmware_finds() {
    let site = Site::start(|_| ()).await;
    for target in [
        "/iclock/cdata?SN=T1&options=all",
        "/iclock/getrequest?SN=T1",
        "/iclock/cdata?SN=NOBODY1",
        "/iclock/nothing?SN=T1",
    ] {
        let answer = get(site.gateway.device_addr, target).await;
        assert_eq!(answer.header("Content-Length"), Some(answer.body.len().to_string().as_str()), "{target}");
        assert!(answer.header("Content-Type").unwrap().starts_with("text/plain"), "{target}");
        let date = answer.header("Date").unwrap_or_else(|| panic!("{target}: {}", answer.head));
        assert!(date.ends_with(" GMT") && date.len() == "Sun, 06 Nov 1994 08:49:37 GMT".len(), "{date}");
        assert!(answer.header("Location").is_none() && answer.header("Set-Cookie").is_none(), "{target}");
    }
}

#[tokio::test]
async fn both_versions_of_http_and_headers_of_newer_firmware_are_accepted() {
    let site = Site::start(|_| ()).await;
    let newer = "Connection: starting\r\nAccept: application/push\r\nAccept-Charset: UTF-8\r\nAccept-Language: zh-CN\r\n\
                 Content-Type: application/push;charset=UTF-8\r\nContent-Language: zh-CN\r\n\
                 Cookie: token=cb386eb5f8219329db63356fb262ddff, timestamp=1\r\nAuthorization: Basic QTpC\r\n";
    for (version, headers) in [("1.0", ""), ("1.1", ""), ("1.1", newer), ("1.0", newer)] {
        let request = format!("GET /iclock/getrequest?SN=T1 HTTP/{version}\r\nHost: 10.0.0.9:8081\r\n{headers}\r\n");
        let answer = Answer::of(&exchange(site.gateway.device_addr, request.as_bytes()).await);
        assert!(answer.head.starts_with(&format!("HTTP/{version} 200 ")), "{version} {headers}: {}", answer.head);
        assert_eq!(answer.body, "OK", "{version} {headers}");
    }
}

/// Two requests on one connection, as HTTP/1.1 firmware sends them.
#[tokio::test]
async fn a_kept_connection_serves_request_after_request() {
    let site = Site::start(|_| ()).await;
    let row = "1001\t2026-03-28 08:47:12\t0\t1\n";
    let request = format!(
        "POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{row}\
         GET /iclock/getrequest?SN=T1 HTTP/1.1\r\nHost: x\r\n\r\n",
        row.len()
    );
    let answers = String::from_utf8(exchange(site.gateway.device_addr, request.as_bytes()).await).unwrap();
    let (first, second) = answers.split_once("OK: 1").unwrap_or_else(|| panic!("{answers}"));
    assert!(first.starts_with("HTTP/1.1 200 ") && second.starts_with("HTTP/1.1 200 "), "{answers}");
    assert!(second.ends_with("\r\n\r\nOK"), "{answers}");
}

/// Sample I05, byte for byte: `INFO` with raw blanks. And H18, H19: the paths in the wild.
#[tokio::test]
async fn targets_with_blanks_suffixes_and_odd_paths_are_accepted() {
    let site = Site::start(|_| ()).await;
    let targets = [
        "/iclock/getrequest?SN=T1&INFO=Ver 8.0.4.2-20190708,3,2,120,192.168.1.201,10,7,15,0,111",
        "/iclock/getrequest.aspx?SN=T1",
        "/iclock/iclock/getrequest?SN=T1",
        "/s3cret-token/iclock/getrequest?SN=T1",
        "/getrequest?SN=T1",
        "/iclock/GetRequest?SN=T1",
        "/iclock/getrequest/?SN=T1",
        "/iclock/getrequest?sn=T1",
        "/iclock/getrequest?INFO=x&sn=T1",
        "http://10.0.0.9:8081/iclock/getrequest?SN=T1",
        "/iclock/ping?SN=T1",
        "/iclock/cdata?SN=T1",
    ];
    for target in targets {
        let answer = get(site.gateway.device_addr, target).await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "OK"), "{target}");
    }
}

#[tokio::test]
async fn a_chunked_upload_is_stored_and_acknowledged() {
    let site = Site::start(|_| ()).await;
    let request = "POST /iclock/cdata?SN=T1&table=ATTLOG&Stamp=9999 HTTP/1.1\r\nHost: x\r\n\
                   Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
                   10\r\n1001\t2026-03-28 \r\nd\r\n08:47:12\t0\t1\n\r\n0\r\n\r\n";
    let answer = Answer::of(&exchange(site.gateway.device_addr, request.as_bytes()).await);
    assert_eq!((answer.status, answer.body.as_str()), (200, "OK: 1"));
    let stored: String = site.ask("SELECT device_local FROM row WHERE fate = 'delivered'").await;
    assert_eq!(stored, "2026-03-28T08:47:12");
}

/// Firmware ignores a last line without its LF (H15), and moves its clock by `TimeZone` (H13, saifulcoder#14).
#[tokio::test]
async fn the_option_block_ends_with_lf_and_tells_each_terminal_its_own_offset() {
    let zones = [
        ("UTC1", "UTC", "0"),
        ("KOLKATA1", "Asia/Kolkata", "330"),
        ("INDIA1", "+05:30", "330"),
        ("NEPAL1", "+05:45", "345"),
        ("STJOHNS1", "-03:30", "-210"),
        ("TOKYO1", "Asia/Tokyo", "9"),
        ("MEXICO1", "America/Mexico_City", "-6"),
    ];
    let site = Site::start(|config| {
        config.devices = zones
            .map(|(serial, zone, _)| {
                let mut device = device(serial);
                device.profile.zone = DeviceZone::parse(zone).unwrap();
                device
            })
            .to_vec();
    })
    .await;
    for (serial, zone, told) in zones {
        let answer = handshake_of(&site, serial).await;
        assert_eq!(answer.status, 200, "{zone}");
        assert!(answer.body.starts_with(&format!("GET OPTION FROM: {serial}\n")), "{}", answer.body);
        assert!(answer.body.ends_with('\n') && !answer.body.contains('\r'), "{:?}", answer.body);
        assert!(answer.body.contains(&format!("\nTimeZone={told}\n")), "{zone}: {}", answer.body);
        // Never asked for: templates, faces, photos, users.
        assert!(answer.body.contains("\nTransFlag=TransData AttLog\tOpLog\n"), "{}", answer.body);
    }
}

/// The mark goes back to the terminal, in this life and the next, so it does not send its whole memory again.
#[tokio::test]
async fn the_resume_mark_of_stored_rows_is_given_back_also_after_a_restart() {
    let site = Site::start(|_| ()).await;
    assert!(handshake_of(&site, "T1").await.body.contains("\nATTLOGStamp=0\nStamp=0\n"));
    for (table, stamp) in [("ATTLOG", "Stamp=8412"), ("OPERLOG", "OpStamp=77")] {
        let row =
            if table == "ATTLOG" { "1001\t2026-03-28 08:47:12\t0\t1\n" } else { "OPLOG 4\t0\t2026-03-28 08:00:00\n" };
        let target = format!("/iclock/cdata?SN=T1&table={table}&{stamp}");
        let answer = post(site.gateway.device_addr, &target, row.as_bytes()).await;
        assert_eq!(answer.body, "OK: 1");
    }
    let marks = "\nATTLOGStamp=8412\nStamp=8412\nOPERLOGStamp=77\nOpStamp=77\n";
    let block = handshake_of(&site, "T1").await.body;
    assert!(block.contains(marks), "{block}");
    let site = site.restart(|_| ()).await;
    let block = handshake_of(&site, "T1").await.body;
    assert!(block.contains(marks), "{block}");
}

/// S1-007: an access terminal from its first word to its events, and again after the gateway has restarted, when a
/// terminal that stays powered does not introduce itself anew.
#[tokio::test]
async fn an_access_terminal_registers_and_delivers_its_events() {
    let site = Site::start(|_| ()).await;
    let addr = site.gateway.device_addr;
    assert_eq!(get(addr, "/iclock/cdata?SN=T1&options=all&pushver=3.0.1&DeviceType=acc").await.body, "OK");
    let registration = "DeviceType=acc,~DeviceName=F20/M,FirmVer=Ver 8.0.1.3-20151229,LockCount=1";
    let code = post(addr, "/iclock/registry?SN=T1", registration.as_bytes()).await.body;
    assert!(code.starts_with("RegistryCode="), "{code}");
    let configuration = post(addr, "/iclock/push?SN=T1", b"").await.body;
    assert!(configuration.contains("\nRealtime=1\n") && configuration.ends_with('\n'), "{configuration}");
    let again = get(addr, "/iclock/cdata?SN=T1&options=all&pushver=3.0.1&DeviceType=acc").await.body;
    assert!(again.starts_with(&format!("registry=ok\n{code}\n")), "{again}");
    let pass =
        "time=2026-02-23 14:13:48\tpin=2\tcardno=0\teventaddr=1\tevent=3\tinoutstatus=0\tverifytype=15\tindex=140\n";
    let refusal =
        "time=2026-02-23 14:13:50\tpin=3\tcardno=0\teventaddr=1\tevent=27\tinoutstatus=0\tverifytype=15\tindex=141\n";
    assert_eq!(site.upload("T1", "rtlog", format!("{pass}{refusal}")).await.body, "OK");
    let mut fates = site.fates().await;
    fates.sort_unstable();
    assert_eq!(fates, ["delivered", "recorded/rtlog"]);
    let site = site.restart(|_| ()).await;
    assert_eq!(site.ask::<String>("SELECT dialect FROM device WHERE serial = 'T1'").await, "access control");
    assert_eq!(site.upload("T1", "rtlog", pass).await.body, "OK");
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 2, "the same event again is no new row");
}

/// S1-027: the address a terminal calls from changes with its line; nothing else does.
#[tokio::test]
async fn a_change_of_the_source_address_changes_nothing() {
    let site = Site::start(|_| ()).await;
    for (host, row) in [(2, "1001\t2026-03-28 08:00:00\t0\t1\n"), (3, "1001\t2026-03-28 17:00:00\t1\t1\n")] {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((std::net::Ipv4Addr::new(127, 0, 0, host), 0).into()).unwrap();
        let mut stream = socket.connect(site.gateway.device_addr).await.unwrap();
        let request = format!(
            "POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.0\r\nHost: x\r\nContent-Length: {}\r\n\r\n{row}",
            row.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.ends_with(b"\r\n\r\nOK: 1"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(site.fates().await, ["delivered"; 2]);
}

/// S2-060: 10,000 uploads of one terminal on twenty connections; none is refused, all are stored.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_is_never_throttled() {
    const CONNECTIONS: usize = 20;
    const UPLOADS: usize = 500;
    let site = Site::start(|_| ()).await;
    let addr = site.gateway.device_addr;
    let burst = |connection: usize| async move {
        let upload = |number: usize| {
            let row = format!("{connection}-{number}\t2026-03-28 08:00:00\t0\t1\n");
            format!(
                "POST /iclock/cdata?SN=T1&table=ATTLOG HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{row}",
                row.len()
            )
        };
        let requests: String = (0..UPLOADS).map(upload).collect();
        String::from_utf8(exchange(addr, requests.as_bytes()).await).unwrap()
    };
    let answers = futures_util::future::join_all((0..CONNECTIONS).map(burst)).await;
    for answer in answers {
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), UPLOADS);
        assert_eq!(answer.matches("\r\n\r\nOK: 1").count(), UPLOADS);
    }
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row WHERE fate = 'delivered'").await, 10_000);
}

/// A terminal that shows the wrong secret, or none, is not believed whatever its serial number; its rows stay on it.
#[tokio::test]
async fn a_comm_key_is_asked_for() {
    let site = Site::start(|config| config.devices[0].comm_key = Some(CommKey::new("4a9594af"))).await;
    let addr = site.gateway.device_addr;
    let row = "1001\t2026-03-28 08:00:00\t0\t1\n";
    for key in ["", "&pushcommkey=4a9594a0"] {
        assert_eq!(get(addr, &format!("/iclock/cdata?SN=T1&options=all{key}")).await.status, 503);
        assert_eq!(site.upload("T1", "ATTLOG", row).await.status, 503);
        assert_eq!(get(addr, "/iclock/getrequest?SN=T1").await.body, "UNKNOWN DEVICE");
    }
    assert_eq!(site.ask::<i64>("SELECT count(*) FROM row").await, 0);
    assert_eq!(get(addr, "/iclock/cdata?SN=T1&options=all&pushcommkey=4a9594af").await.status, 200);
    assert_eq!(site.upload("T1", "ATTLOG", row).await.body, "OK: 1");
}
