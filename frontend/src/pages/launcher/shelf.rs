//! The catalogue as the visible rows of a tree: modality, category, benchmark, member. Filtering and counting, no
//! browser.

use std::collections::{BTreeMap, HashSet};

use types::{BenchmarkKind, BenchmarkView, Modality};

use super::{
    catalogue::{Catalogue, Cover},
    picks::refusal,
};
use crate::{
    components::{choice::Ticked, tree::TreeRow},
    format::count,
};

/// What narrows the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Narrow {
    /// Words that must be in name, tag, metric, category or data set.
    pub words: String,
    /// Without an LLM judge.
    pub no_judge: bool,
    /// Without a download from a hub.
    pub local: bool,
    /// Takes few-shot examples.
    pub fewshot: bool,
    /// Only what is picked.
    pub picked: bool,
}

impl Narrow {
    /// Whether it narrows at all.
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    fn keeps(&self, row: &BenchmarkView, picks: &[String]) -> bool {
        let text = || {
            let parts = [
                row.name.as_str(),
                row.category.as_str(),
                row.dataset.as_deref().unwrap_or_default(),
            ];
            let more = row.tags.iter().chain(&row.primary_metrics).map(String::as_str);
            parts
                .into_iter()
                .chain(more)
                .collect::<Vec<_>>()
                .join("\n")
                .to_lowercase()
        };
        (!self.no_judge || !row.needs_judge)
            && (!self.local || !row.needs_download)
            && (!self.fewshot || row.supports_fewshot)
            && (!self.picked || picks.contains(&row.name))
            && (self.words.trim().is_empty() || {
                let text = text();
                self.words
                    .to_lowercase()
                    .split_whitespace()
                    .all(|word| text.contains(word))
            })
    }
}

/// What a key of the tree stands for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// All of a modality.
    Modality(Modality),
    /// A category of a modality.
    Category(Modality, String),
    /// A benchmark.
    Benchmark(String),
    /// A member of a group or tag: the group, the member.
    Member(String, String),
}

impl Node {
    /// As a key.
    pub fn key(&self) -> String {
        match self {
            Self::Modality(modality) => format!("m\t{modality}"),
            Self::Category(modality, category) => format!("c\t{modality}\t{category}"),
            Self::Benchmark(name) => format!("b\t{name}"),
            Self::Member(group, name) => format!("l\t{group}\t{name}"),
        }
    }

    /// Of a key.
    pub fn of(key: &str) -> Option<Self> {
        let parts: Vec<&str> = key.split('\t').collect();
        match parts[..] {
            ["m", modality] => Some(Self::Modality(modality.parse().ok()?)),
            ["c", modality, category] => Some(Self::Category(modality.parse().ok()?, category.to_owned())),
            ["b", name] => Some(Self::Benchmark(name.to_owned())),
            ["l", group, name] => Some(Self::Member(group.to_owned(), name.to_owned())),
            _ => None,
        }
    }
}

/// Everything the tree is made of.
#[derive(Debug, Clone, Copy)]
pub struct Shelf<'a> {
    /// The catalogue.
    pub catalogue: &'a Catalogue,
    /// The picks, in order.
    pub picks: &'a [String],
    /// What narrows it.
    pub narrow: &'a Narrow,
    /// Keys that were opened or closed by hand; others follow the rule.
    pub opened: &'a BTreeMap<String, bool>,
}

type Sorted<'a> = BTreeMap<Modality, BTreeMap<&'a str, Vec<&'a BenchmarkView>>>;

impl<'a> Shelf<'a> {
    /// How many benchmarks are left after narrowing.
    pub fn left(&self) -> usize {
        self.catalogue.rows().iter().filter(|row| self.shows(row)).count()
    }

    fn shows(&self, row: &BenchmarkView) -> bool {
        !row.missing && self.narrow.keeps(row, self.picks)
    }

    fn sorted(&self) -> Sorted<'a> {
        let mut sorted: Sorted<'a> = BTreeMap::new();
        for row in self.catalogue.rows().iter().filter(|row| self.shows(row)) {
            sorted
                .entry(row.modality)
                .or_default()
                .entry(row.category.as_str())
                .or_default()
                .push(row);
        }
        sorted
    }

    /// The visible rows.
    pub fn tree(&self) -> Vec<TreeRow> {
        let cover = Cover::of(self.catalogue, self.picks);
        let picked: HashSet<&str> = self.picks.iter().map(String::as_str).collect();
        let sorted = self.sorted();
        let few = sorted
            .values()
            .flat_map(BTreeMap::values)
            .map(Vec::len)
            .sum::<usize>()
            <= 40;
        let mut out = Vec::new();
        for (modality, categories) in &sorted {
            let all: Vec<&BenchmarkView> = categories.values().flatten().copied().collect();
            let node = Node::Modality(*modality);
            let open = self.open(
                &node,
                few || self.narrow.any() || has(&all, &picked) || sorted.len() == 1,
            );
            out.push(heading(&node, 0, modality.as_str(), &all, &picked, open));
            for (category, rows) in categories.iter().filter(|_| open) {
                let node = Node::Category(*modality, (*category).to_owned());
                let open = self.open(&node, few || self.narrow.any() || has(rows, &picked));
                out.push(heading(&node, 1, category, rows, &picked, open));
                for row in rows.iter().filter(|_| open) {
                    self.push_benchmark(row, &cover, &mut out);
                }
            }
        }
        out
    }

    fn open(&self, node: &Node, by_rule: bool) -> bool {
        self.opened.get(&node.key()).copied().unwrap_or(by_rule)
    }

    fn push_benchmark(&self, row: &BenchmarkView, cover: &Cover<'_>, out: &mut Vec<TreeRow>) {
        let node = Node::Benchmark(row.name.clone());
        let members = row.kind != BenchmarkKind::Task && !row.leaf_tasks.is_empty();
        let open = members.then(|| self.open(&node, false));
        let is_picked = self.picks.contains(&row.name);
        let outer = cover.container(row).filter(|_| !is_picked);
        let some = row.leaf_tasks.iter().any(|leaf| cover.leaf(leaf).is_some());
        let ticked = match (is_picked || outer.is_some(), some) {
            (true, _) => Ticked::On,
            (false, true) => Ticked::Mixed,
            (false, false) => Ticked::Off,
        };
        out.push(TreeRow {
            key: node.key(),
            level: 2,
            name: row.name.clone(),
            note: note(row, members),
            meta: vec![
                row.primary_metrics.first().cloned().unwrap_or_default(),
                samples(row.num_samples),
            ],
            badges: badges(row),
            open,
            ticked,
            refused: outer.map(|outer| refusal(&row.name, outer)),
        });
        if open == Some(true) {
            out.extend(
                row.leaf_tasks
                    .iter()
                    .map(|leaf| self.member(row, leaf, is_picked, cover)),
            );
        }
    }

    fn member(&self, group: &BenchmarkView, leaf: &str, in_pick: bool, cover: &Cover<'_>) -> TreeRow {
        let row = self.catalogue.find(leaf);
        let by = cover.leaf(leaf);
        let refused = match (in_pick, by, row) {
            (true, _, _) => Some(refusal(leaf, &group.name)),
            (false, Some(pick), _) if pick != leaf => Some(refusal(leaf, pick)),
            (false, _, None) => Some(format!("“{leaf}” cannot be run alone.")),
            _ => None,
        };
        TreeRow {
            key: Node::Member(group.name.clone(), leaf.to_owned()).key(),
            level: 3,
            name: leaf.to_owned(),
            note: String::new(),
            meta: vec![
                row.and_then(|row| row.primary_metrics.first().cloned())
                    .unwrap_or_default(),
                row.map(|row| samples(row.num_samples)).unwrap_or_default(),
            ],
            badges: Vec::new(),
            open: None,
            ticked: by.is_some().into(),
            refused,
        }
    }

    /// The names that a node stands for, as far as they are visible.
    pub fn names(&self, node: &Node) -> Vec<String> {
        let in_node = |row: &&BenchmarkView| match node {
            Node::Modality(modality) => row.modality == *modality,
            Node::Category(modality, category) => row.modality == *modality && row.category == *category,
            Node::Benchmark(name) => row.name == *name,
            Node::Member(_, name) => row.name == *name,
        };
        let filter = matches!(node, Node::Modality(_) | Node::Category(..));
        self.catalogue
            .rows()
            .iter()
            .filter(|row| !filter || self.shows(row))
            .filter(in_node)
            .map(|row| row.name.clone())
            .collect()
    }
}

fn has(rows: &[&BenchmarkView], picked: &HashSet<&str>) -> bool {
    rows.iter().any(|row| picked.contains(row.name.as_str()))
}

fn heading(
    node: &Node,
    level: usize,
    name: &str,
    rows: &[&BenchmarkView],
    picked: &HashSet<&str>,
    open: bool,
) -> TreeRow {
    let chosen = rows.iter().filter(|row| picked.contains(row.name.as_str()));
    let known: i64 = chosen.clone().filter_map(|row| row.num_samples).sum();
    let amount = chosen.count();
    TreeRow {
        key: node.key(),
        level,
        name: name.to_owned(),
        note: format!("{amount} of {}", count(rows.len() as i64)),
        meta: vec![
            String::new(),
            if known > 0 { count(known) } else { String::new() },
        ],
        badges: Vec::new(),
        open: Some(open),
        ticked: Ticked::of(amount, rows.len()),
        refused: None,
    }
}

/// What stands after a name: what it is made of, and whether it comes from a task folder.
fn note(row: &BenchmarkView, members: bool) -> String {
    let made = members.then(|| format!("{} of {}", row.kind, tasks(row.leaf_tasks.len())));
    let own = (row.origin != "installed").then(|| "own".to_owned());
    made.into_iter().chain(own).collect::<Vec<_>>().join(", ")
}

fn tasks(amount: usize) -> String {
    crate::format::plural(amount as u64, "task", "tasks")
}

fn samples(amount: Option<i64>) -> String {
    amount.map(count).unwrap_or_default()
}

fn badges(row: &BenchmarkView) -> Vec<(String, String)> {
    let judge = "Scored by a language model: needs a key for it in the environment";
    let download = "The data set is fetched from a hub unless this machine has it already";
    let all = [
        (row.needs_judge, "judge", judge.to_owned()),
        (
            row.needs_download,
            "download",
            row.dataset
                .as_ref()
                .map_or(download.to_owned(), |d| format!("{download}: {d}")),
        ),
    ];
    all.into_iter()
        .filter(|(on, ..)| *on)
        .map(|(_, name, title)| (name.to_owned(), title))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::launcher::form::tests::benchmark;
    use serde_json::json;

    fn rows() -> Vec<BenchmarkView> {
        vec![
            benchmark(
                "chartqa",
                json!({"category": "Documents", "num_samples": 2500, "tags": ["charts"]}),
            ),
            benchmark("mmmu_val", json!({"num_samples": 900, "needs_judge": true})),
            benchmark(
                "mmmu",
                json!({"kind": "group", "leaf_tasks": ["mmmu_val", "mmmu_hidden"], "primary_metrics": []}),
            ),
            benchmark(
                "tts",
                json!({"modality": "Audio", "needs_download": true, "dataset": "org/tts"}),
            ),
            benchmark("gone", json!({"missing": true})),
        ]
    }

    fn lines(shelf: &Shelf<'_>) -> Vec<String> {
        let mark = |row: &TreeRow| match (row.ticked, row.refused.is_some()) {
            (Ticked::On, true) => "#",
            (Ticked::On, false) => "x",
            (Ticked::Mixed, _) => "-",
            (Ticked::Off, true) => "!",
            (Ticked::Off, false) => " ",
        };
        let line = |row: &TreeRow| {
            format!(
                "{}[{}]{} {}",
                " ".repeat(row.level),
                mark(row),
                row.name,
                row.note
            )
        };
        shelf
            .tree()
            .iter()
            .map(|row| line(row).trim_end().to_owned())
            .collect()
    }

    #[test]
    fn a_pick_shows_in_its_category_its_group_and_its_members() {
        let catalogue = Catalogue::new(rows());
        let picks = ["mmmu".to_owned()];
        let opened = [(Node::Benchmark("mmmu".into()).key(), true)].into();
        let narrow = Narrow::default();
        let shelf = Shelf {
            catalogue: &catalogue,
            picks: &picks,
            narrow: &narrow,
            opened: &opened,
        };
        let expected = [
            "[-]Vision 1 of 3",
            " [ ]Documents 0 of 1",
            "  [ ]chartqa",
            " [-]VQA 1 of 2",
            "  [#]mmmu_val",
            "  [x]mmmu group of 2 tasks",
            "   [#]mmmu_val",
            "   [#]mmmu_hidden",
            "[ ]Audio 0 of 1",
            " [ ]VQA 0 of 1",
            "  [ ]tts",
        ];
        assert_eq!(lines(&shelf), expected);
        assert_eq!(shelf.left(), 4);
    }

    #[test]
    fn words_and_switches_narrow() {
        let catalogue = Catalogue::new(rows());
        let left = |narrow: Narrow| {
            let shelf = Shelf {
                catalogue: &catalogue,
                picks: &[],
                narrow: &narrow,
                opened: &BTreeMap::new(),
            };
            shelf
                .tree()
                .iter()
                .filter(|row| row.level == 2)
                .map(|row| row.name.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            left(Narrow {
                words: "CHART doc".into(),
                ..Narrow::default()
            }),
            ["chartqa"]
        );
        assert_eq!(
            left(Narrow {
                words: "org/tts".into(),
                ..Narrow::default()
            }),
            ["tts"]
        );
        assert_eq!(
            left(Narrow {
                no_judge: true,
                local: true,
                ..Narrow::default()
            }),
            ["chartqa", "mmmu"]
        );
        assert!(
            left(Narrow {
                picked: true,
                ..Narrow::default()
            })
            .is_empty()
        );
    }

    #[test]
    fn closed_parents_hide_their_rows_and_keys_come_back() {
        let catalogue = Catalogue::new(rows());
        let opened = [(Node::Modality(Modality::Vision).key(), false)].into();
        let narrow = Narrow::default();
        let shelf = Shelf {
            catalogue: &catalogue,
            picks: &[],
            narrow: &narrow,
            opened: &opened,
        };
        assert_eq!(lines(&shelf)[0], "[ ]Vision 0 of 3");
        assert_eq!(shelf.tree().len(), 4);
        assert_eq!(
            shelf.names(&Node::Category(Modality::Vision, "VQA".into())),
            ["mmmu_val", "mmmu"]
        );
        for node in [
            Node::Modality(Modality::Text),
            Node::Category(Modality::Audio, "a b".into()),
            Node::Member("g".into(), "x".into()),
        ] {
            assert_eq!(Node::of(&node.key()), Some(node));
        }
    }
}
