//! The samples of the filter as a table, all of them, whatever page is open.

use serde_json::{Value, json};
use types::{RunId, SampleView};

use crate::{
    api::{
        client::Client,
        endpoints::{self, SampleQuery},
    },
    format::{Sheet, input_text, text_of},
    shell::export::{Gathered, MOST_ROWS},
};

/// Samples of a request.
const PAGE: u32 = 200;

/// Asks for the samples page by page, in the order of the list.
pub async fn gather(client: Client, run: RunId, query: SampleQuery) -> Gathered {
    let mut samples: Vec<SampleView> = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = SampleQuery {
            limit: PAGE,
            cursor: cursor.clone(),
            ..query.clone()
        };
        let found = endpoints::samples(&client, run, &page).await?;
        samples.extend(found.samples);
        match found.next_cursor.filter(|_| samples.len() < MOST_ROWS) {
            Some(next) => cursor = next,
            None => return Ok((sheet(run, &samples), found.total)),
        }
    }
}

/// A text, or nothing where there is none.
fn text(value: &Value) -> Value {
    if value.is_null() {
        Value::Null
    } else {
        json!(text_of(value))
    }
}

fn sheet(run: RunId, samples: &[SampleView]) -> Sheet {
    let mut sheet = Sheet::new([
        "run_id",
        "sample_id",
        "benchmark",
        "filter",
        "doc_id",
        "input",
        "target",
        "prediction",
        "raw_prediction",
        "score",
        "score_reason",
        "error",
        "confidence",
        "flags",
        "metrics",
    ]);
    for sample in samples {
        sheet.rows.push(vec![
            json!(run),
            json!(sample.id),
            json!(sample.benchmark),
            json!(sample.filter),
            json!(sample.doc_id),
            json!(input_text(&sample.input)),
            text(&sample.ground_truth),
            text(&sample.prediction),
            sample.raw_prediction.as_ref().map_or(Value::Null, text),
            json!(sample.score),
            json!(sample.score_reason),
            json!(sample.error),
            json!(sample.confidence),
            json!(sample.flags.join(" ")),
            json!(sample.metrics.to_string()),
        ]);
    }
    sheet
}
