//! The difference of two texts, word by word.

/// A stretch of a difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// In both.
    Same(String),
    /// Only in the first.
    Gone(String),
    /// Only in the second.
    New(String),
}

/// Words beyond which no difference is looked for: the table of a longest common subsequence would grow too large.
const MOST: usize = 600;

/// The difference of two texts; `None` when one is too long, or when they have nothing in common worth a comparison.
pub fn words(from: &str, to: &str) -> Option<Vec<Part>> {
    let (a, b) = (pieces(from), pieces(to));
    if a.len() > MOST || b.len() > MOST {
        return None;
    }
    let table = common(&a, &b);
    let (mut i, mut j, mut parts) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            push(&mut parts, Part::Same(a[i].to_owned()));
            (i, j) = (i + 1, j + 1);
        } else if i < a.len() && (j == b.len() || table[i + 1][j] >= table[i][j + 1]) {
            push(&mut parts, Part::Gone(a[i].to_owned()));
            i += 1;
        } else {
            push(&mut parts, Part::New(b[j].to_owned()));
            j += 1;
        }
    }
    Some(parts)
}

/// Words and the spaces between them.
fn pieces(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (at, character) in text.char_indices() {
        let kind = character.is_whitespace();
        if last.is_some_and(|last| last != kind) {
            out.push(&text[start..at]);
            start = at;
        }
        last = Some(kind);
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

/// Length of the longest common subsequence of each pair of tails.
fn common(a: &[&str], b: &[&str]) -> Vec<Vec<u16>> {
    let mut table = vec![vec![0_u16; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            table[i][j] = if a[i] == b[j] {
                table[i + 1][j + 1] + 1
            } else {
                table[i + 1][j].max(table[i][j + 1])
            };
        }
    }
    table
}

fn push(parts: &mut Vec<Part>, part: Part) {
    match (parts.last_mut(), &part) {
        (Some(Part::Same(known)), Part::Same(more))
        | (Some(Part::Gone(known)), Part::Gone(more))
        | (Some(Part::New(known)), Part::New(more)) => known.push_str(more),
        _ => parts.push(part),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_compared() {
        let gone = |text: &str| Part::Gone(text.to_owned());
        let new = |text: &str| Part::New(text.to_owned());
        let same = |text: &str| Part::Same(text.to_owned());
        assert_eq!(words("43", "41").unwrap(), [gone("43"), new("41")]);
        assert_eq!(
            words("the red car", "the blue car").unwrap(),
            [same("the "), gone("red"), new("blue"), same(" car")]
        );
        assert_eq!(words("", "a b").unwrap(), [new("a b")]);
        assert_eq!(words("same", "same").unwrap(), [same("same")]);
        assert!(words("", "").unwrap().is_empty());
        assert!(words(&"w ".repeat(700), "w").is_none());
    }
}
