//! Words, ids, and text that a machine or a stranger wrote.

/// A stretch of untrusted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Shown as it is.
    Plain(String),
    /// A character that would be invisible or would reorder the line, by its code point: `U+202E`.
    Hidden(String),
}

/// Splits untrusted text so that control and bidirectional characters can be shown as marks.
/// Line feeds and tabs stay.
pub fn visible(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    for character in text.chars() {
        if is_hidden(character) {
            if !plain.is_empty() {
                pieces.push(Piece::Plain(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Hidden(format!("U+{:04X}", character as u32)));
        } else {
            plain.push(character);
        }
    }
    if !plain.is_empty() {
        pieces.push(Piece::Plain(plain));
    }
    pieces
}

fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        other => other.is_control(),
    }
}

/// The short form of an id for people: its start, which orders, and its end, which tells apart.
pub fn short_id(id: &str) -> String {
    let hex: Vec<char> = id.chars().filter(char::is_ascii_hexdigit).collect();
    if hex.len() < 12 {
        return id.to_owned();
    }
    let start: String = hex[..6].iter().collect();
    let end: String = hex[hex.len() - 4..].iter().collect();
    format!("{start}-{end}")
}

/// A counted noun: `1 run`, `3 runs`.
pub fn plural(amount: u64, one: &str, many: &str) -> String {
    let noun = if amount == 1 { one } else { many };
    format!("{} {noun}", super::count(amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_hide_or_reorder_is_named() {
        let pieces = visible("a\u{202e}b\u{0}");
        let expected = [
            Piece::Plain("a".into()),
            Piece::Hidden("U+202E".into()),
            Piece::Plain("b".into()),
            Piece::Hidden("U+0000".into()),
        ];
        assert_eq!(pieces, expected);
        assert_eq!(visible("line\n\tnext é"), [Piece::Plain("line\n\tnext é".into())]);
        assert!(visible("").is_empty());
    }

    #[test]
    fn ids_keep_start_and_end() {
        assert_eq!(short_id("0198c4aa-1111-7222-8333-444455557f3a"), "0198c4-7f3a");
        assert_eq!(short_id("abc"), "abc");
    }

    #[test]
    fn nouns_agree() {
        assert_eq!(plural(1, "run", "runs"), "1 run");
        assert_eq!(plural(1200, "run", "runs"), "1\u{202f}200 runs");
    }
}
