//! Tar archives. Names that do not fit into a header come in entries of their own, which are read
//! here with a cap: the library would take them into memory whatever their size.

use super::budget::Budget;
use super::{MAX_NAME, Taker, hand_on};
use std::io::{self, Read};
use tar::{Archive, Entry, EntryType, PaxExtensions};

/// Longest entry that only describes the next one, in bytes.
const MAX_EXTENSION: u64 = 64 * 1024;

/// Whether these bytes begin a tar archive: the header's checksum holds.
pub(super) fn is_header(head: &[u8]) -> bool {
    if head.len() < 512 || head[0] == 0 {
        return false;
    }
    let field = String::from_utf8_lossy(&head[148..156]);
    let told = u32::from_str_radix(field.trim_matches(['\0', ' ']), 8);
    let plain = |range: std::ops::Range<usize>| head[range].iter().map(|byte| u32::from(*byte)).sum::<u32>();
    told == Ok(plain(0..148) + 8 * u32::from(b' ') + plain(156..512))
}

/// Reads the members in their order.
pub(super) fn read(input: impl Read, budget: &Budget, take: &mut Taker<'_>) -> io::Result<()> {
    let mut archive = Archive::new(budget.meter(input));
    let mut next = Next::default();
    for entry in archive.entries()?.raw(true) {
        budget.entry()?;
        let mut entry = entry?;
        if next.describe(&mut entry)? {
            continue;
        }
        let told = std::mem::take(&mut next);
        let name = told.name.unwrap_or_else(|| entry.path_bytes().into_owned());
        match entry.header().entry_type() {
            EntryType::Directory => {}
            _ if told.other_size => {
                hand_on(
                    &name,
                    Err("its size does not fit into its header".to_owned()),
                    take,
                )?;
            }
            EntryType::Regular | EntryType::Continuous => hand_on(&name, Ok(&mut entry), take)?,
            _ => hand_on(
                &name,
                Err("a link, device or sparse file, which is not followed".to_owned()),
                take,
            )?,
        }
    }
    Ok(())
}

/// What an entry said about the next one.
#[derive(Default)]
struct Next {
    name: Option<Vec<u8>>,
    other_size: bool,
}

impl Next {
    /// Takes an entry that describes the next one; false when it is one of its own.
    fn describe<R: Read>(&mut self, entry: &mut Entry<'_, R>) -> io::Result<bool> {
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() || kind.is_gnu_longlink() {
            return Ok(true);
        }
        if !kind.is_gnu_longname() && !kind.is_pax_local_extensions() {
            return Ok(false);
        }
        let mut bytes = Vec::new();
        entry.take(MAX_EXTENSION + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MAX_EXTENSION {
            return Err(io::Error::other("a name in the archive is longer than names are"));
        }
        if kind.is_gnu_longname() {
            let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
            bytes.truncate(end.min(MAX_NAME + 1));
            self.name = Some(bytes);
            return Ok(true);
        }
        for extension in PaxExtensions::new(&bytes) {
            let extension = extension?;
            match extension.key_bytes() {
                b"path" => self.name = Some(extension.value_bytes().to_vec()),
                b"size" => self.other_size = true,
                _ => {}
            }
        }
        Ok(true)
    }
}
