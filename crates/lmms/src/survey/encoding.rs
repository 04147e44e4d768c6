//! Text files as UTF-8, whatever a Windows shell made of them.

use std::io::{self, Read};

/// How many bytes are read at once.
const CHUNK: usize = 64 * 1024;

/// Reads UTF-8 and UTF-16 as UTF-8. The mark at the beginning of the file is left out; without
/// one, UTF-16 is known by the zero byte beside its first character.
#[derive(Debug)]
pub struct Utf8Reader<R> {
    input: R,
    coding: Option<Coding>,
    raw: Vec<u8>,
    ready: Vec<u8>,
    at: usize,
    high: Option<u16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Utf8,
    Little,
    Big,
}

/// The coding that the first bytes speak of, and how long their mark is.
fn coding(head: &[u8]) -> (Coding, usize) {
    match head {
        [0xef, 0xbb, 0xbf, ..] => (Coding::Utf8, 3),
        [0xff, 0xfe, ..] => (Coding::Little, 2),
        [0xfe, 0xff, ..] => (Coding::Big, 2),
        [first, 0, second, 0, ..] if *first != 0 && *second != 0 => (Coding::Little, 0),
        [0, first, 0, second, ..] if *first != 0 && *second != 0 => (Coding::Big, 0),
        _ => (Coding::Utf8, 0),
    }
}

impl<R: Read> Utf8Reader<R> {
    /// A reader at the first byte of a file.
    pub fn new(input: R) -> Self {
        Self {
            input,
            coding: None,
            raw: Vec::new(),
            ready: Vec::new(),
            at: 0,
            high: None,
        }
    }

    /// Reads until something is ready, or nothing is left.
    fn fill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.at = 0;
        while self.ready.is_empty() {
            let kept = self.raw.len();
            self.raw.resize(kept + CHUNK, 0);
            let n = match self.input.read(&mut self.raw[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    self.raw.truncate(kept);
                    continue;
                }
                read => read?,
            };
            self.raw.truncate(kept + n);
            if self.coding.is_none() {
                // A mark may come in pieces.
                if n > 0 && self.raw.len() < 4 {
                    continue;
                }
                let (coding, mark) = coding(&self.raw);
                self.coding = Some(coding);
                self.raw.drain(..mark);
            }
            match self.coding {
                Some(Coding::Little) => self.decode(u16::from_le_bytes, n == 0),
                Some(Coding::Big) => self.decode(u16::from_be_bytes, n == 0),
                _ => std::mem::swap(&mut self.raw, &mut self.ready),
            }
            if n == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Takes the whole units that were read; a half unit or pair waits for the rest.
    fn decode(&mut self, unit: fn([u8; 2]) -> u16, ended: bool) {
        let whole = self.raw.len() / 2 * 2;
        let units = self.raw[..whole]
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]));
        let mut units: Vec<u16> = self.high.take().into_iter().chain(units).collect();
        if !ended && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            self.high = units.pop();
        }
        let text: String = char::decode_utf16(units)
            .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        self.ready = text.into_bytes();
        self.raw.drain(..whole);
    }
}

impl<R: Read> Read for Utf8Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.ready.len() {
            self.fill()?;
        }
        let n = buffer.len().min(self.ready.len() - self.at);
        buffer[..n].copy_from_slice(&self.ready[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = usize::from(!self.0.is_empty() && !buffer.is_empty());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    fn read(bytes: &[u8]) -> String {
        let text = |input: &mut dyn Read| {
            let mut text = String::new();
            Utf8Reader::new(input).read_to_string(&mut text).map(|_| text)
        };
        let whole = text(&mut &*bytes).expect("UTF-8");
        assert_eq!(text(&mut Drip(bytes)).expect("UTF-8"), whole);
        whole
    }

    #[test]
    fn every_coding_becomes_utf8() {
        let text = "{\"a\": \"é😀\"}";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (mark, bytes) in [
            (&b""[..], text.as_bytes()),
            (b"\xef\xbb\xbf", text.as_bytes()),
            (b"\xff\xfe", &little),
            (b"\xfe\xff", &big),
            (b"", &little),
            (b"", &big),
        ] {
            assert_eq!(read(&[mark, bytes].concat()), text);
        }
    }

    #[test]
    fn what_is_cut_off_does_not_hang() {
        for bytes in [&b""[..], b"\xff", b"\xff\xfe", b"\xff\xfe{", b"\xff\xfe\x3d\xd8"] {
            let mut text = Vec::new();
            Utf8Reader::new(bytes).read_to_end(&mut text).expect("bytes");
        }
    }
}
