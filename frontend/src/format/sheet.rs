//! Tables as files: what is shown, with what is needed to understand it.

use serde_json::{Map, Value};

/// A table with a head.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sheet {
    /// The names of the columns.
    pub head: Vec<String>,
    /// Rows of texts, numbers, truth values and nulls.
    pub rows: Vec<Vec<Value>>,
}

/// Characters at the start of a cell by which a spreadsheet takes it for a formula.
const FORMULA: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\0'];

impl Sheet {
    /// A table without rows yet.
    pub fn new(head: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            head: head.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// As CSV (RFC 4180). A text that a spreadsheet would take for a formula begins with an apostrophe; numbers stay
    /// numbers.
    pub fn csv(&self) -> String {
        let head: Vec<String> = self.head.iter().map(|name| quoted(&safe(name))).collect();
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(cell).collect::<Vec<_>>());
        std::iter::once(head)
            .chain(rows)
            .map(|row| row.join(",") + "\r\n")
            .collect()
    }

    /// As JSON: a list of objects.
    pub fn json(&self) -> String {
        let object = |row: &Vec<Value>| {
            let pairs = self.head.iter().cloned().zip(row.iter().cloned());
            Value::Object(pairs.collect::<Map<_, _>>())
        };
        let all: Vec<Value> = self.rows.iter().map(object).collect();
        serde_json::to_string_pretty(&all).unwrap_or_default() + "\n"
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(&safe(text)),
        Value::Array(_) | Value::Object(_) => quoted(&safe(&value.to_string())),
        other => other.to_string(),
    }
}

fn safe(text: &str) -> String {
    if text.starts_with(FORMULA) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_are_no_formulas_and_numbers_stay_numbers() {
        let mut sheet = Sheet::new(["model", "score"]);
        sheet.rows.push(vec![json!("=1+1"), json!(-0.5)]);
        sheet.rows.push(vec![json!("a \"b\", c"), json!(null)]);
        sheet.rows.push(vec![json!("-x\ny"), json!(true)]);
        assert_eq!(
            sheet.csv(),
            "model,score\r\n'=1+1,-0.5\r\n\"a \"\"b\"\", c\",\r\n\"'-x\ny\",true\r\n"
        );
        let back: Value = serde_json::from_str(&sheet.json()).unwrap();
        assert_eq!(back[0], json!({"model": "=1+1", "score": -0.5}));
    }
}
