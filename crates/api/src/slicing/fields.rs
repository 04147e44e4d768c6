//! What documents hold, as somebody who writes a rule wants to see it.

use crate::db::slices::preview::FieldValue;
use serde_json::Value;
use std::collections::BTreeMap;
use types::PreviewField;
use types::rule::{Literal, Place};

/// Fields that are shown.
const MOST_FIELDS: usize = 60;
/// Values of a field that are shown.
const MOST_VALUES: usize = 12;

/// Fields, the most frequent first, with their most frequent values. Values that differ from document to document
/// (ids, questions) tell nothing and are left out.
pub fn fields(found: &[FieldValue]) -> Vec<PreviewField> {
    let mut by_name: BTreeMap<&str, Vec<&FieldValue>> = BTreeMap::new();
    for value in found {
        by_name.entry(&value.name).or_default().push(value);
    }
    let mut fields: Vec<PreviewField> = by_name.into_iter().map(field).collect();
    fields.sort_by_key(|field| std::cmp::Reverse(field.documents));
    fields.truncate(MOST_FIELDS);
    fields
}

fn field((name, values): (&str, Vec<&FieldValue>)) -> PreviewField {
    let documents = values.iter().map(|v| v.documents.unsigned_abs()).sum();
    let mut kinds: BTreeMap<&str, i64> = BTreeMap::new();
    for value in &values {
        *kinds.entry(&value.kind).or_default() += value.documents;
    }
    let kind = kinds
        .into_iter()
        .max_by_key(|(_, n)| *n)
        .map_or("", |(kind, _)| kind);
    let repeated = values.iter().filter(|value| value.documents > 1);
    let values = repeated.filter_map(|value| literal(value.value.as_ref()?));
    PreviewField {
        name: Place::Doc(vec![name.to_owned()]).to_string(),
        kind: kind.to_owned(),
        documents,
        values: values.take(MOST_VALUES).map(|value| value.to_string()).collect(),
    }
}

fn literal(value: &Value) -> Option<Literal> {
    match value {
        Value::String(text) => Some(Literal::Text(text.clone())),
        Value::Number(number) => number.as_f64().map(Literal::Number),
        Value::Bool(value) => Some(Literal::Bool(*value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_written_as_in_a_rule() {
        let value = |name: &str, kind: &str, value: Value, documents| FieldValue {
            name: name.to_owned(),
            kind: kind.to_owned(),
            value: Some(value).filter(|v| !v.is_null()),
            documents,
        };
        let found = fields(&[
            value("in", "string", json!("a \"b\""), 5),
            value("in", "number", json!(3), 2),
            value("in", "string", json!("once"), 1),
            value("id", "string", Value::Null, 9),
        ]);
        assert_eq!((found[0].name.as_str(), found[0].documents), ("id", 9));
        assert_eq!(found[1].name, "`in`");
        assert_eq!(found[1].kind, "string");
        assert_eq!(found[1].values, ["\"a \\\"b\\\"\"", "3"]);
    }
}
