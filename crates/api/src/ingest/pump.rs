//! From an asynchronous stream of bytes to a blocking reader, with a bounded channel between.

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use std::fmt::Display;
use std::io::{self, Read};
use tokio::sync::mpsc;

/// Pieces that may wait for the reader.
const PIECES: usize = 8;

/// The blocking end.
#[derive(Debug)]
pub(super) struct ChannelReader {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Read for ChannelReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.current = piece?,
                None => return Ok(0),
            }
        }
        let n = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..n]);
        Ok(n)
    }
}

/// Feeds a stream to the reader that is returned.
pub(super) fn reader<E: Display + Send + 'static>(
    stream: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
) -> ChannelReader {
    let (sender, pieces) = mpsc::channel(PIECES);
    tokio::spawn(async move {
        let mut stream = std::pin::pin!(stream);
        while let Some(piece) = stream.next().await {
            let piece = piece.map_err(|e| io::Error::other(e.to_string()));
            if sender.send(piece).await.is_err() {
                return;
            }
        }
    });
    ChannelReader {
        pieces,
        current: Bytes::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    #[tokio::test]
    async fn every_byte_arrives_in_order() {
        let pieces = [b"ab".as_slice(), b"", b"cde"].map(|p| Ok::<_, String>(Bytes::from_static(p)));
        let mut reader = reader(stream::iter(pieces));
        let text = tokio::task::spawn_blocking(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).map(|_| text)
        });
        assert_eq!(text.await.unwrap().unwrap(), "abcde");
    }
}
