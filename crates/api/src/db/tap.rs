//! The stream between a client and the server, with a side door for COPY.
//!
//! A diesel connection owns its client and knows no COPY. So the stream below the client does it: a copy is laid
//! into the [`Lane`] of a connection, then its statement is sent like any other. When the server asks for the rows
//! (`CopyInResponse`) the tap keeps that message from the client and sends the rows in its place; the client sees a
//! statement that took long and then ended, well or with an error. The session and its transaction are the
//! connection's own. To know where a message begins the tap follows the lengths of the server's messages.

use bytes::{Buf, BufMut, Bytes};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;
use tokio_postgres::tls::{ChannelBinding, TlsStream};

/// Part of a copy, in order. Without an [`Piece::End`] the copy fails, so that a producer that dies completes nothing.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// Some rows.
    Rows(Bytes),
    /// That was all.
    End,
}

/// The side door of one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Lane(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Whether the login is over: what comes now are messages with lengths.
    is_open: AtomicBool,
    waiting: Mutex<Option<mpsc::Receiver<Piece>>>,
}

/// Holds a copy in the lane until its statement is over.
#[derive(Debug)]
pub(super) struct Armed<'a>(&'a Lane);

impl Drop for Armed<'_> {
    fn drop(&mut self) {
        // A statement that was refused has not taken it.
        self.0.take();
    }
}

impl Lane {
    /// The login is over, and nothing has been asked since.
    pub(super) fn open(&self) {
        self.0.is_open.store(true, Ordering::Release);
    }

    /// The next statement is a copy of these.
    pub(super) fn arm(&self, pieces: mpsc::Receiver<Piece>) -> Armed<'_> {
        *self.waiting() = Some(pieces);
        Armed(self)
    }

    fn take(&self) -> Option<mpsc::Receiver<Piece>> {
        self.waiting().take()
    }

    fn waiting(&self) -> MutexGuard<'_, Option<mpsc::Receiver<Piece>>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_open(&self) -> bool {
        self.0.is_open.load(Ordering::Acquire)
    }
}

/// A stream with a side door.
#[derive(Debug)]
pub(super) struct Tap<S> {
    socket: S,
    lane: Lane,
    place: Place,
    copy: Option<Copying>,
}

impl<S> Tap<S> {
    pub(super) fn new(socket: S, lane: Lane) -> Self {
        Self {
            socket,
            lane,
            place: Place::default(),
            copy: None,
        }
    }

    /// What was tapped, before anything came through it but the answer to a wish for TLS.
    pub(super) fn into_parts(self) -> (S, Lane) {
        (self.socket, self.lane)
    }
}

/// Where in the server's messages the stream stands.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Bytes of type and length that have been read.
    head: u8,
    length: u32,
    /// Bytes that the message still has.
    left: u32,
    /// The message is not for the client.
    is_kept: bool,
}

/// What a piece of the stream told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Heard {
    /// Bytes that are for the client, moved to the front.
    passed: usize,
    /// The server waits for rows.
    is_asked: bool,
    /// The server wants no more of them.
    is_over: bool,
}

impl Place {
    /// Follows the messages in `bytes`. `CopyInResponse` is kept from the client when `wants` says so.
    fn follow(&mut self, bytes: &mut [u8], mut wants: impl FnMut() -> bool) -> Heard {
        let (mut heard, mut at) = (Heard::default(), 0);
        while at < bytes.len() {
            let n = (bytes.len() - at).min(self.left.max(1) as usize);
            match self.left {
                0 => self.head_byte(bytes[at], &mut heard, &mut wants),
                left => self.left = left - n as u32,
            }
            if !self.is_kept {
                bytes.copy_within(at..at + n, heard.passed);
                heard.passed += n;
            }
            at += n;
            let is_end = self.head == 5 && self.left == 0;
            if is_end {
                heard.is_asked |= self.is_kept;
                *self = Self::default();
            }
        }
        heard
    }

    fn head_byte(&mut self, byte: u8, heard: &mut Heard, wants: &mut impl FnMut() -> bool) {
        if self.head == 0 {
            self.is_kept = byte == b'G' && wants();
            heard.is_over |= matches!(byte, b'E' | b'C' | b'Z');
        } else {
            self.length = self.length << 8 | u32::from(byte);
        }
        self.head += 1;
        if self.head == 5 {
            // The length counts itself.
            self.left = self.length.saturating_sub(4);
        }
    }
}

/// A copy under way.
#[derive(Debug)]
struct Copying {
    pieces: Option<mpsc::Receiver<Piece>>,
    /// Of the message that is being written.
    rest: bytes::buf::Chain<Bytes, Bytes>,
}

impl Copying {
    fn new(pieces: mpsc::Receiver<Piece>) -> Self {
        Self {
            pieces: Some(pieces),
            rest: Bytes::new().chain(Bytes::new()),
        }
    }

    /// Writes what is there; ready when nothing is left to be written.
    fn poll<S: AsyncWrite + Unpin>(&mut self, cx: &mut Context<'_>, socket: &mut S) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_rest(cx, socket))?;
            let Some(pieces) = &mut self.pieces else {
                return Pin::new(socket).poll_flush(cx);
            };
            self.rest = match ready!(pieces.poll_recv(cx)) {
                Some(Piece::Rows(rows)) => message(b'd', rows),
                Some(Piece::End) => self.last(message(b'c', Bytes::new())),
                None => self.last(message(
                    b'f',
                    Bytes::from_static(b"the producer of the rows ended early\0"),
                )),
            };
        }
    }

    fn last(&mut self, message: bytes::buf::Chain<Bytes, Bytes>) -> bytes::buf::Chain<Bytes, Bytes> {
        self.pieces = None;
        message
    }

    /// Writes the message that has been begun: nothing else may come into it.
    fn poll_rest<S: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut S,
    ) -> Poll<io::Result<()>> {
        while self.rest.has_remaining() {
            match ready!(Pin::new(&mut *socket).poll_write(cx, self.rest.chunk()))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => self.rest.advance(n),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// A message to the server.
fn message(kind: u8, body: Bytes) -> bytes::buf::Chain<Bytes, Bytes> {
    let mut head = Vec::with_capacity(5);
    head.put_u8(kind);
    head.put_u32(body.len() as u32 + 4);
    Bytes::from(head).chain(body)
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Tap<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.lane.is_open() {
            return Pin::new(&mut this.socket).poll_read(cx, buf);
        }
        loop {
            if let Some(copy) = &mut this.copy
                && let Poll::Ready(written) = copy.poll(cx, &mut this.socket)
            {
                written?;
                this.copy = None;
            }
            let start = buf.filled().len();
            ready!(Pin::new(&mut this.socket).poll_read(cx, buf))?;
            if buf.filled().len() == start {
                return Poll::Ready(Ok(()));
            }
            let heard = this
                .place
                .follow(&mut buf.filled_mut()[start..], || this.lane.waiting().is_some());
            buf.set_filled(start + heard.passed);
            if let Some(copy) = this.copy.as_mut().filter(|_| heard.is_over) {
                copy.pieces = None;
            }
            if heard.is_asked {
                this.copy = this.lane.take().map(Copying::new);
            }
            // An empty read would be the end of the stream.
            if heard.passed > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(copy) = &mut this.copy {
            ready!(copy.poll_rest(cx, &mut this.socket))?;
        }
        Pin::new(&mut this.socket).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Tap<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.socket.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `NoticeResponse` of three bytes, `CopyInResponse`, `ReadyForQuery`.
    const STREAM: &[u8] = b"N\0\0\0\x07abcG\0\0\0\x07\x01\0\0Z\0\0\0\x05T";
    const PASSED: &[u8] = b"N\0\0\0\x07abcZ\0\0\0\x05T";

    fn followed(piece: usize, wants: bool) -> (Vec<u8>, usize) {
        let (mut place, mut passed, mut asked) = (Place::default(), Vec::new(), 0);
        for bytes in STREAM.chunks(piece) {
            let mut bytes = bytes.to_vec();
            let heard = place.follow(&mut bytes, || wants);
            passed.extend_from_slice(&bytes[..heard.passed]);
            asked += usize::from(heard.is_asked);
        }
        (passed, asked)
    }

    #[test]
    fn a_message_is_kept_however_it_is_cut() {
        for piece in 1..=STREAM.len() {
            assert_eq!(
                followed(piece, true),
                (PASSED.to_vec(), 1),
                "in pieces of {piece}"
            );
            assert_eq!(
                followed(piece, false),
                (STREAM.to_vec(), 0),
                "in pieces of {piece}"
            );
        }
    }

    #[tokio::test]
    async fn rows_go_out_in_the_place_of_the_message() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (ours, mut theirs) = tokio::io::duplex(16);
        let lane = Lane::default();
        lane.open();
        let (rows, pieces) = mpsc::channel(1);
        let armed = lane.arm(pieces);
        let mut tap = Tap::new(ours, lane.clone());
        let server = async {
            theirs.write_all(b"G\0\0\0\x07\x01\0\0").await.unwrap();
            let mut got = vec![0; 30];
            theirs.read_exact(&mut got).await.unwrap();
            theirs.write_all(b"C\0\0\0\x04").await.unwrap();
            got
        };
        let producer = async {
            rows.send(Piece::Rows(Bytes::from_static(b"twenty bytes of rows")))
                .await
                .unwrap();
            rows.send(Piece::End).await.unwrap();
        };
        let mut answer = [0; 5];
        let (got, (), read) = tokio::join!(server, producer, tap.read_exact(&mut answer));
        read.unwrap();
        assert_eq!(got, b"d\0\0\0\x18twenty bytes of rowsc\0\0\0\x04");
        assert_eq!(&answer, b"C\0\0\0\x04");
        drop(armed);
        assert!(lane.take().is_none());
    }
}
