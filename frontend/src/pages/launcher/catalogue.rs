//! The benchmarks by name, and the leaves that picks cover.

use std::collections::HashMap;

use types::BenchmarkView;

/// The benchmarks, found by name.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    rows: Vec<BenchmarkView>,
    by_name: HashMap<String, usize>,
}

impl Catalogue {
    /// Indexes rows. Of two with one name the organization's own comes before the installed one.
    pub fn new(rows: Vec<BenchmarkView>) -> Self {
        let mut by_name: HashMap<String, usize> = HashMap::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let known = by_name.entry(row.name.clone()).or_insert(index);
            if rows[*known].origin == "installed" {
                *known = index;
            }
        }
        Self { rows, by_name }
    }

    /// The benchmark of this name.
    pub fn find(&self, name: &str) -> Option<&BenchmarkView> {
        self.by_name.get(name).map(|&index| &self.rows[index])
    }

    /// All of them.
    pub fn rows(&self) -> &[BenchmarkView] {
        &self.rows
    }
}

/// Which picks cover which leaves.
#[derive(Debug, Clone, Default)]
pub struct Cover<'a> {
    picks: Vec<&'a BenchmarkView>,
    by_leaf: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Cover<'a> {
    /// The cover of picks; names that are not in the catalogue cover nothing.
    pub fn of(catalogue: &'a Catalogue, picks: &[String]) -> Self {
        let mut cover = Self::default();
        for row in picks.iter().filter_map(|pick| catalogue.find(pick)) {
            cover.add(row);
        }
        cover
    }

    /// Adds a pick.
    pub fn add(&mut self, row: &'a BenchmarkView) {
        let index = self.picks.len();
        self.picks.push(row);
        for leaf in &row.leaf_tasks {
            self.by_leaf.entry(leaf).or_default().push(index);
        }
    }

    /// The first pick that covers a leaf.
    pub fn leaf(&self, leaf: &str) -> Option<&'a str> {
        let index = *self.by_leaf.get(leaf)?.first()?;
        Some(&self.picks[index].name)
    }

    /// The other pick that contains every leaf of a row, if one does.
    pub fn container(&self, row: &BenchmarkView) -> Option<&'a str> {
        let (first, rest) = row.leaf_tasks.split_first()?;
        let holds = |index: &usize, leaf: &String| {
            self.by_leaf
                .get(leaf.as_str())
                .is_some_and(|all| all.contains(index))
        };
        let all = self.by_leaf.get(first.as_str())?;
        let outer = all
            .iter()
            .find(|&index| self.picks[*index].name != row.name && rest.iter().all(|leaf| holds(index, leaf)));
        outer.map(|&index| self.picks[index].name.as_str())
    }
}
