//! What looks like a credential, and how it is blotted out.
//!
//! Model arguments, logs and results documents of real runs hold live API keys. Everything that
//! is stored or shown passes through [`redact`].

use std::ops::Range;

use serde_json::Value;

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

/// How long a value is at least that is blotted out because of its key.
const LEAST_VALUE: usize = 6;

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

/// Blots every secret out of a document: values of secret keys, and what looks like one in texts.
pub fn redact_value(value: &mut Value) {
    match value {
        Value::String(text) => replace(text, redact(text)),
        Value::Array(items) => items.iter_mut().for_each(redact_value),
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if looks_secret(key, text) => replace(text, blotted(text)),
                    other => redact_value(other),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replace(text: &mut String, clean: String) {
    if *text != clean {
        *text = clean;
    }
}

/// The value of a secret key without the secret: the whole value goes, unless only a part of it
/// is one.
#[must_use]
pub fn blotted(value: &str) -> String {
    let partly = redact(value);
    if partly == value {
        REDACTED.to_owned()
    } else {
        partly
    }
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

/// The text with every secret in it replaced by [`REDACTED`]: values of secret keys, passwords in
/// addresses, and everything that has the shape of a credential.
#[must_use]
pub fn redact(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut copied = 0;
    let mut at = 0;
    let mut previous = ' ';
    while let Some(character) = text[at..].chars().next() {
        let starts = !is_word(previous) || character == ':';
        let found = if starts { secret_at(text, at) } else { None };
        if let Some(secret) = found {
            clean.push_str(&text[copied..secret.start]);
            clean.push_str(REDACTED);
            copied = secret.end;
            at = secret.end;
            previous = 'x';
        } else {
            previous = character;
            at += character.len_utf8();
        }
    }
    clean.push_str(&text[copied..]);
    clean
}

/// The secret that begins, or whose key begins, at this place.
fn secret_at(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let within = match rest.as_bytes().first()? {
        b':' => password(rest),
        byte if byte.is_ascii_alphanumeric() || *byte == b'_' => credential(rest)
            .map(|length| 0..length)
            .or_else(|| bearer(rest))
            .or_else(|| keyed(rest)),
        _ => None,
    }?;
    Some(at + within.start..at + within.end)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn token_length(text: &str) -> usize {
    text.bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
        .count()
}

/// The length of a token with the shape of a credential.
fn credential(text: &str) -> Option<usize> {
    if text.starts_with("eyJ") {
        return web_token(text);
    }
    let &(prefix, least) = PREFIXES.iter().find(|(prefix, _)| text.starts_with(prefix))?;
    let length = token_length(text);
    let body = &text[prefix.len()..length];
    // Words with hyphens have no digits; keys practically always do.
    let plausible = body.len() >= least && body.bytes().any(|byte| byte.is_ascii_digit());
    plausible.then_some(length)
}

/// A JSON web token: three parts with dots between.
fn web_token(text: &str) -> Option<usize> {
    let length = text
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte))
        .count();
    (length >= 40 && text[..length].matches('.').count() >= 2).then_some(length)
}

/// `Bearer <token>`.
fn bearer(text: &str) -> Option<Range<usize>> {
    let start = ["Bearer ", "bearer ", "Basic "]
        .iter()
        .find(|word| text.starts_with(**word))?
        .len();
    let length = text[start..]
        .bytes()
        .take_while(|byte| is_value_byte(*byte))
        .count();
    (length >= LEAST_VALUE).then_some(start..start + length)
}

/// The password in `://user:password@host`.
fn password(text: &str) -> Option<Range<usize>> {
    let rest = text.strip_prefix("://")?;
    let end = rest
        .find(|c: char| c.is_whitespace() || "/?#\"'".contains(c))
        .unwrap_or(rest.len());
    let (user_info, _) = rest[..end].rsplit_once('@')?;
    let (user, password) = user_info.split_once(':')?;
    let start = 3 + user.len() + 1;
    (!password.is_empty()).then_some(start..start + password.len())
}

/// The value in `api_key=value`, `api_key: value` or `'api_key': 'value'`. Blanks around `=` are
/// program text, not a setting.
fn keyed(text: &str) -> Option<Range<usize>> {
    let key = token_length(text);
    let mut at = key;
    at += usize::from(text[at..].starts_with(['"', '\'']));
    let separator = text[at..].chars().next().filter(|c| matches!(c, '=' | ':'))?;
    if key > 64 || !is_secret_key(&text[..key]) {
        return None;
    }
    at += 1;
    if separator == ':' {
        at += text[at..].bytes().take_while(|byte| *byte == b' ').count();
    }
    let quote = text[at..].chars().next().filter(|c| matches!(c, '"' | '\''));
    at += usize::from(quote.is_some());
    let rest = &text[at..];
    if ["Bearer ", "bearer ", "Basic "]
        .iter()
        .any(|word| rest.starts_with(word))
    {
        return bearer(rest).map(|token| at + token.start..at + token.end);
    }
    let length = match quote {
        Some(quote) => rest.find(quote).unwrap_or(rest.len()),
        None => rest.bytes().take_while(|byte| is_value_byte(*byte)).count(),
    };
    let value = &rest[..length];
    (length >= LEAST_VALUE && !is_harmless(value)).then_some(at..at + length)
}

/// Bytes of an unquoted value; text beyond ASCII belongs to it.
fn is_value_byte(byte: u8) -> bool {
    !(byte.is_ascii_whitespace() || b",;&\"'()[]{}<>|`".contains(&byte))
}
