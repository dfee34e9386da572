use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderName};
use axum::response::{Html, IntoResponse};
use maud::{DOCTYPE, Markup, html};

use super::Api;
use super::envelope::ApiError;
use crate::store::Counts;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}\
    table{border-collapse:collapse;width:100%}td,th{padding:.3rem .5rem;border-bottom:1px solid #ccc;text-align:left}\
    td:last-child{text-align:right;font-variant-numeric:tabular-nums}";

const POLICY: (HeaderName, &str) =
    (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");

/// Numbers only: the page needs no login, so it shows nothing about people or terminals.
pub(super) async fn overview(State(api): State<Api>) -> Result<impl IntoResponse, ApiError> {
    let counts = api.store.read(Counts::read).await?;
    Ok(([POLICY], Html(render(&counts).into_string())))
}

fn render(counts: &Counts) -> Markup {
    let rows = [
        ("Punches accepted", counts.delivered_rows),
        ("Repeated within the window", counts.suppressed_rows),
        ("Held in quarantine", counts.held_rows),
        ("Other rows kept", counts.recorded_rows),
        ("Deliveries made", counts.delivered),
        ("Deliveries waiting", counts.waiting),
        ("Deliveries failed, replayable", counts.failed),
    ];
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Punch gateway" }
                style { (STYLE) }
            }
            body {
                h1 { "Punch gateway" }
                table {
                    tbody {
                        @for (name, count) in rows {
                            tr { th scope="row" { (name) } td { (count) } }
                        }
                    }
                }
            }
        }
    }
}
