//! Compressed tar archives, and single files that are compressed.

use super::budget::Budget;
use super::{HEAD, Taker, hand_on, tarball};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};

/// Reads the members of `x.tar.gz`, or the one file in `x.jsonl.gz`.
pub(super) fn read(file: &File, name: &str, budget: &Budget, take: &mut Taker<'_>) -> io::Result<()> {
    let mut input = MultiGzDecoder::new(BufReader::new(file));
    let mut head = Vec::new();
    input.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    let is_tar = tarball::is_header(&head);
    let whole = Cursor::new(head).chain(input);
    if is_tar {
        return tarball::read(whole, budget, take);
    }
    budget.entry()?;
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.strip_suffix(".gz").unwrap_or(name);
    hand_on(name.as_bytes(), Ok(&mut budget.meter(whole)), take)
}
