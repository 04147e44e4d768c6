//! The files that a benchmark left behind. Its process is not trusted: links, devices and
//! FIFOs are no files, and there are caps on depth, number and size.

use crate::{
    dir::{AttemptDir, open_regular},
    job::Limits,
};
use sha2::{Digest, Sha256};
use std::{
    fs, io,
    io::Read,
    path::{Path, PathBuf},
};
use types::OutputFile;

const DEPTH: usize = 8;
/// Most bytes of all descriptions together: they have to fit into one batch.
const DESCRIPTIONS: usize = 512 * 1024;
/// What a description costs beside the path.
const DESCRIPTION: usize = 128;

/// Every file below `out/<order>/`, with its hash, by path.
pub(super) fn list(dir: &AttemptDir, order: u32, limits: &Limits) -> Vec<OutputFile> {
    let root = dir.out(order);
    let mut paths = Vec::new();
    walk(&root, DEPTH, limits.max_files, &mut paths);
    paths.sort();
    let mut room = DESCRIPTIONS;
    paths.retain(|path| {
        let cost = path.as_os_str().len() + DESCRIPTION;
        let fits = cost <= room;
        room = room.saturating_sub(cost);
        fits
    });
    let files = paths.iter().filter_map(|path| describe(&root, path, limits));
    files.collect()
}

/// The newest results document below `out/<order>/`.
pub(super) fn newest_results(dir: &AttemptDir, order: u32, limits: &Limits) -> Option<PathBuf> {
    let mut paths = Vec::new();
    walk(&dir.out(order), DEPTH, limits.max_files, &mut paths);
    let is_results = |path: &PathBuf| {
        let name = path.file_name().and_then(|n| n.to_str());
        name.is_some_and(|n| n.ends_with("_results.json") || n == "results.json")
    };
    let modified = |path: &PathBuf| fs::symlink_metadata(path).and_then(|m| m.modified()).ok();
    paths.into_iter().filter(is_results).max_by_key(modified)
}

/// Files of ours (`done.json`, and what begins with a dot at the top) are not listed.
fn walk(folder: &Path, depth: usize, most: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let ours = depth == DEPTH && (name == "done.json" || name.as_encoded_bytes().starts_with(b"."));
        match entry.file_type() {
            _ if ours || found.len() >= most => {}
            Ok(kind) if kind.is_file() => found.push(entry.path()),
            Ok(kind) if kind.is_dir() && depth > 0 => walk(&entry.path(), depth - 1, most, found),
            _ => {}
        }
    }
}

fn describe(root: &Path, path: &Path, limits: &Limits) -> Option<OutputFile> {
    let relative = path.strip_prefix(root).ok()?.to_str()?.to_owned();
    match hash(path, limits.max_file_bytes) {
        Ok((size, sha256)) => Some(OutputFile {
            path: relative,
            size,
            sha256,
        }),
        Err(error) => {
            note!("output file `{relative}` is left out: {error}");
            None
        }
    }
}

fn hash(path: &Path, cap: u64) -> io::Result<(u64, String)> {
    let mut file = open_regular(path)?;
    if file.metadata()?.len() > cap {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let (mut size, mut hasher) = (0, Sha256::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => {
                size += count as u64;
                hasher.update(&buffer[..count]);
            }
        }
    }
    Ok((size, hex::encode(hasher.finalize())))
}
