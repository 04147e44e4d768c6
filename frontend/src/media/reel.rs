//! Films in AVI whose frames are pictures of their own (Motion JPEG, or PNG), which no browser plays.
//!
//! The file is hostile: every length is checked against what there is.

use std::ops::Range;

/// Most frames that are looked at.
const FRAMES: usize = 100_000;

/// The frames of a film.
#[derive(Debug, Clone, PartialEq)]
pub struct Reel {
    /// Where the frames are in the file, each a JPEG or PNG file.
    pub frames: Vec<Range<usize>>,
    /// Frames a second.
    pub rate: f64,
}

impl Reel {
    /// The frames of a file; `None` where it holds none that are pictures.
    pub fn read(file: &[u8]) -> Option<Self> {
        if file.get(..4)? != b"RIFF" || file.get(8..12)? != b"AVI " {
            return None;
        }
        let mut reel = Self {
            frames: Vec::new(),
            rate: 0.0,
        };
        reel.chunks(file, 12..file.len(), 0);
        let good = !reel.frames.is_empty() && reel.rate.is_finite() && (0.1..=240.0).contains(&reel.rate);
        good.then_some(reel)
    }

    /// Walks through chunks, and into lists of them.
    fn chunks(&mut self, file: &[u8], range: Range<usize>, depth: u8) {
        let mut at = range.start;
        while let (Some(name), Some(length)) = (file.get(at..at + 4), length(file, at + 4)) {
            let body = at + 8..(at + 8).saturating_add(length).min(range.end);
            if body.start > body.end || self.frames.len() >= FRAMES {
                return;
            }
            match name {
                b"LIST" if depth < 4 => self.chunks(file, body.start + 4..body.end, depth + 1),
                b"avih" => {
                    let micros = self::length(file, body.start).unwrap_or(0);
                    self.rate = 1e6 / micros as f64;
                }
                [b'0'..=b'9', b'0'..=b'9', b'd', b'b' | b'c'] if is_picture(&file[body.clone()]) => {
                    self.frames.push(body.clone());
                }
                _ => {}
            }
            at = body.end.saturating_add(length & 1);
            if at >= range.end {
                return;
            }
        }
    }
}

fn length(file: &[u8], at: usize) -> Option<usize> {
    let four = file.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?) as usize)
}

fn is_picture(frame: &[u8]) -> bool {
    frame.starts_with(b"\xff\xd8\xff") || frame.starts_with(b"\x89PNG\r\n\x1a\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut all = [name.as_slice(), &(body.len() as u32).to_le_bytes(), body].concat();
        all.resize(all.len() + body.len() % 2, 0);
        all
    }

    fn avi(frames: &[&[u8]]) -> Vec<u8> {
        let header = chunk(b"avih", &125_000_u32.to_le_bytes());
        let head = chunk(b"LIST", &[b"hdrl".as_slice(), &header].concat());
        let frames: Vec<u8> = frames.iter().flat_map(|frame| chunk(b"00dc", frame)).collect();
        let film = chunk(b"LIST", &[b"movi".as_slice(), &frames].concat());
        chunk(b"RIFF", &[b"AVI ".as_slice(), &head, &film].concat())
    }

    #[test]
    fn frames_that_are_pictures_are_found() {
        let file = avi(&[b"\xff\xd8\xff1", b"\x89PNG\r\n\x1a\n2", b"raw", b"\xff\xd8\xff33"]);
        let reel = Reel::read(&file).unwrap();
        assert_eq!(reel.rate, 8.0);
        let frames: Vec<&[u8]> = reel.frames.iter().map(|range| &file[range.clone()]).collect();
        assert_eq!(
            frames,
            [&b"\xff\xd8\xff1"[..], b"\x89PNG\r\n\x1a\n2", b"\xff\xd8\xff33"]
        );
        assert_eq!(Reel::read(&avi(&[b"raw"])), None);
    }

    #[test]
    fn no_cut_or_wrong_length_leads_out_of_the_file() {
        let file = avi(&[b"\xff\xd8\xff1", b"\xff\xd8\xff2"]);
        for end in 0..file.len() {
            let _ = Reel::read(&file[..end]);
        }
        for at in 4..file.len() {
            let mut wrong = file.clone();
            wrong[at] = 0xff;
            let reel = Reel::read(&wrong);
            assert!(reel.is_none_or(|reel| reel.frames.iter().all(|range| range.end <= wrong.len())));
        }
    }
}
