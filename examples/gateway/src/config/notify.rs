use core::fmt;

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, Tokio1Executor};

use super::read::from_file;
use super::section::Section;

/// Who is told by e-mail when an endpoint takes no events.
#[derive(Debug, Clone)]
pub struct NotifyConfig {
    /// The server that takes the mail.
    pub smtp_url: SmtpUrl,
    /// Whom it is from.
    pub from: Mailbox,
    /// Whom it is to.
    pub to: Vec<Mailbox>,
}

/// The address of a mail server. `Debug` shows nothing: there is mostly a password in it.
#[derive(Clone)]
pub struct SmtpUrl(String);

impl SmtpUrl {
    /// Takes `smtps://user:password@host` or `smtp://host`, the latter with `?tls=required` if a password is in it.
    ///
    /// # Errors
    ///
    /// What is wrong, without the text.
    pub fn new(text: String) -> Result<Self, String> {
        let expected =
            "expected `smtps://user:password@host:465`, or `smtp://host:25` for one that asks for no password";
        let url = reqwest::Url::parse(&text).map_err(|error| format!("not a URL ({error}), {expected}"))?;
        let is_tls =
            url.scheme() == "smtps" || url.query_pairs().any(|(key, value)| key == "tls" && value == "required");
        if url.password().is_some() && !is_tls {
            return Err("would send the password in the clear; use smtps, or add `?tls=required`".to_owned());
        }
        let url = Self(text);
        url.transport().map_err(|_| format!("cannot be used, {expected}"))?;
        Ok(url)
    }

    /// A client of this server.
    pub(crate) fn transport(&self) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&self.0)?;
        Ok(builder.timeout(Some(core::time::Duration::from_secs(10))).build())
    }
}

impl fmt::Debug for SmtpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SmtpUrl(..)")
    }
}

pub(super) fn notify(root: &mut Section) -> Option<NotifyConfig> {
    let is_there = root.has("notify");
    let mut section = root.section("notify");
    let config = is_there.then(|| read(&mut section)).flatten();
    root.absorb(section);
    config
}

fn read(section: &mut Section) -> Option<NotifyConfig> {
    let url = match from_file(section, "smtp_url_file") {
        Some(read) => read,
        None => section.required("smtp_url", "the mail server, like `smtps://user:password@host`, or `smtp_url_file`"),
    };
    let url = url.and_then(|text| SmtpUrl::new(text).map_err(|problem| section.complain("smtp_url", problem)).ok());
    let expected = "an address like `Punch <punch@example.com>`";
    let from = section.required("from", expected);
    let from = from.and_then(|text| mailbox(section, "from", &text));
    let to = section.texts("to").unwrap_or_default();
    if to.is_empty() {
        section.complain("to", format!("names nobody, expected a list of {expected}"));
    }
    let to: Vec<Mailbox> = to.iter().filter_map(|text| mailbox(section, "to", text)).collect();
    Some(NotifyConfig { smtp_url: url?, from: from?, to })
}

fn mailbox(section: &mut Section, key: &str, text: &str) -> Option<Mailbox> {
    let problem = "is no e-mail address, expected one like `Punch <punch@example.com>`";
    text.parse().map_err(|_| section.complain(key, problem.to_owned())).ok()
}
