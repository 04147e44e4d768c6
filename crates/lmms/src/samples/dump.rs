//! Samples that are not one a line: in an API dump, and in files from before 0.2.4.

use serde_json::Value;

use super::{BadLine, BadLineReason, Sample, SampleVariant, parse_value};

/// What [`of_dump`] and [`of_old`] return for each task: its samples, or why one is none. The
/// line number is the place in the list, from 1.
pub type SampleList = Vec<Result<Sample, BadLine>>;

/// The samples of an API dump, by task; empty when there are none.
#[must_use]
pub fn of_dump(document: Value) -> Vec<(String, SampleList)> {
    let Value::Object(mut fields) = document else {
        return Vec::new();
    };
    let Some(Value::Object(tasks)) = fields.shift_remove("samples") else {
        return Vec::new();
    };
    let list = |(task, records)| match records {
        Value::Array(records) => Some((task, read(records, SampleVariant::Sd))),
        _ => None,
    };
    tasks.into_iter().filter_map(list).collect()
}

/// The samples of an old `<task>.json`; empty when there are none.
#[must_use]
pub fn of_old(document: Value) -> SampleList {
    let Value::Object(mut fields) = document else {
        return Vec::new();
    };
    match fields.shift_remove("logs") {
        Some(Value::Array(records)) => read(records, SampleVariant::S0),
        _ => Vec::new(),
    }
}

fn read(records: Vec<Value>, variant: SampleVariant) -> SampleList {
    let sample = |(record, line_no): (Value, u64)| {
        parse_value(record, Some(variant)).map_err(|error| BadLine {
            line_no,
            reason: BadLineReason::NotASample(error.to_string()),
        })
    };
    records.into_iter().zip(1..).map(sample).collect()
}
