//! Names that people give to things.

use crate::MAX_NAME;
use thiserror::Error;

/// Why a name is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing but blanks.
    #[error("is empty; expected 1 to {MAX_NAME} characters")]
    Empty,
    /// Too long.
    #[error("has {0} characters; expected at most {MAX_NAME}")]
    Long(usize),
    /// Holds a control or bidirectional-override character.
    #[error("holds the control character U+{0:04X}; expected printable text")]
    Control(u32),
}

/// The name without surrounding blanks, or why it is refused.
///
/// # Errors
/// [`NameError`] when it is empty, too long or not printable.
pub fn check_name(name: &str) -> Result<&str, NameError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if let Some(c) = name.chars().find(|&c| c.is_control() || is_bidi_override(c)) {
        return Err(NameError::Control(c as u32));
    }
    match name.chars().count() {
        n if n > MAX_NAME => Err(NameError::Long(n)),
        _ => Ok(name),
    }
}

fn is_bidi_override(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_printable_and_bounded() {
        assert_eq!(check_name("  LLaVA-1.5 7B  "), Ok("LLaVA-1.5 7B"));
        assert_eq!(check_name(" \t "), Err(NameError::Empty));
        assert_eq!(check_name("a\u{202E}b"), Err(NameError::Control(0x202E)));
        assert_eq!(check_name(&"x".repeat(201)), Err(NameError::Long(201)));
    }
}
