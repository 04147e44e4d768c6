//! What is blotted out, and what must not be.

use lmms::secrets::{REDACTED, is_secret_key, looks_secret, redact};
use proptest::prelude::*;

#[test]
fn keys_that_announce_a_secret() {
    for key in [
        "api_key",
        "OPENAI_API_KEY",
        "hf_token",
        "use_auth_token",
        "apiKey",
        "password",
        "aws-secret-access-key",
        "token",
    ] {
        assert!(is_secret_key(key), "{key}");
    }
    for key in [
        "eos_token",
        "image_token",
        "max_new_tokens",
        "cluster_key",
        "tokenizer",
        "key",
        "monkey",
        "",
    ] {
        assert!(!is_secret_key(key), "{key}");
    }
}

#[test]
fn values_that_are_none() {
    for value in ["True", "none", "", "x", "EMPTY", "0", REDACTED] {
        assert!(!looks_secret("api_key", value), "{value}");
    }
    assert!(looks_secret("api_key", "abc123"));
    assert!(looks_secret("prompt", "use sk-abcdefghij0123456789 please"));
    assert!(!looks_secret("pretrained", "Qwen/Qwen2.5-VL-7B-Instruct"));
    assert!(!looks_secret("base_url", "http://127.0.0.1:18911/v1"));
    assert!(looks_secret("base_url", "http://user:hunter22@host/v1"));
}

#[test]
fn texts() {
    let cases = [
        (
            "model=x,api_key=abcdef123,timeout=20",
            "model=x,api_key=[REDACTED],timeout=20",
        ),
        (
            "{'api_key': 'abc def 123', 'n': 1}",
            "{'api_key': '[REDACTED]', 'n': 1}",
        ),
        ("\"token\": \"abcdef\"", "\"token\": \"[REDACTED]\""),
        ("HF_TOKEN=hf_abcdefghijklmnop1234", "HF_TOKEN=[REDACTED]"),
        (
            "Authorization: Bearer abc.def-123",
            "Authorization: Bearer [REDACTED]",
        ),
        ("key sk-proj-ABCDEFGHIJ0123456789!", "key [REDACTED]!"),
        ("https://me:secret1@host/x", "https://me:[REDACTED]@host/x"),
        ("token = self.get(1)", "token = self.get(1)"),
        ("Token Usage - Input: 20,472", "Token Usage - Input: 20,472"),
        ("tokens=9,693 eos_token=</s>", "tokens=9,693 eos_token=</s>"),
        (
            "task-sk-learn-long-hyphenated-words",
            "task-sk-learn-long-hyphenated-words",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(redact(text), expected);
    }
}

proptest! {
    #![proptest_config(crate::fixtures::cases(256))]

    #[test]
    fn redacting_twice_changes_nothing_more(text in "(api_key|token|x)[=: ]{0,2}\\PC{0,30}") {
        let once = redact(&text);
        prop_assert_eq!(redact(&once), once);
    }

    #[test]
    fn no_text_panics(key in "\\PC{0,20}", text in "\\PC{0,80}") {
        let _ = (looks_secret(&key, &text), redact(&text));
    }
}
