//! The exact bytes of every request.

use punch_erp::odoo::{
    AttendanceId, Authenticate, CreateAttendances, DetectVersion, EmployeeId, FindAttendances, FindEmployees, Login,
    NewAttendance, Odoo, Protocol, Version, WriteAttendance,
};
use punch_erp::{Endpoint, HttpRequest, render_masked};

use super::world::{KEY, PASSWORD, naive, settings};

fn odoo() -> Odoo {
    Odoo::new(settings()).unwrap()
}

fn login(protocol: Protocol) -> Login {
    let version = |major| Version { major, minor: 0 };
    match protocol {
        Protocol::Json2 => Login::json2(version(19)),
        other => Login::rpc(other, 5, version(16)),
    }
}

fn body(request: &HttpRequest) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

fn headers(request: &HttpRequest) -> Vec<(&str, &str)> {
    let mut headers: Vec<_> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    headers.sort_unstable();
    headers
}

/// The body that a call has by JSON-RPC, whose service and credentials are always the same.
fn execute(model: &str, method: &str, arguments: &str) -> String {
    format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"call\",\"params\":{{\"service\":\"object\",\"method\":\"execute_kw\",\
         \"args\":[\"main\",5,\"{KEY}\",\"{model}\",\"{method}\",{arguments}]}},\"id\":1}}"
    )
}

/// S0-031, S0-032: `common.authenticate` with database, user and key, in both encodings.
#[test]
fn authenticate() {
    let request = Authenticate::new(&odoo(), Protocol::JsonRpc).request();
    assert_eq!(
        (request.method().as_str(), request.uri().to_string()),
        ("POST", "https://odoo.example.com/jsonrpc".into())
    );
    assert_eq!(headers(&request), [("accept", "application/json"), ("content-type", "application/json")]);
    assert_eq!(
        body(&request),
        format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"call\",\"params\":{{\"service\":\"common\",\"method\":\"authenticate\",\
             \"args\":[\"main\",\"punch-bot\",\"{KEY}\",{{}}]}},\"id\":1}}"
        )
    );
    let request = Authenticate::new(&odoo(), Protocol::XmlRpc).request();
    assert_eq!(request.uri(), "https://odoo.example.com/xmlrpc/2/common");
    assert_eq!(headers(&request), [("accept", "text/xml"), ("content-type", "text/xml")]);
    assert_eq!(
        body(&request),
        format!(
            "<?xml version=\"1.0\"?>\n<methodCall><methodName>authenticate</methodName><params>\
             <param><value><string>main</string></value></param><param><value><string>punch-bot</string></value></param>\
             <param><value><string>{KEY}</string></value></param><param><value><struct></struct></value></param>\
             </params></methodCall>"
        )
    );
}

#[test]
fn version() {
    let request = |protocol| DetectVersion::new(&odoo(), protocol).request();
    assert_eq!(
        body(&request(Protocol::JsonRpc)),
        r#"{"jsonrpc":"2.0","method":"call","params":{"service":"common","method":"version","args":[]},"id":1}"#
    );
    assert_eq!(request(Protocol::XmlRpc).uri(), "https://odoo.example.com/xmlrpc/2/common");
    let request = request(Protocol::Json2);
    assert_eq!((request.method().as_str(), request.uri().path()), ("GET", "/web/version"));
    assert!(request.body().is_empty() && !request.headers().contains_key("authorization"));
}

/// S0-033: by the badge as a text, two at most; the empty badge is asked of nobody.
#[test]
fn employee_by_badge() {
    let find = |badges: &[&str], protocol| {
        let badges = badges.iter().map(|badge| (*badge).to_owned());
        FindEmployees::new(&odoo(), &login(protocol), badges).request()
    };
    let one = find(&["0042"], Protocol::JsonRpc);
    let arguments =
        r#"[[["barcode","=","0042"]]],{"context":{"active_test":false},"fields":["id","barcode","active"],"limit":2}"#;
    assert_eq!(body(&one), execute("hr.employee", "search_read", arguments));
    let two = find(&["0042", "", "7"], Protocol::JsonRpc);
    let arguments =
        r#"[[["barcode","in",["0042","7"]]]],{"context":{"active_test":false},"fields":["id","barcode","active"]}"#;
    assert_eq!(body(&two), execute("hr.employee", "search_read", arguments));
    let named = find(&["0042"], Protocol::Json2);
    assert_eq!(named.uri(), "https://odoo.example.com/json/2/hr.employee/search_read");
    assert_eq!(
        body(&named),
        r#"{"context":{"active_test":false},"domain":[["barcode","=","0042"]],"fields":["id","barcode","active"],"limit":2}"#
    );
    assert_eq!(
        headers(&named),
        [
            ("accept", "application/json"),
            ("authorization", format!("bearer {KEY}").as_str()),
            ("content-type", "application/json"),
            ("x-odoo-database", "main"),
        ]
    );
}

fn new_attendance(check_out: Option<&str>) -> NewAttendance {
    let time = |text| naive(text).and_utc();
    NewAttendance { employee: EmployeeId(585), check_in: time("08:00:00"), check_out: check_out.map(time) }
}

/// S0-035: an arrival is a record with `check_in`, UTC, without `T` and `Z`.
#[test]
fn create() {
    let create = |rows, protocol| CreateAttendances::new(&odoo(), &login(protocol), rows).request();
    let arguments = r#"[[{"check_in":"2026-11-10 08:00:00","employee_id":585}]],{"context":{"tracking_disable":true}}"#;
    let arrival = create(vec![new_attendance(None)], Protocol::JsonRpc);
    assert_eq!(body(&arrival), execute("hr.attendance", "create", arguments));
    let pair = create(vec![new_attendance(Some("16:00:00"))], Protocol::Json2);
    assert_eq!(pair.uri().path(), "/json/2/hr.attendance/create");
    assert_eq!(
        body(&pair),
        r#"{"context":{"tracking_disable":true},"vals_list":[{"check_in":"2026-11-10 08:00:00","check_out":"2026-11-10 16:00:00","employee_id":585}]}"#
    );
    let xml = create(vec![new_attendance(None)], Protocol::XmlRpc);
    assert_eq!(
        body(&xml),
        format!(
            "<?xml version=\"1.0\"?>\n<methodCall><methodName>execute_kw</methodName><params>\
             <param><value><string>main</string></value></param><param><value><int>5</int></value></param>\
             <param><value><string>{KEY}</string></value></param>\
             <param><value><string>hr.attendance</string></value></param>\
             <param><value><string>create</string></value></param>\
             <param><value><array><data><value><array><data><value><struct>\
             <member><name>check_in</name><value><string>2026-11-10 08:00:00</string></value></member>\
             <member><name>employee_id</name><value><int>585</int></value></member>\
             </struct></value></data></array></value></data></array></value></param>\
             <param><value><struct><member><name>context</name><value><struct>\
             <member><name>tracking_disable</name><value><boolean>1</boolean></value></member>\
             </struct></value></member></struct></value></param></params></methodCall>"
        )
    );
}

#[test]
fn chatter_can_be_had() {
    let mut settings = settings();
    settings.chatter = true;
    let odoo = Odoo::new(settings).unwrap();
    let request = CreateAttendances::new(&odoo, &login(Protocol::Json2), vec![new_attendance(None)]).request();
    assert!(!body(&request).contains("context"));
}

/// S0-036: a departure is written over the open record; here is how to find it, and how to write.
#[test]
fn open_record_and_departure() {
    let open = FindAttendances::open(&odoo(), &login(Protocol::JsonRpc), EmployeeId(585)).request();
    let arguments = r#"[[["employee_id","=",585],["check_out","=",false]]],{"fields":["id","employee_id","check_in","check_out"],"limit":1,"order":"check_in desc"}"#;
    assert_eq!(body(&open), execute("hr.attendance", "search_read", arguments));

    let end = Some(naive("16:00:00").and_utc());
    let write =
        |begin, end, protocol| WriteAttendance::new(&odoo(), &login(protocol), AttendanceId(69), begin, end).request();
    let arguments = r#"[[69],{"check_out":"2026-11-10 16:00:00"}],{"context":{"tracking_disable":true}}"#;
    assert_eq!(body(&write(None, end, Protocol::JsonRpc)), execute("hr.attendance", "write", arguments));
    assert_eq!(
        body(&write(end, None, Protocol::Json2)),
        r#"{"context":{"tracking_disable":true},"ids":[69],"vals":{"check_in":"2026-11-10 16:00:00","check_out":false}}"#
    );
}

/// What a plan is made from: everything that has not ended before, and who closed it, where the version can say.
#[test]
fn attendances_around() {
    let from = naive("08:00:00").and_utc();
    let since =
        |protocol| FindAttendances::since(&odoo(), &login(protocol), &[EmployeeId(1), EmployeeId(2)], from).request();
    assert_eq!(
        body(&since(Protocol::Json2)),
        r#"{"domain":[["employee_id","in",[1,2]],"|",["check_out",">=","2026-11-10 08:00:00"],["check_out","=",false]],"fields":["id","employee_id","check_in","check_out","out_mode"],"order":"check_in, id"}"#
    );
    assert!(!body(&since(Protocol::JsonRpc)).contains("out_mode"), "16 has no such field");
}

/// Nothing in a value can end its place, in any spelling.
#[test]
fn odd_texts() {
    let mut settings = settings();
    settings.secret = PASSWORD.into();
    settings.database = "m\"a<i>&n".to_owned();
    let odoo = Odoo::new(settings).unwrap();
    let json = Authenticate::new(&odoo, Protocol::JsonRpc).request();
    let value: serde_json::Value = serde_json::from_slice(json.body()).unwrap();
    assert_eq!(value["params"]["args"][0], "m\"a<i>&n");
    assert_eq!(value["params"]["args"][2], PASSWORD);
    let xml = Authenticate::new(&odoo, Protocol::XmlRpc).request();
    assert!(body(&xml).contains("canary pass:word &lt;&amp;&gt;</string>"), "{}", body(&xml));
}

/// S3-020: a dry run shows the request as it would go out, but for the secret, wherever that is.
#[test]
fn dry_run() {
    for protocol in [Protocol::JsonRpc, Protocol::XmlRpc, Protocol::Json2] {
        let request = CreateAttendances::new(&odoo(), &login(protocol), vec![new_attendance(None)]).request();
        let shown = render_masked(&request);
        assert!(!shown.contains(KEY) && shown.contains("***"), "{shown}");
        assert_eq!(shown.matches("2026-11-10 08:00:00").count(), 1);
        let headers = format!("{:?}", request.headers());
        assert!(!headers.contains(KEY), "{headers}");
    }
}
