//! The documents that the driver leaves beside the samples: what was asked, field by field.

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{BufRead, Read};

/// Longest line that is read, in bytes.
const MAX_LINE: u64 = 1 << 20;
/// Bytes of documents that are kept beside their hashes.
const MAX_KEPT: usize = 256 << 20;

/// One document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Doc {
    /// Its fields, when there was room for them.
    pub(super) fields: Option<Value>,
    /// Of its fields.
    pub(super) hash: Vec<u8>,
}

/// The documents of one task by `doc_id`. Lines that cannot be read are left out.
#[derive(Debug, Default)]
pub(super) struct Docs(HashMap<i64, Doc>);

#[derive(Deserialize)]
struct Line {
    doc_id: i64,
    doc: Value,
}

impl Docs {
    /// Reads a file of documents.
    pub(super) fn read(mut input: impl BufRead) -> Self {
        let (mut docs, mut kept) = (HashMap::new(), 0);
        let mut line = Vec::new();
        loop {
            line.clear();
            match input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return Self(docs),
                Ok(n) => {
                    if let Ok(found) = serde_json::from_slice::<Line>(&line) {
                        kept += n;
                        let hash = content_hash(&found.doc);
                        let fields = (kept <= MAX_KEPT).then(|| crate::db::events::without_nul(found.doc));
                        docs.insert(found.doc_id, Doc { fields, hash });
                    }
                }
            }
        }
    }

    /// The document with this id.
    pub(super) fn get(&self, doc_id: i64) -> Option<&Doc> {
        self.0.get(&doc_id)
    }
}

/// The hash of a document, whatever the order of its fields.
pub(super) fn content_hash(doc: &Value) -> Vec<u8> {
    let mut hash = Sha256::new();
    feed(&mut hash, doc);
    hash.finalize().to_vec()
}

/// Lengths go first, so that no two values feed the same bytes.
fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Array(items) => {
            hash.update(format!("[{}", items.len()));
            items.iter().for_each(|item| feed(hash, item));
        }
        Value::Object(fields) => {
            hash.update(format!("{{{}", fields.len()));
            let mut keys: Vec<&String> = fields.keys().collect();
            keys.sort();
            for key in keys {
                hash.update(format!("{}:{key}", key.len()));
                feed(hash, &fields[key]);
            }
        }
        Value::String(text) => hash.update(format!("\"{}:{text}", text.len())),
        other => hash.update(format!("={other};")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_fields_does_not_matter() {
        assert_eq!(
            content_hash(&json!({"a": 1, "b": [2]})),
            content_hash(&json!({"b": [2], "a": 1}))
        );
        assert_ne!(content_hash(&json!({"a": "12"})), content_hash(&json!({"a": 12})));
        assert_ne!(
            content_hash(&json!([["a"], "b"])),
            content_hash(&json!([["a", "b"]]))
        );
    }

    #[test]
    fn a_broken_line_costs_one_document() {
        let text = b"{\"doc_id\": 1, \"doc\": {\"q\": \"a\\u0000\"}}\nnonsense\n{\"doc_id\": 2, \"doc\": {}}";
        let docs = Docs::read(&text[..]);
        assert_eq!(docs.get(1).unwrap().fields, Some(json!({"q": "a\u{FFFD}"})));
        assert!(docs.get(2).is_some() && docs.get(3).is_none());
    }
}
