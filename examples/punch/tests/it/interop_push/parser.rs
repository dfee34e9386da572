//! Their parser and ours on the same bytes.

use serde_json::{Value, json};

use super::Peer;
use crate::command::run;

const ICLOCKHELPER: Peer =
    Peer { package: "PyPI iclockhelper", module: "iclockhelper", script: "iclockhelper_parse.py" };

/// One upload, and the rows of it in a form that both can be brought to. `-` stands for nothing.
struct Case {
    target: &'static str,
    body: &'static str,
    ours: &'static [&'static str],
    theirs: &'static [&'static str],
    /// Why the two differ; empty if they do not.
    why: &'static str,
}

const ATTLOG: &str = "/iclock/cdata?SN=A1&table=ATTLOG&Stamp=9999";
const OPERLOG: &str = "/iclock/cdata?SN=A1&table=OPERLOG&OpStamp=9999";
const PHANTOM: &str = "- - - - -";

/// Ours are right by the rules of the wire: a line end closes a row and opens none; LF, CRLF and CR are line ends;
/// keys that are missing are missing; a row of an unknown kind is a row; one row costs its neighbours nothing.
const CASES: &[Case] = &[
    Case {
        target: ATTLOG,
        body: "0042\t2026-03-28 08:47:12\t0\t1\t0\t0\nAB-7\t2026-03-28 08:47:13\t255\t15\t7",
        ours: &["0042 2026-03-28 08:47:12 0 1 0", "AB-7 2026-03-28 08:47:13 255 15 7"],
        theirs: &["0042 2026-03-28 08:47:12 0 1 0", "AB-7 2026-03-28 08:47:13 255 15 7"],
        why: "",
    },
    Case {
        target: ATTLOG,
        body: "0042\t2026-03-28 08:47:12\t0\t1\n",
        ours: &["0042 2026-03-28 08:47:12 0 1 -"],
        theirs: &["0042 2026-03-28 08:47:12 0 1 -", PHANTOM],
        why: "every upload that ends in a line end, as those of terminals do, has a row too many",
    },
    Case {
        target: ATTLOG,
        body: "0042\t2026-03-28 08:47:12\t0\t1\r\n\r\n1001\t2026-03-28 08:47:13\t0\t1",
        ours: &["0042 2026-03-28 08:47:12 0 1 -", "1001 2026-03-28 08:47:13 0 1 -"],
        theirs: &["0042 2026-03-28 08:47:12 0 1\r -", "\r - - - -", "1001 2026-03-28 08:47:13 0 1 -"],
        why: "a carriage return becomes part of the last field, or a PIN",
    },
    Case {
        target: ATTLOG,
        body: "0042\t2026-03-28 08:47:12\t0\t1\r1001\t2026-03-28 08:47:13\t1\t1",
        ours: &["0042 2026-03-28 08:47:12 0 1 -", "1001 2026-03-28 08:47:13 1 1 -"],
        theirs: &["0042 2026-03-28 08:47:12 0 1\r1001 2026-03-28 08:47:13"],
        why: "rows separated by CR alone run together",
    },
    Case {
        target: ATTLOG,
        body: "\t2026-03-28 08:47:12\t255\t15\t0",
        ours: &["- 2026-03-28 08:47:12 255 15 0"],
        theirs: &["- 2026-03-28 08:47:12 255 15 0"],
        why: "",
    },
    Case {
        target: ATTLOG,
        body: "1001\t2026-02-30 08:47:12\t0\t1",
        ours: &["1001 - 0 1 -"],
        theirs: &["1001 - 0 1 -"],
        why: "",
    },
    Case {
        target: ATTLOG,
        body: "0042\t2026-03-28 08:47:12\t0\t1\t0\t0\t0\t1\t36.5\t0\t+3600",
        ours: &["0042 2026-03-28 08:47:12 0 1 0 mask=1 temperature=36.5 offset=3600"],
        theirs: &["0042 2026-03-28 08:47:12 0 1 0"],
        why: "fields of newer firmware are dropped",
    },
    Case {
        target: "/iclock/cdata?SN=A1&table=attlog&Stamp=9999",
        body: "0042\t2026-03-28 08:47:12\t0\t1",
        ours: &["0042 2026-03-28 08:47:12 0 1 -"],
        theirs: &[],
        why: "names of tables are compared letter by letter, and rows of an unknown table vanish",
    },
    Case {
        target: "/iclock/cdata?SN=A1&table=rtlog",
        body: "time=2026-03-28 08:47:12\tpin=7\tevent=0\tinoutstatus=0\tverifytype=1\tindex=1",
        ours: &["7 2026-03-28 08:47:12 event=0"],
        theirs: &[],
        why: "access events are not known",
    },
    Case {
        target: OPERLOG,
        body: "OPLOG 4\t14\t2026-03-28 08:47:12\t0\t1\t2\t3\nUSER PIN=7\tName=Ana\tPri=14\tPasswd=\tCard=\tGrp=1\tTZ=\n\
               FP PIN=7\tFID=1\tSize=8\tValid=1\tTMP=AAECAw==\n",
        ours: &["OPLOG 4 14 2026-03-28 08:47:12 0,1,2,3", "USER 7 Ana 14 1", "FP 7 1 AAECAw=="],
        theirs: &["OPLOG 4 14 2026-03-28 08:47:12 0,1,2,3", "USER 7 Ana 14 1", "FP 7 1 AAECAw=="],
        why: "",
    },
    Case {
        target: OPERLOG,
        body: "OPLOG 103\t14\t2026-03-28 08:47:12\t0\t0\t0\t0\n",
        ours: &["OPLOG 103 14 2026-03-28 08:47:12 0,0,0,0"],
        theirs: &["OPLOG UNKNOWN 14 2026-03-28 08:47:12 0,0,0,0"],
        why: "the number of an operation that is not in its list is lost",
    },
    Case {
        target: OPERLOG,
        body: "OPLOG 4\t14\t2026-03-28 08:47:12\t0\nOPLOG 4\t14\t2026-03-28 08:47:13\t0\t0\t0\t0\n",
        ours: &["OPLOG 4 14 2026-03-28 08:47:12 0", "OPLOG 4 14 2026-03-28 08:47:13 0,0,0,0"],
        theirs: &["error IndexError"],
        why: "an operation with fewer objects ends the whole upload",
    },
    Case {
        target: OPERLOG,
        body: "OPLOG 4\t14\t2026-03-28 08:47:12\t0\t0\t0\t0\nUSER PIN=7\tName=Ana\tPri=0\n",
        ours: &["OPLOG 4 14 2026-03-28 08:47:12 0,0,0,0", "USER 7 Ana 0 -"],
        theirs: &["error TypeError"],
        why: "a user with fewer keys ends the whole upload",
    },
    Case {
        target: OPERLOG,
        body: "USER PIN=7\tName=Ñandú\tPri=0\tPasswd=\tCard=\tGrp=1\tTZ=\n",
        ours: &["USER 7 Ñandú 0 1"],
        theirs: &["USER 7 脩and煤 0 1"],
        why: "what is not ASCII is read as GB18030, UTF-8 too",
    },
    Case {
        target: "/iclock/cdata?SN=A1&table=ERRORLOG&Stamp=1",
        body: "ERRORLOG ErrCode=D01E0001\tErrMsg=\tDataOrigin=cmd\tCmdId=1\n",
        ours: &["ERRORLOG D01E0001"],
        theirs: &[],
        why: "error records are not known",
    },
    Case {
        target: "/iclock/getrequest?SN=A1&INFO=Ver%208.0.4,3,2,120",
        body: "",
        ours: &["Ver 8.0.4 users=3 fingers=2 rows=120 faces=-"],
        theirs: &["Ver 8.0.4 users=3 fingers=2 rows=120 faces=-"],
        why: "",
    },
    Case {
        target: "/iclock/getrequest?SN=A1&INFO=Ver%208.0.4,3,2,120,192.168.1.201,10,7,15,11,111",
        body: "",
        ours: &["Ver 8.0.4 users=3 fingers=2 rows=120 faces=11"],
        theirs: &["Ver 8.0.4 users=3 fingers=2 rows=120 faces=-"],
        why: "counters from the seventh on are dropped",
    },
];

/// A member as text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() || text == "None" => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

fn joined(row: &Value, keys: &[&str]) -> String {
    keys.iter().map(|key| text(&row[key])).collect::<Vec<_>>().join(" ")
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn our_rows(said: &Value) -> Vec<String> {
    if let Some(info) = said.get("info") {
        let count = |key: &str| text(&info[key]);
        let (users, fingers, rows) = (count("users"), count("fingerprints"), count("attlogs"));
        let firmware = count("firmware");
        return vec![format!("{firmware} users={users} fingers={fingers} rows={rows} faces={}", count("faces"))];
    }
    let records = list(&said["records"]).map(|row| {
        if row.get("event").is_some() {
            return format!("{} event={}", joined(row, &["pin", "time"]), text(&row["event"]));
        }
        let names = [("mask", "mask"), ("temperature", "temperature"), ("offset", "time_offset_s")];
        let more = names.iter().filter(|(_, key)| !row[key].is_null());
        let more: String = more.map(|(name, key)| format!(" {name}={}", text(&row[key]))).collect();
        joined(row, &["pin", "time", "status", "verify", "workcode"]) + &more
    });
    let items = list(&said["items"]).map(|row| match row["type"].as_str().unwrap() {
        "OPLOG" => {
            let objects: Vec<String> = list(&row["objects"]).map(text).collect();
            format!("OPLOG {} {}", joined(row, &["code", "operator", "time"]), objects.join(","))
        }
        "USER" => format!("USER {}", joined(&row["fields"], &["PIN", "Name", "Pri", "Grp"])),
        "FP" => format!("FP {}", joined(&row["fields"], &["PIN", "FID", "TMP"])),
        tag => format!("{tag} {}", joined(&row["fields"], &["ErrCode"])),
    });
    records.chain(items).collect()
}

fn their_rows(said: &Value) -> Vec<String> {
    if let Some(error) = said.get("error") {
        return vec![format!("error {}", text(error))];
    }
    let row = |row: &Value| match row["kind"].as_str() {
        Some("transactions") => joined(row, &["pin", "server_datetime", "check_type", "verify_code", "work_code"]),
        Some("operations") => {
            let objects = ["object", "param_1", "param_2", "param_3"].map(|key| text(&row[key]));
            format!("OPLOG {} {}", joined(row, &["operation", "admin", "server_datetime"]), objects.join(","))
        }
        Some("users") => format!("USER {}", joined(row, &["pin", "name", "privileges", "group"])),
        Some("fingerprints") => format!("FP {}", joined(row, &["pin", "fid", "tmp"])),
        _ => {
            let (users, fingers) = (text(&row["user_count"]), text(&row["fp_count"]));
            let rows = text(&row["transaction_count"]);
            format!("{} users={users} fingers={fingers} rows={rows} faces=-", text(&row["fw_version"]))
        }
    };
    list(&said["rows"]).map(row).collect()
}

#[test]
fn iclockhelper_and_we_differ_only_where_it_is_said_why() {
    if !ICLOCKHELPER.is_there() {
        return;
    }
    let lines = |job: &dyn Fn(&Case) -> Value| CASES.iter().map(|case| format!("{}\n", job(case))).collect::<String>();
    let theirs = ICLOCKHELPER.ask(&[], &lines(&|case| json!({ "target": case.target, "body": case.body })));
    let samples = lines(&|case| {
        let method = if case.body.is_empty() { "GET" } else { "POST" };
        json!({ "direction": "device->server", "method": method, "path_and_query": case.target, "body": case.body })
    });
    let done = run(&["decode", "push", "--ndjson"], samples.as_bytes());
    assert_eq!(done.code, Some(0), "{done:?}");
    let ours: Vec<Value> = done.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((ours.len(), theirs.len()), (CASES.len(), CASES.len()));
    for ((case, ours), theirs) in CASES.iter().zip(&ours).zip(&theirs) {
        assert_eq!(our_rows(ours), case.ours, "ours: {:?}", case.body);
        assert_eq!(their_rows(theirs), case.theirs, "theirs: {:?}", case.body);
        assert_eq!(case.ours == case.theirs, case.why.is_empty(), "{:?}", case.body);
    }
}
