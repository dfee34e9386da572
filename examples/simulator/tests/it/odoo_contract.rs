//! What Odoo answers to each kind of call by each of its doors, seen on Odoo 19.0 (Debian 19.0.0+dfsg-1). The stand-in is
//! held to it always, and a real server where `PUNCH_TEST_ODOO_URL` names one (`.ci/run odoo`).

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};
use simulator::erp::serve_odoo;
use simulator::odoo::{OdooConfig, OdooEmployee, OdooStandIn};
use simulator::odoo_server::{BOT, OdooServer, fresh_prefix};

/// The calls, and what is said to each.
const CALLS: &str = include_str!("../data/odoo-19-calls.jsonl");

/// The calls for one employee.
fn cases(employee: i64) -> Vec<Case> {
    let number = employee.to_string();
    let of_employee = |line: &str| {
        let line = line.replace("\"$employee_as_text\"", &format!("\"{number}\"")).replace("\"$employee\"", &number);
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    CALLS.lines().map(of_employee).map(Case).collect()
}

/// A line of the file.
struct Case(Value);

impl Case {
    fn text(&self, name: &str) -> &str {
        self.0[name].as_str().unwrap()
    }

    /// Arguments that have a place.
    fn arguments(&self) -> impl Iterator<Item = (String, Value)> {
        let pair = |pair: &Value| (pair[0].as_str().unwrap().to_owned(), pair[1].clone());
        self.0["arguments"].as_array().unwrap().iter().map(pair)
    }

    fn named(&self) -> Map<String, Value> {
        self.0["named"].as_object().cloned().unwrap_or_default()
    }

    /// The result that is to come, or something that no fault is.
    fn result(&self) -> Value {
        self.0["said"].get("result").cloned().unwrap_or_default()
    }

    /// What is to be said by a door.
    fn said(&self, door: &str) -> Value {
        let said = &self.0["said"];
        said.get("result").or_else(|| said.get(door)).unwrap().clone()
    }
}

/// A server, and who we are there.
#[derive(Clone)]
struct Server {
    url: String,
    database: String,
    key: String,
    uid: i64,
    http: reqwest::Client,
}

/// Which database, and with which secret.
struct Login<'a> {
    database: &'a str,
    key: &'a str,
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

    async fn json_2(&self, case: &Case, login: &Login<'_>) -> Value {
        let mut body = case.named();
        body.extend(case.arguments());
        let bearer = format!("bearer {}", login.key);
        let headers = [("Authorization", bearer.as_str()), ("X-Odoo-Database", login.database)];
        let path = format!("json/2/{}/{}", case.text("model"), case.text("method"));
        let (status, text) = self.post(&path, "application/json", &headers, json!(body).to_string()).await;
        match serde_json::from_str::<Value>(&text) {
            Ok(result) if status == 200 => shape(&result),
            Ok(error) => json!([status, error["name"]]),
            Err(_) => json!([status, "html"]),
        }
    }

    async fn json_rpc(&self, case: &Case, login: &Login<'_>) -> Value {
        let params = json!({ "service": "object", "method": "execute_kw", "args": self.arguments(case, login) });
        let body = json!({ "jsonrpc": "2.0", "method": "call", "params": params, "id": 1 });
        let (status, text) = self.post("jsonrpc", "application/json", &[], body.to_string()).await;
        assert_eq!(status, 200, "{}", case.text("what"));
        let answer: Value = serde_json::from_str(&text).unwrap();
        match answer.get("error") {
            Some(error) => error["data"]["name"].clone(),
            None => shape(&answer["result"]),
        }
    }

    /// The number of the fault. Results are not read here: `None`.
    async fn xml_rpc(&self, case: &Case, login: &Login<'_>) -> Option<Value> {
        let params: String =
            self.arguments(case, login).iter().map(|value| format!("<param>{}</param>", xml(value))).collect();
        let call = format!("<methodName>execute_kw</methodName><params>{params}</params>");
        let body = format!("<?xml version=\"1.0\"?><methodCall>{call}</methodCall>");
        let (status, text) = self.post("xmlrpc/2/object", "text/xml", &[], body).await;
        assert_eq!(status, 200, "{}", case.text("what"));
        let (_, fault) = text.split_once("<name>faultCode</name>")?;
        serde_json::from_str(fault.split_once("<int>")?.1.split('<').next()?).ok()
    }

    fn arguments(&self, case: &Case, login: &Login<'_>) -> Vec<Value> {
        let positional: Vec<Value> = case.arguments().map(|(_, value)| value).collect();
        let (model, method) = (case.text("model"), case.text("method"));
        vec![
            json!(login.database),
            json!(self.uid),
            json!(login.key),
            json!(model),
            json!(method),
            json!(positional),
            json!(case.named()),
        ]
    }

    /// With an employee for each door.
    async fn holds(&self, employees: [i64; 3]) {
        let (login, mut others) = (Login { database: &self.database, key: &self.key }, Vec::new());
        let [by_json_2, by_json_rpc, by_xml_rpc] = employees.map(cases);
        let mut compare = |case: &Case, door: &str, said: Value| {
            let wanted = case.said(door);
            if said != wanted {
                others.push(format!("{} by {door}: {said}, not {wanted}", case.text("what")));
            }
        };
        for case in &by_json_2 {
            compare(case, "json_2", self.json_2(case, &login).await);
        }
        for case in &by_json_rpc {
            compare(case, "jsonrpc", self.json_rpc(case, &login).await);
        }
        for case in &by_xml_rpc {
            let fault = self.xml_rpc(case, &login).await;
            // No fault where another is expected differs from it all the same.
            compare(case, "xmlrpc", fault.unwrap_or_else(|| case.result()));
        }
        assert!(others.is_empty(), "{others:#?}");
        self.keeps_out().await;
    }

    /// A wrong secret, another database, another user, and what is no call at all.
    async fn keeps_out(&self) {
        let read = Case(
            json!({ "what": "read", "model": "hr.attendance", "method": "search_read", "arguments": [["domain", []]] }),
        );
        let wrong = Login { database: &self.database, key: "wrong" };
        assert_eq!(self.json_2(&read, &wrong).await, json!([401, "werkzeug.exceptions.Unauthorized"]));
        assert_eq!(self.json_rpc(&read, &wrong).await, "odoo.exceptions.AccessDenied");
        assert_eq!(self.xml_rpc(&read, &wrong).await, Some(json!(3)));
        let elsewhere = Login { database: "elsewhere", key: &self.key };
        assert_eq!(self.json_2(&read, &elsewhere).await, json!([404, "html"]));
        assert_eq!(self.json_rpc(&read, &elsewhere).await, "psycopg2.OperationalError");
        assert_eq!(self.xml_rpc(&read, &elsewhere).await, Some(json!(1)));
        let (login, other) = (Login { database: &self.database, key: &self.key }, Self { uid: 99_999, ..self.clone() });
        assert_eq!(other.json_rpc(&read, &login).await, "odoo.exceptions.MissingError");
        assert_eq!(other.xml_rpc(&read, &login).await, Some(json!(2)));
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
