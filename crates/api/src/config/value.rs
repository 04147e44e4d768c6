//! How the text of a setting becomes a value.

use super::LogFormat;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A type that a setting may have.
pub trait Value: Sized {
    /// What would be accepted, for the message.
    const EXPECTED: &'static str;
    /// Whether the value must not be shown.
    const SECRET: bool = false;

    /// The value that `text` means.
    fn read(text: &str) -> Option<Self>;
}

/// A value that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl Value for Secret {
    const EXPECTED: &'static str = "a text that is not empty";
    const SECRET: bool = true;

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }
}

impl Value for String {
    const EXPECTED: &'static str = "a text that is not empty";

    fn read(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| text.to_owned())
    }
}

impl Value for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        std::path::absolute(text).ok()
    }
}

impl Value for SocketAddr {
    const EXPECTED: &'static str = "an address and a port, e.g. `127.0.0.1:8000`";

    fn read(text: &str) -> Option<Self> {
        text.replace("localhost:", "127.0.0.1:").parse().ok()
    }
}

impl Value for bool {
    const EXPECTED: &'static str = "`true` or `false`";

    fn read(text: &str) -> Option<Self> {
        match text {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }
    }
}

macro_rules! positive {
    ($($type:ty),+) => {$(
        impl Value for $type {
            const EXPECTED: &'static str = "a whole number from 1";

            fn read(text: &str) -> Option<Self> {
                text.parse().ok().filter(|&n| n > 0)
            }
        }
    )+};
}
positive!(u32, u64, usize);

impl Value for Duration {
    const EXPECTED: &'static str = "a duration such as `500ms`, `30s`, `5m`, `1h` or `30d`";

    fn read(text: &str) -> Option<Self> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let n: u64 = text[..digits].parse().ok()?;
        let millis = match &text[digits..] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        n.checked_mul(millis).map(Self::from_millis)
    }
}

impl Value for LogFormat {
    const EXPECTED: &'static str = "`pretty` or `json`";

    fn read(text: &str) -> Option<Self> {
        match text {
            "pretty" => Some(Self::Pretty),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

impl<V: Value> Value for Option<V> {
    const EXPECTED: &'static str = V::EXPECTED;
    const SECRET: bool = V::SECRET;

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(None);
        }
        V::read(text).map(Some)
    }
}

impl<V: Value> Value for Vec<V> {
    const EXPECTED: &'static str = "a list separated by commas";
    const SECRET: bool = V::SECRET;

    fn read(text: &str) -> Option<Self> {
        text.split(',')
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .map(V::read)
            .collect()
    }
}
