//! `attlog.dat`, as terminals export it to a USB stick: PIN, time, number of the device, state, verify, work code, with
//! TABs between. Black-and-white units write their serial number before the rows and a checksum behind them. Source: the
//! demonstration program of the vendor's SDK.

use punch_protocol::SerialNumber;

use super::table::{Entry, Table};

const COLUMNS: [&str; 6] = ["pin", "time", "device_number", "state", "verify", "work_code"];

/// Reads an export.
pub(super) fn read(text: &str) -> Result<Table<'_>, String> {
    let mut table = Table::of(COLUMNS.map(ToOwned::to_owned).into());
    let mut lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()).peekable();
    let serial = lines.peek().filter(|(_, first)| !first.contains('\t'));
    table.serial = serial.and_then(|(_, first)| SerialNumber::parse(first.trim()).ok());
    if table.serial.is_some() {
        lines.next();
    }
    while let Some((number, line)) = lines.next() {
        // What stands alone in the last line is a checksum of unknown kind.
        if lines.peek().is_none() && !line.contains('\t') && !table.entries.is_empty() {
            break;
        }
        let values: Vec<Option<String>> = line.split('\t').map(|value| Some(value.trim().to_owned())).collect();
        let values = match values.len() {
            2.. => Ok(values),
            _ => Err("has no TAB, expected PIN and time with one between".to_owned()),
        };
        table.entries.push(Entry { line: number, raw: line, values });
    }
    Ok(table)
}
