//! What may be picked together: a pick that another pick already contains is refused, in words.

use std::collections::{BTreeMap, BTreeSet};

use types::BenchmarkView;

use super::form::Catalogue;

/// What a tick does to the picks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticked {
    /// The picks after it.
    pub picks: Vec<String>,
    /// What else it did, in words.
    pub note: Option<String>,
}

/// Adds `name`. Picks that it contains give way to it, and that is said; a pick that contains it refuses it.
///
/// # Errors
/// Why it cannot be picked.
pub fn add(catalogue: Catalogue<'_>, picks: &[String], name: &str) -> Result<Ticked, String> {
    if picks.iter().any(|pick| pick == name) {
        return Ok(Ticked { picks: picks.to_vec(), note: None });
    }
    let Some(row) = catalogue.find(name) else { return Err(format!("`{name}` is not in the catalogue.")) };
    if let Some(outer) = container(catalogue, picks, row) {
        return Err(refusal(name, outer));
    }
    let own: BTreeSet<&String> = row.leaf_tasks.iter().collect();
    let inside = |pick: &&String| {
        catalogue.find(pick).is_some_and(|other| {
            !other.leaf_tasks.is_empty() && other.leaf_tasks.iter().all(|leaf| own.contains(leaf))
        })
    };
    let (gone, mut kept): (Vec<String>, Vec<String>) = picks.iter().cloned().partition(|pick| inside(&pick));
    kept.push(name.to_owned());
    let note = (!gone.is_empty()).then(|| format!("`{name}` takes the place of {}, which it contains.", list(&gone)));
    Ok(Ticked { picks: kept, note })
}

/// The pick that contains a row, if one does.
pub fn container<'a>(catalogue: Catalogue<'_>, picks: &'a [String], row: &BenchmarkView) -> Option<&'a str> {
    let contains = |pick: &&String| {
        **pick != row.name
            && catalogue.find(pick).is_some_and(|outer| {
                let leaves: BTreeSet<&String> = outer.leaf_tasks.iter().collect();
                !row.leaf_tasks.is_empty() && row.leaf_tasks.iter().all(|leaf| leaves.contains(leaf))
            })
    };
    picks.iter().find(contains).map(String::as_str)
}

/// Why a row cannot be picked.
pub fn refusal(name: &str, outer: &str) -> String {
    format!("`{name}` is part of `{outer}`, which is picked; remove `{outer}` to pick it alone.")
}

/// Every leaf that the picks cover, with the first pick that covers it.
pub fn covered(catalogue: Catalogue<'_>, picks: &[String]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for pick in picks {
        for leaf in catalogue.find(pick).map(|row| row.leaf_tasks.as_slice()).unwrap_or_default() {
            found.entry(leaf.clone()).or_insert_with(|| pick.clone());
        }
    }
    found
}

/// Up to three names in words.
fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("`{one}`"),
        [one, two] => format!("`{one}` and `{two}`"),
        [one, two, rest @ ..] => format!("`{one}`, `{two}` and {} more", rest.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::launcher::form::tests::benchmark;
    use serde_json::json;

    fn rows() -> [BenchmarkView; 4] {
        [
            benchmark("a", json!({})),
            benchmark("b", json!({})),
            benchmark("all", json!({"kind": "group", "leaf_tasks": ["a", "b"]})),
            benchmark("tag", json!({"kind": "tag", "leaf_tasks": ["b", "c"]})),
        ]
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn what_a_pick_contains_is_refused_in_words() {
        let rows = rows();
        let refused = add(Catalogue(&rows), &names(&["all"]), "a").unwrap_err();
        assert_eq!(refused, "`a` is part of `all`, which is picked; remove `all` to pick it alone.");
        assert!(add(Catalogue(&rows), &[], "nope").is_err());
    }

    #[test]
    fn a_group_takes_the_place_of_its_members() {
        let rows = rows();
        let ticked = add(Catalogue(&rows), &names(&["a", "tag", "b"]), "all").unwrap();
        assert_eq!(ticked.picks, names(&["tag", "all"]));
        assert_eq!(ticked.note.unwrap(), "`all` takes the place of `a` and `b`, which it contains.");
    }

    #[test]
    fn picks_that_share_some_stay() {
        let rows = rows();
        let ticked = add(Catalogue(&rows), &names(&["all"]), "tag").unwrap();
        assert_eq!((ticked.picks, ticked.note), (names(&["all", "tag"]), None));
        let covered = covered(Catalogue(&rows), &names(&["all", "tag"]));
        assert_eq!(covered["b"], "all");
        assert_eq!(covered["c"], "tag");
    }
}
