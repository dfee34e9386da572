//! Tells people by e-mail how endpoints stand. What is told and how often is not decided here: the mails are in the store.

use core::time::Duration;
use std::sync::Arc;

use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::sync::{Notify, watch};

use crate::clock::now;
use crate::config::NotifyConfig;
use crate::store::{MailRow, Store, StoreError};

/// How often it is looked for a mail whose pause is over.
const LOOK: Duration = Duration::from_secs(30);

/// Sends what waits, and what comes, until the gateway stops.
pub(crate) async fn post(config: NotifyConfig, store: Store, new: Arc<Notify>, mut stopped: watch::Receiver<bool>) {
    let transport = match config.smtp_url.transport() {
        Ok(transport) => transport,
        Err(error) => return tracing::error!(%error, "no mail can be sent"),
    };
    loop {
        let working = async {
            match send_next(&config, &transport, &store).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "mails cannot be looked up"),
            }
            drop(tokio::time::timeout(LOOK, new.notified()).await);
        };
        tokio::select! {
            () = working => {}
            _ = stopped.wait_for(|&stop| stop) => return,
        }
    }
}

/// Whether there was one to send.
async fn send_next(
    config: &NotifyConfig,
    transport: &AsyncSmtpTransport<Tokio1Executor>,
    store: &Store,
) -> Result<bool, StoreError> {
    // Mostly there is none, and that costs no write.
    if !store.read(|connection| MailRow::is_due(connection, now())).await? {
        return Ok(false);
    }
    let Some(mail) = store.write(|tx| MailRow::claim(tx, now())).await? else { return Ok(false) };
    let id = mail.id;
    let message = match message(config, &mail) {
        Ok(message) => message,
        Err(error) => {
            tracing::error!(%error, "a mail could not be written");
            store.write(move |tx| MailRow::forget(tx, id)).await?;
            return Ok(true);
        }
    };
    match transport.send(message).await {
        // Taken twice, if the gateway dies here.
        Ok(_) => store.write(move |tx| MailRow::forget(tx, id)).await?,
        Err(error) => {
            let again = store.write(move |tx| mail.postpone(tx, now())).await?;
            match again {
                Some(again) => tracing::warn!(%error, %again, "a mail was not taken"),
                None => tracing::error!(%error, "a mail was given up; `punch webhook endpoints` says what it is about"),
            }
        }
    }
    Ok(true)
}

fn message(config: &NotifyConfig, mail: &MailRow) -> Result<Message, lettre::error::Error> {
    let mut message =
        Message::builder().from(config.from.clone()).subject(mail.subject.clone()).header(ContentType::TEXT_PLAIN);
    for to in &config.to {
        message = message.to(to.clone());
    }
    message.body(mail.text.clone())
}
