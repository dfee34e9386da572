//! What Odoo answers to each kind of call by each of its doors, seen on Odoo 19.0 (Debian 19.0.0+dfsg-1). The stand-in is
//! held to it always, and a real server where `PUNCH_TEST_ODOO_URL` names one (`.ci/run odoo`).

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use simulator::erp::serve_odoo;
use simulator::odoo::{OdooConfig, OdooEmployee, OdooStandIn};
use simulator::odoo_server::{BOT, OdooServer, fresh_prefix};

use Said::{Fine, Wrong};

/// What an answer says.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    /// A result: its shape, numbers as 0 and texts as "".
    Fine(Value),
    /// An exception: status and name by JSON-2, name by JSON-RPC, number of the fault by XML-RPC.
    Wrong((u16, &'static str), &'static str, i64),
}

struct Case {
    what: &'static str,
    model: &'static str,
    method: &'static str,
    /// The arguments that have a place, by their names.
    arguments: Value,
    named: Value,
    said: Said,
}

fn case(what: &'static str, (model, method): (&'static str, &'static str), arguments: Value, said: Said) -> Case {
    Case { what, model, method, arguments, named: json!({}), said }
}

const CREATE: (&str, &str) = ("hr.attendance", "create");
const WRITE: (&str, &str) = ("hr.attendance", "write");
const READ: (&str, &str) = ("hr.attendance", "search_read");

const VALIDATION: Said = Wrong((422, "odoo.exceptions.ValidationError"), "odoo.exceptions.ValidationError", 2);
const MISSING: Said = Wrong((404, "odoo.exceptions.MissingError"), "odoo.exceptions.MissingError", 2);
const ACCESS: Said = Wrong((403, "odoo.exceptions.AccessError"), "odoo.exceptions.AccessError", 4);
const VALUE: Said = Wrong((500, "builtins.ValueError"), "builtins.ValueError", 1);

/// In this order, by each door for an employee of its own.
fn cases(employee: i64) -> Vec<Case> {
    let pair = |from: Value, to: Value| json!([["vals_list", [{ "employee_id": employee, "check_in": from, "check_out": to }]]]);
    let open = |from: &str| json!([["vals_list", [{ "employee_id": employee, "check_in": from }]]]);
    let row = |field: &str, value: Value| json!([["vals_list", [{ "check_in": "2026-02-09 08:00:00", field: value }]]]);
    let ids = || Fine(json!([0]));
    let mut cases = vec![
        case("no length", CREATE, pair(json!("2026-01-03 08:00:00"), json!("2026-01-03 08:00:00")), ids()),
        case("no length again", CREATE, pair(json!("2026-01-03 08:00:00"), json!("2026-01-03 08:00:00")), ids()),
        case("no length, later", CREATE, pair(json!("2026-01-04 08:00:00"), json!("2026-01-04 08:00:00")), ids()),
        case(
            "the same behind another",
            CREATE,
            pair(json!("2026-01-04 08:00:00"), json!("2026-01-04 08:00:00")),
            VALIDATION,
        ),
        case("a pair", CREATE, pair(json!("2026-02-01 08:00:00"), json!("2026-02-01 16:00:00")), ids()),
        case("the same pair", CREATE, pair(json!("2026-02-01 08:00:00"), json!("2026-02-01 16:00:00")), VALIDATION),
        case("a pair within", CREATE, pair(json!("2026-02-01 09:00:00"), json!("2026-02-01 10:00:00")), VALIDATION),
        case("a pair that touches", CREATE, pair(json!("2026-02-01 16:00:00"), json!("2026-02-01 17:00:00")), ids()),
        case(
            "an end before its begin",
            CREATE,
            pair(json!("2026-02-02 09:00:00"), json!("2026-02-02 08:00:00")),
            VALIDATION,
        ),
        case("a day alone, and a minute", CREATE, pair(json!("2026-02-04"), json!("2026-02-04 08:00")), ids()),
        case("open", CREATE, open("2026-02-05 08:00:00"), ids()),
        case("open twice", CREATE, open("2026-02-06 08:00:00"), VALIDATION),
        case("open twice, earlier", CREATE, open("2026-01-06 08:00:00"), VALIDATION),
        case(
            "a pair behind an open one",
            CREATE,
            pair(json!("2026-02-07 08:00:00"), json!("2026-02-07 09:00:00")),
            ids(),
        ),
        case("nobody's", CREATE, row("check_out", json!("2026-02-09 09:00:00")), VALIDATION),
        case("somebody who is not there", CREATE, row("employee_id", json!(99_999_999)), MISSING),
        case("a number as a text", CREATE, row("employee_id", json!(employee.to_string())), ACCESS),
        case("a field that is not there", CREATE, row("device_id", json!("T1")), VALUE),
        case("a mode that is not there", CREATE, row("in_mode", json!("biometric")), VALUE),
        case("no rows", CREATE, json!([["vals_list", []]]), Fine(json!([]))),
        case(
            "a record that is not there",
            WRITE,
            json!([["ids", [99_999_999]], ["vals", { "check_out": "2026-02-09 08:00:00" }]]),
            MISSING,
        ),
        case(
            "no record",
            WRITE,
            json!([["ids", []], ["vals", { "check_out": "2026-02-09 08:00:00" }]]),
            Fine(json!(true)),
        ),
        case(
            "read",
            READ,
            json!([[
                "domain",
                [
                    ["employee_id", "in", [employee]],
                    ["check_in", "<", "2026-01-05 00:00:00"],
                    ["check_in", ">", "2026-01-03 00:00:00"]
                ]
            ]]),
            Fine(
                json!([{ "id": 0, "check_in": "", "check_out": "" }, { "id": 0, "check_in": "", "check_out": "" }, { "id": 0, "check_in": "", "check_out": "" }]),
            ),
        ),
        case(
            "read an open one",
            READ,
            json!([["domain", [["employee_id", "=", employee], ["check_out", "=", false]]]]),
            Fine(json!([{ "id": 0, "check_in": "", "check_out": false }])),
        ),
        case("read a zone", READ, json!([["domain", [["check_in", ">=", "2026-02-01T08:00:00Z"]]]]), VALUE),
        case("read another field", READ, json!([["domain", [["device_id", "=", "T1"]]]]), VALUE),
        case("read half a question", READ, json!([["domain", ["|", ["id", "=", 1]]]]), VALUE),
        case("may", ("hr.attendance", "has_access"), json!([["ids", []], ["operation", "create"]]), Fine(json!(true))),
        case(
            "may, as before 18",
            ("hr.attendance", "check_access_rights"),
            json!([["operation", "create"], ["raise_exception", false]]),
            Fine(json!(true)),
        ),
        case(
            "another model",
            ("hr.punch", "create"),
            json!([["vals_list", []]]),
            Wrong((404, "werkzeug.exceptions.NotFound"), "odoo.exceptions.UserError", 2),
        ),
        case(
            "another method",
            ("hr.attendance", "punch"),
            json!([]),
            Wrong((404, "werkzeug.exceptions.NotFound"), "builtins.AttributeError", 1),
        ),
        case("a private method", ("hr.attendance", "_create"), json!([]), ACCESS),
        case(
            "an argument is missing",
            WRITE,
            json!([["ids", [99_999_999]]]),
            Wrong((422, "werkzeug.exceptions.UnprocessableEntity"), "builtins.TypeError", 1),
        ),
    ];
    for time in [
        "2026-02-08T08:00:00Z",
        "2026-02-08T08:00:00",
        "2026-02-08 08:00:00.5",
        " 2026-02-08 08:00:00",
        "2026-02-30 08:00:00",
    ] {
        cases.push(case("a time it does not read", CREATE, pair(json!(time), json!("2026-02-08 09:00:00")), VALUE));
    }
    for time in [json!(false), json!("")] {
        cases.push(case("no time", CREATE, pair(time, json!("2026-02-08 09:00:00")), VALIDATION));
    }
    let number = Wrong((500, "builtins.TypeError"), "builtins.TypeError", 1);
    cases.push(case("a time as a number", CREATE, pair(json!(1_770_000_000), json!("2026-02-08 09:00:00")), number));
    let unknown = case(
        "an argument too many",
        READ,
        json!([["domain", []]]),
        Wrong((500, "builtins.TypeError"), "builtins.TypeError", 1),
    );
    cases.push(Case { named: json!({ "device": "T1" }), ..unknown });
    let unknown = case(
        "an argument too many to write",
        WRITE,
        json!([["ids", []], ["vals", {}]]),
        Wrong((422, "werkzeug.exceptions.UnprocessableEntity"), "builtins.TypeError", 1),
    );
    cases.push(Case { named: json!({ "device": "T1" }), ..unknown });
    cases
}

/// A server, and who we are there.
struct Server {
    url: String,
    database: String,
    key: String,
    uid: i64,
    http: reqwest::Client,
}

impl Server {
    async fn post(&self, path: &str, kind: &str, headers: &[(&str, &str)], body: String) -> (u16, String) {
        let mut request = self.http.post(format!("{}/{path}", self.url)).header("Content-Type", kind).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn json_2(&self, case: &Case, key: &str, database: &str) -> Value {
        let mut body = case.named.as_object().cloned().unwrap_or_default();
        body.extend(pairs(&case.arguments));
        let bearer = format!("bearer {key}");
        let headers = [("Authorization", bearer.as_str()), ("X-Odoo-Database", database)];
        let path = format!("json/2/{}/{}", case.model, case.method);
        let (status, text) = self.post(&path, "application/json", &headers, json!(body).to_string()).await;
        match serde_json::from_str::<Value>(&text) {
            Ok(result) if status == 200 => shape(&result),
            Ok(error) => json!([status, error["name"]]),
            Err(_) => json!([status, "html"]),
        }
    }

    async fn json_rpc(&self, case: &Case, key: &str, database: &str) -> Value {
        let params =
            json!({ "service": "object", "method": "execute_kw", "args": self.arguments(case, key, database) });
        let body = json!({ "jsonrpc": "2.0", "method": "call", "params": params, "id": 1 });
        let (status, text) = self.post("jsonrpc", "application/json", &[], body.to_string()).await;
        assert_eq!(status, 200, "{}", case.what);
        let answer: Value = serde_json::from_str(&text).unwrap();
        match answer.get("error") {
            Some(error) => error["data"]["name"].clone(),
            None => shape(&answer["result"]),
        }
    }

    /// The number of the fault, or -1 for a result.
    async fn xml_rpc(&self, case: &Case, key: &str, database: &str) -> i64 {
        let arguments = self.arguments(case, key, database);
        let params: String =
            arguments.as_array().unwrap().iter().map(|value| format!("<param>{}</param>", xml(value))).collect();
        let body = format!(
            "<?xml version=\"1.0\"?><methodCall><methodName>execute_kw</methodName><params>{params}</params></methodCall>"
        );
        let (status, text) = self.post("xmlrpc/2/object", "text/xml", &[], body).await;
        assert_eq!(status, 200, "{}", case.what);
        let fault = text.split_once("<name>faultCode</name>").and_then(|(_, rest)| rest.split_once("<int>"));
        fault.map_or(-1, |(_, rest)| rest.split('<').next().unwrap().parse().unwrap())
    }

    fn arguments(&self, case: &Case, key: &str, database: &str) -> Value {
        let positional: Vec<Value> = pairs(&case.arguments).map(|(_, value)| value).collect();
        json!([database, self.uid, key, case.model, case.method, positional, case.named])
    }

    /// One of each door's employees.
    async fn holds(&self, employees: [i64; 3]) {
        let mut others = Vec::new();
        let [by_json_2, by_json_rpc, by_xml_rpc] = employees.map(cases);
        for case in by_json_2.into_iter().map(shown) {
            let wanted = match &case.said {
                Fine(result) => result.clone(),
                Wrong((status, name), ..) => json!([status, name]),
            };
            let said = self.json_2(&case, &self.key, &self.database).await;
            if said != wanted {
                others.push(format!("{} by JSON-2: {said}, not {wanted}", case.what));
            }
        }
        for case in by_json_rpc.into_iter().map(shown) {
            let wanted = match &case.said {
                Fine(result) => result.clone(),
                Wrong(_, name, _) => json!(name),
            };
            let said = self.json_rpc(&case, &self.key, &self.database).await;
            if said != wanted {
                others.push(format!("{} by JSON-RPC: {said}, not {wanted}", case.what));
            }
        }
        for case in by_xml_rpc.into_iter().map(shown) {
            let wanted = match case.said {
                Fine(_) => -1,
                Wrong(_, _, code) => code,
            };
            let said = self.xml_rpc(&case, &self.key, &self.database).await;
            if said != wanted {
                others.push(format!("{} by XML-RPC: {said}, not {wanted}", case.what));
            }
        }
        assert!(others.is_empty(), "{others:#?}");
        self.keeps_out().await;
    }

    /// A wrong secret, another database, another user, and what is no call at all.
    async fn keeps_out(&self) {
        let read = case("read", READ, json!([["domain", []]]), VALUE);
        let (key, database) = (self.key.as_str(), self.database.as_str());
        assert_eq!(self.json_2(&read, "wrong", database).await, json!([401, "werkzeug.exceptions.Unauthorized"]));
        assert_eq!(self.json_rpc(&read, "wrong", database).await, "odoo.exceptions.AccessDenied");
        assert_eq!(self.xml_rpc(&read, "wrong", database).await, 3);
        assert_eq!(self.json_2(&read, key, "elsewhere").await, json!([404, "html"]));
        assert_eq!(self.json_rpc(&read, key, "elsewhere").await, "psycopg2.OperationalError");
        assert_eq!(self.xml_rpc(&read, key, "elsewhere").await, 1);
        let other = Self {
            uid: 99_999,
            http: self.http.clone(),
            url: self.url.clone(),
            database: database.into(),
            key: key.into(),
        };
        assert_eq!(other.json_rpc(&read, key, database).await, "odoo.exceptions.MissingError");
        assert_eq!(other.xml_rpc(&read, key, database).await, 2);
        for (path, kind, body, status) in [
            ("jsonrpc", "application/json", "{", 400),
            ("jsonrpc", "application/json", "[]", 400),
            ("jsonrpc", "text/plain", "{}", 415),
            ("xmlrpc/2/object", "text/xml", "<methodCall", 200),
            ("json/2/hr.attendance/search_read", "application/json", "{}", 401),
        ] {
            assert_eq!(self.post(path, kind, &[], body.to_owned()).await.0, status, "{path} {body}");
        }
    }
}

/// Of what is read only the fields that the cases are about.
fn shown(mut case: Case) -> Case {
    if case.method == "search_read" && case.named == json!({}) {
        case.named = json!({ "fields": ["check_in", "check_out"], "order": "check_in, id" });
    }
    case
}

fn pairs(arguments: &Value) -> impl Iterator<Item = (String, Value)> {
    let pair = |pair: &Value| (pair[0].as_str().unwrap().to_owned(), pair[1].clone());
    arguments.as_array().unwrap().iter().map(pair)
}

/// A value with numbers as 0 and texts as "".
fn shape(value: &Value) -> Value {
    match value {
        Value::Number(_) => json!(0),
        Value::String(_) => json!(""),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), shape(value))).collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) => value.clone(),
    }
}

fn xml(value: &Value) -> String {
    let inner = match value {
        Value::Bool(truth) => format!("<boolean>{}</boolean>", i32::from(*truth)),
        Value::Number(number) => format!("<int>{number}</int>"),
        Value::String(text) => format!("<string>{}</string>", text.replace('&', "&amp;").replace('<', "&lt;")),
        Value::Array(items) => format!("<array><data>{}</data></array>", items.iter().map(xml).collect::<String>()),
        Value::Object(members) => {
            let member =
                |(name, value): (&String, &Value)| format!("<member><name>{name}</name>{}</member>", xml(value));
            format!("<struct>{}</struct>", members.iter().map(member).collect::<String>())
        }
        Value::Null => unreachable!("no case has nothing in it"),
    };
    format!("<value>{inner}</value>")
}

#[tokio::test]
async fn the_stand_in_answers_as_odoo_19_was_seen_to() {
    let mut config = OdooConfig::new(19, "main", "password", "key");
    config.employees = (1..4).map(|id| OdooEmployee::new(id, "Ada", &id.to_string())).collect();
    let uid = config.uid;
    let stand_in = Arc::new(Mutex::new(OdooStandIn::new(config)));
    let addr = serve_odoo("127.0.0.1:0".parse().unwrap(), stand_in).await.unwrap();
    let (url, http) = (format!("http://{addr}"), reqwest::Client::new());
    Server { url, database: "main".into(), key: "key".into(), uid, http }.holds([1, 2, 3]).await;
}

#[tokio::test]
async fn a_real_odoo_19_answers_so() {
    let found = OdooServer::from_env().await.expect("everything about PUNCH_TEST_ODOO_URL is set");
    let Some(server) = found.filter(|server| server.version == 19) else {
        return eprintln!("skipped: PUNCH_TEST_ODOO_URL names no Odoo 19; .ci/run odoo does");
    };
    let prefix = fresh_prefix();
    let people = server.hire((0..3).map(|number| format!("{prefix}{number}"))).await.unwrap();
    let employees: Vec<i64> = people.into_values().collect();
    let login = server.call("res.users", "search", json!([[["login", "=", BOT]]]), json!({})).await.unwrap();
    let OdooServer { url, database, key, .. } = server;
    let server = Server { url, database, key, uid: login[0].as_i64().unwrap(), http: reqwest::Client::new() };
    server.holds(employees.try_into().unwrap()).await;
}
