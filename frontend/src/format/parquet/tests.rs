use std::{fs, process::Command};

use serde_json::json;

use super::*;

fn kind(values: &[Value]) -> Kind {
    Kind::of(values.iter())
}

#[test]
fn a_column_is_of_the_narrowest_kind() {
    assert_eq!(kind(&[json!(true), json!(null)]), Kind::Boolean);
    assert_eq!(kind(&[json!(1), json!(-2)]), Kind::Int64);
    assert_eq!(kind(&[json!(1), json!(0.5)]), Kind::Double);
    assert_eq!(kind(&[json!(1), json!(true)]), Kind::Text);
    assert_eq!(kind(&[json!("1"), json!(1)]), Kind::Text);
    assert_eq!(kind(&[json!(null)]), Kind::Text);
    assert_eq!(kind(&[json!(u64::MAX)]), Kind::Double);
}

#[test]
fn each_name_stands_once() {
    let names = ["a", "a", "a_2", "b"].map(str::to_owned);
    assert_eq!(unique(&names), ["a", "a_2", "a_2_2", "b"]);
}

/// What a reader should find: more than one byte of levels, every kind, nulls, and texts that are not ASCII.
fn table() -> Sheet {
    let mut sheet = Sheet::new(["name", "n", "score", "ok", "none", "mixed", "name"]);
    for at in 0..1000_i64 {
        let maybe = |value: Value| if at % 3 == 0 { Value::Null } else { value };
        sheet.rows.push(vec![
            json!(format!("模型 ü \u{202e} {at}\n=1+1")),
            maybe(json!(at - 500)),
            maybe(json!(at as f64 / 7.0)),
            maybe(json!(at % 2 == 0)),
            Value::Null,
            if at == 9 { json!({"a": [1]}) } else { json!(at) },
            json!(""),
        ]);
    }
    sheet
}

/// Reads a file with Arrow's own reader and prints its schema and its rows.
const READ: &str = "
import sys, json
try:
    import pyarrow.parquet as pq
except ImportError:
    sys.exit(77)
table = pq.read_table(sys.argv[1])
print(json.dumps([[[f.name, str(f.type)] for f in table.schema], [list(r.values()) for r in table.to_pylist()]]))
";

/// What Arrow reads of a sheet; `None` where there is no Arrow.
fn read_back(sheet: &Sheet, name: &str) -> Option<Value> {
    let python = std::env::var_os("LMMS_EVAL_PYTHON")?;
    let file = std::env::temp_dir().join(format!("lmms-{}-{name}.parquet", std::process::id()));
    fs::write(&file, parquet(sheet)).unwrap();
    let read = Command::new(python)
        .args(["-c", READ])
        .arg(&file)
        .output()
        .unwrap();
    fs::remove_file(&file).unwrap();
    if read.status.code() == Some(77) {
        return None;
    }
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    Some(serde_json::from_slice(&read.stdout).unwrap())
}

#[test]
fn arrow_reads_what_was_written() {
    let sheet = table();
    let Some(found) = read_back(&sheet, "full") else {
        println!("skipped: `LMMS_EVAL_PYTHON` names no Python with pyarrow");
        return;
    };
    let schema = json!([
        ["name", "string"],
        ["n", "int64"],
        ["score", "double"],
        ["ok", "bool"],
        ["none", "string"],
        ["mixed", "string"],
        ["name_2", "string"]
    ]);
    assert_eq!(found[0], schema);
    let expected: Vec<Vec<Value>> = sheet
        .rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            row[5] = json!(row[5].to_string());
            row
        })
        .collect();
    assert_eq!(found[1], json!(expected));
    let empty = read_back(&Sheet::new(["a"]), "empty").unwrap();
    assert_eq!(empty, json!([[["a", "string"]], []]));
}
