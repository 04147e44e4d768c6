//! Where test files are.

use std::fs;
use std::path::{Path, PathBuf};

use lmms::log::{Item, LogParser, Stream};
use proptest::test_runner::{Config, RngSeed};

/// The folder of the crate's own test files.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The bytes of a test file.
pub(crate) fn bytes(path: &str) -> Vec<u8> {
    let path = folder().join(path);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One stream of a captured run.
pub(crate) fn capture(name: &str, stream: Stream) -> Vec<u8> {
    let ending = match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
    };
    bytes(&format!("captures/caps/{name}.{ending}"))
}

/// All items of some bytes.
pub(crate) fn items(stream: Stream, bytes: &[u8]) -> Vec<Item> {
    let mut parser = LogParser::new(stream);
    let mut items = parser.push(bytes);
    items.extend(parser.finish());
    items
}

/// The files below a folder whose name ends so, sorted.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    files
}

/// The folder of third-party files beside the repository; says so when it is not there.
pub(crate) fn corpus() -> Option<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if corpus.is_dir() {
        return Some(corpus);
    }
    println!("skipped: no corpus at {}", corpus.display());
    None
}

/// So many cases of a property, the same ones in every run.
pub(crate) fn cases(count: u32) -> Config {
    Config {
        rng_seed: RngSeed::Fixed(0x006c_6d6d),
        ..Config::with_cases(count)
    }
}
