//! Hashes by which documents and prompts of two runs are compared.
//!
//! lmms-eval's own `doc_hash` is the same constant in every file, so these are ours. They are
//! SHA-256 in hex and do not depend on the order of keys.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// The hash of a document's fields.
#[must_use]
pub fn content_hash(document: &Value) -> String {
    let mut canonical = String::new();
    write_canonical(document, &mut canonical);
    hex(&Sha256::digest(canonical.as_bytes()))
}

/// The hash of a prompt, or of any other text.
#[must_use]
pub fn text_hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut keys: Vec<_> = fields.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for key in keys {
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write_canonical(&fields[key], out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_canonical(item, out);
                out.push(',');
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
