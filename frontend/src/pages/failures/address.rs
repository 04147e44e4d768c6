//! What the address says about the explorer.

use leptos::prelude::*;
use types::{BucketKind, SampleBucket};

use crate::{api::endpoints::SampleQuery, shell::slice::use_slice, url::use_param};

/// Samples of a page.
pub const PAGE: u32 = 50;

/// The parts of the address.
#[derive(Clone, Copy)]
pub struct Address {
    /// The run.
    pub run: Signal<String>,
    /// The picked row.
    pub of: Signal<String>,
    /// The leaf task.
    pub task: Signal<String>,
    /// How they went: empty is `wrong`.
    pub mark: Signal<String>,
    /// A flag.
    pub flag: Signal<String>,
    /// A category.
    pub category: Signal<String>,
    /// Text.
    pub search: Signal<String>,
    /// The order: empty is by error.
    pub sort: Signal<String>,
    /// Where the page begins.
    pub from: Signal<String>,
    /// The sample that is open.
    pub sample: Signal<String>,
    /// `side` for side by side.
    pub view: Signal<String>,
    slice: Signal<String>,
}

/// The parameters by which samples are filtered, all cleared.
pub const CLEARED: [(&str, &str); 9] = [
    ("of", ""),
    ("task", ""),
    ("mark", "all"),
    ("flag", ""),
    ("category", ""),
    ("search", ""),
    ("slice", ""),
    ("from", ""),
    ("sample", ""),
];

impl Address {
    /// Reads it.
    pub fn read() -> Self {
        Self {
            run: use_param("run"),
            of: use_param("of"),
            task: use_param("task"),
            mark: use_param("mark"),
            flag: use_param("flag"),
            category: use_param("category"),
            search: use_param("search"),
            sort: use_param("sort"),
            from: use_param("from"),
            sample: use_param("sample"),
            view: use_param("view"),
            slice: use_slice(),
        }
    }

    /// Which samples are asked for, without order and page.
    pub fn wanted(self) -> SampleQuery {
        SampleQuery {
            benchmark: self.task.get().parse().ok(),
            run_benchmark: self.of.get().parse().ok(),
            mark: mark_asked(&self.mark.get()).to_owned(),
            flag: self.flag.get(),
            category: self.category.get(),
            search: self.search.get(),
            slice: self.slice.get(),
            ..SampleQuery::default()
        }
    }

    /// The page that is asked for.
    pub fn page(self) -> SampleQuery {
        let sort = self.sort.get();
        SampleQuery {
            sort_by: if sort.is_empty() { "error".to_owned() } else { sort },
            cursor: self.from.get(),
            limit: PAGE,
            ..self.wanted()
        }
    }

    /// Whether a bucket's filter holds.
    pub fn holds(self, bucket: &SampleBucket) -> bool {
        let now = match bucket.kind {
            BucketKind::Benchmark => self.task.get(),
            BucketKind::Category => self.category.get(),
            BucketKind::Flag => self.flag.get(),
            BucketKind::Mark => self.mark.get(),
            BucketKind::Slice => self.slice.get(),
        };
        now == bucket.key
    }
}

/// The parameter that a bucket sets.
pub fn parameter(kind: BucketKind) -> &'static str {
    match kind {
        BucketKind::Benchmark => "task",
        BucketKind::Category => "category",
        BucketKind::Flag => "flag",
        BucketKind::Mark => "mark",
        BucketKind::Slice => "slice",
    }
}

/// What the server is asked for: wrong ones unless said otherwise.
fn mark_asked(mark: &str) -> &str {
    match mark {
        "" => "wrong",
        "all" => "",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_what_is_shown_first() {
        assert_eq!(mark_asked(""), "wrong");
        assert_eq!(mark_asked("all"), "");
        assert_eq!(mark_asked("unscored"), "unscored");
        assert_eq!(parameter(BucketKind::Benchmark), "task");
    }
}
