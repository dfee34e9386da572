use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

use super::language::Language;
use super::notice::Notice;
use super::text::{self, Text};
use super::visit::Visit;
use super::widgets::token;

/// The pages there are, in the order in which they are named.
const PAGES: [(&str, Text); 7] = [
    ("/dashboard", text::OVERVIEW),
    ("/dashboard/devices", text::DEVICES),
    ("/dashboard/punches", text::PUNCHES),
    ("/dashboard/deliveries", text::DELIVERIES),
    ("/dashboard/endpoints", text::ENDPOINTS),
    ("/dashboard/quarantine", text::QUARANTINE),
    ("/dashboard/sites", text::SITES),
];

/// A whole page around its content.
pub(super) fn page(visit: &Visit, title: Text, content: &Markup) -> Response {
    titled(visit, visit.say(title), content)
}

/// A whole page whose title is a thing's own name.
pub(super) fn titled(visit: &Visit, title: &str, content: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang=(visit.language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (title) " · Punch" }
                link rel="icon" type="image/svg+xml" href="/dashboard/icon.svg";
                link rel="stylesheet" href="/dashboard/style.css";
            }
            body {
                a.skip href="#content" { (visit.say(text::SKIP)) }
                (top(visit))
                main #content tabindex="-1" {
                    h1 { (title) }
                    @if let Some(notice) = &visit.notice { (told(visit, notice)) }
                    (content)
                }
            }
        }
    };
    Html(markup.into_string()).into_response()
}

fn top(visit: &Visit) -> Markup {
    html! {
        header {
            p.brand { "Punch" }
            @if visit.session.is_some() {
                nav aria-label=(visit.say(text::PAGES)) {
                    ul {
                        @for (path, name) in PAGES {
                            li { a href=(path) aria-current=[is_here(visit, path).then_some("page")] { (visit.say(name)) } }
                        }
                    }
                }
            }
            div.switches {
                (languages(visit))
                @if visit.session.is_some() {
                    form method="post" action="/dashboard/logout" {
                        (token(visit))
                        button.plain type="submit" { (visit.say(text::LOG_OUT)) }
                    }
                }
            }
        }
    }
}

fn is_here(visit: &Visit, path: &str) -> bool {
    let here = visit.here.split('?').next().unwrap_or_default();
    here == path || (path != "/dashboard" && here.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')))
}

fn languages(visit: &Visit) -> Markup {
    html! {
        form method="post" action="/dashboard/language" aria-label=(visit.say(text::LANGUAGE)) {
            (token(visit))
            input type="hidden" name="to" value=(visit.here);
            @for language in Language::ALL {
                @if language != visit.language {
                    button.plain type="submit" name="language" value=(language.code()) lang=(language.code()) {
                        (language.name())
                    }
                }
            }
        }
    }
}

fn told(visit: &Visit, notice: &Notice) -> Markup {
    let [one, two, three] = notice.counts.map(|count| count.to_string());
    let text = visit.language.fill(notice.text, &[&one, &two, &three]);
    let (class, role) = if notice.is_problem { ("notice bad", "alert") } else { ("notice ok", "status") };
    html! { p class=(class) role=(role) { (text) } }
}
