//! Zip archives, tar archives and compressed files, with limits that count what really comes out.
//!
//! An archive is read twice: once to measure it, so that nothing of a bomb is taken, and once to
//! hand out its files. Folders are passed over; links, devices, archives inside of archives and
//! names that lead out of the archive are refused by name.

mod budget;
mod gzip;
mod tarball;
mod zipped;

use budget::Budget;
use std::fs::File;
use std::io::{self, Read, Seek};

/// How much of a file is looked at to know an archive, in bytes.
const HEAD: usize = 512;
/// Longest name of a file in an archive, in bytes.
const MAX_NAME: usize = 1024;

/// What an archive may amount to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Entries, folders among them.
    pub entries: u64,
    /// Bytes of all files together once unpacked.
    pub unpacked: u64,
    /// Unpacked bytes for each byte of the archive, beyond the free ones.
    pub ratio: u64,
    /// Unpacked bytes that no ratio applies to: small archives of like lines shrink a lot.
    pub free: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 100_000,
            unpacked: 16 << 30,
            ratio: 200,
            free: 64 << 20,
        }
    }
}

/// The formats that are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Zip,
    Tar,
    Gzip,
}

/// A file in an archive, or why it is refused.
pub(crate) struct Member<'a> {
    /// Its name; folders are separated by `/`.
    pub(crate) name: String,
    /// Its content.
    pub(crate) body: Result<&'a mut dyn Read, String>,
}

/// Takes one member after the other; an error ends the archive.
pub(crate) type Taker<'a> = dyn FnMut(Member<'_>) -> io::Result<()> + 'a;

/// Why an archive was not read to its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// It is over a limit: nothing of it is taken.
    Limit(String),
    /// It cannot be read on; what came before may be used.
    Broken(String),
}

/// Whether a name promises an archive.
pub(crate) fn is_named_so(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [".zip", ".tar", ".tgz", ".gz"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// The format of a file, by its first bytes.
pub(crate) fn format_of(file: &mut (impl Read + Seek)) -> io::Result<Option<Format>> {
    let mut head = Vec::new();
    file.rewind()?;
    file.take(HEAD as u64).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(
        if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
            Some(Format::Zip)
        } else if head.starts_with(b"\x1f\x8b") {
            Some(Format::Gzip)
        } else {
            tarball::is_header(&head).then_some(Format::Tar)
        },
    )
}

/// Hands out the members of an archive, when it keeps to the limits.
pub(crate) fn read(
    file: &File,
    name: &str,
    format: Format,
    limits: &Limits,
    take: &mut Taker<'_>,
) -> Result<(), Stop> {
    let measured = pass(file, name, format, limits, &mut |member| {
        if let Ok(body) = member.body {
            io::copy(body, &mut io::sink())?;
        }
        Ok(())
    });
    match measured {
        Err(Stop::Limit(why)) => Err(Stop::Limit(why)),
        // The second pass ends where the first one did.
        Ok(()) | Err(Stop::Broken(_)) => pass(file, name, format, limits, take),
    }
}

fn pass(file: &File, name: &str, format: Format, limits: &Limits, take: &mut Taker<'_>) -> Result<(), Stop> {
    let broken = |error: io::Error| Stop::Broken(format!("the archive cannot be read: {error}"));
    let size = file.metadata().map_err(broken)?.len();
    let budget = Budget::new(*limits, size);
    let mut file = file;
    file.rewind().map_err(broken)?;
    let read = match format {
        Format::Zip => zipped::read(file, &budget, take),
        Format::Tar => tarball::read(file, &budget, take),
        Format::Gzip => gzip::read(file, name, &budget, take),
    };
    match (budget.exceeded(), read) {
        (Some(why), _) => Err(Stop::Limit(why)),
        (None, Err(error)) => Err(broken(error)),
        (None, Ok(())) => Ok(()),
    }
}

/// A name that stays inside of the archive.
fn safe_name(raw: &[u8]) -> Result<String, String> {
    let shown: String = String::from_utf8_lossy(raw).chars().take(200).collect();
    let refuse = |why: &str| Err(format!("the name `{}` {why}", shown.escape_default()));
    let Ok(name) = std::str::from_utf8(raw) else {
        return refuse("is no UTF-8");
    };
    let parts: Vec<&str> = name
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if name.len() > MAX_NAME {
        return refuse("is too long");
    }
    if name.starts_with('/') || parts.contains(&"..") || parts.first().is_some_and(|p| p.ends_with(':')) {
        return refuse("leads out of the archive");
    }
    if parts.is_empty() || name.contains(|c: char| c == '\\' || c.is_control()) {
        return refuse("holds a backslash or a control character, or nothing");
    }
    Ok(parts.join("/"))
}

/// Hands on a member, whose name may be the reason to refuse it.
fn hand_on(raw: &[u8], body: Result<&mut dyn Read, String>, take: &mut Taker<'_>) -> io::Result<()> {
    let member = match safe_name(raw) {
        Ok(name) => Member { name, body },
        Err(why) => Member {
            name: String::from_utf8_lossy(raw).escape_default().take(200).collect(),
            body: Err(why),
        },
    };
    take(member)
}

#[cfg(test)]
mod tests;
