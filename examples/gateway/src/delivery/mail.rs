//! Tells people by e-mail that an endpoint takes no events.

use core::time::Duration;

use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use tokio::sync::mpsc;

use crate::config::NotifyConfig;
use crate::store::Failing;

/// How often a mail is tried.
const TRIES: u32 = 3;

/// The pause between two tries.
const PAUSE: Duration = Duration::from_secs(60);

/// Mails what comes, until nothing more can come. How often it comes is not decided here.
pub(crate) async fn tell(config: NotifyConfig, mut news: mpsc::Receiver<Failing>) {
    let transport = match config.smtp_url.transport() {
        Ok(transport) => transport,
        Err(error) => return tracing::error!(%error, "no mail can be sent"),
    };
    while let Some(failing) = news.recv().await {
        match message(&config, &failing) {
            Ok(message) => send(&transport, message).await,
            Err(error) => tracing::error!(%error, "a mail could not be written"),
        }
    }
}

async fn send(transport: &AsyncSmtpTransport<Tokio1Executor>, message: Message) {
    for left in (0..TRIES).rev() {
        match transport.send(message.clone()).await {
            Ok(_) => return,
            Err(error) => tracing::warn!(%error, left, "a mail was not taken"),
        }
        if left > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
    tracing::error!("a mail was given up; the log and `punch webhook endpoints` say what it is about");
}

fn message(config: &NotifyConfig, failing: &Failing) -> Result<Message, lettre::error::Error> {
    let Failing { endpoint, host, state, waiting, failed } = failing;
    let text = format!(
        "Endpoint {} at {host} does not take what it is sent. It is {state}.\n\
         \n\
         Deliveries given up: {failed}\n\
         Deliveries waiting: {waiting}\n\
         \n\
         Everything is kept. What went wrong: punch webhook deliveries --endpoint {} --state failed\n\
         Once that is put right: punch webhook resend --all-failed\n\
         \n\
         There is no other mail about this endpoint within an hour.\n",
        endpoint.0, endpoint.0
    );
    let mut message = Message::builder()
        .from(config.from.clone())
        .subject(format!("Punch: {host} does not take events"))
        .header(ContentType::TEXT_PLAIN);
    for to in &config.to {
        message = message.to(to.clone());
    }
    message.body(text)
}
