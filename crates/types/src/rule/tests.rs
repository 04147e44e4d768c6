use super::*;
use serde_json::{Value, json};

fn rule(text: &str) -> Rule {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn fits(text: &str, doc: &Value) -> bool {
    let sample = Subject {
        doc: Some(doc),
        target: Some(&json!("B")),
        input: Some("Wär's links?"),
        doc_id: 7,
    };
    rule(text).fits(&sample)
}

#[test]
fn tests_are_typed_and_missing_is_false() {
    let doc = json!({
        "category": "OCR", "difficulty": 3, "hard": true, "none": null, "tags": ["Chart", 4], "deep": {"a b": {"in": 1.5}},
    });
    for yes in [
        r#"category = "ocr""#,
        r#"category in ("x", "ocr") and difficulty >= 3"#,
        r#"category != "x""#,
        r#"category not in ("x", 4)"#,
        "difficulty between 3 and 4",
        "hard = true and not hard = false",
        "none is null and missing = null and category is not null",
        r#"tags contains "chart""#,
        r#"category starts_with "oc" and category ends_with "CR""#,
        "deep.`a b`.in < 2",
        r#"missing|none|category = "ocr""#,
        r#"@target = "b" and @doc_id = 7 and @input_length = 12 and @input contains "LINKS""#,
        r#"(category = "x" or difficulty = 3) AND NOT (hard != true)"#,
    ] {
        assert!(fits(yes, &doc), "{yes}");
    }
    for no in [
        r#"difficulty = "3""#,
        "category < 3",
        r#"missing != "x""#,
        r#"missing not in ("x", "y")"#,
        r#"none != "x""#,
        r#"tags contains "char""#,
        r#"tags starts_with "Chart""#,
        r#"category.deeper = "ocr""#,
        r#"@input contains "WÄR""#,
    ] {
        assert!(!fits(no, &doc), "{no}");
    }
    assert!(rule("x is null").fits(&Subject::default()));
}

#[test]
fn errors_say_where_and_what() {
    for (text, message) in [
        ("", "at column 1: expected the name of a field, found the end"),
        ("category = ( )", "at column 12: expected a value, found `(`"),
        ("x in (\"a\", )", "at column 12: expected a value, found `)`"),
        (
            "category = ocr",
            "at column 12: expected a value, found `ocr`; text stands in quotes",
        ),
        (
            "a < \"x\"",
            "at column 5: expected a number, found the text \"x\"",
        ),
        (
            "a b",
            "at column 3: expected a comparison such as `=`, `<`, `in` or `contains`, found `b`",
        ),
        (
            "a = 1 b",
            "at column 7: expected `and`, `or` or the end, found `b`",
        ),
        ("a = \"x", "at column 5: the text that begins here has no end"),
        ("ä = 1e999", "at column 5: the number 1e999 is too large"),
        ("a = 1; drop", "at column 6: `;` has no meaning here"),
        (
            "@score > 1",
            "at column 2: expected `target`, `input`, `input_length` or `doc_id` after `@`, found `score`",
        ),
        (
            "a contains \"\"",
            "at column 12: the text is empty, and everything holds that",
        ),
        (
            "a between 3 and 1",
            "at column 17: the second number is less than the first, so that nothing lies between them",
        ),
        (
            "(a exists",
            "at column 10: expected `and`, `or` or `)`, found the end",
        ),
        ("a = \"\0\"", "at column 6: text cannot hold a NUL character"),
    ] {
        assert_eq!(text.parse::<Rule>().unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn a_rule_is_bounded() {
    let deep = format!("{}a exists{}", "(".repeat(30), ")".repeat(30));
    assert!(deep.parse::<Rule>().unwrap_err().message.contains("deeper"));
    let nots = format!("{}a exists", "not ".repeat(900));
    assert!(nots.parse::<Rule>().unwrap_err().message.contains("deeper"));
    let wide = ["a = 1"; 101].join(" or ");
    assert!(wide.parse::<Rule>().unwrap_err().message.contains("100 tests"));
    let list = format!("a in ({})", ["1"; 201].join(","));
    assert!(list.parse::<Rule>().unwrap_err().message.contains("200 values"));
    let path = ["a"; 9].join(".");
    assert!(format!("{path} = 1").parse::<Rule>().is_err());
    let long = format!("a = \"{}\"", "x".repeat(MAX_RULE));
    assert_eq!(long.parse::<Rule>().unwrap_err().column, MAX_RULE + 1);
}

#[test]
fn the_same_rule_is_written_the_same_way() {
    for (text, written) in [
        ("a==1 AND(b<2.50 aNd c>=-3)", "a = 1 and b < 2.5 and c >= -3"),
        (
            "(a exists or b is null) and c = true",
            "(a exists or b is null) and c = true",
        ),
        ("not(not(a = 'it''s'))", ""),
        ("not (a = 'x' or b = 1)", "not (a = \"x\" or b = 1)"),
        (
            "`in` in (1, 'a\\n\"') and `a``b`.in = 1",
            "`in` in (1, \"a\\n\\\"\") and `a``b`.in = 1",
        ),
        ("x|@target|y.z != null", "x|@target|y.z exists"),
        ("a = 1e300 and b = 0.1", "a = 1e300 and b = 0.1"),
    ] {
        match text.parse::<Rule>() {
            Ok(rule) => {
                assert_eq!(rule.to_string(), written);
                assert_eq!(written.parse::<Rule>().unwrap(), rule);
            }
            Err(error) => assert_eq!(written, "", "{text}: {error}"),
        }
    }
}
