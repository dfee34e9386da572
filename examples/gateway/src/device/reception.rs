use axum::body::{Body, BodyDataStream};
use futures_util::StreamExt as _;
use punch_protocol::SerialNumber;
use punch_protocol::push::{ParseError, Receipt, Response, RowStream, UploadHead};

use super::handler::{Devices, refusal};
use crate::clock::now;
use crate::core::Received;
use crate::store::StoreError;

impl Devices {
    /// Takes an upload as its body comes, in memory that does not grow with it.
    pub(super) async fn receive(&self, serial: SerialNumber, head: &UploadHead, body: Body) -> Response {
        match self.read_in_pieces(&serial, head, body.into_data_stream()).await {
            Ok((receipt, received)) => self.store_upload(receipt, received, head).await,
            Err(refusal) => {
                // Whatever was in it waits on the terminal now.
                self.uploaded(&serial, 1, true, false);
                refusal
            }
        }
    }

    async fn read_in_pieces(
        &self,
        serial: &SerialNumber,
        head: &UploadHead,
        mut pieces: BodyDataStream,
    ) -> Result<(Receipt, Received), Response> {
        let contact = self.0.registry.called(serial, now());
        let mut received = Received { contact, ..Received::new(serial.clone(), head, now()) };
        let mut stream = RowStream::new(head);
        // A body that breaks off ends in an error here; what of it is stored already comes again and is known.
        let opening = pieces.next().await.transpose().map_err(|_| Response::retry_later())?.unwrap_or_default();
        let reception = match self.0.registry.receive(serial, head, &opening, now()) {
            Some(Ok(reception)) => reception,
            refused => {
                drain(&mut pieces, self.0.limits.body).await;
                return Err(match refused {
                    Some(Err(response)) => response,
                    _ => self.refuse_unknown(serial.clone()).await,
                });
            }
        };
        self.keep_speech(serial).await;
        let refuse = |error: ParseError| refusal(&error);
        stream.feed(&opening, &mut |seen| received.see(&seen)).map_err(refuse)?;
        while let Some(piece) = pieces.next().await {
            let piece = piece.map_err(|_| Response::retry_later())?;
            stream.feed(&piece, &mut |seen| received.see(&seen)).map_err(refuse)?;
            if let Some(slice) = received.slice() {
                self.take(slice).await.map_err(|error| self.not_stored(serial, &error))?;
            }
        }
        let finished = stream.finish(&mut |seen| received.see(&seen)).map_err(refuse)?;
        Ok((reception.complete(&finished), received))
    }

    fn not_stored(&self, serial: &SerialNumber, error: &StoreError) -> Response {
        tracing::error!(%serial, %error, "upload refused");
        Response::retry_later()
    }
}

/// Reads what is left of a body nobody wants, so that the terminal reads the answer instead of a broken connection.
pub(super) async fn drain(pieces: &mut BodyDataStream, most: usize) {
    let mut left = most;
    while let Some(Ok(piece)) = pieces.next().await {
        let Some(rest) = left.checked_sub(piece.len()) else { return };
        left = rest;
    }
}
