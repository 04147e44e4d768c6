//! Names for files that a browser saves.

use std::fmt::Write;

/// A header to save a file: the last part of the name, in ASCII for old clients and in UTF-8 for the others (RFC 6266).
pub fn attachment(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.+@ ".contains(c);
    let ascii: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::attachment;

    #[test]
    fn a_name_cannot_leave_its_header() {
        let header = attachment("out/0/a\"b\r\nx: ü.json");
        assert_eq!(
            header,
            "attachment; filename=\"a_b__x_ _.json\"; filename*=UTF-8''a%22b%0D%0Ax%3A%20%C3%BC.json"
        );
    }
}
