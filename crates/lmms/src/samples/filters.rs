//! The filter of a sample, which the file does not name.

use std::collections::HashMap;

/// A task with several filters writes every document once for each of them, in the order of
/// `filter_list` (with several ranks: rank by rank). So the n-th line of a document belongs to
/// the n-th filter.
#[derive(Debug, Clone)]
pub struct FilterCursor {
    names: Vec<String>,
    seen: HashMap<i64, usize>,
}

impl FilterCursor {
    /// A cursor before the first line. Without names the only filter is `none`.
    #[must_use]
    pub fn new(names: &[String]) -> Self {
        let names = if names.is_empty() {
            vec!["none".to_owned()]
        } else {
            names.to_vec()
        };
        Self {
            names,
            seen: HashMap::new(),
        }
    }

    /// The filter of the next sample of the file; `None` when the document came up more often
    /// than there are filters, as when two runs were appended to one file.
    pub fn filter_of(&mut self, doc_id: i64) -> Option<&str> {
        let times = self.seen.entry(doc_id).or_default();
        *times += 1;
        self.names.get(*times - 1).map(String::as_str)
    }
}
