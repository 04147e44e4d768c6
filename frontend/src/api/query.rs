//! Paths with a query, encoded.

/// A path with a query, built part by part; empty values are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    text: String,
    any: bool,
}

impl Path {
    /// A path without a query yet.
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            text: path.into(),
            any: false,
        }
    }

    /// Adds `name=value` unless the value is empty.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        let value = value.to_string();
        if !value.is_empty() {
            self.text.push(if self.any { '&' } else { '?' });
            self.text.push_str(name);
            self.text.push('=');
            self.text.push_str(&encoded(&value));
            self.any = true;
        }
        self
    }

    /// Adds `name=value` when there is one.
    #[must_use]
    pub fn maybe(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.text
    }
}

/// Percent-encoded, as a part of a path or of a query.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_and_empty_ones_left_out() {
        let path = Path::new("/runs")
            .with("search", "a b&c=é")
            .with("status", "")
            .maybe("limit", Some(5))
            .maybe("x", None::<u8>);
        assert_eq!(String::from(path), "/runs?search=a%20b%26c%3D%C3%A9&limit=5");
        assert_eq!(String::from(Path::new("/runs")), "/runs");
    }
}
