//! What a sample holds, as text for people. All of it was written by a model or a stranger.

use serde_json::Value;

/// A value as text: text as it is, one-element lists without brackets, the rest as JSON.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => match items.as_slice() {
            [one] => text_of(one),
            many if many.iter().all(|item| !item.is_object() && !item.is_array()) => {
                many.iter().map(text_of).collect::<Vec<_>>().join("\n")
            }
            _ => pretty(value),
        },
        Value::Object(_) => pretty(value),
        other => other.to_string(),
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// The prompt of an input; its media are shown, not named.
pub fn input_text(value: &Value) -> String {
    let prompt = ["prompt", "text", "question", "input"]
        .iter()
        .find_map(|key| value.get(key)?.as_str());
    prompt.map_or_else(|| text_of(value), str::to_owned)
}

/// The metrics of a sample, one per line.
pub fn metrics_text(value: &Value) -> String {
    let Some(map) = value.as_object() else {
        return text_of(value);
    };
    let one = |(name, value): (&String, &Value)| {
        let value = if value.is_object() || value.is_array() {
            value.to_string()
        } else {
            text_of(value)
        };
        format!("{name}: {value}")
    };
    map.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// A flag as a badge: its words, and what it means.
pub fn flag_words(flag: &str) -> (String, String) {
    let (words, title) = match flag {
        "failed_request" => (
            "request failed",
            "The model did not answer; lmms-eval scored it as wrong",
        ),
        "budget" => (
            "budget",
            "The token budget was used up; lmms-eval scored it as wrong",
        ),
        "empty" => ("empty", "The answer is empty"),
        "truncated" => ("truncated", "The answer reached the token limit"),
        "unparsed" => ("unparsed", "No answer was found in the text"),
        other => (other, "A mark of this sample"),
    };
    (words.to_owned(), title.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_as_text() {
        assert_eq!(text_of(&json!(["A"])), "A");
        assert_eq!(text_of(&json!(["A", 2])), "A\n2");
        assert_eq!(text_of(&json!(null)), "");
        assert_eq!(text_of(&json!({"a": 1})), "{\n  \"a\": 1\n}");
        assert_eq!(input_text(&json!({"prompt": "Which?", "media": [1]})), "Which?");
        assert_eq!(input_text(&json!("Which?")), "Which?");
        assert_eq!(
            metrics_text(&json!({"acc": 1.0, "parts": {"x": 2}})),
            "acc: 1.0\nparts: {\"x\":2}"
        );
        assert_eq!(flag_words("failed_request").0, "request failed");
        assert_eq!(flag_words("odd").0, "odd");
    }
}
