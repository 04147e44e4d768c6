//! What bytes are, by how they begin.

use types::MediaKind;

/// What bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    /// Whether and how it is shown.
    pub kind: MediaKind,
    /// As it is served.
    pub mime: &'static str,
    /// As a saved file is called.
    pub extension: &'static str,
    /// In words, after "is".
    pub words: &'static str,
}

const fn of(kind: MediaKind, mime: &'static str, extension: &'static str, words: &'static str) -> Content {
    Content {
        kind,
        mime,
        extension,
        words,
    }
}

/// What is never shown is bytes, whatever it could be for a browser.
const fn other(extension: &'static str, words: &'static str) -> Content {
    of(MediaKind::Other, "application/octet-stream", extension, words)
}

const PNG: Content = of(MediaKind::Image, "image/png", "png", "a PNG image");
const JPEG: Content = of(MediaKind::Image, "image/jpeg", "jpg", "a JPEG image");
const WEBP: Content = of(MediaKind::Image, "image/webp", "webp", "a WebP image");
const GIF: Content = of(MediaKind::Image, "image/gif", "gif", "a GIF image");
const WAV: Content = of(MediaKind::Audio, "audio/wav", "wav", "a WAV sound");
const FLAC: Content = of(MediaKind::Audio, "audio/flac", "flac", "a FLAC sound");
const MP3: Content = of(MediaKind::Audio, "audio/mpeg", "mp3", "an MP3 sound");
const OGG: Content = of(MediaKind::Audio, "audio/ogg", "ogg", "an Ogg sound");
const M4A: Content = of(MediaKind::Audio, "audio/mp4", "m4a", "an MPEG-4 sound");
const MP4: Content = of(MediaKind::Video, "video/mp4", "mp4", "an MPEG-4 film");
const WEBM: Content = of(MediaKind::Video, "video/webm", "webm", "a WebM film");
const AVI: Content = of(MediaKind::Video, "video/x-msvideo", "avi", "an AVI film");

/// What these bytes are; a few hundred of the beginning are enough.
pub fn sniff(head: &[u8]) -> Content {
    riff(head)
        .or_else(|| boxes(head))
        .or_else(|| magic(head))
        .unwrap_or_else(|| text(head))
}

fn magic(head: &[u8]) -> Option<Content> {
    let known: [(&[u8], Content); 9] = [
        (b"\x89PNG\r\n\x1a\n", PNG),
        (b"\xff\xd8\xff", JPEG),
        (b"GIF87a", GIF),
        (b"GIF89a", GIF),
        (b"fLaC", FLAC),
        (b"ID3", MP3),
        (b"OggS", OGG),
        (b"\x1aE\xdf\xa3", WEBM),
        (b"%PDF-", other("pdf", "a PDF document")),
    ];
    let named = known.into_iter().find(|(begin, _)| head.starts_with(begin));
    named.map(|(_, content)| content).or_else(|| mpeg_frame(head))
}

/// A frame of MPEG audio, layer III, without a tag before it.
fn mpeg_frame(head: &[u8]) -> Option<Content> {
    let &[0xff, flags, rates, ..] = head else {
        return None;
    };
    let is_layer_3 = flags & 0b1110_0110 == 0b1110_0010 && flags & 0b0001_1000 != 0b0000_1000;
    let has_rates = rates >> 4 != 0 && rates >> 4 != 0xf && rates & 0b1100 != 0b1100;
    (is_layer_3 && has_rates).then_some(MP3)
}

fn riff(head: &[u8]) -> Option<Content> {
    match (head.get(..4)?, head.get(8..12)?) {
        (b"RIFF", b"WEBP") => Some(WEBP),
        (b"RIFF" | b"RF64", b"WAVE") => Some(WAV),
        (b"RIFF", b"AVI ") => Some(AVI),
        _ => None,
    }
}

/// Files made of boxes name what they are in the first one.
fn boxes(head: &[u8]) -> Option<Content> {
    if head.get(4..8)? != b"ftyp" {
        return None;
    }
    Some(match head.get(8..12)? {
        b"M4A " | b"M4B " => M4A,
        b"avif" | b"avis" | b"heic" | b"heix" | b"mif1" => {
            other("bin", "an image of a type that is not shown")
        }
        _ => MP4,
    })
}

/// What a browser would run, if it were let, is told by name.
fn text(head: &[u8]) -> Content {
    let Ok(text) = std::str::from_utf8(&head[..whole(head)]) else {
        return other("bin", "of no known type");
    };
    let lower = text
        .trim_start_matches('\u{feff}')
        .trim_start()
        .to_ascii_lowercase();
    if lower.contains("<svg") {
        other("svg", "SVG, which may hold scripts")
    } else if lower.starts_with("<!doctype html") || lower.contains("<html") || lower.contains("<script") {
        other("html", "HTML")
    } else if text.is_empty() {
        other("bin", "empty")
    } else if text.contains('\0') {
        other("bin", "of no known type")
    } else {
        other("txt", "a text")
    }
}

/// Without a last character that was cut in two.
fn whole(head: &[u8]) -> usize {
    match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => head.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_known_by_how_it_begins() {
        let cases: [(&[u8], &str); 16] = [
            (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"GIF89a", "image/gif"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
            (b"fLaC\0\0\0\x22", "audio/flac"),
            (b"ID3\x04", "audio/mpeg"),
            (b"\xff\xfb\x90\x64", "audio/mpeg"),
            (b"OggS\0", "audio/ogg"),
            (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
            (b"\0\0\0\x20ftypisom", "video/mp4"),
            (b"\x1aE\xdf\xa3\x01", "video/webm"),
            (b"RIFF\x10\0\0\0AVI LIST", "video/x-msvideo"),
            (b"\0\0\0\x20ftypavif", "application/octet-stream"),
            (
                b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff",
                "application/octet-stream",
            ),
            (b"", "application/octet-stream"),
        ];
        for (head, mime) in cases {
            assert_eq!(sniff(head).mime, mime, "{head:?}");
        }
    }

    #[test]
    fn what_a_browser_would_run_is_never_shown() {
        for (text, words) in [
            ("<svg onload='alert(1)'>", "SVG, which may hold scripts"),
            (
                "<?xml version='1.0'?><!-- x --><svg/>",
                "SVG, which may hold scripts",
            ),
            ("\u{feff} <!DOCTYPE html><p>", "HTML"),
            ("GIF8 <script>alert(1)</script>", "HTML"),
            ("plain words, cut \u{e9}", "a text"),
        ] {
            let found = sniff(text.as_bytes());
            assert_eq!((found.kind, found.words), (MediaKind::Other, words), "{text}");
        }
        let cut = "é".as_bytes();
        assert_eq!(sniff(&[b"ab", &cut[..1]].concat()).words, "a text");
    }
}
