//! Short films, as AVI whose frames are PNG files: every decoder of lmms-eval's reads them, and no
//! encoder is needed.

/// Frames a second.
pub(super) const RATE: u32 = 8;

/// The frames as an AVI file.
pub(super) fn avi(width: u32, height: u32, frames: &[Vec<u8>]) -> Vec<u8> {
    let count = u32_of(frames.len());
    let largest = u32_of(frames.iter().map(Vec::len).max().unwrap_or(0));
    let stream = list(
        b"strl",
        &[
            chunk(b"strh", &stream_header(count, largest, width, height)),
            chunk(b"strf", &picture_header(width, height)),
        ],
    );
    let head = list(
        b"hdrl",
        &[
            chunk(b"avih", &file_header(count, largest, width, height)),
            stream,
        ],
    );
    let body: Vec<Vec<u8>> = frames.iter().map(|frame| chunk(b"00dc", frame)).collect();
    let index = chunk(b"idx1", &index(&body));
    let file = [b"AVI ".to_vec(), head, list(b"movi", &body), index].concat();
    chunk(b"RIFF", &file)
}

/// A chunk begins with its name and length, and ends on an even byte.
fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut all = [name.as_slice(), &u32_of(body.len()).to_le_bytes(), body].concat();
    if body.len() % 2 == 1 {
        all.push(0);
    }
    all
}

fn list(name: &[u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
    chunk(b"LIST", &[name.to_vec(), parts.concat()].concat())
}

fn file_header(count: u32, largest: u32, width: u32, height: u32) -> Vec<u8> {
    const HAS_INDEX: u32 = 0x10;
    let numbers = [
        1_000_000 / RATE,
        largest * RATE,
        0,
        HAS_INDEX,
        count,
        0,
        1,
        largest,
        width,
        height,
        0,
        0,
        0,
        0,
    ];
    words(&numbers)
}

fn stream_header(count: u32, largest: u32, width: u32, height: u32) -> Vec<u8> {
    // Flags, priority and language, first frame, scale, rate, start, length, buffer, quality, sample size.
    let numbers = [0, 0, 0, 1, RATE, 0, count, largest, u32::MAX, 0];
    let size = (width & 0xffff) | (height << 16);
    [b"vidsMPNG".to_vec(), words(&numbers), words(&[0, size])].concat()
}

/// A `BITMAPINFOHEADER`.
fn picture_header(width: u32, height: u32) -> Vec<u8> {
    const PLANES_AND_BITS: u32 = 1 | (24 << 16);
    let rest = words(&[width * height * 3, 0, 0, 0, 0]);
    [
        words(&[40, width, height, PLANES_AND_BITS]),
        b"MPNG".to_vec(),
        rest,
    ]
    .concat()
}

/// Where each frame begins, counted from the list's name.
fn index(body: &[Vec<u8>]) -> Vec<u8> {
    const KEY_FRAME: u32 = 0x10;
    let mut at = 4;
    let mut all = Vec::new();
    for chunk in body {
        all.extend(b"00dc");
        all.extend(words(&[KEY_FRAME, at, length_of(chunk)]));
        at += u32_of(chunk.len());
    }
    all
}

/// The length that a chunk says of itself, without its padding.
fn length_of(chunk: &[u8]) -> u32 {
    chunk
        .get(4..8)
        .and_then(|b| b.try_into().ok())
        .map_or(0, u32::from_le_bytes)
}

fn words(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

fn u32_of(length: usize) -> u32 {
    u32::try_from(length).expect("two seconds of small pictures are far from 4 GB")
}
