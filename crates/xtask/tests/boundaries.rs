//! Who may know whom: the table of the architecture, held against the sources and against cargo's own tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use walkdir::WalkDir;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A part of the tree and the paths that its code never names.
struct Rule {
    part: &'static str,
    never: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule {
        part: "crates/types/src",
        never: &[
            "tokio",
            "actix_web",
            "leptos",
            "std::fs",
            "std::net",
            "analysis",
            "lmms",
        ],
    },
    Rule {
        part: "crates/analysis/src",
        never: &["types", "std::fs", "std::net", "std::process", "tokio"],
    },
    Rule {
        part: "crates/lmms/src",
        never: &["types", "tokio", "std::process::Command", "std::net", "reqwest"],
    },
    Rule {
        part: "crates/runner/src",
        never: &["diesel", "diesel_async", "actix_web", "api", "analysis", "pg"],
    },
    Rule {
        part: "crates/pg/src",
        never: &["types", "analysis", "lmms", "runner", "api", "tokio", "diesel"],
    },
    Rule {
        part: "crates/api/src/db",
        never: &[
            "actix_web",
            "crate::handlers",
            "crate::worker",
            "runner",
            "crate::routes",
            "crate::ingest",
        ],
    },
    Rule {
        part: "crates/api/src/handlers",
        never: &["crate::worker", "runner"],
    },
    Rule {
        part: "crates/api/src/worker",
        never: &["actix_web", "crate::handlers"],
    },
    Rule {
        part: "frontend/src/components",
        never: &["crate::api", "crate::live", "crate::session", "crate::pages"],
    },
    Rule {
        part: "crates/api/src/media",
        never: &["actix_web::Http", "crate::handlers", "crate::worker", "runner"],
    },
    Rule {
        part: "frontend/src/media",
        never: &["crate::api", "crate::live", "crate::session", "crate::pages"],
    },
    Rule {
        part: "frontend/src/charts",
        never: &["crate::api", "crate::live", "crate::session", "crate::pages"],
    },
];

#[test]
fn no_part_names_what_it_must_not_know() {
    let mut broken = Vec::new();
    for rule in RULES {
        for (file, line, code) in code_lines(&root().join(rule.part)) {
            for word in rule.never.iter().filter(|word| names(&code, word)) {
                broken.push(format!("{}:{line} names `{word}`", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A page (a folder or file in `pages/`) and a handler (one in `handlers/`) never reaches for its neighbours.
#[test]
fn neighbours_do_not_know_each_other() {
    let mut broken = Vec::new();
    for (folder, module) in [
        ("frontend/src/pages", "crate::pages"),
        ("crates/api/src/handlers", "crate::handlers"),
    ] {
        let folder = root().join(folder);
        let names: Vec<String> = neighbours(&folder);
        for own in &names {
            let path = folder.join(own);
            let path = if path.is_dir() {
                path
            } else {
                folder.join(format!("{own}.rs"))
            };
            for (file, line, code) in code_lines(&path) {
                let others = names
                    .iter()
                    .filter(|other| *other != own)
                    .map(|other| format!("{module}::{other}"));
                for other in others.filter(|other| self::names(&code, other)) {
                    broken.push(format!("{}:{line} names `{other}`", file.display()));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn neighbours(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .trim_end_matches(".rs")
                .to_owned()
        })
        .collect();
    names.retain(|name| name != "mod");
    names.sort();
    names
}

/// What the browser downloads holds no part of the server.
#[test]
fn the_pages_hold_no_server_crate() {
    let server = [
        "tokio",
        "actix-web",
        "actix-rt",
        "diesel",
        "diesel-async",
        "tokio-postgres",
        "reqwest",
        "hyper",
        "rustls",
        "ring",
        "object_store",
        "nvml-wrapper",
        "kube",
        "api",
        "runner",
        "pg",
        "lmms",
    ];
    let found: Vec<String> = tree("frontend")
        .into_iter()
        .filter(|name| server.contains(&name.as_str()))
        .collect();
    assert!(found.is_empty(), "the WebAssembly build holds {found:?}");
}

/// The crates that both sides share stay light.
#[test]
fn the_shared_crates_do_no_input_or_output() {
    for package in ["types", "analysis", "lmms"] {
        let found: Vec<String> = tree(package)
            .into_iter()
            .filter(|name| {
                ["tokio", "mio", "socket2", "reqwest", "actix-web", "leptos"].contains(&name.as_str())
            })
            .collect();
        assert!(found.is_empty(), "`{package}` depends on {found:?}");
    }
}

/// The names of all crates in a package's tree as built for the browser.
fn tree(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "tree",
            "--locked",
            "--package",
            package,
            "--target",
            "wasm32-unknown-unknown",
        ])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .output()
        .expect("cargo runs, since it runs this test");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect()
}

/// Every line of code below a path: comments, strings of documentation and unit tests left out.
fn code_lines(path: &Path) -> Vec<(PathBuf, usize, String)> {
    let mut lines = Vec::new();
    for entry in WalkDir::new(path).sort_by_file_name().into_iter().flatten() {
        let file = entry.path();
        if file.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(file).expect("a source file is readable UTF-8");
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            lines.push((file.to_path_buf(), number + 1, line.to_owned()));
        }
    }
    lines
}

/// Whether code names a path: `use tokio::..`, `tokio::spawn`, but not `crate::tokio` and not `my_tokio`.
fn names(code: &str, path: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    code.match_indices(path).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + path.len()..];
        let ends =
            after.starts_with("::") || (code.trim_start().starts_with("use ") && after.starts_with(';'));
        let starts = before.is_none_or(|c| !inner(c)) || code[..at].ends_with("use ::");
        let ends = ends || (path.contains("::") && after.chars().next().is_none_or(|c| !inner(c)));
        starts && ends
    })
}

#[test]
fn names_are_found_as_whole_paths() {
    assert!(names("use tokio::time::sleep;", "tokio"));
    assert!(names("    let x = types::RunId::new();", "types"));
    assert!(names("use crate::worker;", "crate::worker"));
    assert!(names("use std::process::Command;", "std::process::Command"));
    assert!(!names("use crate::types::Thing;", "types"));
    assert!(!names("use crate::worker_name;", "crate::worker"));
    assert!(!names("let types = 1;", "types"));
}
