//! From the statements of a request to a script for pgbench.
//!
//! So the limit that a request is held against is always made of the product's own statements, with the same roles
//! and the same transactions, whatever they have become.

use std::collections::BTreeMap;

use anyhow::{Result, bail};

use super::statements::Statement;

/// A script that says the same again. What differs between two captures of one request was made for it (the ids of
/// new rows), and is drawn anew each time.
pub(crate) fn script(once: &[Statement], again: &[Statement]) -> Result<String> {
    if once.len() != again.len() {
        bail!(
            "the same request says {} and then {} statements",
            once.len(),
            again.len()
        );
    }
    let mut fresh = BTreeMap::new();
    for (a, b) in once.iter().zip(again) {
        for (x, y) in a.parameters.iter().zip(&b.parameters) {
            if let (Some(x), Some(y)) = (x, y) {
                note_fresh(&mut fresh, x, y);
            }
        }
    }
    let mut text = String::from("\\set n random(1, 1000000000000)\n");
    for statement in once {
        text += &spoken(statement, &fresh);
    }
    Ok(text)
}

/// A statement with its values, for psql.
pub(crate) fn said(statement: &Statement) -> String {
    filled(&statement.text, |number| {
        match statement.parameters.get(number - 1) {
            Some(Some(value)) => format!("'{}'", value.replace('\'', "''")),
            _ => "null".to_owned(),
        }
    })
}

/// New ids, alone or in a list.
fn note_fresh(fresh: &mut BTreeMap<String, usize>, once: &str, again: &str) {
    let ids = |text: &str| -> Vec<String> {
        text.trim_matches(['{', '}'])
            .split(',')
            .map(|id| id.trim_matches('"').to_owned())
            .collect()
    };
    for (x, y) in ids(once).into_iter().zip(ids(again)) {
        if x != y && is_id(&x) && is_id(&y) {
            let next = fresh.len();
            fresh.entry(x).or_insert(next);
        }
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

fn spoken(statement: &Statement, fresh: &BTreeMap<String, usize>) -> String {
    if statement.is_batch {
        // One message, as the product sends it.
        let lines = statement
            .text
            .split("; ")
            .map(|part| format!("{};\n", harmless(part)));
        return format!("\\startpipeline\n{}\\endpipeline\n", lines.collect::<String>());
    }
    let value = |number: usize| match statement.parameters.get(number - 1) {
        Some(Some(value)) => {
            let typed = if statement.text.contains("unnest(") {
                array_type(value)
            } else {
                ""
            };
            literal(value, fresh) + typed
        }
        _ => "null".to_owned(),
    };
    format!(
        "{};\n",
        filled(&harmless(&without_comments(&statement.text)), value)
    )
}

/// A comment may name values once more, which pgbench would count as parameters of the statement.
fn without_comments(text: &str) -> String {
    let mut parts = text.split("/*");
    let mut out = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| out += part.split_once("*/").map_or("", |(_, rest)| rest));
    out
}

/// The text with its `$n` replaced.
fn filled(text: &str, value: impl Fn(usize) -> String) -> String {
    let mut out = String::new();
    let mut parts = text.split('$');
    out += parts.next().unwrap_or_default();
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        match part[..digits].parse() {
            Ok(number) => out += &value(number),
            Err(_) => out.push('$'),
        }
        out += &part[digits..];
    }
    out
}

/// What a list holds, where the statement alone does not say it.
fn array_type(value: &str) -> &'static str {
    let Some(first) = value
        .strip_prefix('{')
        .and_then(|v| v.strip_suffix('}')?.split(',').next())
    else {
        return "";
    };
    match first {
        number if number.parse::<i64>().is_ok() => "::bigint[]",
        id if is_id(id) => "::uuid[]",
        json if json.starts_with("\"{") || json == "{}" => "::jsonb[]",
        _ => "::text[]",
    }
}

fn literal(value: &str, fresh: &BTreeMap<String, usize>) -> String {
    let id = |n: usize| format!("md5((:n::bigint + {n})::text)::uuid");
    if let Some(&number) = fresh.get(value) {
        return id(number);
    }
    let listed = value.strip_prefix('{').and_then(|v| v.strip_suffix('}'));
    if let Some(items) = listed
        && items.split(',').any(|item| fresh.contains_key(item))
    {
        let item = |item: &str| fresh.get(item).map_or_else(|| format!("'{item}'"), |&n| id(n));
        return format!(
            "array[{}]",
            items.split(',').map(item).collect::<Vec<_>>().join(", ")
        );
    }
    format!("'{}'", harmless(&value.replace('\'', "''")))
}

/// pgbench reads `:word` as a variable of its own; in JSON a space does no harm.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = ' ';
    for c in text.chars() {
        if last == ':' && c.is_ascii_alphabetic() && out.ends_with("\":") {
            out.push(' ');
        }
        out.push(c);
        last = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::statements::parse;
    use super::*;

    const LOG: &str = "noise\n\u{1}other\u{1}LOG:  statement: select 1\n\
        \u{1}ours\u{1}LOG:  statement: begin; select set_config('a', '{\"b\":true}', true)\n\
        \u{1}ours\u{1}LOG:  execute s1: insert into t\n\tvalues ($1, $2, $3)\n\
        \u{1}ours\u{1}DETAIL:  Parameters: $1 = 'ID', $2 = 'it''s', $3 = NULL\n\
        \u{1}ours\u{1}LOG:  statement: COMMIT\n2026-01-01 [1] LOG:  noise\n";

    fn once(id: &str) -> Vec<Statement> {
        parse(&LOG.replace("ID", id), "ours")
    }

    #[test]
    fn comments_are_left_out() {
        assert_eq!(
            without_comments("select $1 /*$1*/ /*$2*/ + 1 /*"),
            "select $1   + 1 "
        );
    }

    #[test]
    fn a_request_is_said_again_with_new_ids() {
        let (a, b) = (
            "00000000-0000-0000-0000-000000000001",
            "00000000-0000-0000-0000-000000000002",
        );
        let script = script(&once(a), &once(b)).expect("a script");
        let lines: Vec<&str> = script.lines().skip(1).collect();
        let expected = [
            "\\startpipeline",
            "begin;",
            "select set_config('a', '{\"b\": true}', true);",
            "\\endpipeline",
            "insert into t values (md5((:n::bigint + 0)::text)::uuid, 'it''s', null);",
            "COMMIT;",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn lists_say_what_they_hold() {
        let kinds = [
            "{1,2}",
            "{a}",
            "{00000000-0000-0000-0000-000000000001}",
            "{\"{\\\"a\\\": 1}\"}",
            "1",
        ];
        assert_eq!(
            kinds.map(array_type),
            ["::bigint[]", "::text[]", "::uuid[]", "::jsonb[]", ""]
        );
    }

    #[test]
    fn what_is_the_same_in_both_stays() {
        let id = "00000000-0000-0000-0000-000000000001";
        let script = script(&once(id), &once(id)).expect("a script");
        assert!(script.contains("values ('00000000-"), "{script}");
    }
}
