//! What a SIGHUP does to `punch gateway`, and what it does not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gateway::{Gateway, Reloaded};
use toml::{Table, Value};

/// The configuration as it was read last.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    path: PathBuf,
    table: Table,
}

/// What a gateway at work takes anew: who is named in them is let in, registered and subscribed.
const TAKEN: [&str; 3] = ["device", "employee", "endpoint"];

impl ConfigFile {
    /// The file that the gateway was started with.
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), table: table(path) }
    }

    /// Takes what can be taken while the gateway works, and says what waits for a restart. A file that is wrong changes
    /// nothing.
    pub(crate) async fn reload(&mut self, gateway: &Gateway) {
        let config = match crate::config::read(&self.path) {
            Ok(config) => config,
            Err(error) => return tracing::error!(%error, "the file was not taken; the gateway goes on as it was"),
        };
        let table = table(&self.path);
        match gateway.reload(config).await {
            Ok(Reloaded { devices, employees, endpoints }) => {
                tracing::info!(devices, employees, endpoints, "what the file names now was taken");
                for key in waiting(&self.table, &table) {
                    tracing::warn!(%key, "has changed in the file, and counts from the next start on");
                }
            }
            Err(error) => tracing::error!(%error, "the file was not taken; send the signal again"),
        }
    }
}

/// What was right when it was read a moment ago; what is not there is empty.
fn table(path: &Path) -> Table {
    std::fs::read_to_string(path).ok().and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The keys that have changed since the start and count from the next one on. Their values may be secrets.
fn waiting(before: &Table, now: &Table) -> Vec<String> {
    let mut keys: Vec<&String> = before.keys().chain(now.keys()).collect();
    keys.sort();
    keys.dedup();
    let is_changed = |key: &&String| !TAKEN.contains(&key.as_str()) && before.get(*key) != now.get(*key);
    let sections = keys.into_iter().filter(is_changed).cloned();
    let (known, named) = (entries(before), entries(now));
    let is_changed = |(serial, entry): &(&String, &Table)| known.get(*serial).is_some_and(|known| known != *entry);
    let devices = named.iter().filter(is_changed).map(|(serial, _)| format!("device {serial}"));
    sections.chain(devices).collect()
}

/// The entries of terminals, by serial number, without what is taken of each.
fn entries(table: &Table) -> BTreeMap<String, Table> {
    let entries = table.get("device").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named = |entry: &Value| {
        let mut entry = entry.as_table()?.clone();
        for key in ["allow", "path_token", "path_token_file"] {
            drop(entry.remove(key));
        }
        Some((entry.get("serial")?.as_str()?.to_owned(), entry))
    };
    entries.iter().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::waiting;

    #[test]
    fn what_a_running_gateway_does_not_take_is_named_and_nothing_of_what_it_says() {
        let before = "store = \"a\"\n[defaults]\nzone = \"UTC\"\n[[device]]\nserial = \"T1\"\n[[device]]\nserial = \"T2\"\n\
                      [[device]]\nserial = \"T4\"\n";
        let now = "api_key = \"canary\"\n[defaults]\nzone = \"UTC\"\n[[device]]\nserial = \"T2\"\nrole = \"exit\"\n\
                   [[device]]\nserial = \"T3\"\n[[device]]\nserial = \"T4\"\nallow = []\n[[employee]]\nbadge_number = \"7\"\n";
        let table = |text: &str| text.parse().unwrap();
        assert_eq!(waiting(&table(before), &table(now)), ["api_key", "store", "device T2"]);
        assert!(waiting(&table(now), &table(now)).is_empty());
    }
}
