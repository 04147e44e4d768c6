//! Who may know whom, held over the sources: parts never fetch, and pages do not know each other.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder of this crate can be read");
    let paths = entries.map(|entry| entry.expect("an entry of this crate can be read").path());
    let each = |path: PathBuf| if path.is_dir() { sources(&path) } else { vec![path] };
    paths
        .flat_map(each)
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .collect()
}

/// The modules of this crate that a file names, as `crate::<module>` or in a grouped `use crate::{..}`.
fn known(text: &str) -> Vec<String> {
    let mut modules = Vec::new();
    for part in text.split("crate::").skip(1) {
        let group = part.strip_prefix('{').map(top_level);
        modules.extend(group.unwrap_or_else(|| vec![first_name(part)]));
    }
    modules
}

fn first_name(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}

/// The names right inside a group, up to its closing brace.
fn top_level(group: &str) -> Vec<String> {
    let (mut depth, mut start, mut names) = (0_i32, 0, Vec::new());
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(first_name(group[start..at].trim_start()));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(first_name(group[start..at].trim_start()));
                start = at + 1;
            }
            _ => {}
        }
    }
    names
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

#[test]
fn parts_never_fetch() {
    for folder in ["components", "charts", "format"] {
        for path in sources(&root().join(folder)) {
            let text = fs::read_to_string(&path).expect("a source can be read");
            for module in ["api", "live", "session", "shell", "pages", "url"] {
                assert!(
                    !known(&text).iter().any(|name| name == module),
                    "{} knows `{module}`",
                    path.display()
                );
            }
        }
    }
}

/// They know addresses, never who asks.
#[test]
fn media_know_no_session() {
    for path in sources(&root().join("media")) {
        let text = fs::read_to_string(&path).expect("a source can be read");
        for module in ["api", "live", "session", "pages"] {
            assert!(
                !known(&text).iter().any(|name| name == module),
                "{} knows `{module}`",
                path.display()
            );
        }
    }
}

#[test]
fn pages_do_not_know_each_other() {
    let pages = root().join("pages");
    for path in sources(&pages) {
        let below = path.strip_prefix(&pages).expect("a page is below the pages");
        let own = below
            .components()
            .next()
            .expect("a path has a part")
            .as_os_str()
            .to_string_lossy();
        let text = fs::read_to_string(&path).expect("a source can be read");
        for part in text.split("pages::").skip(1) {
            assert_eq!(first_name(part), own, "{} knows another page", path.display());
        }
    }
}

#[test]
fn grouped_names_are_found() {
    let text = "use crate::{api::{client::Client, http}, format};\nuse crate::url::carry;";
    assert_eq!(known(text), ["api", "format", "url"]);
}
