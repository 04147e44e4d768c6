//! The catalogue: our own task files, and the installed library where there is one.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use insta::{assert_debug_snapshot, assert_snapshot};
use lmms::catalogue::{
    BackendKind, Catalogue, EntryKind, Source, TaskRoot, backends, backends_in, category, index,
    installed_version, tasks_dir,
};

use crate::fixtures::{bytes, folder};

fn root(path: PathBuf) -> TaskRoot {
    TaskRoot {
        path,
        source: Source::Include,
    }
}

fn own() -> Catalogue {
    index(&[root(folder().join("tasks"))])
}

fn written(files: &[(&str, &str)]) -> (tempfile::TempDir, Catalogue) {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let catalogue = index(&[root(folder.path().to_owned())]);
    (folder, catalogue)
}

fn names(catalogue: &Catalogue, kind: EntryKind) -> BTreeSet<&str> {
    catalogue
        .entries
        .iter()
        .filter(|entry| entry.kind == kind)
        .map(|entry| entry.name.as_str())
        .collect()
}

#[test]
fn captured_tasks() {
    let mut catalogue = index(&[root(folder().join("captures/task-shapes"))]);
    for entry in &mut catalogue.entries {
        entry.yaml_path = entry.yaml_path.file_name().map(PathBuf::from).unwrap_or_default();
    }
    assert_debug_snapshot!(catalogue);
}

#[test]
fn our_own_tasks() {
    let mut text = String::new();
    let catalogue = own();
    for entry in &catalogue.entries {
        _ = writeln!(
            text,
            "{:?} {} members {:?} tags {:?} dataset {:?} metrics {:?} shots {} {:?} {:?} judge {} leaves {:?}",
            entry.kind,
            entry.name,
            entry.members,
            entry.tags,
            entry.dataset_path,
            entry
                .metrics
                .iter()
                .map(|metric| &metric.name)
                .collect::<Vec<_>>(),
            entry.supports_fewshot,
            entry.modality,
            entry.version,
            entry.needs_judge,
            catalogue.leaves(&entry.name),
        );
    }
    for problem in &catalogue.problems {
        let file = problem.path.file_name().expect("a name").to_string_lossy();
        _ = writeln!(text, "problem {file}: {}", problem.message);
    }
    assert_snapshot!(text);
}

#[test]
fn picks_that_contain_others() {
    let catalogue = own();
    assert!(catalogue.contains("suite", "alpha"));
    assert!(catalogue.contains("outer", "suite"));
    assert!(!catalogue.contains("alpha", "suite"));
    assert!(!catalogue.contains("suite", "unknown"));
    let picked = ["alpha".to_owned(), "beta".to_owned(), "outer".to_owned()];
    assert_eq!(catalogue.overlap(&picked), Some(("outer", "alpha")));
    assert_eq!(catalogue.overlap(&picked[..2]), None);
}

#[test]
fn the_first_root_wins() {
    let (first, _) = written(&[("a.yaml", "task: one\ndataset_path: first\ntag: t\n")]);
    let (second, _) = written(&[
        ("a.yaml", "task: one\ndataset_path: second\ntag: t\n"),
        ("b.yaml", "task: two\ntag: t\n"),
    ]);
    let catalogue = index(&[root(first.path().to_owned()), root(second.path().to_owned())]);
    assert_eq!(
        catalogue
            .get("one")
            .and_then(|entry| entry.dataset_path.as_deref()),
        Some("first")
    );
    assert_eq!(catalogue.leaves("t"), ["one"]);
    assert!(catalogue.get("two").is_some());
}

#[test]
fn yaml_as_python_reads_it() {
    let (_folder, catalogue) = written(&[
        ("bom.yaml", "\u{feff}task: bom\n"),
        ("twice.yaml", "task: first\ntask: last\n"),
        (
            "merge.yaml",
            "base: &base\n  higher_is_better: yes\ntask: merged\nmetric_list:\n- metric: acc\n  <<: *base\n",
        ),
        ("number.yaml", "task: 12\n"),
        ("cycle_a.yaml", "include: cycle_a.yaml\ntask: cycle\n"),
        ("broken.yaml", "task: [\n"),
        ("missing.yaml", "include: nowhere\ntask: missing\n"),
        ("list.yaml", "- a\n"),
        ("self.yaml", "group: self\ntask: [self, bom]\n"),
        ("__pycache__/x.yaml", "task: hidden\n"),
    ]);
    assert_eq!(
        names(&catalogue, EntryKind::Task),
        BTreeSet::from(["bom", "last", "merged"])
    );
    assert_eq!(
        catalogue
            .get("merged")
            .and_then(|entry| entry.metrics[0].higher_is_better),
        Some(true)
    );
    assert_eq!(catalogue.leaves("self"), ["bom"]);
    let bad: BTreeSet<_> = catalogue
        .problems
        .iter()
        .map(|problem| problem.path.file_name().expect("a name").to_string_lossy())
        .collect();
    assert_eq!(
        bad,
        ["broken.yaml", "cycle_a.yaml", "list.yaml", "missing.yaml"]
            .map(Into::into)
            .into()
    );
}

#[test]
fn a_folder_that_is_not_there_is_a_problem() {
    let catalogue = index(&[root(PathBuf::from("/nowhere/at/all"))]);
    assert!(catalogue.entries.is_empty());
    assert_eq!(catalogue.problems.len(), 1);
}

#[test]
fn categories() {
    assert_eq!(category("chartqa"), "Charts");
    assert_eq!(category("mmmu_pro"), "Science and knowledge");
    assert_eq!(category("videomme"), "Video understanding");
    assert_eq!(category("librispeech"), "Speech recognition");
    assert_eq!(category("my_own_tasks"), "Other");
}

#[test]
fn backends_from_source_text() {
    let source = "# AVAILABLE_SIMPLE_MODELS = {}\nAVAILABLE_SIMPLE_MODELS = {\n    \"a\": \"A\",  # \"not\": \"me\"\n    'b': 'lmms.B',\n}\n\
                  AVAILABLE_CHAT_TEMPLATE_MODELS: dict = {\"b\": \"B\", \"c\": \"C\"}\n\
                  MODEL_ALIASES: dict[str, tuple[str, ...]] = {\n    \"b\": (\"b1\", \"b2\",),\n    \"c\": (\"c1\",),\n}\n";
    let found: Vec<_> = backends_in(source)
        .into_iter()
        .map(|backend| (backend.name, backend.kind, backend.aliases.join(" ")))
        .collect();
    assert_eq!(
        found,
        [
            ("a".to_owned(), BackendKind::Simple, String::new()),
            ("b".to_owned(), BackendKind::ChatAndSimple, "b1 b2".to_owned()),
            ("c".to_owned(), BackendKind::Chat, "c1".to_owned()),
        ]
    );
    assert_eq!(backends_in("AVAILABLE_MODELS = {\"old\": \"Old\"}").len(), 1);
    assert!(backends_in("").is_empty() && backends_in("AVAILABLE_MODELS = {\"cut").is_empty());
}

/// Groups of 0.7.3 whose members do not exist.
const EMPTY_GROUPS: [&str; 3] = [
    "mix_evals_audio2text",
    "mix_evals_audio2text_hard",
    "olympiadbench",
];

/// The package directory of the installation that `LMMS_EVAL_PYTHON` runs.
fn installed() -> Option<PathBuf> {
    let Some(python) = std::env::var_os("LMMS_EVAL_PYTHON") else {
        println!("skipped: LMMS_EVAL_PYTHON is not set");
        return None;
    };
    let code = "import importlib.util as u; print(u.find_spec('lmms_eval').submodule_search_locations[0])";
    let output = Command::new(&python)
        .args(["-c", code])
        .output()
        .expect("LMMS_EVAL_PYTHON runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let package = PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim());
    if installed_version(&package).as_deref() == Some("0.7.3") {
        return Some(package);
    }
    println!("skipped: the captures are of 0.7.3, {} is not", package.display());
    None
}

/// The first column of a captured table.
fn captured_names(file: &str) -> BTreeSet<String> {
    let text = String::from_utf8(bytes(&format!("captures/caps/{file}"))).expect("text");
    let cell = |line: &str| {
        Some(
            line.trim()
                .strip_prefix('|')?
                .split('|')
                .next()?
                .trim()
                .to_owned(),
        )
    };
    let heading = |name: &String| {
        matches!(name.as_str(), "Group" | "Tag") || name.starts_with('-') || name.starts_with(':')
    };
    text.lines()
        .filter_map(cell)
        .filter(|name| !heading(name))
        .collect()
}

fn strings(names: BTreeSet<&str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn the_installed_catalogue_is_that_of_lmms_eval() {
    let Some(package) = installed() else {
        return;
    };
    let catalogue = index(&[TaskRoot {
        path: tasks_dir(&package),
        source: Source::Installed,
    }]);
    assert_eq!(names(&catalogue, EntryKind::Task).len(), 1713);
    assert_eq!(
        strings(names(&catalogue, EntryKind::Group)),
        captured_names("tasks_groups.txt")
    );
    assert_eq!(
        strings(names(&catalogue, EntryKind::Tag)),
        captured_names("tasks_tags.txt")
    );
    let with_shots = catalogue
        .entries
        .iter()
        .filter(|entry| entry.kind == EntryKind::Task && entry.supports_fewshot);
    assert_eq!(with_shots.count(), 361);
    let empty: Vec<&str> = catalogue
        .entries
        .iter()
        .filter(|entry| catalogue.leaves(&entry.name).is_empty())
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(empty, EMPTY_GROUPS, "groups without a task");
    for name in EMPTY_GROUPS {
        let told = |message: &str| message.starts_with(&format!("`{name}` holds "));
        assert!(
            catalogue.problems.iter().any(|problem| told(&problem.message)),
            "{name}"
        );
    }
}

#[test]
fn the_installed_backends_are_those_of_lmms_eval() {
    let Some(package) = installed() else {
        return;
    };
    let mut listed = BTreeSet::new();
    let text = String::from_utf8(bytes("captures/caps/models_aliases.txt")).expect("text");
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(name), Some(kind)) = (words.next(), words.next()) else {
            continue;
        };
        if !name.ends_with(':') && ["chat", "simple", "chat+simple"].contains(&kind) {
            listed.insert(format!("{name} {kind} {}", words.collect::<Vec<_>>().join(" ")));
        }
    }
    let found = backends(Path::new(&package))
        .expect("a registry")
        .into_iter()
        .map(|backend| {
            let kind = match backend.kind {
                BackendKind::Chat => "chat",
                BackendKind::Simple => "simple",
                BackendKind::ChatAndSimple => "chat+simple",
            };
            format!("{} {kind} {}", backend.name, backend.aliases.join(", "))
        });
    assert_eq!(found.collect::<BTreeSet<_>>(), listed);
    assert_eq!(listed.len(), 120);
}
