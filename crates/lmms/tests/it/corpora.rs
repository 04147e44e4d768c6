//! The small corpora of the fuzz targets, replayed: what a fuzzer once found stays mended.

use std::fs;
use std::path::Path;

use crate::targets;

fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(name);
    let entries = fs::read_dir(&folder).expect("the corpus is committed");
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    assert!(files.len() >= 3, "{}: {files:?}", folder.display());
    for file in files {
        let bytes = fs::read(&file).expect("a file of the corpus");
        if let Err(cause) = std::panic::catch_unwind(|| target(&bytes)) {
            eprintln!("with {}", file.display());
            std::panic::resume_unwind(cause);
        }
    }
}

#[test]
fn logs_of_the_corpus() {
    replay("log", targets::log);
}

#[test]
fn results_of_the_corpus() {
    replay("results", targets::results);
}

#[test]
fn samples_of_the_corpus() {
    replay("samples", targets::samples);
}

#[test]
fn plans_of_the_corpus() {
    replay("argv", targets::argv);
}

#[test]
fn task_files_of_the_corpus() {
    replay("yaml", targets::yaml);
}
