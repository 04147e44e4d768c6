//! Thrift's compact protocol, as far as a Parquet footer needs it.

/// Kinds of fields.
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A structure that grows field by field, in the order of their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    fn field(mut self, number: u8, kind: u8, body: impl IntoIterator<Item = u8>) -> Self {
        // All numbers of the format are near each other, so the short form always does.
        self.bytes.push((number - self.last) << 4 | kind);
        self.bytes.extend(body);
        self.last = number;
        self
    }

    /// A whole number of 32 bits.
    #[must_use]
    pub(super) fn i32(self, number: u8, value: i32) -> Self {
        self.field(number, I32, varint(zigzag(value.into())))
    }

    /// A whole number of 64 bits.
    #[must_use]
    pub(super) fn i64(self, number: u8, value: i64) -> Self {
        self.field(number, I64, varint(zigzag(value)))
    }

    /// A text.
    #[must_use]
    pub(super) fn text(self, number: u8, value: &str) -> Self {
        self.field(number, BINARY, text(value))
    }

    /// A structure.
    #[must_use]
    pub(super) fn structure(self, number: u8, value: Self) -> Self {
        self.field(number, STRUCT, value.end())
    }

    /// A list of structures.
    #[must_use]
    pub(super) fn structures(self, number: u8, values: Vec<Self>) -> Self {
        let head = list(values.len(), STRUCT);
        let items = values.into_iter().flat_map(Self::end);
        self.field(number, LIST, head.into_iter().chain(items))
    }

    /// A list of whole numbers.
    #[must_use]
    pub(super) fn i32s(self, number: u8, values: &[i32]) -> Self {
        let items = values.iter().flat_map(|value| varint(zigzag((*value).into())));
        self.field(number, LIST, list(values.len(), I32).into_iter().chain(items))
    }

    /// A list of texts.
    #[must_use]
    pub(super) fn texts(self, number: u8, values: &[&str]) -> Self {
        let items = values.iter().flat_map(|value| text(value));
        self.field(number, LIST, list(values.len(), BINARY).into_iter().chain(items))
    }

    /// Its bytes.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn text(value: &str) -> Vec<u8> {
    let mut bytes = varint(value.len() as u64);
    bytes.extend(value.as_bytes());
    bytes
}

fn list(length: usize, kind: u8) -> Vec<u8> {
    match length {
        0..15 => vec![(length as u8) << 4 | kind],
        _ => std::iter::once(0xf0 | kind)
            .chain(varint(length as u64))
            .collect(),
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Seven bits to a byte, the lowest first; the highest bit says that more follow.
pub(super) fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
