//! The media that the driver has kept of a benchmark.
//!
//! Its process is not trusted: only names that the driver itself would have written lead to files.

use crate::dir::{AttemptDir, open_regular};
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    path::Path,
};
use types::{MediaDone, MediaLine};

/// Longest index that is read, in bytes.
pub(crate) const INDEX: u64 = 512 << 20;
/// Longest line of an index that is read, in bytes.
const LINE: usize = 64 * 1024;

/// What was kept of a benchmark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The files by hash, below `out/<order>/`.
    pub files: BTreeMap<String, String>,
    /// The indexes that name them, in `out/<order>/`.
    pub indexes: Vec<String>,
}

impl Kept {
    /// Whether all is there.
    #[must_use]
    pub fn is_whole(dir: &AttemptDir, order: u32) -> bool {
        done(dir, order).is_some()
    }

    /// What was kept; `None` until all is there.
    #[must_use]
    pub fn of(dir: &AttemptDir, order: u32) -> Option<Self> {
        let done = done(dir, order)?;
        let indexes: Vec<String> = done.indexes.into_values().filter(|name| is_index(name)).collect();
        let folder = dir.out(order);
        let files = indexes.iter().flat_map(|name| files_of(&folder.join(name)));
        Some(Self {
            files: files.collect(),
            indexes,
        })
    }
}

fn done(dir: &AttemptDir, order: u32) -> Option<MediaDone> {
    dir.read_json(&format!("out/{order}/media.json")).ok().flatten()
}

fn is_index(name: &str) -> bool {
    name.starts_with("media_") && name.ends_with(".jsonl") && !name.contains('/')
}

/// The files that an index names, by hash. What is no line of the driver's is passed over.
fn files_of(index: &Path) -> BTreeMap<String, String> {
    let Ok(file) = open_regular(index) else {
        return BTreeMap::new();
    };
    let lines = BufReader::new(file.take(INDEX))
        .split(b'\n')
        .map_while(Result::ok);
    let parsed = lines
        .filter(|line| line.len() <= LINE)
        .filter_map(|line| serde_json::from_slice::<MediaLine>(&line).ok());
    parsed
        .filter_map(|line| Some((line.sha256.clone()?, line.path()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_driver_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("media_a.jsonl");
        let hash = "ab".repeat(32);
        let lines = [
            format!(r#"{{"doc_id": 0, "position": 0, "sha256": "{hash}", "extension": "png"}}"#),
            r#"{"doc_id": 0, "position": 1, "sha256": "../../token", "extension": "png"}"#.to_owned(),
            format!(
                r#"{{"doc_id": 0, "position": 2, "sha256": "{}", "extension": "/../x"}}"#,
                "cd".repeat(32)
            ),
            r#"{"doc_id": 1, "position": 0, "problem": "left_out", "reason": "no room"}"#.to_owned(),
            "nonsense".to_owned(),
        ];
        std::fs::write(&index, lines.join("\n")).unwrap();
        let expected = BTreeMap::from([(hash.clone(), format!("media/{hash}.png"))]);
        assert_eq!(files_of(&index), expected);
        assert!(is_index("media_a.jsonl") && !is_index("media_../a.jsonl") && !is_index("docs_a.jsonl"));
    }
}
