//! The filter of a sample, from the order of the blocks.

use std::collections::HashSet;

/// A task with several filters writes all documents of the first, then all of the second, ...,
/// without their names. A `doc_id` that was seen already in this block therefore begins the next.
#[derive(Debug, Clone)]
pub struct FilterCursor {
    names: Vec<String>,
    block: usize,
    seen: HashSet<i64>,
}

impl FilterCursor {
    /// A cursor at the first block. Without names the only filter is `none`.
    #[must_use]
    pub fn new(names: &[String]) -> Self {
        Self {
            names: names.to_vec(),
            block: 0,
            seen: HashSet::new(),
        }
    }

    /// The filter of the next sample of the file; `None` when there are more blocks than names,
    /// as when two runs were appended to one file.
    pub fn filter_of(&mut self, doc_id: i64) -> Option<&str> {
        if !self.seen.insert(doc_id) {
            self.block += 1;
            self.seen.clear();
            self.seen.insert(doc_id);
        }
        if self.names.is_empty() {
            return (self.block == 0).then_some("none");
        }
        self.names.get(self.block).map(String::as_str)
    }

    /// How many blocks were begun, from 1.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.block + 1
    }
}
