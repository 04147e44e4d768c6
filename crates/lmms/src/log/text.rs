//! Terminal bytes into plain text: escape sequences and control characters go.

use std::borrow::Cow;

const ESCAPE: u8 = 0x1b;

/// The bytes without escape sequences and without control characters other than the tab.
pub(super) fn clean(raw: &[u8]) -> Cow<'_, [u8]> {
    // Looks at every byte, for that is several at a time.
    if !raw.iter().fold(false, |found, &byte| found | is_control(byte)) {
        return Cow::Borrowed(raw);
    }
    let mut plain = Vec::with_capacity(raw.len());
    walk(raw, |_, byte| {
        plain.push(byte);
        true
    });
    Cow::Owned(plain)
}

/// As text; an invalid sequence is replaced by U+FFFD.
pub(super) fn lossy(plain: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(plain) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(plain),
    }
}

/// The index in `plain` of what stands at `index` in its lossy text, in which every invalid
/// sequence takes the three bytes of U+FFFD.
pub(super) fn plain_index(plain: &[u8], index: usize) -> usize {
    let (mut lossy, mut exact) = (0, 0);
    for chunk in plain.utf8_chunks() {
        let valid = chunk.valid().len();
        if index <= lossy + valid {
            return exact + (index - lossy);
        }
        lossy += valid + char::REPLACEMENT_CHARACTER.len_utf8();
        exact += valid + chunk.invalid().len();
        if index <= lossy {
            return exact;
        }
    }
    plain.len()
}

/// Where the byte of `raw` stands that `clean` returns at index `plain_index`.
pub(super) fn raw_offset(raw: &[u8], plain_index: usize) -> usize {
    let mut left = plain_index;
    let mut offset = raw.len();
    walk(raw, |index, _| {
        if left == 0 {
            offset = index;
            return false;
        }
        left -= 1;
        true
    });
    offset
}

/// Calls `keep` for every byte that stays, until it returns false.
fn walk(raw: &[u8], mut keep: impl FnMut(usize, u8) -> bool) {
    let mut index = 0;
    while let Some(&byte) = raw.get(index) {
        if byte == ESCAPE {
            index += escape_length(&raw[index..]);
            continue;
        }
        if !is_control(byte) && !keep(index, byte) {
            return;
        }
        index += 1;
    }
}

/// Whether a byte is none of a text's, of which an escape sequence's first is one.
fn is_control(byte: u8) -> bool {
    (byte < 0x20 && byte != b'\t') || byte == 0x7f
}

/// The length of the escape sequence at the start of `raw`.
fn escape_length(raw: &[u8]) -> usize {
    match raw.get(1) {
        // Control sequence: parameters, then one final byte.
        Some(b'[') => {
            let end = raw[2..].iter().position(|byte| !(0x20..0x40).contains(byte));
            end.map_or(raw.len(), |end| 2 + end + 1)
        }
        // Operating system command: up to BEL or to `ESC \`.
        Some(b']') => {
            let end = raw[2..].iter().position(|&byte| byte == 0x07 || byte == ESCAPE);
            end.map_or(raw.len(), |end| {
                let at = 2 + end;
                at + if raw[at] == ESCAPE { 2 } else { 1 }
            })
        }
        Some(_) => 2,
        None => 1,
    }
}

/// Cuts text at a character boundary at or before `cap` bytes; true when it was longer.
pub(super) fn cut(text: &mut String, cap: usize) -> bool {
    if text.len() <= cap {
        return false;
    }
    text.truncate(text.floor_char_boundary(cap));
    true
}
