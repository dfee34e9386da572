//! The document of the API, to which every answer of every test is held.

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::shape::problems;

/// What `/openapi.json` says.
pub(crate) struct Contract {
    pub(crate) document: Value,
    pub(crate) operations: Vec<Operation>,
}

/// What can be asked.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) method: String,
    /// With names in braces.
    pub(crate) template: String,
    pub(crate) value: Value,
}

/// An answer, to be held to the contract.
pub(crate) struct Heard<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) sent: Option<&'a [u8]>,
    pub(crate) status: u16,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Value,
}

static CONTRACT: OnceCell<Contract> = OnceCell::const_new();

impl Contract {
    /// The document as the gateway at this address serves it; it is the same of every one.
    pub(crate) async fn of(address: std::net::SocketAddr) -> &'static Self {
        let read = async || {
            let text = reqwest::get(format!("http://{address}/openapi.json")).await.unwrap().text().await.unwrap();
            let document: Value = serde_json::from_str(&text).unwrap();
            let mut operations = Vec::new();
            for (template, item) in document["paths"].as_object().unwrap() {
                for (method, value) in item.as_object().unwrap() {
                    let (method, template) = (method.to_uppercase(), template.clone());
                    operations.push(Operation { method, template, value: value.clone() });
                }
            }
            Self { document, operations }
        };
        CONTRACT.get_or_init(read).await
    }

    /// Those that need a key.
    pub(crate) fn guarded(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(|operation| operation.is_guarded())
    }

    fn find(&self, method: &str, path: &str) -> Option<&Operation> {
        let fits = |operation: &&Operation| operation.method == method && operation.fits(path);
        // A word of its own goes before a name in braces.
        self.operations.iter().filter(fits).min_by_key(|operation| operation.template.matches('{').count())
    }

    /// Holds an answer to the document: its status, its headers and its body, and what was sent if it was taken.
    pub(crate) fn check(&self, heard: &Heard<'_>) {
        let Heard { method, path, sent, status, headers, body } = *heard;
        let Some(operation) = self.find(method, path) else {
            assert!([401, 403, 404, 405, 429].contains(&status), "{method} {path} is in no document: {status} {body}");
            return;
        };
        let response = &operation.value["responses"][status.to_string()];
        assert!(response.is_object(), "{method} {path} answers {status}, and the document does not say so: {body}");
        for name in response["headers"].as_object().into_iter().flatten().map(|(name, _)| name) {
            assert!(headers.contains_key(name.as_str()), "{method} {path} {status} has no {name}");
        }
        self.fits(
            &response["content"]["application/json"]["schema"],
            body,
            &format!("{method} {path} answers {status}"),
        );
        let sent: Option<Value> = sent.and_then(|sent| serde_json::from_slice(sent).ok());
        let schema = &operation.value["requestBody"]["content"]["application/json"]["schema"];
        if let Some(sent) = sent.filter(|_| (200..300).contains(&status) && schema.is_object()) {
            // Rows are read one by one, and what is wrong with one is no refusal.
            if !operation.template.ends_with("/punches") {
                self.fits(schema, &sent, &format!("{method} {path} took"));
            }
        }
    }

    fn fits(&self, schema: &Value, body: &Value, what: &str) {
        let problems = problems(&self.document, schema, body, "");
        assert!(problems.is_empty(), "{what} what the document does not say: {problems:?} in {body}");
    }
}

impl Operation {
    pub(crate) fn is_guarded(&self) -> bool {
        self.value["security"] != json!([])
    }

    pub(crate) fn changes(&self) -> bool {
        self.method != "GET"
    }

    /// Its path, with something in the place of each name.
    pub(crate) fn path(&self) -> String {
        let names = [("{id}", "1"), ("{serial}", "T1"), ("{event_id}", "evt_1"), ("{row}", "evt_1")];
        names.iter().fold(self.template.clone(), |path, (name, value)| path.replace(name, value))
    }

    /// Its parameters of a query.
    pub(crate) fn query(&self) -> impl Iterator<Item = (&str, &Value)> {
        let parameters = self.value["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.filter(|parameter| parameter["in"] == "query");
        parameters.map(|parameter| (parameter["name"].as_str().unwrap(), &parameter["schema"]))
    }

    fn fits(&self, path: &str) -> bool {
        let (names, parts): (Vec<&str>, Vec<&str>) = (self.template.split('/').collect(), path.split('/').collect());
        names.len() == parts.len()
            && names.iter().zip(&parts).all(|(name, part)| name == part || (name.starts_with('{') && !part.is_empty()))
    }
}
