//! What may be picked together: a pick that another pick already contains is refused, in words.

use std::collections::HashSet;

use types::MAX_BENCHMARKS;

use super::catalogue::{Catalogue, Cover};

/// What a tick does to the picks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Picked {
    /// The picks after it.
    pub picks: Vec<String>,
    /// What else it did, or why it did nothing, in words.
    pub note: Option<String>,
}

/// Adds `name`. Picks that it contains give way to it, and that is said; a pick that contains it refuses it.
pub fn add(catalogue: &Catalogue, picks: &[String], name: &str) -> Picked {
    let stay = |note: Option<String>| Picked {
        picks: picks.to_vec(),
        note,
    };
    if picks.iter().any(|pick| pick == name) {
        return stay(None);
    }
    let Some(row) = catalogue.find(name) else {
        return stay(Some(format!("“{name}” is not in the catalogue.")));
    };
    if let Some(outer) = Cover::of(catalogue, picks).container(row) {
        return stay(Some(refusal(name, outer)));
    }
    if picks.len() >= MAX_BENCHMARKS {
        return stay(Some(format!("A run holds at most {MAX_BENCHMARKS} benchmarks.")));
    }
    let own: HashSet<&String> = row.leaf_tasks.iter().collect();
    let inside = |pick: &String| {
        catalogue.find(pick).is_some_and(|other| {
            !other.leaf_tasks.is_empty() && other.leaf_tasks.iter().all(|leaf| own.contains(leaf))
        })
    };
    let (gone, mut kept): (Vec<String>, Vec<String>) = picks.iter().cloned().partition(inside);
    kept.push(name.to_owned());
    let note = (!gone.is_empty())
        .then(|| format!("“{name}” takes the place of {}, which it contains.", list(&gone)));
    Picked { picks: kept, note }
}

/// Adds many: groups before their members, and what a pick contains already is left out without a word, because
/// it will run.
pub fn add_all(catalogue: &Catalogue, picks: &[String], names: &[String]) -> Picked {
    let mut rows: Vec<_> = names
        .iter()
        .chain(picks)
        .filter_map(|name| catalogue.find(name))
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.leaf_tasks.len()));
    let mut cover = Cover::default();
    let mut kept: HashSet<&str> = HashSet::new();
    for row in rows {
        if cover.container(row).is_none() && kept.insert(&row.name) {
            cover.add(row);
        }
    }
    let in_order: Vec<String> = unique(picks.iter().chain(names))
        .filter(|name| kept.contains(name.as_str()))
        .collect();
    let over = in_order.len().saturating_sub(MAX_BENCHMARKS);
    let note =
        (over > 0).then(|| format!("A run holds at most {MAX_BENCHMARKS} benchmarks; {over} were left out."));
    Picked {
        picks: in_order.into_iter().take(MAX_BENCHMARKS).collect(),
        note,
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a String>) -> impl Iterator<Item = String> {
    let mut seen = HashSet::new();
    names.filter(move |name| seen.insert(name.as_str())).cloned()
}

/// Why a row cannot be picked.
pub fn refusal(name: &str, outer: &str) -> String {
    format!("“{name}” is part of “{outer}”, which is picked; remove “{outer}” to pick it alone.")
}

/// Up to three names in words.
fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("“{one}”"),
        [one, two] => format!("“{one}” and “{two}”"),
        [one, two, rest @ ..] => format!("“{one}”, “{two}” and {} more", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::launcher::form::tests::benchmark;
    use serde_json::json;

    fn catalogue() -> Catalogue {
        Catalogue::new(vec![
            benchmark("a", json!({})),
            benchmark("b", json!({})),
            benchmark("all", json!({"kind": "group", "leaf_tasks": ["a", "b"]})),
            benchmark("tag", json!({"kind": "tag", "leaf_tasks": ["b", "c"]})),
        ])
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn what_a_pick_contains_is_refused_in_words() {
        let refused = add(&catalogue(), &names(&["all"]), "a");
        assert_eq!(refused.picks, names(&["all"]));
        assert_eq!(
            refused.note.unwrap(),
            "“a” is part of “all”, which is picked; remove “all” to pick it alone."
        );
        assert!(add(&catalogue(), &[], "nope").note.is_some());
    }

    #[test]
    fn a_group_takes_the_place_of_its_members() {
        let picked = add(&catalogue(), &names(&["a", "tag", "b"]), "all");
        assert_eq!(picked.picks, names(&["tag", "all"]));
        assert_eq!(
            picked.note.unwrap(),
            "“all” takes the place of “a” and “b”, which it contains."
        );
    }

    #[test]
    fn picks_that_share_some_stay() {
        let picked = add(&catalogue(), &names(&["all"]), "tag");
        assert_eq!(
            picked,
            Picked {
                picks: names(&["all", "tag"]),
                note: None
            }
        );
        let (catalogue, picks) = (catalogue(), picked.picks);
        let cover = Cover::of(&catalogue, &picks);
        assert_eq!(
            (cover.leaf("b"), cover.leaf("c"), cover.leaf("d")),
            (Some("all"), Some("tag"), None)
        );
    }

    #[test]
    fn many_are_added_without_what_they_contain() {
        let picked = add_all(&catalogue(), &names(&["a"]), &names(&["b", "all", "tag", "nope"]));
        assert_eq!(
            picked,
            Picked {
                picks: names(&["all", "tag"]),
                note: None
            }
        );
        let many: Vec<_> = (0..600).map(|n| benchmark(&format!("t{n}"), json!({}))).collect();
        let all: Vec<String> = many.iter().map(|row| row.name.clone()).collect();
        let picked = add_all(&Catalogue::new(many), &[], &all);
        assert_eq!(picked.picks.len(), 500);
        assert!(picked.note.unwrap().ends_with("100 were left out."));
    }
}
