//! As much of WebSocket as a viewer needs: the request, frames of a server, and a pong.

/// What a text frame's payload must hold to count: the time of its line.
const MARK: &[u8] = b"t=";
/// Digits of that time.
const DIGITS: usize = 19;

/// The request that opens a socket.
pub(crate) fn request(address: &str, path: &str, token: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nauthorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}

/// A frame as a server sends it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) opcode: u8,
    pub(crate) payload: &'a [u8],
    /// Bytes of the whole.
    pub(crate) size: usize,
}

pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;

/// The first frame; none while it is not complete.
pub(crate) fn first(bytes: &[u8]) -> Option<Frame<'_>> {
    let (&head, &length) = (bytes.first()?, bytes.get(1)?);
    let (start, length) = match length & 127 {
        126 => (
            4,
            usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        127 => (
            10,
            usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?,
        ),
        short => (2, usize::from(short)),
    };
    let size = start + length;
    let payload = bytes.get(start..size)?;
    Some(Frame {
        opcode: head & 15,
        payload,
        size,
    })
}

/// A text frame of a server.
pub(crate) fn text(payload: &[u8], out: &mut Vec<u8>) {
    out.push(0x81);
    match u16::try_from(payload.len()) {
        Ok(length) if length < 126 => out.push(length as u8),
        Ok(length) => {
            out.push(126);
            out.extend(length.to_be_bytes());
        }
        Err(_) => {
            out.push(127);
            out.extend((payload.len() as u64).to_be_bytes());
        }
    }
    out.extend(payload);
}

/// The answer of a client to a ping; masked with zeros, which change nothing.
pub(crate) fn pong(payload: &[u8]) -> Vec<u8> {
    let length = payload.len().min(125);
    let mut frame = vec![0x8A, 0x80 | length as u8, 0, 0, 0, 0];
    frame.extend(&payload[..length]);
    frame
}

/// The time in a message that holds a line of `emit`.
pub(crate) fn time_in(payload: &[u8]) -> Option<u64> {
    let digits = |at: usize| {
        let text = payload.get(at + MARK.len()..at + MARK.len() + DIGITS)?;
        std::str::from_utf8(text).ok()?.parse().ok()
    };
    let starts = payload
        .windows(MARK.len())
        .enumerate()
        .filter(|(_, window)| *window == MARK);
    starts.map(|(at, _)| at).find_map(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_is_written() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let mut bytes = Vec::new();
            text(&payload, &mut bytes);
            assert_eq!(first(&bytes[..bytes.len() - 1]).map(|f| f.size), None);
            let frame = first(&bytes).expect("complete");
            assert_eq!(
                (frame.opcode, frame.payload, frame.size),
                (1, payload.as_slice(), bytes.len())
            );
        }
    }

    #[test]
    fn the_time_is_found_behind_other_words() {
        let message = br#"{"seq":3,"event=":"left=right","message":"t=0000000000000000042 7 xx"}"#;
        assert_eq!(time_in(message), Some(42));
        assert_eq!(time_in(b"left=right"), None);
    }
}
