//! Rows by the thousand: PostgreSQL's binary COPY, in the session and transaction of a connection.
//!
//! Rows are encoded where they are made, off the async threads, and go through a bounded channel. COPY knows no
//! `on conflict`: who copies has cleared the place before. It is refused to roles under row-level security, so that
//! only the service role copies.

use super::Conn;
use super::tap::Piece;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde::Serialize;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};
use serde_json::{Serializer, Value};
use std::io;
use tokio::sync::mpsc;
use uuid::Uuid;

/// Signature, no flags, no extension.
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TAIL: &[u8] = &(-1_i16).to_be_bytes();
/// Bytes that go together.
const PIECE: usize = 256 << 10;
/// Pieces that may wait for the server.
const PIECES: usize = 4;
/// The oid of `text`.
const TEXT: i32 = 25;
/// The oid of `uuid`.
const UUID: i32 = 2950;
/// 2000-01-01 in microseconds since 1970, from where PostgreSQL counts.
const EPOCH: i64 = 946_684_800_000_000;

/// Which columns of which table, in order.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// A table of `public`.
    pub table: &'static str,
    /// Its columns.
    pub columns: &'static [&'static str],
}

impl Target {
    fn statement(&self) -> String {
        format!(
            "copy public.{} (\"{}\") from stdin (format binary)",
            self.table,
            self.columns.join("\", \"")
        )
    }
}

/// Rows in the binary format. Text that PostgreSQL refuses, which is NUL alone, becomes U+FFFD.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    bytes: Vec<u8>,
    count: u64,
}

impl Rows {
    /// Begins a row; its fields follow in the order of the columns.
    pub fn begin(&mut self, target: &Target) {
        self.count += 1;
        self.bytes
            .extend_from_slice(&(target.columns.len() as i16).to_be_bytes());
    }

    /// Nothing.
    pub fn null(&mut self) {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    /// Nothing, or what `write` makes of it.
    pub fn maybe<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        match value {
            Some(value) => write(self, value),
            None => self.null(),
        }
    }

    /// A `uuid`.
    pub fn uuid(&mut self, value: Uuid) {
        self.fixed(value.as_bytes());
    }

    /// An `integer`.
    pub fn int4(&mut self, value: i32) {
        self.fixed(&value.to_be_bytes());
    }

    /// A `bigint`.
    pub fn int8(&mut self, value: i64) {
        self.fixed(&value.to_be_bytes());
    }

    /// A `double precision`.
    pub fn float8(&mut self, value: f64) {
        self.fixed(&value.to_be_bytes());
    }

    /// A `timestamptz`.
    pub fn timestamp(&mut self, value: DateTime<Utc>) {
        self.int8(value.timestamp_micros() - EPOCH);
    }

    /// A `bytea`.
    pub fn bytes(&mut self, value: &[u8]) {
        self.fixed(value);
    }

    /// A `text`.
    pub fn text(&mut self, value: &str) {
        if value.contains('\0') {
            self.fixed(value.replace('\0', "\u{FFFD}").as_bytes());
        } else {
            self.fixed(value.as_bytes());
        }
    }

    /// A `text[]`.
    pub fn texts(&mut self, values: &[&str]) {
        self.array(TEXT, values, |rows, value| rows.text(value));
    }

    /// A `uuid[]`.
    pub fn uuids(&mut self, values: &[Uuid]) {
        self.array(UUID, values, |rows, value| rows.uuid(*value));
    }

    fn array<T>(&mut self, kind: i32, values: &[T], write: impl Fn(&mut Self, &T)) {
        self.measured(|rows| {
            let dimensions = i32::from(!values.is_empty());
            [dimensions, 0, kind].into_iter().for_each(|n| rows.number(n));
            if !values.is_empty() {
                rows.number(values.len() as i32);
                rows.number(1);
            }
            values.iter().for_each(|value| write(rows, value));
        });
    }

    /// A `jsonb`.
    pub fn json(&mut self, value: &Value) {
        self.measured(|rows| {
            // The version of the format.
            rows.bytes.push(1);
            // A value writes itself into memory without fail.
            let _ = value.serialize(&mut Serializer::with_formatter(&mut rows.bytes, WithoutNul));
        });
    }

    /// Whether so much is there that it should go.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= PIECE
    }

    /// Rows that are there.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn fixed(&mut self, value: &[u8]) {
        self.number(value.len() as i32);
        self.bytes.extend_from_slice(value);
    }

    fn number(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    /// A field whose length is known when it is written.
    fn measured(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.bytes.len();
        self.number(0);
        write(self);
        let length = (self.bytes.len() - start - 4) as i32;
        self.bytes[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
}

/// JSON as `jsonb` takes it.
struct WithoutNul;

impl Formatter for WithoutNul {
    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        match escape {
            CharEscape::AsciiControl(0) => writer.write_all("\u{FFFD}".as_bytes()),
            other => CompactFormatter.write_char_escape(writer, other),
        }
    }
}

/// Where a producer lays rows. Without [`Sender::end`] the copy fails: a producer that dies completes nothing.
#[derive(Debug)]
pub struct Sender(mpsc::Sender<Piece>);

/// The other end, for [`rows`].
#[derive(Debug)]
pub struct Receiver(mpsc::Receiver<Piece>);

/// Nobody takes rows any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// A bounded channel of rows.
pub fn channel() -> (Sender, Receiver) {
    let (sender, receiver) = mpsc::channel(PIECES + 1);
    // The head lies in it, which makes one of its places.
    let _ = sender.try_send(Piece::Rows(Bytes::from_static(HEAD)));
    (Sender(sender), Receiver(receiver))
}

impl Sender {
    /// Sends rows from a thread that may block, and leaves `rows` empty.
    ///
    /// # Errors
    /// [`Closed`] when the statement is over.
    pub fn send(&self, rows: &mut Rows) -> Result<(), Closed> {
        if rows.bytes.is_empty() {
            return Ok(());
        }
        let next = Vec::with_capacity(PIECE + PIECE / 4);
        let bytes = std::mem::replace(&mut rows.bytes, next);
        self.0
            .blocking_send(Piece::Rows(bytes.into()))
            .map_err(|_| Closed)
    }

    /// All rows are sent.
    ///
    /// # Errors
    /// [`Closed`] when the statement is over.
    pub fn end(self) -> Result<(), Closed> {
        let end = |piece| self.0.blocking_send(piece).map_err(|_| Closed);
        end(Piece::Rows(Bytes::from_static(TAIL)))?;
        end(Piece::End)
    }
}

/// Copies what comes through the channel. However long it takes, it is one statement: the time limit of a statement
/// does not hold for it.
///
/// # Errors
/// When the database refuses a row or the producer ended early; the transaction is lost then.
pub async fn rows(conn: &mut Conn, target: &Target, rows: Receiver) -> QueryResult<()> {
    let limit = set_limit(conn, "0").await?;
    copy(conn, target, rows.0).await?;
    set_limit(conn, &limit).await.map(drop)
}

async fn copy(conn: &mut Conn, target: &Target, pieces: mpsc::Receiver<Piece>) -> QueryResult<()> {
    let (diesel, lane) = conn.with_lane();
    let _armed = lane.arm(pieces);
    diesel.batch_execute(&target.statement()).await
}

/// Sets the transaction's limit of a statement and returns the one before.
async fn set_limit(conn: &mut Conn, limit: &str) -> QueryResult<String> {
    #[derive(QueryableByName)]
    struct Before {
        #[diesel(sql_type = Text)]
        before: String,
    }
    let before: Before = diesel::sql_query(
        "with old as materialized (select current_setting('statement_timeout') as before) \
         select before from old, lateral (select set_config('statement_timeout', $1, true) where before is not null) x",
    )
    .bind::<Text, _>(limit)
    .get_result(conn)
    .await?;
    Ok(before.before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PAIR: Target = Target {
        table: "pairs",
        columns: &["a", "b"],
    };

    #[test]
    fn a_row_is_what_the_manual_says() {
        let mut rows = Rows::default();
        rows.begin(&PAIR);
        rows.text("a\0b");
        rows.null();
        assert_eq!(rows.bytes, b"\0\x02\0\0\0\x05a\xef\xbf\xbdb\xff\xff\xff\xff");
        assert_eq!(rows.count(), 1);
        assert_eq!(HEAD.len(), 19);
        assert_eq!(
            PAIR.statement(),
            r#"copy public.pairs ("a", "b") from stdin (format binary)"#
        );
    }

    #[test]
    fn lengths_are_known_when_a_field_ends() {
        let mut rows = Rows::default();
        rows.json(&json!({"a\0": ["\0", 1.5]}));
        let text = "\u{1}{\"a\u{FFFD}\":[\"\u{FFFD}\",1.5]}";
        assert_eq!(rows.bytes[..4], (text.len() as i32).to_be_bytes());
        assert_eq!(&rows.bytes[4..], text.as_bytes());
        let mut empty = Rows::default();
        empty.texts(&[]);
        assert_eq!(empty.bytes, b"\0\0\0\x0c\0\0\0\0\0\0\0\0\0\0\0\x19");
    }
}
