//! A vector of arguments as one line for a POSIX shell.

use std::borrow::Cow;

/// One line that a POSIX shell takes apart into exactly these arguments.
#[must_use]
pub fn shell_line(argv: &[String]) -> String {
    let words: Vec<_> = argv.iter().map(|word| quote(word)).collect();
    words.join(" ")
}

fn quote(word: &str) -> Cow<'_, str> {
    if !word.is_empty() && word.chars().all(is_plain) {
        return Cow::Borrowed(word);
    }
    // A quoted string cannot hold its own quote: leave it, write one escaped, and go on.
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_-./:=,@%+".contains(character)
}
