//! `punch erase`: somebody who has left, and what is kept of them.

use clap::Args;
use serde_json::{Value, json};

use crate::api::{ApiArgs, number, text};
use crate::exit::{Exit, UsageError};

/// Take out of everything a gateway keeps who somebody was.
///
/// The register, the rows, the bodies of events, the answers of receivers and the steps of commands tell it no more. Their
/// punches stay under a pseudonym, or go: `retention.erased_punches` in punch.toml says which. What was delivered is with
/// its receivers, and a terminal has to be told to delete them: `punch command send delete_employee`, first.
///
/// Example: punch erase --id ana-torres --also 0004512345 --api-key-file punch.key
#[derive(Debug, Args)]
pub(crate) struct Erase {
    #[command(flatten)]
    api: ApiArgs,
    /// The `id` they are registered with.
    #[arg(long, value_name = "ID", required_unless_present = "badge")]
    id: Option<String>,
    /// Their badge, if they have no `id`.
    #[arg(long, value_name = "PIN", conflicts_with = "id")]
    badge: Option<String>,
    /// What else they are known by and the register does not say: the number of a card, a former name. Repeatable.
    #[arg(long, value_name = "TEXT")]
    also: Vec<String>,
    /// Do it though deliveries about them wait; receivers get those under the pseudonym.
    #[arg(long)]
    force: bool,
    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(crate) async fn run(erase: Erase) -> anyhow::Result<Exit> {
    let Erase { api, id, badge, also, force, json } = erase;
    let body = json!({ "id": id, "badge_number": badge, "also": also, "force": force });
    let Some(done) = api.patient().post("/v1/employees/erase", &body).await? else {
        return Err(UsageError("the gateway knows nobody by that name; nothing was changed".to_owned()).into());
    };
    if json {
        crate::say(format_args!("{done}"));
        return Ok(Exit::Done);
    }
    let [identities, rows, bodies, steps] = ["identities", "rows", "bodies", "steps"].map(|name| number(&done, name));
    crate::say(format_args!(
        "erased from {identities} entries of the register, {rows} rows, {bodies} bodies of events and {steps} steps of \
         commands; what stays is under {}",
        text(&done, "pseudonym")
    ));
    let still_on: Vec<&str> =
        done.get("still_on").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if !still_on.is_empty() {
        crate::say(format_args!("they are still on {}; delete them there by hand", still_on.join(", ")));
    }
    Ok(Exit::Done)
}
