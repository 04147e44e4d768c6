//! Zip archives.

use super::budget::Budget;
use super::{Taker, hand_on};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use zip::ZipArchive;
use zip::result::ZipError;

/// The bits of a Unix mode that tell a file's type, and the types of a file and of none.
const TYPE_MASK: u32 = 0o170_000;
const REGULAR: [u32; 2] = [0, 0o100_000];

/// Reads the members in the order of the directory.
pub(super) fn read(file: &File, budget: &Budget, take: &mut Taker<'_>) -> io::Result<()> {
    budget.promised(promised(file)?)?;
    let mut archive = ZipArchive::new(BufReader::new(file))?;
    for index in 0..archive.len() {
        budget.entry()?;
        let named = archive.name_for_index(index).and_then(Result::ok);
        let named = named.unwrap_or_default().into_owned();
        let mut member = match archive.by_index(index) {
            Ok(member) => member,
            Err(error) => {
                hand_on(named.as_bytes(), Err(refusal(&error)), take)?;
                continue;
            }
        };
        if member.is_dir() {
            continue;
        }
        let kind = member.unix_mode().unwrap_or(0) & TYPE_MASK;
        if REGULAR.contains(&kind) {
            hand_on(named.as_bytes(), Ok(&mut budget.meter(&mut member)), take)?;
        } else {
            hand_on(
                named.as_bytes(),
                Err("a link or device, which is not followed".to_owned()),
                take,
            )?;
        }
    }
    Ok(())
}

fn refusal(error: &ZipError) -> String {
    match error {
        ZipError::UnsupportedArchive(what) => format!("the entry cannot be unpacked: {what}"),
        other => format!("the entry is damaged: {other}"),
    }
}

/// How many entries the directory's end promises, before the directory is read into memory.
fn promised(mut file: &File) -> io::Result<u64> {
    const END: usize = 22;
    const LONGEST: u64 = END as u64 + 0xffff;
    const LOCATOR: usize = 20;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LONGEST + LOCATOR as u64)))?;
    let mut tail = Vec::new();
    file.take(LONGEST + LOCATOR as u64).read_to_end(&mut tail)?;
    file.rewind()?;
    let Some(at) = tail.windows(4).rposition(|window| window == b"PK\x05\x06") else {
        return Ok(0);
    };
    let short = |at: usize| {
        tail.get(at..at + 2)
            .map_or(0, |b| u64::from(u16::from_le_bytes([b[0], b[1]])))
    };
    let entries = short(at + 10);
    let locator = at.checked_sub(LOCATOR).and_then(|at| tail.get(at..at + LOCATOR));
    let Some(locator) = locator.filter(|l| l.starts_with(b"PK\x06\x07")) else {
        return Ok(entries);
    };
    let mut place = [0; 8];
    place.copy_from_slice(&locator[8..16]);
    let mut end = [0; 40];
    file.seek(SeekFrom::Start(u64::from_le_bytes(place)))?;
    let complete = file.read_exact(&mut end).is_ok();
    file.rewind()?;
    let mut count = [0; 8];
    count.copy_from_slice(&end[32..40]);
    Ok(if complete {
        u64::from_le_bytes(count)
    } else {
        entries
    })
}
