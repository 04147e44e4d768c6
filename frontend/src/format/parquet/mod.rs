//! A table as a Parquet file: one row group, one page for each column, plain values without compression.
//!
//! A column is of the narrowest type that holds all its values: truth values, whole numbers, numbers, else text. Nulls
//! are told by definition levels, so an empty cell never becomes 0.

mod thrift;

use std::collections::HashSet;

use serde_json::Value;

use super::sheet::Sheet;
use thrift::Struct;

const MAGIC: &[u8] = b"PAR1";
/// Who wrote the file.
const WRITER: &str = "LMMS-Eval Dashboard";

/// Numbers of the format: encodings, repetition, converted type.
const PLAIN: i32 = 0;
const RLE: i32 = 3;
const OPTIONAL: i32 = 1;
const UTF8: i32 = 0;

/// What a column holds; the number is that of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Boolean = 0,
    Int64 = 2,
    Double = 5,
    Text = 6,
}

impl Kind {
    /// The narrowest kind for all these values.
    fn of<'a>(values: impl Iterator<Item = &'a Value>) -> Self {
        let mut kind = None;
        for value in values {
            let own = match value {
                Value::Null => continue,
                Value::Bool(_) => Self::Boolean,
                Value::Number(number) if number.is_i64() => Self::Int64,
                Value::Number(_) => Self::Double,
                _ => return Self::Text,
            };
            kind = Some(match (kind, own) {
                (None, own) => own,
                (Some(before), own) if before == own => own,
                (Some(Self::Int64 | Self::Double), Self::Int64 | Self::Double) => Self::Double,
                _ => return Self::Text,
            });
        }
        kind.unwrap_or(Self::Text)
    }
}

/// A column that is written: where its page begins and how long it is.
struct Written {
    name: String,
    kind: Kind,
    offset: usize,
    length: usize,
}

/// The file's bytes.
pub fn parquet(sheet: &Sheet) -> Vec<u8> {
    let mut out = MAGIC.to_vec();
    let rows = sheet.rows.len();
    let mut columns = Vec::with_capacity(sheet.head.len());
    for (at, name) in unique(&sheet.head).into_iter().enumerate() {
        let values = || {
            sheet
                .rows
                .iter()
                .map(move |row| row.get(at).unwrap_or(&Value::Null))
        };
        let kind = Kind::of(values());
        let offset = out.len();
        let body = page(kind, values);
        out.extend(page_header(rows, body.len()));
        out.extend(body);
        columns.push(Written {
            name,
            kind,
            offset,
            length: out.len() - offset,
        });
    }
    let footer = footer(&columns, rows);
    let length = footer.len() as u32;
    out.extend(footer);
    out.extend(length.to_le_bytes());
    out.extend(MAGIC);
    out
}

/// Readers expect each name once.
fn unique(names: &[String]) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut next = |name: &String| {
        let mut own = name.clone();
        let mut n = 2;
        while !taken.insert(own.clone()) {
            own = format!("{name}_{n}");
            n += 1;
        }
        own
    };
    names.iter().map(&mut next).collect()
}

/// Definition levels, then the values that are there.
fn page<'a, I: Iterator<Item = &'a Value>>(kind: Kind, values: impl Fn() -> I) -> Vec<u8> {
    let levels = packed(values().map(|value| !value.is_null()));
    let mut run = thrift::varint((levels.len() as u64) << 1 | 1);
    run.extend(levels);
    let mut body = (run.len() as u32).to_le_bytes().to_vec();
    body.extend(run);
    let there = values().filter(|value| !value.is_null());
    match kind {
        Kind::Boolean => body.extend(packed(there.map(|value| value.as_bool().unwrap_or_default()))),
        Kind::Int64 => there.for_each(|value| body.extend(value.as_i64().unwrap_or_default().to_le_bytes())),
        Kind::Double => there.for_each(|value| body.extend(value.as_f64().unwrap_or(f64::NAN).to_le_bytes())),
        Kind::Text => there.for_each(|value| {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            body.extend((text.len() as u32).to_le_bytes());
            body.extend(text.as_bytes());
        }),
    }
    body
}

/// Bits, eight to a byte, the lowest first.
fn packed(bits: impl Iterator<Item = bool>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, bit) in bits.enumerate() {
        if at % 8 == 0 {
            bytes.push(0);
        }
        if let Some(last) = bytes.last_mut() {
            *last |= u8::from(bit) << (at % 8);
        }
    }
    bytes
}

fn page_header(rows: usize, length: usize) -> Vec<u8> {
    let data = Struct::default()
        .i32(1, rows as i32)
        .i32(2, PLAIN)
        .i32(3, RLE)
        .i32(4, RLE);
    let length = length as i32;
    Struct::default()
        .i32(1, 0)
        .i32(2, length)
        .i32(3, length)
        .structure(5, data)
        .end()
}

fn footer(columns: &[Written], rows: usize) -> Vec<u8> {
    let root = Struct::default().text(4, "table").i32(5, columns.len() as i32);
    let schema = std::iter::once(root).chain(columns.iter().map(element));
    let bytes: usize = columns.iter().map(|column| column.length).sum();
    let group = Struct::default()
        .structures(1, columns.iter().map(|column| chunk(column, rows)).collect())
        .i64(2, bytes as i64)
        .i64(3, rows as i64);
    Struct::default()
        .i32(1, 1)
        .structures(2, schema.collect())
        .i64(3, rows as i64)
        .structures(4, vec![group])
        .text(6, WRITER)
        .end()
}

fn element(column: &Written) -> Struct {
    let element = Struct::default()
        .i32(1, column.kind as i32)
        .i32(3, OPTIONAL)
        .text(4, &column.name);
    match column.kind {
        Kind::Text => element
            .i32(6, UTF8)
            .structure(10, Struct::default().structure(1, Struct::default())),
        _ => element,
    }
}

fn chunk(column: &Written, rows: usize) -> Struct {
    let about = Struct::default()
        .i32(1, column.kind as i32)
        .i32s(2, &[PLAIN, RLE])
        .texts(3, &[&column.name])
        .i32(4, 0)
        .i64(5, rows as i64)
        .i64(6, column.length as i64)
        .i64(7, column.length as i64)
        .i64(9, column.offset as i64);
    Struct::default().i64(2, column.offset as i64).structure(3, about)
}

#[cfg(test)]
mod tests;
