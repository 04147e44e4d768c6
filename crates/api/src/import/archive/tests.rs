//! Archives of our own making, good and hostile.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{Cursor, Write};
use tar::{Builder, EntryType, Header};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

type Members = Vec<(String, Result<Vec<u8>, String>)>;

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn members(bytes: &[u8], name: &str, limits: Limits) -> (Members, Result<(), Stop>) {
    let mut file = file(bytes);
    let format = format_of(&mut file).unwrap().expect("an archive");
    let mut found = Vec::new();
    let read = read(&file, name, format, &limits, &mut |member| {
        let content = member.body.and_then(|body| {
            let mut bytes = Vec::new();
            body.read_to_end(&mut bytes)
                .map(|_| bytes)
                .map_err(|e| e.to_string())
        });
        found.push((member.name, content));
        Ok(())
    });
    (found, read)
}

fn names(found: &Members) -> Vec<(&str, bool)> {
    found
        .iter()
        .map(|(name, content)| (name.as_str(), content.is_ok()))
        .collect()
}

fn tarball(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut archive = Builder::new(Vec::new());
    for (name, kind, content) in entries {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..name.len().min(100)].copy_from_slice(&name.as_bytes()[..name.len().min(100)]);
        header.set_entry_type(*kind);
        header.set_size(content.len() as u64);
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, content) in entries {
        archive.start_file(*name, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_format_gives_the_same_files() {
    let long = format!("{}/x.json", "d".repeat(150));
    let mut plain = Builder::new(Vec::new());
    for (name, content) in [("a/b.json", &b"one"[..]), (&long, b"two")] {
        let mut header = Header::new_gnu();
        header.set_size(content.len() as u64);
        plain.append_data(&mut header, name, content).unwrap();
    }
    let plain = plain.into_inner().unwrap();
    let expected: Members = vec![
        ("a/b.json".into(), Ok(b"one".to_vec())),
        (long.clone(), Ok(b"two".to_vec())),
    ];
    for (bytes, name) in [
        (plain.clone(), "x.tar"),
        (gzipped(&plain), "x.tgz"),
        (zipped(&[("a/b.json", b"one"), (&long, b"two")]), "x.zip"),
    ] {
        let (found, read) = members(&bytes, name, Limits::default());
        assert_eq!((found, read), (expected.clone(), Ok(())), "{name}");
    }
    let (found, _) = members(&gzipped(b"{}"), "p/s.jsonl.gz", Limits::default());
    assert_eq!(found, [("s.jsonl".to_owned(), Ok(b"{}".to_vec()))]);
}

#[test]
fn links_devices_and_names_that_lead_out_are_refused_one_by_one() {
    let bytes = tarball(&[
        ("good.json", EntryType::Regular, b"1"),
        ("link", EntryType::Symlink, b""),
        ("hard", EntryType::Link, b""),
        ("dev", EntryType::Char, b""),
        ("fifo", EntryType::Fifo, b""),
        ("d/", EntryType::Directory, b""),
        ("../out.json", EntryType::Regular, b"1"),
        ("/etc/passwd", EntryType::Regular, b"1"),
        ("a/../../b", EntryType::Regular, b"1"),
        ("c:/x", EntryType::Regular, b"1"),
        ("a\\b", EntryType::Regular, b"1"),
        ("./fine.json", EntryType::Regular, b"1"),
    ]);
    let (found, read) = members(&bytes, "x.tar", Limits::default());
    assert_eq!(read, Ok(()));
    let good: Vec<&str> = names(&found)
        .into_iter()
        .filter(|(_, ok)| *ok)
        .map(|(n, _)| n)
        .collect();
    assert_eq!(good, ["good.json", "fine.json"]);
    assert_eq!(found.len(), 11);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive
        .add_symlink("link", "/etc/passwd", SimpleFileOptions::default())
        .unwrap();
    archive
        .start_file("../../out", SimpleFileOptions::default())
        .unwrap();
    archive.start_file("ok", SimpleFileOptions::default()).unwrap();
    let (found, _) = members(
        &archive.finish().unwrap().into_inner(),
        "x.zip",
        Limits::default(),
    );
    assert_eq!(
        names(&found).iter().map(|(_, ok)| *ok).collect::<Vec<_>>(),
        [false, false, true]
    );
}

#[test]
fn a_bomb_gives_nothing_at_all() {
    let zeros = vec![0; 1 << 20];
    let small = Limits {
        ratio: 10,
        free: 1000,
        ..Limits::default()
    };
    let nested = tarball(&[
        ("a.json", EntryType::Regular, b"1"),
        ("zeros", EntryType::Regular, &zeros),
    ]);
    for (bytes, name) in [
        (zipped(&[("a.json", b"1"), ("zeros", &zeros)]), "x.zip"),
        (gzipped(&nested), "x.tar.gz"),
        (gzipped(&zeros), "x.jsonl.gz"),
    ] {
        assert!(bytes.len() < zeros.len() / 20, "{name}");
        let (found, read) = members(&bytes, name, small);
        assert!(found.is_empty(), "{name}: {:?}", names(&found));
        assert!(
            matches!(read, Err(Stop::Limit(why)) if why.contains("unpacks to more")),
            "{name}"
        );
    }
    let few = Limits {
        entries: 1,
        ..Limits::default()
    };
    let two = [
        ("a", EntryType::Regular, &b""[..]),
        ("b", EntryType::Directory, b""),
    ];
    for bytes in [tarball(&two), zipped(&[("a", b""), ("b", b"")])] {
        let (found, read) = members(&bytes, "x", few);
        assert!(found.is_empty() && matches!(read, Err(Stop::Limit(_))));
    }
}

#[test]
fn a_name_without_an_end_takes_no_memory() {
    let long = vec![b'x'; 1 << 20];
    let bytes = tarball(&[
        ("././@LongLink", EntryType::GNULongName, &long),
        ("a", EntryType::Regular, b"1"),
    ]);
    let (found, read) = members(&bytes, "x.tar", Limits::default());
    assert!(
        found.is_empty() && matches!(read, Err(Stop::Broken(_))),
        "{read:?}"
    );
}

#[test]
fn what_is_cut_off_gives_what_came_before() {
    let content: Vec<u8> = (0..200_000_u32)
        .flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let whole = gzipped(&tarball(&[
        ("a", EntryType::Regular, b"1"),
        ("b", EntryType::Regular, &content),
    ]));
    let (found, read) = members(&whole[..whole.len() / 2], "x.tgz", Limits::default());
    assert_eq!(names(&found), [("a", true), ("b", false)]);
    assert!(matches!(read, Err(Stop::Broken(_))), "{read:?}");
    let zip = zipped(&[("a", &content)]);
    let (found, read) = members(&zip[..zip.len() / 2], "x.zip", Limits::default());
    assert!(
        found.is_empty() && matches!(read, Err(Stop::Broken(_))),
        "{read:?}"
    );
}

#[test]
fn text_is_no_archive() {
    for bytes in [&b""[..], b"{}", &[0; 600], &[b'x'; 600]] {
        assert_eq!(format_of(&mut Cursor::new(bytes)).unwrap(), None);
    }
}

/// An archive whose directory names the same bytes again and again, as small bombs do.
fn overlapping(bytes: &[u8], times: u16) -> Vec<u8> {
    let end = bytes.len() - 22;
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let (size, start) = (word(end + 12), word(end + 16));
    let entry = &bytes[start as usize..(start + size) as usize];
    let mut out = bytes[..start as usize].to_vec();
    for n in 0..times {
        let mut own = entry.to_vec();
        // The name has two letters.
        let at = own.len() - 2;
        own[at..].copy_from_slice(&[b'a' + (n / 26) as u8, b'a' + (n % 26) as u8]);
        out.extend(own);
    }
    out.extend(&bytes[end..end + 8]);
    out.extend(times.to_le_bytes());
    out.extend(times.to_le_bytes());
    out.extend((size * u32::from(times)).to_le_bytes());
    out.extend(&bytes[end + 16..]);
    out
}

#[test]
fn entries_that_share_their_bytes_count_each_time() {
    let zeros = vec![0; 1 << 20];
    let one = zipped(&[("aa", &zeros)]);
    let limits = Limits {
        free: 8 << 20,
        ratio: 10,
        ..Limits::default()
    };
    let (found, read) = members(&one, "x.zip", limits);
    assert_eq!((found.len(), read), (1, Ok(())));
    let (found, read) = members(&overlapping(&one, 500), "x.zip", limits);
    assert!(found.is_empty(), "{:?}", names(&found));
    assert!(read.is_err(), "either the overlap or what comes out is refused");
}
