//! How large and how long media are, from their headers: nothing is decoded.

use super::content::Content;
use image::ImageReader;
use std::io::Cursor;
use types::MediaKind;

/// Pictures with more pixels are not decoded, neither here nor by a page.
pub const MAX_PIXELS: u64 = 50_000_000;

/// What a header says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Pixels from left to right.
    pub width: Option<u32>,
    /// Pixels from top to bottom.
    pub height: Option<u32>,
    /// Seconds.
    pub duration: Option<f64>,
    /// Why it is not shown, in words.
    pub problem: Option<String>,
}

/// Reads the header of a medium of `bytes` bytes, of which these are the first.
pub fn facts(content: Content, head: &[u8], bytes: u64) -> Facts {
    match (content.kind, content.extension) {
        (MediaKind::Image, _) => picture(head),
        (MediaKind::Audio, "wav") => lasting(wav(head, bytes)),
        (MediaKind::Audio, "flac") => lasting(flac(head)),
        (MediaKind::Audio | MediaKind::Video, _) => Facts::default(),
        (MediaKind::Other, _) => Facts {
            problem: Some(format!("is {}", content.words)),
            ..Facts::default()
        },
    }
}

fn picture(head: &[u8]) -> Facts {
    let reader = ImageReader::new(Cursor::new(head)).with_guessed_format();
    let size = reader.ok().and_then(|reader| reader.into_dimensions().ok());
    let Some((width, height)) = size.filter(|(width, height)| *width > 0 && *height > 0) else {
        return Facts {
            problem: Some("its header cannot be read".to_owned()),
            ..Facts::default()
        };
    };
    let huge = u64::from(width) * u64::from(height) > MAX_PIXELS;
    Facts {
        width: Some(width),
        height: Some(height),
        duration: None,
        problem: huge.then(|| {
            format!(
                "has {width} × {height} pixels, more than {} million",
                MAX_PIXELS / 1_000_000
            )
        }),
    }
}

fn lasting(duration: Option<f64>) -> Facts {
    Facts {
        duration,
        problem: duration.is_none().then(|| "its header cannot be read".to_owned()),
        ..Facts::default()
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

/// Seconds of a WAV file: the length of its data by the bytes that a second takes. A length that
/// is longer than the file, as streams write it, ends with the file.
fn wav(head: &[u8], bytes: u64) -> Option<f64> {
    let (mut at, mut rate) = (12_usize, None);
    loop {
        let length = u32_at(head, at + 4)?;
        match head.get(at..at + 4)? {
            b"fmt " => rate = u32_at(head, at + 16).filter(|rate| *rate > 0),
            b"data" => {
                let left = bytes.saturating_sub(at as u64 + 8);
                return Some(u64::from(length).min(left) as f64 / f64::from(rate?));
            }
            _ => {}
        }
        // Chunks begin at even places.
        let step = usize::try_from(length).ok()?;
        at = at.checked_add(8)?.checked_add(step)?.checked_add(step & 1)?;
    }
}

/// Seconds of a FLAC file, from the block that every one begins with.
fn flac(head: &[u8]) -> Option<f64> {
    let info = head.get(8..8 + 18)?;
    let rate = u32::from(info[10]) << 12 | u32::from(info[11]) << 4 | u32::from(info[12]) >> 4;
    let samples =
        (u64::from(info[13]) & 0xf) << 32 | u64::from(u32::from_be_bytes(info[14..18].try_into().ok()?));
    (rate > 0).then(|| samples as f64 / f64::from(rate))
}

#[cfg(test)]
mod tests {
    use super::super::content::sniff;
    use super::*;

    fn read(head: &[u8]) -> Facts {
        facts(sniff(head), head, head.len() as u64)
    }

    /// A PNG whose header says so much and whose content is nothing.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut chunk = b"IHDR".to_vec();
        chunk.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
        chunk.extend([8, 2, 0, 0, 0]);
        let mut crc = flate2::Crc::new();
        crc.update(&chunk);
        let end = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82];
        let data = [0, 0, 0, 0, b'I', b'D', b'A', b'T', 0x35, 0xaf, 0x06, 0x1e];
        [
            b"\x89PNG\r\n\x1a\n\0\0\0\x0d".as_slice(),
            &chunk,
            &crc.sum().to_be_bytes(),
            &data,
            &end,
        ]
        .concat()
    }

    #[test]
    fn a_bomb_is_known_by_its_header() {
        let small = read(&png(640, 480));
        assert_eq!(
            (small.width, small.height, small.problem),
            (Some(640), Some(480), None)
        );
        let bomb = read(&png(60_000, 60_000));
        assert_eq!(
            bomb.problem.unwrap(),
            "has 60000 × 60000 pixels, more than 50 million"
        );
    }

    #[test]
    fn a_header_that_is_cut_off_is_told() {
        for head in [
            &b"\x89PNG\r\n\x1a\n\0\0"[..],
            b"RIFF\x10\0\0\0WAVEfmt ",
            b"fLaC\0\0",
        ] {
            assert_eq!(
                read(head).problem.as_deref(),
                Some("its header cannot be read"),
                "{head:?}"
            );
        }
    }

    #[test]
    fn a_sound_lasts_as_long_as_its_data() {
        let rate = 16_000_u32;
        let form = [
            &1_u16.to_le_bytes()[..],
            &1_u16.to_le_bytes(),
            &rate.to_le_bytes(),
            &(rate * 2).to_le_bytes(),
            &[2, 0, 16, 0],
        ]
        .concat();
        let mut file = [
            b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0".as_slice(),
            &form,
            b"data\xff\xff\xff\xff",
        ]
        .concat();
        file.extend(vec![0; 64_000]);
        assert_eq!(read(&file).duration, Some(2.0));
        let mut flac = b"fLaC\0\0\0\x22".to_vec();
        flac.extend([0; 10]);
        flac.extend([0x03, 0xe8, 0x00, 0x00, 0, 0, 0x7d, 0x00]);
        assert_eq!(read(&flac).duration, Some(2.0));
    }
}
